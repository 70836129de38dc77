package apply

import (
	"context"
	"reflect"
	"testing"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
)

// one is a cluster that has one inventory and takes what is written to it.
type one struct {
	Cluster
	data   map[string]string
	writes int
}

func (c *one) Get(_ context.Context, ref plan.ObjectRef) (Object, error) {
	if c.data == nil {
		return Object{}, ErrNotFound
	}
	return Object{ObjectRef: ref, ResourceVersion: "1", Data: c.data}, nil
}

func (c *one) Create(_ context.Context, o Object) (Object, error) {
	return c.Apply(context.Background(), o, false)
}

func (c *one) Apply(_ context.Context, o Object, _ bool) (Object, error) {
	c.data, c.writes = o.Data, c.writes+1
	o.ResourceVersion = "1"
	return o, nil
}

func (c *one) inventory(t *testing.T) plan.Inventory {
	inv, err := plan.DecodeInventory(c.data[plan.InventoryKey])
	if err != nil {
		t.Fatal(err)
	}
	return inv
}

// What an intent changes is marked until it is written; what is as declared already
// never is, and a write that changes nothing of the record costs none.
func TestIntentsAreMarkedUntilWritten(t *testing.T) {
	t.Parallel()
	ctx, c := t.Context(), &one{}
	site := func(steps []plan.Step, fields map[string]any) plan.Action {
		return plan.Action{
			ID: "site/s", Kind: plan.KindSite, Verb: plan.VerbUpdate, Cluster: "a", Namespace: "ns", Name: "s", Steps: steps,
			Site: &plan.SiteWork{Object: "s", UID: "u", Fields: fields},
		}
	}
	object := plan.Action{
		ID: "object/s/Gate/g", Kind: plan.KindObject, Verb: plan.VerbCreate, Cluster: "a", Namespace: "ns", Name: "g",
		Steps:  []plan.Step{plan.StepRecord, plan.StepObject},
		Object: &plan.ObjectWork{Site: "s", APIVersion: "v1", Kind: "Gate", Fields: map[string]any{"spec.x": "1"}},
	}
	begin := func(actions ...plan.Action) *ledger {
		l := newLedger(plan.Plan{Network: "net", Actions: actions}, map[network.ClusterName]Cluster{"a": c}, "")
		if err := l.begin(ctx, "a", "ns"); err != nil {
			t.Fatal(err)
		}
		return l
	}
	marks := func(when string, ofSite, ofObject []string) {
		t.Helper()
		inv := c.inventory(t)
		if got := inv.Unwritten; !reflect.DeepEqual(got, ofSite) {
			t.Errorf("%s: the site: %q, want %q", when, got, ofSite)
		}
		if got := inv.Objects[object.Key()].Unwritten; !reflect.DeepEqual(got, ofObject) {
			t.Errorf("%s: the object: %q, want %q", when, got, ofObject)
		}
	}
	write := []plan.Step{plan.StepRecord, plan.StepSite}
	l := begin(site(write, map[string]any{"ha": true, "settings.a": "1"}), object)
	marks("nothing was recorded before", []string{plan.EveryPath}, []string{plan.EveryPath})
	if err := l.buryDropped(ctx, "a", "ns", "u"); err != nil {
		t.Fatal(err)
	}
	if err := l.keepStored(ctx, object, Object{ObjectRef: plan.ObjectRef{UID: "o"}, Content: map[string]any{"spec": map[string]any{"x": "1"}}}); err != nil {
		t.Fatal(err)
	}
	marks("written", nil, nil)
	object.Object.Fields = map[string]any{"spec.x": "2"}
	begin(site(write, map[string]any{"ha": true, "settings.a": "2", "settings.b": "1"}), object)
	marks("changed", []string{"settings.a", "settings.b"}, []string{"spec.x"})
	begin(site(write, map[string]any{"ha": true, "settings.a": "1", "settings.b": "2", "settings.c": "3"}))
	marks("changed again", []string{"settings.a", "settings.b", "settings.c"}, []string{"spec.x"})
	begin(site([]plan.Step{plan.StepRecord}, map[string]any{"ha": true}))
	object.Steps = []plan.Step{plan.StepRecord}
	begin(object)
	marks("already as declared", nil, nil)
	for _, want := range []int{1, 0} { // what was dropped is taken out once
		before := c.writes
		if err := begin().buryDropped(ctx, "a", "ns", "u"); err != nil || c.writes != before+want {
			t.Errorf("%d writes, want %d; %v", c.writes-before, want, err)
		}
	}
}
