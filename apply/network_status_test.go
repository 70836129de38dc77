package apply

import (
	"maps"
	"slices"
	"testing"
)

func TestUp(t *testing.T) {
	t.Parallel()
	const report = `{"siteStatus":[
		{"site":{"identity":"me"},"routerStatus":[{"links":[{"name":"a","status":"up"},{"name":"b","status":"down"}]},{"links":[{"name":"c","status":"UP"}]}]},
		{"site":{"identity":"other"},"routerStatus":[{"links":[{"name":"d","status":"up"}]}]}]}`
	for site, want := range map[string][]string{"me": {"a", "c"}, "other": {"d"}, "not in it": {"a", "c", "d"}} {
		if got := slices.Sorted(maps.Keys(up(report, site))); !slices.Equal(got, want) {
			t.Errorf("site %q: %v up, want %v", site, got, want)
		}
	}
	for _, broken := range []string{"", "{", `{"siteStatus":null}`, `[]`} {
		if len(up(broken, "me")) > 0 {
			t.Errorf("%q reports links", broken)
		}
	}
}
