package planner_test

import (
	"testing"

	"fairlead.dev/fairlead/plan/desired"
	"fairlead.dev/fairlead/plan/status"
	"fairlead.dev/fairlead/plan/world"
)

func TestHealth(t *testing.T) {
	t.Parallel()
	up := world.LinkView{Configured: true, Operational: true, Current: true}
	edited := world.LinkView{Configured: true, Operational: true}
	down := world.LinkView{Configured: true, Current: true, Message: "Not Operational"}
	fresh := world.LinkView{Configured: true, Unreported: true, Message: "Not Operational"}
	reports := func(links ...world.LinkReport) world.SiteReport { return world.SiteReport{Site: "s", Links: links} }
	none, cut, others := world.SiteReport{}, world.SiteReport{Site: "s", Fault: "it is cut"}, reports(world.LinkReport{Name: "other", Up: true})
	has, lacks := reports(world.LinkReport{Name: "l"}, world.LinkReport{Name: "l", Up: true}), reports(world.LinkReport{Name: "l"})
	for _, tt := range []struct {
		name   string
		link   world.LinkView
		report world.SiteReport
		want   world.LinkHealth
		why    string
	}{
		{"up", up, none, world.LinkUp, ""},
		{"up by a status that was not written again", up, lacks, world.LinkDown, "the routers of its site report it down"},
		{"a cost edit", edited, has, world.LinkUp, ""},
		{"a cost edit, no report", edited, none, world.LinkUp, ""},
		{"a cost edit, a cut report", edited, cut, world.LinkUp, ""},
		{"a cost edit, a stale report", edited, others, world.LinkUp, ""},
		{"an edit that broke it", edited, lacks, world.LinkDown, "the routers of its site report it down"},
		{"an edit that the controller has yet to see", world.LinkView{Operational: true}, lacks, world.LinkChanging, "the controller has yet to see its change"},
		{"down", down, none, world.LinkDown, "Not Operational"},
		{"down, a cut report", down, cut, world.LinkDown, "Not Operational"},
		{"down by its status alone", down, has, world.LinkDown, "Not Operational, though the routers of its site report it up: Skupper's controller has missed it, or is late"},
		{"not configured", world.LinkView{Unreported: true, Message: "no site"}, cut, world.LinkDown, "no site"},
		{"new, not asked", fresh, none, world.LinkDown, "Not Operational"},
		{"new, reported down", fresh, lacks, world.LinkDown, "Not Operational"},
		{"new, not reported", fresh, others, world.LinkUnknown, "the routers' report does not have it, or not yet"},
		{"new, a cut report", fresh, cut, world.LinkUnknown, "it is cut"},
	} {
		tt.link.Name = "l"
		if got, why := tt.link.Health(tt.report); got != tt.want || why != tt.why {
			t.Errorf("%s: %s %q, want %s %q", tt.name, got, why, tt.want, tt.why)
		}
	}
}

// A Link that was edited alive is ready, and one of which nothing is known says why.
func TestStatusOfLinks(t *testing.T) {
	t.Parallel()
	m := up(t)
	links := m.cluster("b").Links
	links[0].Current = false
	if s := status.Of(desired.Build(twoSites(1)), m.obs, ""); s.Links[0].State != status.ConditionReady || s.Links[0].Reason != "" {
		t.Errorf("after an edit: %+v", s.Links[0])
	}
	links[0].Operational, links[0].Unreported = false, true
	m.cluster("b").Reports = []world.SiteReport{{Site: m.cluster("b").Sites[0].UID, Fault: "it is cut"}}
	if s := status.Of(desired.Build(twoSites(1)), m.obs, ""); s.Links[0].State != status.ConditionUnknown || s.Links[0].Reason != "it is cut" {
		t.Errorf("without a report: %+v", s.Links[0])
	}
}

// The routers' report is read where a Link's status may be wrong, and nowhere else: it is large.
func TestDoubted(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(hub, spoke *world.ClusterView)
		want   int
	}{
		{"all is well", func(_, _ *world.ClusterView) {}, 0},
		{"not operational", func(_, spoke *world.ClusterView) { spoke.Links[0].Operational = false }, 1},
		{"edited", func(_, spoke *world.ClusterView) { spoke.Links[0].Current = false }, 1},
		{"the other end is not ready", func(hub, _ *world.ClusterView) { hub.Sites[0].Ready = false }, 1},
		{"the other end is gone", func(hub, _ *world.ClusterView) { hub.Sites = nil }, 1},
		{"a controller that may keep an old cost", func(_, spoke *world.ClusterView) { spoke.Sites[0].Version = "2.1.3" }, 1},
		{"the Link of others", func(_, spoke *world.ClusterView) { spoke.Links[0].Labels, spoke.Links[0].Operational = nil, false }, 0},
	} {
		m := up(t)
		hub, spoke := m.cluster("a"), m.cluster("b")
		for _, c := range []*world.ClusterView{hub, spoke} {
			for i := range c.Sites {
				c.Sites[i].Version = "2.2.0"
			}
		}
		spoke.Links[0].RemoteSiteID = hub.Sites[0].UID
		tt.change(hub, spoke)
		got := m.obs.Doubted("net")
		if n := len(got["a"]) + len(got["b"]); n != tt.want || len(got["b"]) != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}
