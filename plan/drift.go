package plan

import (
	"cmp"
	"slices"

	"fairlead.dev/fairlead/schema/network"
)

// Drift compares the clusters with what was last applied. in is the description's, as
// for Make, and applied what the inventories have (desired.LastApplied). Actions are what
// the clusters moved; Behind is what git moved and nobody applied, Live how the network
// runs, Ignored what the description's rules leave out of Actions and Live, Topology what
// all that does to the network's shape. It takes no limits, adopts nothing and refuses no
// deletes: drift is only looked at.
func Drift(in Input, applied Desired) Plan {
	in.Limits, in.Adopt, in.Shape, in.Diagnostics = nil, false, false, nil
	git, expiring := in.Desired, in.ExpiringBefore
	in.Desired, in.ExpiringBefore = applied, ""
	p := Make(in)
	for _, d := range git.Sites {
		if in.Observation.Cluster(d.Cluster).State != StateOK {
			p.Summary.Unknown++
		}
	}
	p.Summary.Unknown += len(Unrecorded(in.Observation, applied.Network))
	p = Keep(p, func(a Action) bool { return a.Cause != CausePending })
	in.ExpiringBefore = expiring
	facts, ignored := factsOf(in, p)
	p.Live, p.Ignored = facts, sortIgnored(append(p.Ignored, ignored...))
	p.Unmanaged = notNil(slices.DeleteFunc(p.Unmanaged, func(r ObjectRef) bool { return r.Kind == ObjectLink })) // facts tell of them
	p.Applied = appliedAt(in.Observation, applied.Network)
	in.Desired, in.ExpiringBefore = git, ""
	w := worldOf(git, in.Observation, takesNothing)
	p.Topology = moved{w, in.Filter, rulesOf(in.Ignore)}.topology()
	p.Diagnostics = append(p.Diagnostics, swapped(w)...).Sorted()
	p.Behind = behind(in)
	return identified(p)
}

// behind are the actions that git asks for, each with the fields that git moved. What an
// earlier apply left is not git's, and facts tell of it.
func behind(in Input) []Action {
	var out []Action
	for _, a := range Make(in).Actions {
		scraps := a.Kind == KindLink && a.Verb == VerbDelete && !a.Has(StepConfirm) && !a.removesOld()
		if a.Cause == CauseDrift || scraps {
			continue
		}
		a.Fields = notNil(slices.DeleteFunc(slices.Clone(a.Fields), func(f Field) bool { return f.Cause == CauseDrift }))
		out = append(out, a)
	}
	return out
}

// appliedAt groups the network's sites by the commit that their records are of, the
// commit of most sites first; those with uncommitted changes apart.
func appliedAt(o Observation, net string) []Applied {
	type version struct {
		commit string
		dirty  bool
	}
	sites := map[version][]network.SiteName{}
	for _, c := range o.Clusters {
		for _, inv := range c.Inventories {
			known := c.State == StateOK && inv.Broken == "" && inv.Content.Network == net
			if known && inv.Content.Site != "" && inv.Content.Fields != nil {
				of := version{inv.Content.Commit, inv.Content.Dirty}
				sites[of] = append(sites[of], inv.Content.Site)
			}
		}
	}
	var out []Applied
	for of, list := range sites {
		slices.Sort(list)
		out = append(out, Applied{Commit: of.commit, Dirty: of.dirty, Sites: list})
	}
	slices.SortFunc(out, func(a, b Applied) int {
		return cmp.Or(cmp.Compare(len(b.Sites), len(a.Sites)), cmp.Compare(a.Commit, b.Commit), slices.Compare(a.Sites, b.Sites))
	})
	return out
}
