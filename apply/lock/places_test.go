package lock

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fairlead.dev/fairlead/apply"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// at is the lock of a cluster in a namespace.
func (f *fakeLease) at(cluster, namespace string, former bool) Lockable {
	return Lockable{Cluster: network.ClusterName(cluster), In: namespace, Former: former, Leases: f, Namespaces: []string{"site"}}
}

// Two runs whose places of a lock are the same, each another one's former, take them in one
// order; a former place without its namespace is free, and the described one is not.
func TestFormerPlaces(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		x, y, gone := newFake(), newFake(), newFake()
		log := &lockLog{}
		x.log, x.name, y.log, y.name = log, "x", log, "y"
		gone.fail = func(verb string) error { return apply.ErrNotFound }
		for _, list := range [][]Lockable{
			{y.at("a", "y", false), x.at("a", "x", true), gone.at("a", "z", true)}, {x.at("a", "x", false), y.at("a", "y", true)},
		} {
			l := mustLock(t, by("me"), list...)
			if got := strings.Join(log.take(), ", "); !strings.HasSuffix(got, " y") || !strings.Contains(got, " x, ") {
				t.Errorf("taken: %s", got)
			}
			l.mustRelease(t)
			log.take()
		}
		if _, err := Take(t.Context(), []Lockable{gone.at("a", "z", false)}, by("me")); !errors.Is(err, apply.ErrNotFound) {
			t.Error(err)
		}
		other := mustLock(t, by("other"), x.at("a", "x", false))
		defer other.Release(t.Context(), false)
		var held *Held
		_, err := Take(t.Context(), []Lockable{y.at("a", "y", false), x.at("a", "x", true)}, by("me"))
		if !errors.As(err, &held) || held.Former != "x" || !strings.Contains(err.Error(), "cluster a is locked in namespace x by ") {
			t.Error(err)
		}
	})
}

// A write waits for all locks of its cluster, and ends with any of them.
func TestWriteUnderAllPlaces(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, stolen := range []int{0, 1} {
			fakes := []*fakeLease{newFake(), newFake()}
			l := mustLock(t, by("me"), fakes[0].at("a", "x", true), fakes[1].at("a", "y", false))
			c := l.Guard(map[network.ClusterName]apply.Cluster{"a": &silent{wrote: func() {}}})["a"]
			if _, err := c.Create(t.Context(), apply.Object{}); err != nil {
				t.Error(err)
			}
			fakes[stolen].edit(func(l *Lease) { l.Holder = "thief" })
			time.Sleep(DefaultLease)
			if _, err := c.Create(t.Context(), apply.Object{}); !errors.Is(err, ErrLocked) {
				t.Errorf("written with a lock that is lost: %v", err)
			}
			l.Release(t.Context(), false)
		}
	})
}

// What a former place notes goes on to the new one where not all is as declared, and to
// nobody once no record notes that place.
func TestNotesMove(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		old, now := newFake(), newFake()
		first := by("first")
		first.Clusters = []world.NotedCluster{{Name: "a", Sites: 1}, {Name: "gone", Sites: 3}}
		first.Deletes = &network.DeleteLimits{Sites: 1, Links: 60}
		was := old.at("a", "old", false)
		was.Namespaces = []string{"left"}
		l := mustLock(t, first, was)
		l.Note(first.Clusters)
		l.Release(t.Context(), true)

		next := by("next")
		next.Clusters = []world.NotedCluster{{Name: "a", Sites: 1}}
		next.Deletes = &network.DeleteLimits{Sites: 100, Links: 50}
		both := func() *Locks { return mustLock(t, next, now.at("a", "now", false), old.at("a", "old", true)) }
		both().Release(t.Context(), false)
		names := func(l Lease) (out []network.ClusterName) {
			for _, c := range ClustersOf(l) {
				out = append(out, c.Name)
			}
			slices.Sort(out)
			return out
		}
		got := now.lease()
		if n := NamespacesOf(got); !slices.Equal(n, []string{"left", "site"}) || !slices.Equal(names(got), []network.ClusterName{"a", "gone"}) || *LimitsOf(got) != *first.Deletes {
			t.Errorf("not settled: %+v", got.Annotations)
		}
		l = both()
		l.Note(next.Clusters)
		l.Moved()
		l.Release(t.Context(), true)
		if got := now.lease(); !slices.Equal(NamespacesOf(got), []string{"site"}) || *LimitsOf(got) != *next.Deletes {
			t.Errorf("settled: %+v", got.Annotations)
		}
		if got := old.lease(); got.Holder != "" || len(NamespacesOf(got))+len(ClustersOf(got)) > 0 || LimitsOf(got) != nil {
			t.Errorf("the place that the lock left: %+v", got.Annotations)
		}
	})
}
