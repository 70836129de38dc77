package report

import (
	"fmt"
	"maps"
	"slices"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
)

// danger adds a box with all that is deleted, cut off or refused. It is the last to give
// way: to bare names, and then to as many of them as fit.
func (d *document) danger(pl plan.Plan) {
	b := dangers{
		plan: pl, run: d.run, refused: pl.Refused(), allowed: only(pl.Refusals, func(r plan.Refusal) bool { return r.Overridden }),
		lost: only(pl.Topology.Effects, lost), deletes: deletions(pl.Actions),
	}
	all := max(len(b.refused), len(b.allowed), len(b.lost), len(b.deletes))
	p := part{}
	if len(b.lost) <= mostInFull {
		p.forms = []form{{yieldsDetails, func() markdown { return b.full(b.loss) }}}
	}
	p.forms = append(p.forms,
		form{yieldsDetails, func() markdown { return b.full(lossAlone) }},
		form{yieldsDanger, func() markdown { return b.dense(all, b.lossLines) }})
	for _, f := range shorter(all, func(most int) func() markdown { return func() markdown { return b.dense(most, b.losers) } }) {
		p.forms = append(p.forms, form{yieldsDanger, f})
	}
	d.put(p)
}

// dangers are what the box is about.
type dangers struct {
	plan             plan.Plan
	run              markdown
	refused, allowed []plan.Refusal
	lost             []plan.Effect
	deletes          []plan.Action
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

// full is the box with all that there is to say; loss words a lost path.
func (b dangers) full(loss func(plan.Effect) markdown) markdown {
	return cautions(
		titled(b.refused, b.refusedTitle(), items(b.refused, refusal)+b.allAtOnce()),
		titled(b.lost, b.lostTitle(), items(b.lost, loss)),
		titled(b.deletes, b.deletesTitle(), b.deletions()),
		titled(b.allowed, "Would be refused, and a flag allows it", items(b.allowed, refusal)),
	)
}

func (b dangers) refusedTitle() markdown { return "Refused by " + counted(len(b.refused), "rule") }

// allAtOnce is the flag for all refusals, where there are several.
func (b dangers) allAtOnce() markdown {
	all := b.plan.AllowAll()
	if all == "" {
		return ""
	}
	return "- To allow all of these at once: " + escapeCode(all, mostOfText) + "\n"
}

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

// lossAlone is a sentence about who loses whom.
func lossAlone(e plan.Effect) markdown { return escapeText(e.Message) }

// loss says who loses whom, with all names where the sentence leaves some out.
func (b dangers) loss(e plan.Effect) markdown {
	text := lossAlone(e)
	if len(e.Sites) == 0 {
		return text
	}
	if len(e.Sites) > mostInSentence {
		text += ". All that lose: " + joined(e.Sites, ", ", code)
	}
	if len(reached(e.Sites[0], b.plan.Topology.After)) <= len(e.Sites) {
		return text + ". " + either(len(e.Sites), "It reaches no other site any more", "They reach no others any more")
	}
	if others := unreached(e.Sites[0], b.plan.Topology); len(others) > mostInSentence {
		text += ". All that are lost: " + joined(others, ", ", code)
	}
	return text
}

// mostInFull is how many lost paths are told with all names.
const mostInFull = 20

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

var kindWords = map[plan.Kind]string{
	plan.KindSite: "site", plan.KindLink: "link", plan.KindObject: "object", plan.KindProxy: "proxy setting",
}

// kindsOf counts actions by kind: "1 site and 51 links".
func kindsOf(actions []plan.Action) markdown {
	return markdown(kindsIn(actions, kinds, func(n int, k plan.Kind) string { return count(n, kindWords[k]) }))
}

// mostAlike is how many deletions of one kind, for one reason, have a line each.
const mostAlike = 8

// deletions has a line for each deletion, or one for many that are alike: the table has the
// rest of them.
func (b dangers) deletions() markdown {
	alike := func(a plan.Action) string {
		return fmt.Sprint(a.Kind, anyway(b.plan, a), a.Site != nil && a.Site.Takes != nil, a.Why)
	}
	groups, order := map[string][]plan.Action{}, []string{}
	for _, a := range b.deletes {
		if groups[alike(a)] == nil {
			order = append(order, alike(a))
		}
		groups[alike(a)] = append(groups[alike(a)], a)
	}
	return joined(order, "", func(key string) markdown {
		group := groups[key]
		if first := group[0]; len(group) > mostAlike && (first.Site == nil || first.Site.Takes == nil) {
			return "- " + kindsOf(group) + ", " + b.reason(first) + ": " + joined(group, ", ", func(a plan.Action) markdown { return code(NameOf(a)) }) + "\n"
		}
		return items(group, b.deletion)
	})
}

// deletion says what goes, where it is and why.
func (b dangers) deletion(a plan.Action) markdown {
	text := markdown(kindWords[a.Kind]) + " " + code(NameOf(a))
	if a.Link != nil {
		text += ", " + ends(a)
	} else {
		text += " in " + whereOf(a)
	}
	text += ": " + b.reason(a)
	if a.Site != nil && len(a.Site.Takes) > 0 {
		text += ". It takes along Links that were made by hand: " + joined(a.Site.Takes, ", ", code)
	}
	return text
}

func (b dangers) reason(a plan.Action) markdown {
	if anyway(b.plan, a) {
		return escapeText(a.Why) + " (also without this change)"
	}
	return escapeText(a.Why)
}

// ends are the two sites of a link.
func ends(a plan.Action) markdown { return code(a.Link.From.Site) + " → " + code(a.Link.To.Site) }

// dense is the box with bare names, so many of each kind at most; lost words the lost
// paths.
func (b dangers) dense(most int, lost func(most int) markdown) markdown {
	return cautions(
		titled(b.refused, b.refusedTitle(), b.denseRefusals(most)+b.allAtOnce()),
		titled(b.lost, b.lostTitle(), lost(most)),
		titled(b.deletes, b.deletesTitle(), denseDeletes(b.deletes[:min(most, len(b.deletes))])+b.missing(len(b.deletes)-most, "deletion", "deletions")),
		titled(b.allowed, "Would be refused, and a flag allows it", "- "+counted(len(b.allowed), "rule")+"\n"),
	)
}

// lossLines are sentences about lost paths.
func (b dangers) lossLines(int) markdown {
	return items(b.lost, func(e plan.Effect) markdown { return escapeText(clip(e.Message, mostOfName)) })
}

// losers are the names of sites that lose paths.
func (b dangers) losers(most int) markdown {
	names := slices.Sorted(maps.Keys(losing(b.plan)))
	text := markdown("")
	if shown := names[:min(most, len(names))]; len(shown) > 0 {
		text = "- " + joined(shown, ", ", code) + "\n"
	}
	return text + b.missing(len(names)-most, "site that loses paths", "sites that lose paths")
}

// missing counts what did not fit, and says where it is.
func (b dangers) missing(n int, one, many markdown) markdown {
	if n <= 0 {
		return ""
	}
	return "- " + number(n) + " more " + either(n, one, many) + ", for which there is no room here. " + b.run + "\n"
}

// takenAlong are the Links made by hand that deleted sites take along.
func takenAlong(list []plan.Action) (out []string) {
	for _, a := range list {
		if a.Site != nil {
			out = append(out, a.Site.Takes...)
		}
	}
	return out
}

func denseDeletes(list []plan.Action) markdown {
	var text markdown
	for _, k := range kinds {
		of := only(list, func(a plan.Action) bool { return a.Kind == k })
		if len(of) > 0 {
			text += "- " + markdown(kindWords[k]) + "s: " + joined(of, ", ", func(a plan.Action) markdown { return code(NameOf(a)) }) + "\n"
		}
	}
	if taken := takenAlong(list); len(taken) > 0 {
		text += "- with their sites, Links made by hand: " + joined(taken, ", ", code) + "\n"
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
