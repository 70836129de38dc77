package e2e

import "testing"

// Two sites that see each other over one hub, and then over another: the old Links go
// when both new ones are up. A link that turns round is up before its hub closes.
func TestAllLinksMove(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const open = `linkAccess: "default"`
	sites := []site{{"h1", 0, open}, {"h2", 1, open}, {"east", 1, ""}, {"west", 0, ""}}
	w.applied(sites, []link{{"east-hub", "east", "h1", 1}, {"west-hub", "west", "h1", 1}})

	links := []link{{"east-hub", "east", "h2", 1}, {"west-hub", "west", "h2", 1}}
	w.describe(sites, links)
	w.shows(w.must(0, "apply", "--yes"), "delete link east-hub: east → h1", "after: link/east-hub, link/west-hub")
	w.settled(sites, links)

	sites[1].extra, sites[2].extra = "", open
	links = []link{{"east-hub", "h2", "east", 1}, {"west-hub", "west", "east", 1}}
	w.applied(sites, links)
	w.settled(sites, links)
}
