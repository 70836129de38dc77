// Package finding tells each thing of a report by itself, for programs: as SARIF, JUnit, GitLab's
// code quality, GitHub's annotations, and lines of key=value.
package finding

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/topology"
	"fairlead.dev/fairlead/schema/diag"
)

// level says how much a notice matters. The zero value is the most serious.
type level int

const (
	levelError level = iota
	levelWarning
	levelNote
)

// notice is one thing that a machine format tells: a finding, a change, a consequence, a
// refusal, a difference or a fact.
type notice struct {
	// rule is stable; rules.go describes it.
	rule  string
	level level
	// subject is what it is about: "link/shop1-hub", or in words what has no such name.
	// whole is what the subject is a part of, if it is.
	subject, whole string
	// title is a few words, message the whole of it without the title, fix what to do.
	title, message, fix string
	// at is a place from the root of the repository; it has at least a file.
	at      diag.Position
	related []diag.Position
	// drifted is true for a change because of drift.
	drifted bool
	// ignored is the reason why it is left out; empty for all that counts.
	ignored string
	// print tells apart, of all notices of a report; it does not change when lines move.
	print string
}

// text is the whole notice in one go.
func (n notice) text() string {
	text := n.title + ": " + n.message
	if n.fix != "" {
		text += "; " + n.fix
	}
	return text
}

// notices gives all that is to tell, the most serious first, each deletion and refusal
// among them. Unmanaged objects are not.
func notices(r report.Report) []notice { return noticesAt(r, indexOf(r)) }

// noticesAt is notices with the index of the report.
func noticesAt(r report.Report, x index) []notice {
	c := collector{index: x}
	switch d, planned := report.DocumentOf(r); {
	case r.Findings != nil:
		c.findings(r.Findings.List)
	case planned:
		c.document(d)
	}
	slices.SortStableFunc(c.list, func(x, y notice) int { return cmp.Compare(x.level, y.level) })
	fingerprint(c.list)
	return c.list
}

// fingerprint gives each notice a digest of its rule and its subject. Those that share
// both are numbered.
func fingerprint(list []notice) {
	seen := map[string]int{}
	for i, n := range list {
		key := n.rule + "\x00" + n.subject
		seen[key]++
		sum := sha256.Sum256([]byte(key + "\x00" + strconv.Itoa(seen[key])))
		list[i].print = hex.EncodeToString(sum[:16])
	}
}

type collector struct {
	index index
	list  []notice
}

func (c *collector) add(n notice) { c.list = append(c.list, n) }

func (c *collector) findings(list []report.Finding) {
	for _, f := range list {
		n := notice{
			rule: f.Code, level: levelError, subject: idOf(f.Subject), title: f.Subject,
			message: f.Message, fix: f.Fix, at: c.index.find(f.At, idOf(f.Subject)),
		}
		if f.Severity == diag.Warning {
			n.level = levelWarning
		}
		for _, r := range f.Related {
			if at, ok := c.index.known(r); ok {
				n.related = append(n.related, at)
			}
		}
		if f.Subject == "" {
			n.subject, n.title = n.at.File, f.Code
		}
		c.add(n)
	}
}

// idOf turns the words of a finding into the name of what they are about: `link "a-b"`
// is "link/a-b". Other words stay.
func idOf(subject string) string {
	kind, quoted, _ := strings.Cut(subject, " ")
	name, err := strconv.Unquote(quoted)
	if err != nil {
		return subject
	}
	return kind + "/" + name
}

// document tells of refusals and clusters that were not read, of actions and consequences or of
// differences and facts, of findings, and of what rules leave out.
func (c *collector) document(d report.Document) {
	c.refusals(d.Danger.Refusals)
	c.unread(d.Unread())
	if d.Drift {
		c.drift(d)
	} else {
		c.plan(d)
	}
	for _, i := range d.Ignored {
		c.ignored(i)
	}
}

// plan tells of sites that go, consequences, what else goes, and all other actions.
func (c *collector) plan(d report.Document) {
	gone := func(a report.Action) bool { return a.Deletes() }
	site := func(a report.Action) bool { return gone(a) && a.Kind == plan.KindSite }
	c.actions(report.Only(d.Actions, site))
	c.effects(d.Effects)
	c.actions(report.Only(d.Actions, func(a report.Action) bool { return gone(a) && !site(a) }))
	c.actions(report.Only(d.Actions, func(a report.Action) bool { return !gone(a) }))
	c.findings(d.Findings)
}

// drift tells of who is cut off and of paths, differences, facts and what git has ahead.
func (c *collector) drift(d report.Document) {
	c.effects(d.Effects)
	for _, a := range d.Actions {
		c.difference(a)
	}
	for _, l := range d.Live {
		c.live(l)
	}
	c.findings(d.Findings)
	for _, a := range d.Behind {
		n := c.change(a)
		n.title, n.level = "not applied yet: "+n.title, levelNote
		c.add(n)
	}
}

func (c *collector) refusals(list []report.Refusal) {
	for _, r := range list {
		n := notice{
			rule: "refused/" + ruleOfRefusal(r.Code), level: levelError, subject: idOf(r.Subject),
			title: "refused: " + r.Subject, message: r.Message, fix: r.Override,
			at: c.index.find(diag.Position{}, idOf(r.Subject)),
		}
		if r.Number > 0 {
			n.fix = "if that is meant, pass " + r.Override
		}
		if r.Overridden {
			n.level, n.title, n.fix = levelWarning, "overridden: "+r.Subject, ""
		}
		c.add(n)
	}
}

// ruleOfRefusal is the code of a refusal without the cluster that some carry behind a
// point, as in "cluster-emptied.hub" and "deletes.sites.hub".
func ruleOfRefusal(code string) string {
	parts := strings.Split(code, ".")
	if parts[0] == "deletes" && len(parts) > 1 {
		return parts[0] + "." + parts[1]
	}
	return parts[0]
}

// unread tells of clusters that could not be read.
func (c *collector) unread(list []report.Cluster) {
	for _, v := range list {
		id := "cluster/" + string(v.Name)
		c.add(notice{
			rule: "cluster/" + string(v.State), level: levelError, subject: id,
			title: fmt.Sprintf("cluster %s is %s", v.Name, v.State), message: v.Reason,
			fix: "nothing there is compared; what it holds is unknown", at: c.index.find(diag.Position{}, id),
		})
	}
}

func (c *collector) effects(all report.Effects) {
	for _, e := range all.List {
		var things []string
		for _, l := range e.Links {
			things = append(things, "link/"+string(l))
		}
		for _, s := range e.Sites {
			things = append(things, "site/"+string(s))
		}
		c.add(notice{
			rule: "effect/" + cmp.Or(e.Code, "other"), level: levelOfEffect(e), subject: strings.Join(things, " "),
			title: "w" + all.Title[1:], message: e.Message, at: c.index.find(diag.Position{}, things...),
		})
	}
}

func levelOfEffect(e report.Effect) level {
	switch topology.Severity(e.Severity) {
	case topology.High:
		return levelError
	case topology.Medium:
		return levelWarning
	}
	return levelNote
}

// actions tells of changes of a plan. One that does not come from the change under review is
// no more than a note.
func (c *collector) actions(list []report.Action) {
	for _, a := range list {
		n := c.change(a)
		if a.Anyway {
			n.level, n.message = levelNote, n.message+"; this is so without the change under review too"
		}
		c.add(n)
	}
}

// change words an action: a deletion and what heals drift are warnings.
func (c *collector) change(a report.Action) notice {
	n := notice{
		rule: fmt.Sprintf("plan/%s-%s", a.Verb, a.Kind), level: levelNote, subject: a.ID,
		title: fmt.Sprintf("%s %s %s", a.Verb, a.Kind, a.Name), message: actionText(a), at: c.placeOf(a),
		drifted: a.Drifted(),
	}
	if a.Deletes() || n.drifted {
		n.level = levelWarning
	}
	return n
}

func (c *collector) placeOf(a report.Action) diag.Position {
	things := []string{a.ID}
	if a.Kind == plan.KindObject {
		things = append(things, "site/"+a.Site)
	}
	return c.index.find(a.Declared, things...)
}

// actionText says in one sentence where an action is, why, what it changes and what
// traffic meets.
func actionText(a report.Action) string {
	parts := []string{a.Where(), a.Why}
	for _, f := range a.Fields {
		parts = append(parts, fmt.Sprintf("%s: %s → %s", f.Path, f.From, f.To))
	}
	parts = append(parts, a.Disturbs())
	if a.Drifted() {
		parts = append(parts, "because of drift")
	}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "; ")
}

// difference is an action of drift: what is not as last applied.
func (c *collector) difference(a report.Action) {
	parts := []string{"in " + a.Place(), a.Why}
	for _, f := range a.Fields {
		parts = append(parts, f.AsDrift())
	}
	c.add(notice{
		rule: "drift/" + string(a.Kind), level: levelWarning, subject: a.ID,
		title: fmt.Sprintf("drift of %s %s", a.Kind, a.Name), message: strings.Join(parts, "; "),
		fix: "to heal: fairlead apply", at: c.placeOf(a),
	})
}

func (c *collector) live(l report.Fact) {
	n := notice{
		rule: "live/" + l.Code, level: levelError, subject: l.Subject, title: l.Subject,
		message: l.Message, fix: l.Fix, at: c.index.find(l.At, l.Subject),
	}
	if l.Severity == diag.Warning {
		n.level = levelWarning
	}
	c.add(n)
}

func (c *collector) ignored(i report.Ignored) {
	what := i.Action
	if i.Field != "" {
		what += " " + i.Field
	}
	kind, _, _ := strings.Cut(i.Action, "/")
	c.add(notice{
		rule: "drift/" + kind, level: levelNote, subject: what, whole: i.Action, title: "ignored: " + what,
		message: "differs from what was last applied; the rule " + i.Rule + " leaves it out",
		at:      c.index.find(diag.Position{}, i.Action),
		ignored: cmp.Or(i.Reason, i.Rule),
	})
}
