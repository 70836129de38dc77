package plan_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/desired"
	"fairlead.dev/fairlead/schema/network"
)

// What was refused before planning stands among the plan's own refusals, in order,
// and is part of the plan's identity.
func TestGivenRefusals(t *testing.T) {
	t.Parallel()
	given := []plan.Refusal{
		{Code: "unsigned", Subject: "commit abc", Message: "is not signed", Number: 1},
		{Code: "dirty", Subject: "work tree", Message: "has changes", Number: 1},
	}
	before := slices.Clone(given)
	in := plan.Input{
		Desired: desired.Build(network.Network{Name: "net", Clusters: []network.Cluster{{Name: "a"}, {Name: "b"}}}),
		Observation: plan.Observation{Clusters: []plan.ClusterView{
			{Name: "a", UID: "u", State: plan.StateOK}, {Name: "b", UID: "u", State: plan.StateOK},
		}},
	}
	without := plan.Make(in)
	in.Refusals = given
	with := plan.Make(in)
	want := []plan.Refusal{given[1], without.Refusals[0], given[0]}
	for _, i := range []int{0, 2} { // they get the flag that lifts them
		want[i].Override = "--allow " + want[i].Code + ":1@" + with.ID[len("sha256:"):][:12]
	}
	if diff := cmp.Diff(want, with.Refusals); diff != "" {
		t.Errorf("refusals (-want +got):\n%s", diff)
	}
	if with.ID == without.ID {
		t.Error("refusals do not change the plan's ID")
	}
	if diff := cmp.Diff(before, given); diff != "" {
		t.Errorf("the input was changed:\n%s", diff)
	}
}
