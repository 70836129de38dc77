// Package drift compares the clusters with what was last applied, and tells how the network
// runs.
package drift

import (
	"cmp"
	"slices"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/ignore"
	"fairlead.dev/fairlead/plan/planner"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// Of compares the clusters with what was last applied. in is the description's, as
// for Make, and applied what the inventories have (desired.LastApplied). Actions are what
// the clusters moved; Behind is what git moved and nobody applied, Live how the network
// runs, Ignored what the description's rules leave out of Actions and Live, Topology what
// all that does to the network's shape. It takes no limits, adopts nothing and refuses no
// deletes: drift is only looked at.
func Of(in planner.Input, applied plan.Desired) plan.Plan {
	in.Limits, in.Adopt, in.Shape, in.Diagnostics = nil, false, false, nil
	git, expiring := in.Desired, in.ExpiringBefore
	in.Desired, in.ExpiringBefore = applied, ""
	p := planner.Make(in)
	for _, d := range git.Sites {
		if in.Observation.Cluster(d.Cluster).State != plan.StateOK {
			p.Summary.Unknown++
		}
	}
	p.Summary.Unknown += len(world.Unrecorded(in.Observation, applied.Network))
	p = plan.Keep(p, func(a plan.Action) bool { return a.Cause != plan.CausePending })
	in.ExpiringBefore = expiring
	facts, ignored := factsOf(in, p)
	p.Live, p.Ignored = facts, ignore.SortIgnored(append(p.Ignored, ignored...))
	p.Unmanaged = plan.NotNil(slices.DeleteFunc(p.Unmanaged, func(r plan.ObjectRef) bool { return r.Kind == plan.ObjectLink })) // facts tell of them
	p.Applied = appliedAt(in.Observation, applied.Network)
	in.Desired, in.ExpiringBefore = git, ""
	w := world.Of(git, in.Observation, world.TakesNothing)
	p.Topology = moved{w, in.Filter, ignore.Parse(in.Ignore)}.topology()
	p.Diagnostics = append(p.Diagnostics, world.Swapped(w)...).Sorted()
	p.Behind = behind(in)
	return plan.Identified(p)
}

// behind are the actions that git asks for, each with the fields that git moved. What an
// earlier apply left is not git's, and facts tell of it.
func behind(in planner.Input) []plan.Action {
	var out []plan.Action
	for _, a := range planner.Make(in).Actions {
		scraps := a.Kind == plan.KindLink && a.Verb == plan.VerbDelete && !a.Has(plan.StepConfirm) && !a.RemovesOld()
		if a.Cause == plan.CauseDrift || scraps {
			continue
		}
		a.Fields = plan.NotNil(slices.DeleteFunc(slices.Clone(a.Fields), func(f plan.Field) bool { return f.Cause == plan.CauseDrift }))
		out = append(out, a)
	}
	return out
}

// appliedAt groups the network's sites by the commit that their records are of, the
// commit of most sites first; those with uncommitted changes apart.
func appliedAt(o world.Observation, net string) []plan.Applied {
	type version struct {
		commit string
		dirty  bool
	}
	sites := map[version][]network.SiteName{}
	for _, c := range o.Clusters {
		for _, inv := range c.Inventories {
			known := c.State == plan.StateOK && inv.Broken == "" && inv.Content.Network == net
			if known && inv.Content.Site != "" && inv.Content.Fields != nil {
				of := version{inv.Content.Commit, inv.Content.Dirty}
				sites[of] = append(sites[of], inv.Content.Site)
			}
		}
	}
	var out []plan.Applied
	for of, list := range sites {
		slices.Sort(list)
		out = append(out, plan.Applied{Commit: of.commit, Dirty: of.dirty, Sites: list})
	}
	slices.SortFunc(out, func(a, b plan.Applied) int {
		return cmp.Or(cmp.Compare(len(b.Sites), len(a.Sites)), cmp.Compare(a.Commit, b.Commit), slices.Compare(a.Sites, b.Sites))
	})
	return out
}
