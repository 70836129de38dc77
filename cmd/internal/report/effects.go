package report

import (
	"fmt"
	"slices"
	"strings"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/topology"
	"fairlead.dev/fairlead/plan/words"
	"fairlead.dev/fairlead/schema/network"
)

// Effects are what a plan does to traffic, or what became of it by drift.
type Effects struct {
	Basis plan.Basis
	List  []Effect
	// Since says what they are compared with, to follow a heading; empty where that is the network
	// as it runs. Title heads them.
	Since, Title string
	// Shapes say how the network holds together before and after; empty where that is not known.
	Shapes string
	// None says why there are none.
	None string
	// Meanwhile says what traffic meets while the plan is carried out.
	Meanwhile string
}

var since = map[plan.Basis]string{
	plan.BasisDescribed: ", with what could not be read as described",
	plan.BasisBase:      ", with the base as applied",
	plan.BasisApplied:   " since it was last applied",
}

func (d Document) effectsOf(t plan.Topology) Effects {
	out := Effects{Basis: t.Basis, List: t.Effects, Since: since[t.Basis], Meanwhile: meanwhile(d.Actions)}
	out.Title = "What it does to the network" + out.Since
	if t.Basis == plan.BasisApplied {
		out.Title = "What became of the network" + out.Since
	}
	if t.Before.Sites > 0 {
		out.Shapes = "Before: " + shape(t.Before) + ". After: " + shape(t.After) + "."
	}
	out.None = "No site loses or gains a path, and no path changes its cost."
	if !d.Whole() && t.Basis == "" {
		out.None = "What it does to connections is not known, for not all clusters could be read."
	}
	return out
}

// Of are the consequences of one severity.
func (e Effects) Of(s topology.Severity) []Effect {
	return Only(e.List, func(e Effect) bool { return e.Severity == string(s) })
}

// Others are the consequences but for lost paths.
func (e Effects) Others() []Effect { return Only(e.List, func(e Effect) bool { return !Lost(e) }) }

// Worst is the most serious consequence; spared says what it is not.
func (e Effects) Worst() (message, spared string) {
	if len(e.List) == 0 {
		return "", ""
	}
	compared := !slices.ContainsFunc(e.List, func(e Effect) bool { return e.Code == topology.PathsNotCompared })
	first := e.List[0]
	switch {
	case first.Severity == string(topology.Low) && compared:
		return "", "No path is lost, and none gets dearer."
	case Lost(first):
		return first.Message, ""
	}
	return first.Message, noneLost
}

const noneLost = "No site that stays loses its last path to another."

func shape(s plan.Shape) string {
	text := words.CountOrNone(s.Sites, "site") + ", " + words.CountOrNone(s.Links, "link")
	switch n := len(s.Components); {
	case s.Sites < 2:
		return text
	case n == 1:
		return text + ", all connected"
	default:
		return text + fmt.Sprintf(", in %d parts that do not reach each other", n)
	}
}

// meanwhile says what traffic meets while actions are carried out.
func meanwhile(actions []Action) string {
	var parts []string
	for _, c := range []struct{ word, one, many string }{
		{goesAway, "goes away", "go away"},
		{otherTargets, "changes what is reached", "change what is reached"},
		{disruptions[plan.DisruptionRestart], "has a router that restarts", "have routers that restart"},
		{disruptions[plan.DisruptionReplace], "gets a new link before the old one goes",
			"get a new link before the old one goes"},
		{disruptions[plan.DisruptionReconnect], "reconnects briefly", "reconnect briefly"},
	} {
		if of := Only(actions, func(a Action) bool { return a.Traffic == c.word }); len(of) > 0 {
			parts = append(parts, KindsOf(of)+" "+words.Either(len(of), c.one, c.many))
		}
	}
	switch {
	case len(parts) == 0 && slices.ContainsFunc(actions, linksAlone):
		return "While it is carried out, links are undisturbed."
	case len(parts) == 0:
		return "While it is carried out, traffic is undisturbed."
	}
	return "While it is carried out: " + strings.Join(parts, "; ") + "."
}

func linksAlone(a Action) bool { return a.LinksAlone }

// Unreached are the sites that those of a lost path reached before and, though they are still
// there, no longer do; none says that they reach no site any more but each other.
func (d Document) Unreached(e Effect) (others []string, none bool) {
	if len(e.Sites) == 0 {
		return nil, false
	}
	before, after := reached(e.Sites[0], d.shapes.Before), reached(e.Sites[0], d.shapes.After)
	if len(after) <= len(e.Sites) {
		return nil, true
	}
	for _, c := range d.shapes.After.Components {
		for _, s := range c {
			if before[s] && !after[s] {
				others = append(others, string(s))
			}
		}
	}
	slices.Sort(others)
	return slices.Compact(others), false
}

func reached(from network.SiteName, s plan.Shape) map[network.SiteName]bool {
	out := map[network.SiteName]bool{}
	for _, c := range s.Components {
		if slices.Contains(c, from) {
			for _, site := range c {
				out[site] = true
			}
		}
	}
	return out
}
