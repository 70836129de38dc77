package standin

import (
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

func siteNamed(name string, age time.Duration) *siteObject {
	s := &siteObject{}
	s.Name, s.UID = name, types.UID(name)
	s.CreationTimestamp = metav1.NewTime(time.Unix(1e9, 0).Add(-age))
	return s
}

func TestPickActive(t *testing.T) {
	old, young, twin := siteNamed("z-old", time.Hour), siteNamed("a-young", 0), siteNamed("b-young", 0)
	for name, c := range map[string]struct {
		sites   []*siteObject
		current types.UID
		want    *siteObject
	}{
		"none":              {nil, "", nil},
		"oldest":            {[]*siteObject{young, old}, "", old},
		"name breaks a tie": {[]*siteObject{twin, young}, "", young},
		"active stays":      {[]*siteObject{young, old}, "a-young", young},
		"active is gone":    {[]*siteObject{young, old}, "gone", old},
	} {
		if got := pickActive(c.sites, c.current); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestSiteSpec(t *testing.T) {
	for _, c := range []struct {
		spec   siteSpec
		access bool
		groups int
		role   string
	}{
		{siteSpec{}, false, 1, interRouter},
		{siteSpec{LinkAccess: "none"}, false, 1, interRouter},
		{siteSpec{LinkAccess: "default", HA: true}, true, 2, interRouter},
		{siteSpec{LinkAccess: "route", HA: true, Edge: true}, true, 1, edgeRole},
	} {
		if c.spec.wantsAccess() != c.access || len(c.spec.groups()) != c.groups || c.spec.role() != c.role {
			t.Errorf("%+v: %v %v %v", c.spec, c.spec.wantsAccess(), c.spec.groups(), c.spec.role())
		}
	}
}

func TestEndpointFor(t *testing.T) {
	list := []endpoint{{Name: edgeRole, Host: "h", Port: "1"}, {Name: interRouter, Host: "h"}, {Name: interRouter, Host: "h", Port: "2"}}
	if e := endpointFor(list, interRouter); e == nil || e.Port != "2" {
		t.Errorf("inter-router: %v", e)
	}
	if e := endpointFor(list, edgeRole); e == nil || e.Port != "1" {
		t.Errorf("edge: %v", e)
	}
	if e := endpointFor(list[:1], interRouter); e != nil {
		t.Errorf("none: %v", e)
	}
}

func TestNames(t *testing.T) {
	for name, want := range map[string]bool{"skupper-router-2": true, "auto-mesh-x": true, "skupper": false, "shop": false} {
		if reserved(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
	if got := linkNames("a", 1); !slices.Equal(got, []string{"a"}) {
		t.Errorf("one group: %v", got)
	}
	if got := linkNames("a", 2); !slices.Equal(got, []string{"a-1", "a-2"}) {
		t.Errorf("two groups: %v", got)
	}
}

func TestLiveCost(t *testing.T) {
	for version, want := range map[string]bool{"2.1.3": false, "2.2.0": true, "2.10.0": true, "3.0": true, "1.9.9": false, "dev": true, "": true} {
		if liveCost(version) != want {
			t.Errorf("%s: %v", version, !want)
		}
	}
	for cost, want := range map[int64]int64{-5: 1, 0: 1, 1: 1, 99999: 99999} {
		if got := effectiveCost(cost); got != want {
			t.Errorf("cost %d: %d", cost, got)
		}
	}
}

func TestOnlyStatus(t *testing.T) {
	base := func() *unstructured.Unstructured {
		u := &unstructured.Unstructured{Object: map[string]any{}}
		u.SetResourceVersion("2")
		u.SetGeneration(1)
		return u
	}
	old := base()
	old.SetResourceVersion("1")
	for name, c := range map[string]struct {
		change func(*unstructured.Unstructured)
		want   bool
	}{
		"status":     {func(*unstructured.Unstructured) {}, true},
		"resync":     {func(u *unstructured.Unstructured) { u.SetResourceVersion("1") }, false},
		"spec":       {func(u *unstructured.Unstructured) { u.SetGeneration(2) }, false},
		"annotation": {func(u *unstructured.Unstructured) { u.SetAnnotations(map[string]string{"a": "b"}) }, false},
		"label":      {func(u *unstructured.Unstructured) { u.SetLabels(map[string]string{"a": "b"}) }, false},
	} {
		u := base()
		c.change(u)
		if got := onlyStatus(old, u); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestRefusal(t *testing.T) {
	now := time.Unix(1e9, 0)
	for name, c := range map[string]struct {
		code    string
		made    int64
		allowed int64
		left    time.Duration
		want    int
	}{
		"good":       {"right", 0, 1, time.Minute, 0},
		"last one":   {"right", 2, 3, time.Minute, 0},
		"used up":    {"right", 1, 1, time.Minute, 404},
		"expired":    {"right", 0, 1, -time.Minute, 404},
		"wrong code": {"wrong", 0, 1, time.Minute, 403},
		"both":       {"wrong", 1, 1, time.Minute, 404},
	} {
		g := &grantObject{Spec: grantSpec{RedemptionsAllowed: c.allowed}, Status: grantStatus{
			Code: "right", Redemptions: c.made, ExpirationTime: now.Add(c.left).Format(time.RFC3339),
		}}
		if got := g.refusal(c.code, now); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
	if got := (&grantObject{}).refusal("", now); got != 404 {
		t.Errorf("not processed: %d", got)
	}
}

func TestWindow(t *testing.T) {
	if w, err := (grantSpec{}).window(); err != nil || w != 10*time.Minute {
		t.Errorf("default: %s %v", w, err)
	}
	if w, err := (grantSpec{ExpirationWindow: "2h"}).window(); err != nil || w != 2*time.Hour {
		t.Errorf("2h: %s %v", w, err)
	}
	if _, err := (grantSpec{ExpirationWindow: "soon"}).window(); err == nil {
		t.Error("soon: no error")
	}
}

func TestReportsAreSkippedWhenEqual(t *testing.T) {
	p := newReporter()
	start := time.Unix(1e9, 0)
	step := func(second int, report map[string]linkReport) map[string]linkReport {
		now := start.Add(time.Duration(second) * time.Second)
		p.push(report, now)
		return p.pull(now)
	}
	up, dear := linkReport{Up: true, PeerID: "hub", Cost: 1}, linkReport{Up: true, PeerID: "hub", Cost: 2}
	if got := step(1, map[string]linkReport{"one": up}); len(got) != 1 {
		t.Errorf("first report: %v", got)
	}
	if got := step(2, map[string]linkReport{"one": up}); got != nil {
		t.Errorf("equal report: %v", got)
	}
	if got := step(3, map[string]linkReport{}); got != nil {
		t.Errorf("deleted link: %v", got)
	}
	if got := step(4, map[string]linkReport{"one": up}); got != nil {
		t.Errorf("link made again: %v", got)
	}
	if got := step(5, map[string]linkReport{"one": up, "two": up}); len(got) != 2 {
		t.Errorf("another link: %v", got)
	}
	if got := step(6, map[string]linkReport{"one": dear, "two": up}); got != nil {
		t.Errorf("new cost: %v", got)
	}
	if got := p.last(); got["one"] != dear {
		t.Errorf("last: %v", got)
	}
	p.forget("two")
	if got := step(7, map[string]linkReport{"one": dear}); got != nil {
		t.Errorf("forgotten and absent: %v", got)
	}
	if got := step(8, map[string]linkReport{"one": dear, "two": up}); len(got) != 2 {
		t.Errorf("forgotten and back: %v", got)
	}
}

func TestLateReports(t *testing.T) {
	p := newReporter()
	start := time.Unix(1e9, 0)
	p.push(map[string]linkReport{"one": {Cost: 1}}, start)
	p.push(map[string]linkReport{"one": {Cost: 2, Up: true}}, start.Add(time.Second))
	if got := p.pull(start.Add(-time.Second)); got != nil {
		t.Errorf("too early: %v", got)
	}
	if got := p.pull(start); got["one"].Cost != 1 {
		t.Errorf("first: %v", got)
	}
	if got := p.pull(start.Add(time.Minute)); got["one"].Cost != 2 {
		t.Errorf("second: %v", got)
	}
}

func TestSettle(t *testing.T) {
	var s status
	s.settle(3, true, condition{kind: "Configured"}, condition{kind: "Running", problem: "not yet"})
	if s.Status != "Pending" || s.Message != "not yet" || len(s.Conditions) != 3 {
		t.Errorf("pending: %+v", s)
	}
	since := s.Conditions[0].LastTransitionTime
	s.settle(4, true, condition{kind: "Configured"}, condition{kind: "Running"})
	if s.Status != "Ready" || s.Message != "OK" || s.Conditions[0].LastTransitionTime != since {
		t.Errorf("ready: %+v", s)
	}
	for _, c := range s.Conditions {
		if c.ObservedGeneration != 4 || c.Status != metav1.ConditionTrue {
			t.Errorf("%+v", c)
		}
	}
	s.settle(5, false, condition{kind: "Redeemed", problem: "no", failed: true})
	if s.Status != "Error" {
		t.Errorf("error: %+v", s)
	}
}
