package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// drift shows a plan against what was last applied: who is cut off, and then each action as
// a difference. How the network runs, what rules leave out and what git changed stand apart.
func (p *printer) drift(pl plan.Plan) {
	p.line("%s", p.paint(bold, "Network "+pl.Network+", compared with what was last applied"))
	p.versions(pl)
	p.gap()
	p.clusters(pl.Clusters)
	p.losses(pl)
	for _, a := range pl.Actions {
		p.difference(a)
	}
	p.refusals(pl.Refusals)
	p.warnings(pl.Diagnostics)
	p.live(pl.Live)
	p.effects(pl, only(pl.Topology.Effects, func(e plan.Effect) bool { return !lost(e) }))
	p.ignored(pl.Ignored)
	p.behind(pl)
	p.unmanaged(pl.Unmanaged)
	p.verdict(pl)
}

// ofGit reports whether the description, or what was applied, is of a commit.
func ofGit(pl plan.Plan) bool {
	return pl.Source.Commit != "" || slices.ContainsFunc(pl.Applied, func(a plan.Applied) bool { return a.Commit != "" })
}

// versions says which commits the sites were applied at, and where git stands. Outside
// of git there is nothing to say.
func (p *printer) versions(pl plan.Plan) {
	if !ofGit(pl) {
		return
	}
	p.line("%s %s", p.paint(dim, "last applied:"), cmp.Or(lastApplied(pl, asItIs, asItIs), "nothing"))
	p.line("%s %s", p.paint(dim, "git:"), inGit(pl.Source))
}

// asItIs is how a form writes text that needs no care.
func asItIs(text string) string { return text }

// lastApplied names the commits that the sites were applied at, and which sites where
// there are several. Commits and names come from records that somebody may have changed;
// the form says how it writes them. Empty where nothing was applied.
func lastApplied(pl plan.Plan, commit, names func(string) string) string {
	const most = 10
	var parts []string
	for i, a := range pl.Applied {
		if i == most {
			parts = append(parts, count(len(pl.Applied)-most, "other commit"))
			break
		}
		text := "no known commit"
		if a.Commit != "" {
			text = commit(abbreviated(a.Commit))
		}
		if a.Dirty {
			text += " with uncommitted changes"
		}
		if len(pl.Applied) > 1 {
			text += " (" + names(sitesOf(a.Sites)) + ")"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

// sitesOf names a few sites, or counts many.
func sitesOf(list []network.SiteName) string {
	const most = 3
	if len(list) > most {
		return count(len(list), "site")
	}
	return strings.Join(texts(list), ", ")
}

// losses are who lost whom.
func (p *printer) losses(pl plan.Plan) {
	list := only(pl.Topology.Effects, lost)
	if len(list) == 0 {
		return
	}
	p.line("%s", p.paint(bold, "Cut off"+sinceWhat(pl)))
	for _, e := range list {
		p.line("  %s", p.paint(red, e.Message))
	}
	p.gap()
}

func (p *printer) difference(a plan.Action) {
	p.line("  %s %s %s%s", p.paint(yellow, "~"), a.Kind, p.paint(bold, NameOf(a)), p.paint(dim, place(a)))
	p.line("      %s", a.Why)
	for _, f := range a.Fields {
		p.line("      %s: %s on the cluster, %s when last applied", f.Path, value(f.From), value(f.To))
	}
	if len(a.Fields) == 0 && a.Verb == plan.VerbUpdate {
		p.removed(a)
	}
}

// live shows facts about how the network runs, as they are sorted: errors first.
func (p *printer) live(list []plan.Live) {
	if len(list) == 0 {
		return
	}
	p.title("How it runs")
	for _, l := range list {
		c := yellow
		if l.Severity == diag.Error {
			c = red
		}
		p.line("  %s %s: %s %s%s", p.paint(c, string(l.Severity)+":"), l.Subject, l.Message, p.paint(dim, "("+l.Code+")"), p.paint(dim, spaced(l.At.String())))
		if l.Fix != "" {
			p.line("      %s", l.Fix)
		}
	}
}

func spaced(text string) string {
	if text == "" {
		return ""
	}
	return "  " + text
}

// ignored shows what rules leave out, with the reason.
func (p *printer) ignored(list []plan.Ignored) {
	if len(list) == 0 {
		return
	}
	p.title("Ignored by the description's policy")
	for _, i := range list {
		switch {
		case i.From == nil && i.To == nil && i.Field == "":
			p.line("  %s: gone from the cluster, or made anew by somebody", i.Action)
		case i.From == nil && i.To == nil:
			p.line("  %s: %s", i.Action, i.Field)
		default:
			p.line("  %s %s: %s on the cluster, %s when last applied", i.Action, i.Field, value(i.From), value(i.To))
		}
		p.line("      %s %s", i.Reason, p.paint(dim, "("+i.Rule+")"))
	}
}

// behind shows what git asks for beside what drifted.
func (p *printer) behind(pl plan.Plan) {
	if len(pl.Behind) == 0 {
		return
	}
	p.title("Git is ahead, not applied yet")
	for _, a := range pl.Behind {
		s := signs[a.Verb]
		p.line("  %s %s %s %s: %s%s", p.paint(s.color, s.symbol), a.Verb, a.Kind, NameOf(a), a.Why, p.paint(dim, place(a)))
		if a.Verb != plan.VerbUpdate {
			continue
		}
		for _, f := range a.Fields {
			p.field(f)
		}
	}
}

// verdict sums drift up.
func (p *printer) verdict(pl plan.Plan) {
	p.gap()
	switch {
	case len(pl.Actions) > 0:
		p.line("%s %s not as last applied; to heal: fairlead apply", p.paint(yellow, "Drift:"), things(pl.Actions))
	case !wholly(pl):
		p.line("%s.", notCompared(pl))
	default:
		p.line("%s", p.paint(green, "No drift."))
	}
	if text := DriftNotes(pl); text != "" {
		p.line("%s", text)
	}
}

// notCompared says that drift may be more than what was found.
func notCompared(pl plan.Plan) string {
	if pl.Summary.Unknown == 0 {
		return "Not all could be compared"
	}
	return "Not all could be compared: " + count(pl.Summary.Unknown, "unknown thing")
}

// DriftNotes words what a drift found beside differences, in one line: "2 sites are cut
// off; 1 error and 2 warnings about how it runs; 3 ignored by policy; git is ahead by 2
// changes." It is empty where there is nothing.
func DriftNotes(pl plan.Plan) string {
	errors := len(liveOf(pl, diag.Error))
	var parts []string
	if n := len(losing(pl)); n > 0 {
		parts = append(parts, cutOffWords(n))
	}
	switch warnings := len(pl.Live) - errors; {
	case errors > 0 && warnings > 0:
		parts = append(parts, count(errors, "error")+" and "+count(warnings, "warning")+" about how it runs")
	case errors > 0:
		parts = append(parts, count(errors, "error")+" about how it runs")
	case warnings > 0:
		parts = append(parts, count(warnings, "warning")+" about how it runs")
	}
	if n := len(pl.Ignored); n > 0 {
		parts = append(parts, fmt.Sprintf("%d ignored by policy", n))
	}
	if n := len(pl.Behind); n > 0 {
		parts = append(parts, "git is ahead by "+count(n, "change"))
	}
	if len(parts) == 0 {
		return ""
	}
	text := strings.Join(parts, "; ") + "."
	return strings.ToUpper(text[:1]) + text[1:]
}

// cutOffWords count sites that lost their last path to others.
func cutOffWords(n int) string { return plural(n, "site is", "sites are") + " cut off" }

func things(actions []plan.Action) string {
	one, many := "1 site or link is", "sites and links"
	for _, a := range actions {
		if a.Kind == plan.KindObject {
			one, many = "1 object is", "sites, links and objects"
		}
	}
	if len(actions) == 1 {
		return one
	}
	return fmt.Sprintf("%d %s are", len(actions), many)
}
