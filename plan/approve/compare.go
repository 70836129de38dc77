package approve

import (
	"fmt"
	"maps"
	"slices"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/field"
)

// continues lists, for the verb of a saved action, those that a plan made now may
// have for it once it was carried out in part.
var continues = map[plan.Verb][]plan.Verb{
	plan.VerbCreate:  {plan.VerbCreate, plan.VerbUpdate, plan.VerbAdopt},
	plan.VerbUpdate:  {plan.VerbUpdate},
	plan.VerbReplace: {plan.VerbReplace, plan.VerbCreate, plan.VerbUpdate},
	plan.VerbAdopt:   {plan.VerbAdopt, plan.VerbUpdate},
	plan.VerbDelete:  {plan.VerbDelete},
}

// changedSince says what moved away from a saved action a, given the action b of a
// plan made now; empty when b does what is left of a and nothing else.
func (j judge) changedSince(a, b plan.Action) string {
	if reason := changedSecrets(a, b); reason != "" {
		return reason
	}
	if b.Link != nil && b.Link.UnderWay && a.Verb != plan.VerbDelete && a.Verb != plan.VerbUpdate {
		return first(changedEnds(*a.Link, *b.Link), changedFields(a, b))
	}
	if !slices.Contains(continues[a.Verb], b.Verb) {
		return fmt.Sprintf("was a %s and is a %s now: %s", a.Verb, b.Verb, b.Why)
	}
	reason := first(changedFields(a, b), changedGoal(a, b))
	switch {
	case reason != "":
	case a.Site != nil:
		reason = changedSite(*a.Site, *b.Site)
	case a.Link != nil:
		reason = first(changedEnds(*a.Link, *b.Link), j.changedLinks(a, b), j.newRemovals(a, *b.Link))
	case a.Object != nil:
		reason = first(
			changedUID(a.Object.UID, b.Object.UID),
			changedObserved(a.Object.Observed, b.Object.Observed, a.Object.Fields))
	case a.Proxy != nil:
		reason = changedProxy(a, b)
	}
	if reason == "" && plan.Worse(a.Disruption, b.Disruption) != a.Disruption {
		return fmt.Sprintf("would disturb more than was planned (%s, was %s): %s", b.Disruption, a.Disruption, b.Why)
	}
	return reason
}

func first(reasons ...string) string {
	for _, r := range reasons {
		if r != "" {
			return r
		}
	}
	return ""
}

// changedFields compares the fields that differ: each one of now has to start from
// where the saved one did.
func changedFields(a, b plan.Action) string {
	for _, f := range b.Fields {
		i := slices.IndexFunc(a.Fields, func(g plan.Field) bool { return g.Path == f.Path })
		switch {
		case b.Verb == plan.VerbCreate && f.From == nil: // nothing is there, and all of it is made
		case i < 0:
			return fmt.Sprintf("%s is now %s, and was as declared", f.Path, field.Shown(f.From))
		case !equal(a.Fields[i].To, f.To):
			return fmt.Sprintf("%s should now be %s, and should have been %s", f.Path, field.Shown(f.To), field.Shown(a.Fields[i].To))
		case !equal(a.Fields[i].From, f.From):
			return fmt.Sprintf("%s is now %s, was %s", f.Path, field.Shown(f.From), field.Shown(a.Fields[i].From))
		}
	}
	return ""
}

// changedGoal makes sure that what would be written is what was reviewed.
func changedGoal(a, b plan.Action) string {
	switch {
	case b.Verb == plan.VerbDelete:
		return ""
	case a.Site != nil && !equal(a.Site.Fields, b.Site.Fields):
		return "the description asks for another Site now"
	case a.Object != nil && !equal(a.Object.Manifest, b.Object.Manifest):
		return "the overlay asks for another object now"
	}
	return ""
}

// changedUID compares an object with the one that was planned for; one that was not
// there and is now has been made meanwhile, and its content tells the rest.
func changedUID(was, is string) string {
	switch {
	case was == "" || was == is:
		return ""
	case is == "":
		return "is gone"
	}
	return "was made anew"
}

// changedObserved compares the owned fields as they were and are: those which moved
// must be as wanted.
func changedObserved(was, is, wanted map[string]any) string {
	paths := map[string]bool{}
	for path := range was {
		paths[path] = true
	}
	for path := range is {
		paths[path] = true
	}
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		if !equal(is[path], was[path]) && !equal(is[path], wanted[path]) {
			return fmt.Sprintf("%s is now %s, was %s", path, field.Shown(is[path]), field.Shown(was[path]))
		}
	}
	return ""
}

func changedSite(a, b plan.SiteWork) string {
	for _, name := range b.Takes {
		if !slices.Contains(a.Takes, name) {
			return fmt.Sprintf("Link %s was made there meanwhile and would go with it", name)
		}
	}
	if b.Close.Name != "" && b.Close.UID != a.Close.UID {
		return "its RouterAccess was made meanwhile"
	}
	wanted := a.Fields
	if a.UID == "" && b.UID != "" { // made meanwhile: as wanted, or it is not ours to change
		return changedObserved(nil, withoutZeros(b.Observed, wanted), wanted)
	}
	return first(changedUID(a.UID, b.UID), changedObserved(a.Observed, b.Observed, wanted))
}

// withoutZeros leaves out fields that are as good as absent where they are wanted so.
func withoutZeros(observed, wanted map[string]any) map[string]any {
	out := map[string]any{}
	for path, v := range observed {
		if !plan.IsZero(v) || !plan.IsZero(wanted[path]) {
			out[path] = v
		}
	}
	return out
}

// changedEnds compares the Sites of a link: another UID means another CA.
func changedEnds(a, b plan.LinkWork) string {
	for _, e := range []struct{ was, is plan.End }{{a.From, b.From}, {a.To, b.To}} {
		if reason := changedUID(e.was.UID, e.is.UID); reason != "" {
			return fmt.Sprintf("site %s %s", e.is.Site, reason)
		}
	}
	return ""
}

// changedLinks compares a link's own Links as they were and are.
func (j judge) changedLinks(a, b plan.Action) string {
	for _, is := range b.Link.AllSeen() {
		i := slices.IndexFunc(a.Link.AllSeen(), func(l plan.LiveLink) bool { return l.UID == is.UID })
		cost := int32(0)
		if i >= 0 {
			cost = max(a.Link.AllSeen()[i].Cost, 1)
		}
		if now := max(is.Cost, 1); now != cost && now != a.Link.Cost && !(i >= 0 && b.Link.KeepCost) {
			if i < 0 {
				return fmt.Sprintf("Link %s was made meanwhile", is.Name)
			}
			return fmt.Sprintf("Link %s has cost %d now, had %d", is.Name, now, cost)
		}
	}
	for _, was := range a.Link.AllSeen() {
		stays := slices.ContainsFunc(b.Link.AllSeen(), func(l plan.LiveLink) bool { return l.UID == was.UID })
		goes := slices.ContainsFunc(j.removals(a), func(r plan.ObjectRef) bool { return r.UID == was.UID })
		if !stays && !goes {
			return fmt.Sprintf("Link %s is gone", was.Name)
		}
	}
	return ""
}

// changedSecrets compares the Secrets of Links that are taken over.
func changedSecrets(a, b plan.Action) string {
	if a.Link == nil || b.Link == nil || b.Verb != plan.VerbAdopt {
		return ""
	}
	for _, is := range b.Link.Live {
		for _, was := range a.Link.Live {
			if was.UID == is.UID && was.SecretUID != "" && was.SecretUID != is.SecretUID {
				return fmt.Sprintf("Secret %s of Link %s %s", was.Secret, is.Name, changedUID(was.SecretUID, is.SecretUID))
			}
		}
	}
	return ""
}

// newRemovals names an object that would be deleted although nobody approved that, in
// this action of the saved plan or in another one on the same link.
func (j judge) newRemovals(a plan.Action, b plan.LinkWork) string {
	approved := j.removals(a)
	for _, r := range b.Remove {
		if !slices.Contains(approved, r) {
			return fmt.Sprintf("%s would be deleted, too", r)
		}
	}
	return ""
}

// removals are the objects that the saved plan removes of an action's link.
func (j judge) removals(a plan.Action) (out []plan.ObjectRef) {
	for _, s := range j.saved.Actions {
		if s.Link != nil && s.Name == a.Name && s.Cluster == a.Cluster && s.Namespace == a.Namespace {
			out = append(out, s.Link.Remove...)
		}
	}
	return out
}

func changedProxy(a, b plan.Action) string {
	if a.Verb == plan.VerbDelete {
		return first(changedUID(a.Proxy.Secret.UID, b.Proxy.Secret.UID), changedText("host", a.Proxy.Host, b.Proxy.Host),
			changedText("port", a.Proxy.Port, b.Proxy.Port))
	}
	return changedUID(a.Proxy.Secret.UID, b.Proxy.Secret.UID)
}

func changedText(what, was, is string) string {
	if was == is {
		return ""
	}
	return fmt.Sprintf("%s is now %s, was %s", what, field.Shown(is), field.Shown(was))
}

// equal compares two values as JSON has them: a saved plan was read from there.
func equal(a, b any) bool { return field.Shown(a) == field.Shown(b) }
