package apply

import (
	"reflect"
	"testing"

	"fairlead.dev/fairlead/plan"
)

func TestReported(t *testing.T) {
	t.Parallel()
	const report = `{"siteStatus":[
		{"site":{"identity":"me"},"routerStatus":[{"links":[{"name":"a","status":"up","linkCost":3},{"name":"b","status":"down"}]},{"links":[{"name":"c","status":"UP","linkCost":99999999999}]}]},
		{"site":{"identity":"other"},"routerStatus":[]}]}`
	want := []plan.SiteReport{
		{Site: "me", Links: []plan.LinkReport{{Name: "a", Up: true, Cost: 3}, {Name: "b"}, {Name: "c", Up: true, Cost: 2147483647}}},
		{Site: "other"},
	}
	if got := Reported(report); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
	for _, broken := range []string{"", "{", `{"siteStatus":null}`, `[]`, `{"siteStatus":[{"routerStatus":[{"links":[{"linkCost":"x"}]}]}]}`} {
		if got := Reported(broken); len(got) > 0 {
			t.Errorf("%q reports %v", broken, got)
		}
	}
}
