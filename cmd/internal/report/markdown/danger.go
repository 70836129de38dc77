package markdown

import (
	"fmt"
	"slices"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/plan/words"
)

// danger adds a box with all that is deleted, cut off or refused. It is the last to give
// way: to bare names, and then to as many of them as fit.
func (l *layout) danger() {
	b := box{doc: l.doc, Danger: l.doc.Danger, run: l.run}
	all := max(len(b.Refused), len(b.Overridden), len(b.Lost), len(b.Deletes))
	p := part{}
	if len(b.Lost) <= mostInFull {
		p.forms = []form{{yieldsDetails, func() md { return b.full(b.loss) }}}
	}
	p.forms = append(p.forms,
		form{yieldsDetails, func() md { return b.full(lossAlone) }},
		form{yieldsDanger, func() md { return b.dense(all, b.lossLines) }})
	for _, f := range shorter(all, func(most int) md { return b.dense(most, b.losers) }) {
		p.forms = append(p.forms, form{yieldsDanger, f})
	}
	l.put(p)
}

// box is what the box is about.
type box struct {
	report.Danger
	doc report.Document
	run md
}

// cautions puts paragraphs that are not empty into the box.
func cautions(paragraphs ...md) md {
	paragraphs = slices.DeleteFunc(paragraphs, func(p md) bool { return p == "" })
	if len(paragraphs) == 0 {
		return ""
	}
	return quoted("CAUTION", joined(paragraphs, "\n", same))
}

// titled puts a title over a list that is not empty.
func titled[T any](list []T, title, text md) md {
	if len(list) == 0 {
		return ""
	}
	return "**" + title + "**\n\n" + text
}

// full is the box with all that there is to say; loss words a lost path.
func (b box) full(loss func(report.Effect) md) md {
	return cautions(
		titled(b.Refused, b.refusedTitle(), items(b.Refused, refusal)+b.allAtOnce()),
		titled(b.Lost, b.lostTitle(), items(b.Lost, loss)),
		titled(b.Deletes, b.deletesTitle(), b.deletions()),
		titled(b.Overridden, "Would be refused, and a flag allows it", items(b.Overridden, refusal)),
	)
}

func (b box) refusedTitle() md { return "Refused by " + counted(len(b.Refused), "rule") }

// allAtOnce is the flag for all refusals, where there are several.
func (b box) allAtOnce() md {
	if b.AllowAll == "" {
		return ""
	}
	return "- To allow all of these at once: " + escapeCode(b.AllowAll, mostOfText) + "\n"
}

func (b box) lostTitle() md {
	return md(words.Plural(len(b.CutOff), "site loses its last path", "sites lose their last path")) + " to others"
}

func (b box) deletesTitle() md { return "Deletes " + md(report.KindsOf(b.Deletes)) }

// refusal says what a rule has against the plan, and what lifts it.
func refusal(r report.Refusal) md {
	text := escapeText(r.Subject) + ": " + escapeText(r.Message) + "."
	return text + override(r)
}

func override(r report.Refusal) md {
	switch {
	case r.Overridden || r.Override == "":
		return ""
	case r.Number > 0:
		return " If that is meant, pass " + escapeCode(r.Override, mostOfText) + "."
	}
	return " What to do: " + escapeText(r.Override) + "."
}

// lossAlone is a sentence about who loses whom.
func lossAlone(e report.Effect) md { return escapeText(e.Message) }

// loss says who loses whom, with all names where the sentence leaves some out.
func (b box) loss(e report.Effect) md {
	text := lossAlone(e)
	if len(e.Sites) == 0 {
		return text
	}
	if len(e.Sites) > mostInSentence {
		text += ". All that lose: " + joined(e.Sites, ", ", code)
	}
	others, none := b.doc.Unreached(e)
	if none {
		return text + ". " + words.Either[md](len(e.Sites), "It reaches no other site any more",
			"They reach no others any more")
	}
	if len(others) > mostInSentence {
		text += ". All that are lost: " + joined(others, ", ", code)
	}
	return text
}

// mostInFull is how many lost paths are told with all names.
const mostInFull = 20

// mostInSentence is how many names the sentences of plan/topology spell out.
const mostInSentence = 3

// mostAlike is how many deletions of one kind, for one reason, have a line each.
const mostAlike = 8

// deletions has a line for each deletion, or one for many that are alike: the table has the
// rest of them.
func (b box) deletions() md {
	alike := func(a report.Action) string {
		return fmt.Sprint(a.Kind, a.Anyway, a.Takes != nil, a.Why)
	}
	groups, order := map[string][]report.Action{}, []string{}
	for _, a := range b.Deletes {
		if groups[alike(a)] == nil {
			order = append(order, alike(a))
		}
		groups[alike(a)] = append(groups[alike(a)], a)
	}
	return joined(order, "", func(key string) md {
		group := groups[key]
		if first := group[0]; len(group) > mostAlike && first.Takes == nil {
			return "- " + md(report.KindsOf(group)) + ", " + reason(first) + ": " +
				joined(group, ", ", func(a report.Action) md { return code(a.Name) }) + "\n"
		}
		return items(group, deletion)
	})
}

// deletion says what goes, where it is and why.
func deletion(a report.Action) md {
	preposition := md(" in ")
	if a.IsLink {
		preposition = ", "
	}
	text := md(report.KindWord(a.Kind)) + " " + code(a.Name) + preposition + where(a) + ": " + reason(a)
	if len(a.Takes) > 0 {
		text += ". It takes along Links that were made by hand: " + joined(a.Takes, ", ", code)
	}
	return text
}

func reason(a report.Action) md {
	if a.Anyway {
		return escapeText(a.Why) + " (also without this change)"
	}
	return escapeText(a.Why)
}

// dense is the box with bare names, so many of each kind at most; lost words the lost
// paths.
func (b box) dense(most int, lost func(most int) md) md {
	return cautions(
		titled(b.Refused, b.refusedTitle(), b.denseRefusals(most)+b.allAtOnce()),
		titled(b.Lost, b.lostTitle(), lost(most)),
		titled(b.Deletes, b.deletesTitle(),
			denseDeletes(b.Deletes[:min(most, len(b.Deletes))])+b.missing(len(b.Deletes)-most, "deletion", "deletions")),
		titled(b.Overridden, "Would be refused, and a flag allows it", "- "+counted(len(b.Overridden), "rule")+"\n"),
	)
}

// lossLines are sentences about lost paths.
func (b box) lossLines(int) md {
	return items(b.Lost, func(e report.Effect) md { return escapeText(words.Clip(e.Message, mostOfName)) })
}

// losers are the names of sites that lose paths.
func (b box) losers(most int) md {
	text := md("")
	if shown := b.CutOff[:min(most, len(b.CutOff))]; len(shown) > 0 {
		text = "- " + joined(shown, ", ", code) + "\n"
	}
	return text + b.missing(len(b.CutOff)-most, "site that loses paths", "sites that lose paths")
}

// missing counts what did not fit, and says where it is.
func (b box) missing(n int, one, many md) md {
	if n <= 0 {
		return ""
	}
	return "- " + number(n) + " more " + words.Either(n, one, many) + ", for which there is no room here. " + b.run +
		"\n"
}

func denseDeletes(list []report.Action) md {
	var text md
	var taken []string
	for _, k := range report.Kinds {
		of := report.Only(list, func(a report.Action) bool { return a.Kind == k })
		if len(of) > 0 {
			text += "- " + md(report.KindWord(k)) + "s: " +
				joined(of, ", ", func(a report.Action) md { return code(a.Name) }) + "\n"
		}
	}
	for _, a := range list {
		taken = append(taken, a.Takes...)
	}
	if len(taken) > 0 {
		text += "- with their sites, Links made by hand: " + joined(taken, ", ", code) + "\n"
	}
	return text
}

// denseRefusals puts those that no flag lifts together by rule: there may be one for each
// object. Those with a flag are few, and keep it while there is room.
func (b box) denseRefusals(most int) md {
	var order []md
	subjects := map[md][]report.Refusal{}
	for _, r := range b.Refused[:min(most, len(b.Refused))] {
		rule := escapeText(words.Clip(r.Code, mostOfName)) + override(r)
		if subjects[rule] == nil {
			order = append(order, rule)
		}
		subjects[rule] = append(subjects[rule], r)
	}
	return items(order, func(rule md) md {
		return joined(subjects[rule], ", ", func(r report.Refusal) md { return code(r.Subject) }) + ": " + rule
	}) + b.missing(len(b.Refused)-most, "refusal", "refusals")
}
