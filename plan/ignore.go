package plan

import (
	"maps"
	"slices"
	"strings"

	"fairlead.dev/fairlead/schema/network"
)

// Rules of the description leave alone what differs on a cluster from what was last
// applied. They hold for drift and for plans alike: what drift does not count, apply does
// not reset. What git changed is applied all the same, also when an earlier apply recorded
// it and never wrote it, and what is missing is put back; of what is missing only a whole
// object of an overlay can be left out.

// ignores are the rules, and what they left alone.
type ignores struct {
	rules []ruled
	left  []leftOut
}

// ruled is a rule with its path taken apart.
type ruled struct {
	network.Ignore
	path network.IgnorePath
}

// rulesOf takes rules apart. One whose path cannot be read covers nothing: validation
// refuses it.
func rulesOf(list []network.Ignore) (out []ruled) {
	for _, r := range list {
		if p, err := network.ParseIgnorePath(r.Path); err == nil {
			out = append(out, ruled{r, p})
		}
	}
	return out
}

// leftOut is a difference that a rule covers, with the action that it would have been.
type leftOut struct {
	Ignored
	about Action
}

// rule gives the first rule that covers a field of what an action is about; for an
// empty field, all of it. It is nil when there is none.
func (n *ignores) rule(a Action, field string) *ruled { return ruleFor(n.rules, a, field) }

func ruleFor(rules []ruled, a Action, field string) *ruled {
	for i, r := range rules {
		covered := false
		switch a.Kind {
		case KindSite:
			covered = r.path.CoversSite(network.SiteName(a.Name), field)
		case KindLink:
			covered = r.path.CoversLink(network.LinkName(a.Name), field)
		case KindObject:
			covered = r.path.CoversObject(a.Object.Site, GroupKind(a.Object.APIVersion, a.Object.Kind), a.Name, field)
		}
		if covered {
			return &rules[i]
		}
	}
	return nil
}

// kept gives the paths at which a thing is left as it is on its cluster, sorted: those
// that a rule covers, that git did not change since they were applied, that were really
// written, and that have a value there. Of a list whose items have no name all is kept, or
// nothing.
func (n *ignores) kept(a Action, desired, applied, live map[string]any, in *Intent) []string {
	if len(n.rules) == 0 || applied == nil {
		return nil
	}
	paths, parted := maps.Clone(desired), map[string]bool{}
	maps.Copy(paths, applied)
	var out []string
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		there := desired[path] != nil && live[path] != nil
		if there && !in.unwritten(path, applied) && sameValue(desired[path], applied[path]) && n.rule(a, path) != nil {
			out = append(out, path)
		} else if list, ok := listOf(path); ok {
			parted[list] = true
		}
	}
	return slices.DeleteFunc(out, func(path string) bool {
		list, ok := listOf(path)
		return ok && parted[list]
	})
}

// leave takes the fields at kept paths out of an action's, and notes them as ignored.
func (n *ignores) leave(a Action, fields []Field, kept []string) []Field {
	rest := []Field{}
	for _, f := range fields {
		if slices.Contains(kept, f.Path) {
			n.ignore(a, f)
			continue
		}
		rest = append(rest, f)
	}
	return rest
}

// ignore notes a field that is left as it is.
func (n *ignores) ignore(a Action, f Field) {
	r := n.rule(a, f.Path)
	n.left = append(n.left, leftOut{about: a, Ignored: Ignored{
		Action: a.ID, Field: f.Path, From: f.From, To: f.To, Rule: r.Path, Reason: r.Reason,
	}})
}

// leaveGone reports whether an object that was written before, and is gone or was made
// anew by somebody, is left out, and notes it.
func (n *ignores) leaveGone(a Action, o DesiredObject, recorded InventoryObject) bool {
	r := n.rule(a, "")
	same := recorded.APIVersion == o.APIVersion && len(diffBy(exactly, o.Fields, recorded.Fields, recorded.Fields)) == 0
	if r == nil || recorded.UID == "" || recorded.Fields == nil || recorded.Intent.Open() || !same {
		return false
	}
	n.left = append(n.left, leftOut{about: a, Ignored: Ignored{Action: a.ID, Rule: r.Path, Reason: r.Reason}})
	return true
}

// without leaves out paths that are kept: whatever they are is of no account.
func without(fields map[string]any, kept []string) map[string]any {
	for _, path := range kept {
		delete(fields, path)
	}
	return fields
}

// ignored are the differences that rules leave out, of the part that was asked for.
func (n *ignores) ignored(part Filter) []Ignored {
	var out []Ignored
	for _, l := range n.left {
		if part.matches(l.about) {
			out = append(out, l.Ignored)
		}
	}
	return sortIgnored(out)
}

func sortIgnored(list []Ignored) []Ignored {
	slices.SortStableFunc(list, func(a, b Ignored) int {
		return strings.Compare(a.Action+"\x00"+a.Field, b.Action+"\x00"+b.Field)
	})
	return list
}
