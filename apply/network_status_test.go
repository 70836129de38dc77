package apply

import (
	"reflect"
	"strings"
	"testing"

	"fairlead.dev/fairlead/plan/world"
)

func TestReported(t *testing.T) {
	t.Parallel()
	const report = `{"siteStatus":[
		{"site":{"identity":"other"},"routerStatus":[{"links":[{"name":"a","status":"up","linkCost":9}]}]},
		{"site":{"identity":"me"},"routerStatus":[{"links":[{"name":"a","status":"up","linkCost":3},{"name":"b","status":"down"}]},{"links":[{"name":"c","status":"UP","linkCost":99999999999}]}]},
		{"site":{"identity":"idle"},"routerStatus":null}]}`
	want := world.SiteReport{Site: "me", Links: []world.LinkReport{{Name: "a", Up: true, Cost: 3}, {Name: "b"}, {Name: "c", Up: true, Cost: 2147483647}}}
	if got := Reported(map[string]string{NetworkStatusKey: report}, "me"); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
	if got := Reported(map[string]string{NetworkStatusKey: report}, "idle"); !reflect.DeepEqual(got, world.SiteReport{Site: "idle"}) {
		t.Errorf("a site without links: %+v", got)
	}
	for text, fault := range map[string]string{
		"":                             "missing or empty",
		report[:len(report)/2]:         "cannot be read: unexpected end of JSON input",
		`{"siteStatus":null}`:          "does not have its site",
		`[]`:                           "cannot be read",
		`{"siteStatus":[{"site":{}}]}`: "does not have its site",
		`{"siteStatus":[{"routerStatus":[{"links":[{"linkCost":"x"}]}]}]}`: "cannot be read",
	} {
		got := Reported(map[string]string{NetworkStatusKey: text}, "me")
		if got.Site != "me" || len(got.Links) > 0 || !strings.Contains(got.Fault, fault) {
			t.Errorf("%q: %+v, want %q", text, got, fault)
		}
	}
	if got := Reported(nil, "me"); !strings.Contains(got.Fault, "missing") {
		t.Errorf("no ConfigMap: %+v", got)
	}
}

// After a cost edit Configured follows, and Operational stays as it was.
func TestLinkOf(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		o    Object
		want world.LinkView
	}{
		"up":       {withConditions(1, nil, is("Configured", "True", "OK", 1), is("Operational", "True", "OK", 1)), world.LinkView{Configured: true, Operational: true, Current: true}},
		"edited":   {withConditions(2, nil, is("Configured", "True", "OK", 2), is("Operational", "True", "OK", 1)), world.LinkView{Configured: true, Operational: true}},
		"changing": {withConditions(2, nil, is("Configured", "True", "OK", 1), is("Operational", "True", "OK", 1)), world.LinkView{Operational: true}},
		"down":     {withConditions(1, nil, is("Configured", "True", "OK", 1), is("Operational", "False", "Not Operational", 1)), world.LinkView{Configured: true, Current: true}},
		"new":      {withConditions(1, nil, is("Configured", "True", "OK", 1)), world.LinkView{Configured: true, Unreported: true}},
		"untold":   {Object{Generation: 1}, world.LinkView{Unreported: true}},
	} {
		got := LinkOf(tt.o)
		got.Message = ""
		if !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %+v, want %+v", name, got, tt.want)
		}
	}
}
