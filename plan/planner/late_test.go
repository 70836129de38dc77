package planner_test

import (
	"strings"
	"testing"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/planner"
	"fairlead.dev/fairlead/plan/record"
)

// retiredUnanswered is a spoke whose link was removed after an attempt was given up of
// which nothing was heard, and a redemption of that attempt that is answered.
func retiredUnanswered(t *testing.T) (*model, plan.Desired) {
	t.Helper()
	m := up(t)
	n := twoSites(1)
	n.Links = nil
	m.run(makePlan(n, m.obs))
	m.inventory("b", "spoke", func(inv *record.Inventory) {
		l := inv.Links["spoke-hub"]
		l.Attempt, l.Unanswered = 2, []int{2}
		inv.Links["spoke-hub"] = l
	})
	view := m.cluster("b")
	m.unanswered(view, "spoke", "spoke-hub-r2")
	m.redeemLate(view, view.Sites[0], "spoke-hub-r2", true)
	return m, m.wanted(n)
}

// After a link is gone, what an unanswered attempt of it makes is drift, and is removed.
func TestLateAnswerOfARemovedLink(t *testing.T) {
	t.Parallel()
	m, d := retiredUnanswered(t)
	p := m.drift(d)
	if len(p.Actions) != 1 || len(p.Live)+len(p.Behind) > 0 {
		t.Errorf("%s\n%+v", dump(p), p.Live)
	}
	p = planner.Make(planner.Input{Desired: d, Observation: m.obs})
	if len(p.Actions) != 1 || len(p.Unmanaged) > 0 || !strings.Contains(p.Actions[0].Why, "left something behind") {
		t.Fatalf("%s", dump(p))
	}
	m.run(p)
	if again := planner.Make(planner.Input{Desired: d, Observation: m.obs}); again.Pending() {
		t.Errorf("%s", dump(again))
	}
	m.noLateAnswer("in the end", p)
}

// A Link by hand is nobody's leftover, although it has the name of an attempt of which
// enough is known.
func TestALinkByHandOfARemovedLinksName(t *testing.T) {
	t.Parallel()
	m, d := retiredUnanswered(t)
	m.inventory("b", "spoke", func(inv *record.Inventory) {
		l := inv.Links["spoke-hub"]
		l.Unanswered = []int{1}
		inv.Links["spoke-hub"] = l
	})
	p := planner.Make(planner.Input{Desired: d, Observation: m.obs})
	if p.Pending() || len(p.Unmanaged) != 1 {
		t.Errorf("%s\n%v", dump(p), p.Unmanaged)
	}
}

// The same link, described again, takes nothing of that over.
func TestLateAnswerOfALinkThatIsDescribedAgain(t *testing.T) {
	t.Parallel()
	m, _ := retiredUnanswered(t)
	d := m.wanted(twoSites(1))
	p := planner.Make(planner.Input{Desired: d, Observation: m.obs})
	if len(p.Actions) != 1 || p.Actions[0].Verb != plan.VerbCreate || len(p.Actions[0].Link.Remove) != 2 {
		t.Fatalf("%s\n%v", dump(p), p.Refusals)
	}
	m.run(p)
	m.noLateAnswer("in the end", p)
}
