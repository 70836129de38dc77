// Package ignore has the rules of the description that leave alone what differs on a cluster
// from what was last applied. They hold for drift and for plans alike: what drift does not
// count, apply does not reset. What git changed is applied all the same, also when an earlier
// apply recorded it and never wrote it, and what is missing is put back; of what is missing
// only a whole object of an overlay can be left out.
package ignore

import (
	"maps"
	"slices"
	"strings"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/field"
	"fairlead.dev/fairlead/plan/record"
	"fairlead.dev/fairlead/schema/network"
)

// Rules are the rules, and what they left alone.
type Rules struct {
	List []Rule
	Left []leftOut
}

// Rule is a rule with its path taken apart.
type Rule struct {
	network.Ignore
	path network.IgnorePath
}

// Parse takes rules apart. One whose path cannot be read covers nothing: validation
// refuses it.
func Parse(list []network.Ignore) (out []Rule) {
	for _, r := range list {
		if p, err := network.ParseIgnorePath(r.Path); err == nil {
			out = append(out, Rule{r, p})
		}
	}
	return out
}

// leftOut is a difference that a rule covers, with the action that it would have been.
type leftOut struct {
	plan.Ignored
	about plan.Action
}

// Rule gives the first rule that covers a field of what an action is about; for an
// empty field, all of it. It is nil when there is none.
func (n *Rules) Rule(a plan.Action, field string) *Rule { return For(n.List, a, field) }

// For gives the first of the rules that covers a field of what an action is about; nil when
// none does.
func For(rules []Rule, a plan.Action, field string) *Rule {
	for i, r := range rules {
		covered := false
		switch a.Kind {
		case plan.KindSite:
			covered = r.path.CoversSite(network.SiteName(a.Name), field)
		case plan.KindLink:
			covered = r.path.CoversLink(network.LinkName(a.Name), field)
		case plan.KindObject:
			covered = r.path.CoversObject(a.Object.Site, plan.GroupKind(a.Object.APIVersion, a.Object.Kind), a.Name, field)
		}
		if covered {
			return &rules[i]
		}
	}
	return nil
}

// Kept gives the paths at which a thing is left as it is on its cluster, sorted: those
// that a rule covers, that git did not change since they were applied, that were really
// written, and that have a value there. Of a list whose items have no name all is kept, or
// nothing.
func (n *Rules) Kept(a plan.Action, desired, applied, live map[string]any, in *record.Intent) []string {
	if len(n.List) == 0 || applied == nil {
		return nil
	}
	paths, parted := maps.Clone(desired), map[string]bool{}
	maps.Copy(paths, applied)
	var out []string
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		there := desired[path] != nil && live[path] != nil
		if there && !in.Unwritten(path, applied) && field.SameValue(desired[path], applied[path]) && n.Rule(a, path) != nil {
			out = append(out, path)
		} else if list, ok := field.ListOf(path); ok {
			parted[list] = true
		}
	}
	return slices.DeleteFunc(out, func(path string) bool {
		list, ok := field.ListOf(path)
		return ok && parted[list]
	})
}

// Leave takes the fields at kept paths out of an action's, and notes them as ignored.
func (n *Rules) Leave(a plan.Action, fields []plan.Field, kept []string) []plan.Field {
	rest := []plan.Field{}
	for _, f := range fields {
		if slices.Contains(kept, f.Path) {
			n.Ignore(a, f)
			continue
		}
		rest = append(rest, f)
	}
	return rest
}

// Ignore notes a field that is left as it is.
func (n *Rules) Ignore(a plan.Action, f plan.Field) {
	r := n.Rule(a, f.Path)
	n.Left = append(n.Left, leftOut{about: a, Ignored: plan.Ignored{
		Action: a.ID, Field: f.Path, From: f.From, To: f.To, Rule: r.Path, Reason: r.Reason,
	}})
}

// LeaveGone reports whether an object that was written before, and is gone or was made
// anew by somebody, is left out, and notes it.
func (n *Rules) LeaveGone(a plan.Action, o plan.DesiredObject, recorded record.Object) bool {
	r := n.Rule(a, "")
	same := recorded.APIVersion == o.APIVersion && len(field.DiffBy(field.Exactly, o.Fields, recorded.Fields, recorded.Fields)) == 0
	if r == nil || recorded.UID == "" || recorded.Fields == nil || recorded.Intent.Open() || !same {
		return false
	}
	n.Left = append(n.Left, leftOut{about: a, Ignored: plan.Ignored{Action: a.ID, Rule: r.Path, Reason: r.Reason}})
	return true
}

// Without leaves out paths that are kept: whatever they are is of no account.
func Without(fields map[string]any, kept []string) map[string]any {
	for _, path := range kept {
		delete(fields, path)
	}
	return fields
}

// Ignored are the differences that rules leave out, of the part that was asked for.
func (n *Rules) Ignored(part plan.Filter) []plan.Ignored {
	var out []plan.Ignored
	for _, l := range n.Left {
		if part.Matches(l.about) {
			out = append(out, l.Ignored)
		}
	}
	return SortIgnored(out)
}

// SortIgnored sorts by action and field.
func SortIgnored(list []plan.Ignored) []plan.Ignored {
	slices.SortStableFunc(list, func(a, b plan.Ignored) int {
		return strings.Compare(a.Action+"\x00"+a.Field, b.Action+"\x00"+b.Field)
	})
	return list
}
