package report

import (
	"cmp"
	"fmt"
	"slices"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/topology"
	"fairlead.dev/fairlead/schema/network"
)

// danger adds a box with all that is deleted, cut off or refused. It is the last to give
// way: to bare names, and then to as many of them as fit.
func (d *document) danger(pl plan.Plan) {
	b := dangers{
		refused: pl.Refused(), deletes: deletions(pl.Actions), plan: pl, run: d.run,
		anyway: func(a plan.Action) bool { return pl.OriginOf(a.ID) == plan.OriginAnyway },
	}
	for _, r := range pl.Refusals {
		if r.Overridden {
			b.allowed = append(b.allowed, r)
		}
	}
	for _, e := range pl.Topology.Effects {
		if e.Code == topology.ConnectionLost {
			b.lost = append(b.lost, e)
		}
	}
	d.add(yieldsDanger, b.forms()...)
}

// dangers are what the box is about.
type dangers struct {
	plan             plan.Plan
	run              markdown
	refused, allowed []plan.Refusal
	lost             []plan.Effect
	deletes          []plan.Action
	anyway           func(plan.Action) bool
}

// forms are the box in full, with bare names, and with fewer and fewer of those.
func (b dangers) forms() []func() markdown {
	all := max(len(b.refused), len(b.allowed), len(b.lost), len(b.deletes))
	out := []func() markdown{b.full, func() markdown { return b.dense(all) }}
	for most := all * 4 / 5; most > 0; most = most * 4 / 5 {
		out = append(out, func() markdown { return b.dense(most) })
	}
	return append(out, func() markdown { return b.dense(0) })
}

// cautions puts paragraphs that are not empty into the box.
func cautions(paragraphs ...markdown) markdown {
	paragraphs = slices.DeleteFunc(paragraphs, func(p markdown) bool { return p == "" })
	if len(paragraphs) == 0 {
		return ""
	}
	return quoted("CAUTION", joined(paragraphs, "\n", same))
}

// titled puts a title over a list that is not empty.
func titled[T any](list []T, title, text markdown) markdown {
	if len(list) == 0 {
		return ""
	}
	return "**" + title + "**\n\n" + text
}

func (b dangers) full() markdown {
	return cautions(
		titled(b.refused, b.refusedTitle(), items(b.refused, refusal)),
		titled(b.lost, b.lostTitle(), items(b.lost, b.loss)),
		titled(b.deletes, b.deletesTitle(), items(b.deletes, b.deletion)),
		titled(b.allowed, "Would be refused, and a flag allows it", items(b.allowed, refusal)),
	)
}

func (b dangers) refusedTitle() markdown { return "Refused by " + counted(len(b.refused), "rule") }

func (b dangers) lostTitle() markdown {
	n := len(losing(b.plan))
	return counted(n, "site") + either(n, " loses its last path", " lose their last path") + " to others"
}

func (b dangers) deletesTitle() markdown { return "Deletes " + kindsOf(b.deletes) }

// refusal says what a rule has against the plan, and what lifts it.
func refusal(r plan.Refusal) markdown {
	text := escapeText(r.Subject) + ": " + escapeText(r.Message) + "."
	return text + override(r)
}

func override(r plan.Refusal) markdown {
	switch {
	case r.Overridden || r.Override == "":
		return ""
	case r.Number > 0:
		return " If that is meant, pass " + escapeCode(r.Override, mostOfText) + "."
	}
	return " What to do: " + escapeText(r.Override) + "."
}

// loss says who loses whom, with all names where the sentence leaves some out.
func (b dangers) loss(e plan.Effect) markdown {
	text := escapeText(e.Message)
	if len(e.Sites) == 0 {
		return text
	}
	others := unreached(e.Sites[0], b.plan.Topology)
	if len(e.Sites) > mostInSentence {
		text += ". All that lose: " + joined(e.Sites, ", ", code)
	}
	if len(others) > mostInSentence {
		text += ". All that are lost: " + joined(others, ", ", code)
	}
	return text
}

// mostInSentence is how many names the sentences of plan/topology spell out.
const mostInSentence = 3

// unreached are the sites that one reaches before and, though they are still there, not
// after.
func unreached(from network.SiteName, t plan.Topology) []network.SiteName {
	before, after := reached(from, t.Before), reached(from, t.After)
	var out []network.SiteName
	for _, c := range t.After.Components {
		for _, s := range c {
			if before[s] && !after[s] {
				out = append(out, s)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
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

// deletions are the actions that delete, sites first.
func deletions(actions []plan.Action) []plan.Action {
	out := slices.DeleteFunc(slices.Clone(actions), func(a plan.Action) bool { return a.Verb != plan.VerbDelete })
	slices.SortStableFunc(out, func(a, b plan.Action) int {
		return cmp.Compare(slices.Index(kinds, a.Kind), slices.Index(kinds, b.Kind))
	})
	return out
}

// kinds are in the order in which their loss hurts.
var kinds = []plan.Kind{plan.KindSite, plan.KindLink, plan.KindObject, plan.KindProxy}

var kindWords = map[plan.Kind]string{
	plan.KindSite: "site", plan.KindLink: "link", plan.KindObject: "object", plan.KindProxy: "proxy setting",
}

// kindsOf counts actions by kind: "1 site and 51 links".
func kindsOf(actions []plan.Action) markdown {
	var parts []markdown
	for _, k := range kinds {
		n := 0
		for _, a := range actions {
			if a.Kind == k {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, counted(n, kindWords[k]))
		}
	}
	return spoken(parts)
}

// deletion says what goes, where it is and why.
func (b dangers) deletion(a plan.Action) markdown {
	text := markdown(kindWords[a.Kind]) + " " + code(NameOf(a))
	if a.Link != nil {
		text += ", " + ends(a)
	} else {
		text += " in " + whereOf(a)
	}
	text += ": " + escapeText(a.Why)
	if a.Site != nil && len(a.Site.Takes) > 0 {
		text += ". It takes along Links that were made by hand: " + joined(a.Site.Takes, ", ", code)
	}
	if b.anyway(a) {
		text += " (also without this change)"
	}
	return text
}

// ends are the two sites of a link.
func ends(a plan.Action) markdown { return code(a.Link.From.Site) + " → " + code(a.Link.To.Site) }

// dense is the box with bare names, so many of each kind at most.
func (b dangers) dense(most int) markdown {
	return cautions(
		titled(b.refused, b.refusedTitle(), b.denseRefusals(most)),
		titled(b.lost, b.lostTitle(), some(b.lost, most, func(list []plan.Effect) markdown {
			return items(list, func(e plan.Effect) markdown { return escapeText(clip(e.Message, mostOfName)) })
		})+b.missing(len(b.lost)-most, "sentence about lost paths", "sentences about lost paths")),
		titled(b.deletes, b.deletesTitle(), some(b.deletes, most, denseDeletes)+b.missing(len(b.deletes)-most, "deletion", "deletions")),
		titled(b.allowed, "Would be refused, and a flag allows it", markdown(fmt.Sprintf("- %s\n", count(len(b.allowed), "rule")))),
	)
}

func some[T any](list []T, most int, f func([]T) markdown) markdown {
	return f(list[:min(most, len(list))])
}

// missing counts what did not fit, and says where it is.
func (b dangers) missing(n int, one, many markdown) markdown {
	if n <= 0 {
		return ""
	}
	return "- " + markdown(fmt.Sprint(n)) + " more " + either(n, one, many) + ", for which there is no room here. " + b.run + "\n"
}

func denseDeletes(list []plan.Action) markdown {
	var text markdown
	for _, k := range kinds {
		of := slices.DeleteFunc(slices.Clone(list), func(a plan.Action) bool { return a.Kind != k })
		if len(of) > 0 {
			text += "- " + markdown(kindWords[k]) + "s: " + joined(of, ", ", func(a plan.Action) markdown { return code(NameOf(a)) }) + "\n"
		}
	}
	return text
}

// denseRefusals puts those that no flag lifts together by rule: there may be one for each
// object. Those with a flag are few, and keep it while there is room.
func (b dangers) denseRefusals(most int) markdown {
	var order []markdown
	subjects := map[markdown][]plan.Refusal{}
	for _, r := range b.refused[:min(most, len(b.refused))] {
		rule := escapeText(clip(r.Code, mostOfName)) + override(r)
		if subjects[rule] == nil {
			order = append(order, rule)
		}
		subjects[rule] = append(subjects[rule], r)
	}
	return items(order, func(rule markdown) markdown {
		return joined(subjects[rule], ", ", func(r plan.Refusal) markdown { return code(r.Subject) }) + ": " + rule
	}) + b.missing(len(b.refused)-most, "refusal", "refusals")
}
