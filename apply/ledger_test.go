package apply

import (
	"context"
	"testing"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/record"
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

// A ledger records what a site's apply intends once, with the commit of what was applied
// before, and with its own when that is done. A change that makes no difference costs no
// write.
func TestLedger(t *testing.T) {
	t.Parallel()
	ctx, c := t.Context(), &one{}
	act := func(commit string, fields map[string]any) (*ledger, plan.Action) {
		a := plan.Action{
			ID: "site/s", Kind: plan.KindSite, Verb: plan.VerbUpdate, Cluster: "a", Namespace: "ns", Name: "s",
			Steps: []plan.Step{plan.StepRecord, plan.StepSite}, Site: &plan.SiteWork{Object: "s", Fields: fields},
		}
		p := plan.Plan{Network: "net", Actions: []plan.Action{a}, Source: plan.Source{Commit: commit}}
		return newLedger(p, map[network.ClusterName]Cluster{"a": c}, Options{}), a
	}
	check := func(when string, writes int, commit string, ha any, open bool) {
		t.Helper()
		inv, err := record.Decode(c.data[record.Key])
		if err != nil {
			t.Fatal(err)
		}
		if c.writes != writes || inv.Commit != commit || inv.Fields["ha"] != ha || inv.Intent.Open() != open {
			t.Errorf("%s: %d writes, commit %q, applied %v, intended %v", when, c.writes, inv.Commit, inv.Fields, inv.Intent)
		}
	}
	l, a := act("c1", map[string]any{"ha": true})
	for range 2 {
		if err := l.begin(ctx, "a", "ns"); err != nil {
			t.Fatal(err)
		}
	}
	check("begun", 1, "", nil, true)
	for range 2 {
		if err := l.update(ctx, a.Cluster, a.Namespace, func(inv *record.Inventory) { inv.Confirm(a, "u", record.Answer{}) }); err != nil {
			t.Fatal(err)
		}
	}
	check("done", 2, "c1", true, false)
	l, a = act("c2", map[string]any{"ha": false})
	a.Site.UID = "u"
	if err := l.begin(ctx, "a", "ns"); err != nil {
		t.Fatal(err)
	}
	check("begun again", 3, "c1", true, true)
}

// A record is of the commit that was applied, and tells whether it lacks what was.
// A record that went with its site is not made again to note nothing of it.
func TestRecordStaysAway(t *testing.T) {
	t.Parallel()
	c := &one{}
	l := newLedger(plan.Plan{Network: "net"}, map[network.ClusterName]Cluster{"a": c}, Options{Locks: map[network.ClusterName]string{"a": "default"}})
	update := func(change func(*record.Inventory)) {
		t.Helper()
		if err := l.update(t.Context(), "a", "ns", change); err != nil {
			t.Fatal(err)
		}
	}
	update(func(inv *record.Inventory) { delete(inv.Links, "gone") })
	if c.data != nil {
		t.Errorf("made: %v", c.data)
	}
	update(func(inv *record.Inventory) { inv.Site = "s" })
	if inv, err := record.Decode(c.data[record.Key]); err != nil || inv.LockNamespace != "default" {
		t.Errorf("%+v %v", inv, err)
	}
}

func TestRecordTellsOfUncommittedChanges(t *testing.T) {
	t.Parallel()
	c := &one{}
	for _, dirty := range []bool{true, false} {
		p := plan.Plan{Network: "net", Source: plan.Source{Commit: "c0ffee", Dirty: dirty}}
		l := newLedger(p, map[network.ClusterName]Cluster{"a": c}, Options{})
		if err := l.update(t.Context(), "a", "ns", func(inv *record.Inventory) { inv.Fields = map[string]any{"ha": dirty} }); err != nil {
			t.Fatal(err)
		}
		inv, err := record.Decode(c.data[record.Key])
		if err != nil || inv.Commit != "c0ffee" || inv.Dirty != dirty {
			t.Errorf("dirty %t: commit %q, dirty %t", dirty, inv.Commit, inv.Dirty)
		}
		want := map[bool]string{true: "c0ffee-dirty", false: "c0ffee"}[dirty]
		if got := (&task{runner: &runner{plan: p}}).annotations(nil)[plan.AnnotationCommit]; got != want {
			t.Errorf("annotation %q, want %q", got, want)
		}
	}
	if err := newLedger(plan.Plan{Network: "net", Source: plan.Source{Commit: "c0ffee", Dirty: true}}, map[network.ClusterName]Cluster{"a": c}, Options{}).
		update(t.Context(), "a", "ns", func(*record.Inventory) {}); err != nil || c.writes != 2 {
		t.Errorf("a record that is as it was is written: %v, %d writes", err, c.writes)
	}
}

// recordsOf is a cluster with one record, of a site or none.
type recordsOf struct {
	Cluster
	record  *Object
	written []string
}

func (c *recordsOf) Get(context.Context, plan.ObjectRef) (Object, error) {
	if c.record == nil {
		return Object{}, ErrNotFound
	}
	return *c.record, nil
}

func (c *recordsOf) Apply(_ context.Context, o Object, _ bool) (Object, error) {
	c.written = append(c.written, o.Data[record.Key])
	return o, nil
}

// Records note the present place, once; one that is gone, or goes, is not made again.
func TestNoteLocks(t *testing.T) {
	t.Parallel()
	text := func(lock string) map[string]string {
		data, err := record.Inventory{Network: "net", Site: "s", Commit: "c0ffee", LockNamespace: lock}.Encode()
		if err != nil {
			t.Fatal(err)
		}
		return map[string]string{record.Key: data}
	}
	for name, tt := range map[string]struct {
		record *Object
		want   int
	}{
		"elsewhere": {&Object{ResourceVersion: "1", Data: text("old")}, 1},
		"older":     {&Object{ResourceVersion: "1", Data: text("")}, 1},
		"there":     {&Object{ResourceVersion: "1", Data: text("now")}, 0},
		"going":     {&Object{ResourceVersion: "1", Data: text("old"), Deleting: true}, 0},
		"gone":      {nil, 0},
	} {
		c := &recordsOf{record: tt.record}
		refs := []plan.ObjectRef{{Cluster: "a", Kind: plan.ObjectConfigMap, Namespace: "s", Name: "fairlead-net"}}
		err := NoteLocks(t.Context(), "net", map[network.ClusterName]Cluster{"a": c}, refs, Options{Locks: map[network.ClusterName]string{"a": "now"}})
		if err != nil || len(c.written) != tt.want {
			t.Errorf("%s: %v %v", name, c.written, err)
			continue
		}
		for _, data := range c.written {
			if inv, err := record.Decode(data); err != nil || inv.LockNamespace != "now" || inv.Commit != "c0ffee" {
				t.Errorf("%s: %+v %v", name, inv, err)
			}
		}
	}
}
