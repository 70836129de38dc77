package planner_test

import (
	"fmt"
	"testing"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/record"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// What records note of the places of locks, and what is left out: the present place, records
// of older builds, and what is no namespace.
func TestLockPlaces(t *testing.T) {
	t.Parallel()
	note := func(at, lock string) world.InventoryView {
		return world.InventoryView{
			Meta: world.Meta{Namespace: at, Name: "fairlead-net"}, Content: record.Inventory{LockNamespace: lock},
		}
	}
	broken, going := note("broken", ""), note("going", "old")
	broken.Broken, going.Deleting = "no JSON", true
	o := world.Observation{Clusters: []world.ClusterView{
		{Name: "a", Inventories: []world.InventoryView{
			note("s1", "old"), note("s2", "now"), note("s3", ""), note("s4", "earlier"), note("s5", "old"), note("s6", "../x"), broken, going,
		}},
		{Name: "b", Inventories: []world.InventoryView{note("s1", "now")}},
	}}
	locks := map[network.ClusterName]string{"a": "now", "b": "now"}
	former := o.FormerLocks(locks)
	if got := fmt.Sprint(former["a"], former["b"]); got != "[earlier old] []" {
		t.Errorf("former places: %s", got)
	}
	at := ""
	for _, r := range o.OtherLocks(locks) {
		at += " " + string(r.Cluster) + "/" + r.Namespace
	}
	if at != " a/s1 a/s3 a/s4 a/s5 a/s6" {
		t.Errorf("records to write:%s", at)
	}
}

// The place of a lock is nothing that was applied, and stays where another site takes the
// record.
func TestLockPlaceInRecords(t *testing.T) {
	t.Parallel()
	was := record.Inventory{Site: "a", LockNamespace: "old", Fields: map[string]any{}}
	now := was
	now.LockNamespace = "new"
	if !was.SameApplied(now) {
		t.Error("another place counts as applied")
	}
	was.Begin(plan.Action{Kind: plan.KindSite, Verb: plan.VerbCreate, Name: "b", Site: &plan.SiteWork{}, Steps: []plan.Step{plan.StepRecord, plan.StepSite}})
	if was.Site != "b" || was.LockNamespace != "old" {
		t.Errorf("%+v", was)
	}
}
