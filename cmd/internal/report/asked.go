package report

import (
	"cmp"
	"slices"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/topology"
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// What the formats ask of a plan, each in words of its own, is answered here.

// only gives the elements that a test holds for, in a list of their own.
func only[T any](list []T, test func(T) bool) []T {
	return slices.DeleteFunc(slices.Clone(list), func(v T) bool { return !test(v) })
}

// alone reports whether two revisions were compared, and no cluster was read.
func alone(pl plan.Plan) bool { return pl.Base != nil && pl.Base.Alone }

// wholly reports whether all that the plan is made of could be read.
func wholly(pl plan.Plan) bool { return plan.AllRead(pl.Clusters) && pl.Summary.Unknown == 0 }

// unread are the clusters that could not be read.
func unread(clusters []plan.Cluster) []plan.Cluster {
	return only(clusters, func(c plan.Cluster) bool { return c.State != plan.StateOK })
}

// settings are the findings about what a change does that no action shows.
func settings(pl plan.Plan) []diag.Finding {
	return only(pl.Diagnostics, func(f diag.Finding) bool {
		return f.Code == plan.CodePolicyChanged || f.Code == plan.CodeClusterChanged
	})
}

// deletions are the actions that delete, sites first.
func deletions(actions []plan.Action) []plan.Action {
	out := only(actions, func(a plan.Action) bool { return a.Verb == plan.VerbDelete })
	slices.SortStableFunc(out, func(a, b plan.Action) int {
		return cmp.Compare(slices.Index(kinds, a.Kind), slices.Index(kinds, b.Kind))
	})
	return out
}

// kinds are in the order in which their loss hurts.
var kinds = []plan.Kind{plan.KindSite, plan.KindLink, plan.KindObject, plan.KindProxy}

// kindsIn counts actions by kind, in an order and in words: "1 site and 51 links".
func kindsIn(actions []plan.Action, order []plan.Kind, words func(n int, k plan.Kind) string) string {
	var parts []string
	for _, k := range order {
		if n := len(only(actions, func(a plan.Action) bool { return a.Kind == k })); n > 0 {
			parts = append(parts, words(n, k))
		}
	}
	return spoken(parts)
}

// anyway reports whether an action would be taken without the change under review too.
func anyway(pl plan.Plan, a plan.Action) bool { return pl.OriginOf(a.ID) == plan.OriginAnyway }

// sinceWhat says what the consequences are compared with, to follow their heading; empty
// where that is the network as it runs.
func sinceWhat(pl plan.Plan) string {
	switch pl.Topology.Basis {
	case plan.BasisDescribed:
		return ", with what could not be read as described"
	case plan.BasisBase:
		return ", with the base as applied"
	case plan.BasisApplied:
		return " since it was last applied"
	}
	return ""
}

// effectsTitle heads the consequences.
func effectsTitle(pl plan.Plan) string {
	if pl.Topology.Basis == plan.BasisApplied {
		return "What became of the network" + sinceWhat(pl)
	}
	return "What it does to the network" + sinceWhat(pl)
}

// effectsOf are the consequences of one severity.
func effectsOf(pl plan.Plan, s topology.Severity) []plan.Effect {
	return only(pl.Topology.Effects, func(e plan.Effect) bool { return e.Severity == string(s) })
}

// lost reports whether a consequence is that sites lose their last path to others.
func lost(e plan.Effect) bool { return e.Code == topology.ConnectionLost }

// losing are the sites that lose a path to another one.
func losing(pl plan.Plan) map[network.SiteName]bool {
	out := map[network.SiteName]bool{}
	for _, e := range only(pl.Topology.Effects, lost) {
		for _, s := range e.Sites {
			out[s] = true
		}
	}
	return out
}

// liveOf are the facts of one severity about how the network runs; errors say that
// something is broken.
func liveOf(pl plan.Plan, s diag.Severity) []plan.Live {
	return only(pl.Live, func(l plan.Live) bool { return l.Severity == s })
}

// removals are the objects that an action deletes by name.
func removals(a plan.Action) []plan.ObjectRef {
	switch {
	case a.Link != nil:
		return a.Link.Remove
	case a.Proxy != nil && a.Verb == plan.VerbDelete:
		return []plan.ObjectRef{a.Proxy.Secret}
	}
	return nil
}
