// Package approve compares a saved plan with one that was made now: which of its actions
// are to be done, are done, or are stale.
package approve

import (
	"fmt"
	"slices"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// Standing says how an action of a saved plan stands to the clusters as they are now.
type Standing string

// The standings.
const (
	// StandingOpen means that everything is as the saved plan saw it, or as it wants
	// it: the action may be carried out.
	StandingOpen Standing = "open"
	// StandingDone means that nothing is left to do.
	StandingDone Standing = "done"
	// StandingStale means that something is neither as it was nor as it should be.
	StandingStale Standing = "stale"
	// StandingBlocked means that it needs something which is stale or was never approved.
	StandingBlocked Standing = "blocked"
	// StandingUnknown means that a cluster it touches could not be read.
	StandingUnknown Standing = "unknown"
)

// Judgement is what became of one action of a saved plan.
type Judgement struct {
	// Action is the saved plan's.
	Action   plan.Action
	Standing Standing
	// Reason says why it is stale, blocked or unknown; empty otherwise.
	Reason string
}

// Approval says what of a saved plan may still be carried out.
type Approval struct {
	// Run are the open actions, as they have to be carried out now: with the UIDs and
	// attempts of now, under the saved plan's ID.
	Run plan.Plan
	// Judged has one entry for each action of the saved plan, in its order.
	Judged []Judgement
	// Others are the IDs of actions that a plan made now has and the saved one has not.
	Others []string
}

// Count is how many of the saved plan's actions have the standing.
func (a Approval) Count(s Standing) int {
	n := 0
	for _, j := range a.Judged {
		if j.Standing == s {
			n++
		}
	}
	return n
}

// Approve compares a saved plan, action by action, with one that was made now of the
// same description, with the saved one as its Input.Approved. What the saved plan saw and what is seen now
// may differ only towards what the plan wants: then an interrupted apply of the same
// plan, or somebody else, did a part of it already. What the saved plan does not have
// is never carried out.
func Approve(saved, now plan.Plan) Approval {
	j := judge{saved: saved, now: now, byKey: map[string]plan.Action{}, keys: map[string]string{}}
	for _, a := range now.Actions {
		j.keys[a.ID] = j.key(a)
		if j.keys[a.ID] == plan.Identity(a) {
			j.byKey[plan.Identity(a)] = a
		}
	}
	out := Approval{Judged: make([]Judgement, 0, len(saved.Actions)), Others: []string{}}
	approved := map[string]bool{}
	for _, a := range saved.Actions {
		approved[plan.Identity(a)] = true
		out.Judged = append(out.Judged, j.action(a))
	}
	for _, a := range now.Actions {
		if !approved[j.keys[a.ID]] {
			out.Others = append(out.Others, a.ID)
		}
	}
	j.block(out.Judged)
	out.Run = j.run(out.Judged)
	return out
}

// judge holds both plans, and the actions of now by identity.
type judge struct {
	saved, now plan.Plan
	byKey      map[string]plan.Action
	// keys are those of now's actions by ID, see key.
	keys map[string]string
}

// key is the identity of the saved action that an action of now belongs to: its own,
// or, where the saved plan replaces a link in one action and now it takes two, that of
// the replacement.
func (j judge) key(b plan.Action) string {
	if !b.RemovesOld() || slices.ContainsFunc(j.saved.Actions, func(a plan.Action) bool { return plan.Identity(a) == plan.Identity(b) }) {
		return plan.Identity(b)
	}
	for _, a := range j.saved.Actions {
		sameLink := a.Link != nil && a.Verb != plan.VerbDelete && a.Name == b.Name && a.Cluster == b.Cluster && a.Namespace == b.Namespace
		if sameLink && j.newRemovals(a, *b.Link) == "" {
			return plan.Identity(a)
		}
	}
	return plan.Identity(b)
}

func (j judge) action(a plan.Action) Judgement {
	out := Judgement{Action: a, Standing: StandingStale}
	if name, reason := j.unread(a); name != "" {
		out.Standing, out.Reason = StandingUnknown, fmt.Sprintf("cluster %s could not be read: %s", name, reason)
		return out
	}
	b, ok := j.byKey[plan.Identity(a)]
	refused := j.refused(a)
	switch {
	case refused != "":
		out.Reason = refused
	case !ok && j.untold(a) != "":
		out.Standing, out.Reason = StandingUnknown, j.untold(a)
	case !ok && j.half():
		out.Standing, out.Reason = StandingUnknown, "whether it is done cannot be told while something could not be read"
	case !ok:
		out.Standing = StandingDone
	default:
		if out.Reason = j.changedSince(a, b); out.Reason == "" {
			out.Standing = StandingOpen
		}
	}
	return out
}

// half reports whether the plan of now leaves out what it could not judge, so that what
// it does not have is not done for sure.
func (j judge) half() bool {
	return !plan.AllRead(j.now.Clusters) || slices.ContainsFunc(j.now.Diagnostics, func(f diag.Finding) bool {
		return f.Code == plan.CodeWaits || f.Code == plan.CodeUnread
	})
}

// untold says why a plan made now can have no action on what the action is about, whether or
// not it is done: it could not be compared. Empty where it could.
func (j judge) untold(a plan.Action) string {
	for _, f := range j.now.Diagnostics {
		var subject string
		switch f.Code {
		case plan.CodeUnknownKind, plan.CodeUnreadKind:
			if a.Object != nil {
				subject = plan.ObjectSubject(plan.DesiredObject{Site: a.Object.Site, Kind: a.Object.Kind, Name: a.Name})
			}
		case plan.CodeUnknownProxy:
			if a.Proxy != nil {
				subject = plan.ProxySubject(network.ProxyName(a.Name))
			} else if a.Link != nil {
				subject = plan.ProxySubject(a.Link.Proxy)
			}
		}
		if subject != "" && subject == f.Subject {
			return "whether it is done cannot be told: " + f.Subject + " " + f.Message
		}
	}
	return ""
}

// unread gives the first cluster of an action that could not be read now, and why.
func (j judge) unread(a plan.Action) (network.ClusterName, string) {
	touched := []network.ClusterName{a.Cluster}
	if a.Link != nil {
		touched = append(touched, a.Link.To.Cluster)
	}
	for _, c := range j.now.Clusters {
		if c.State != plan.StateOK && slices.Contains(touched, c.Name) {
			return c.Name, c.Reason
		}
	}
	return "", ""
}

// refused says why a plan made now refuses what the action is about, or a site that
// it needs; empty when it does not.
func (j judge) refused(a plan.Action) string {
	var subjects []string
	site := func(name network.SiteName) string { return fmt.Sprintf("site %q", name) }
	switch {
	case a.Object != nil:
		o := plan.DesiredObject{Site: a.Object.Site, Kind: a.Object.Kind, Name: a.Name}
		subjects = []string{plan.ObjectSubject(o), site(a.Object.Site)}
	case a.Link != nil:
		subjects = []string{fmt.Sprintf("link %q", a.Name), site(a.Link.From.Site), site(a.Link.To.Site)}
	case a.Site != nil:
		subjects = []string{site(network.SiteName(a.Name))}
	case a.Proxy != nil:
		subjects = j.proxied(a)
	}
	for _, r := range j.now.Refusals {
		if slices.Contains(subjects, r.Subject) && !slices.ContainsFunc(j.saved.Refusals, r.Same) {
			return r.Subject + " " + r.Message
		}
	}
	return ""
}

// proxied are the links of the saved plan that go with a proxy's action, and their
// connecting sites: where they are refused now, nobody looked at the proxy.
func (j judge) proxied(a plan.Action) (subjects []string) {
	for _, l := range j.saved.Actions {
		here := l.Link != nil && l.Cluster == a.Cluster && l.Namespace == a.Namespace
		if here && (slices.Contains(l.DependsOn, a.ID) || slices.Contains(a.DependsOn, l.ID) || string(l.Link.Proxy) == a.Name) {
			subjects = append(subjects, fmt.Sprintf("link %q", l.Name), fmt.Sprintf("site %q", l.Link.From.Site))
		}
	}
	return subjects
}

// block marks what needs an action that is stale, blocked or unknown, or one that the
// saved plan does not have.
func (j judge) block(judged []Judgement) {
	byKey, bySavedID := map[string]int{}, map[string]int{}
	for i, g := range judged {
		byKey[plan.Identity(g.Action)], bySavedID[g.Action.ID] = i, i
	}
	for changed := true; changed; {
		changed = false
		for i := range judged {
			if judged[i].Standing != StandingOpen {
				continue
			}
			if reason := j.blockedBy(judged, i, byKey, bySavedID); reason != "" {
				judged[i].Standing, judged[i].Reason, changed = StandingBlocked, reason, true
			}
		}
	}
}

func (j judge) blockedBy(judged []Judgement, i int, byKey, bySavedID map[string]int) string {
	bad := func(k int) string {
		switch judged[k].Standing {
		case StandingStale, StandingBlocked, StandingUnknown:
			return "needs " + judged[k].Action.ID + ", which is " + string(judged[k].Standing)
		}
		return ""
	}
	for _, id := range judged[i].Action.DependsOn {
		if k, ok := bySavedID[id]; ok && bad(k) != "" {
			return bad(k)
		}
	}
	for _, b := range j.now.Actions {
		if j.keys[b.ID] != plan.Identity(judged[i].Action) {
			continue
		}
		for _, id := range b.DependsOn {
			k, ok := byKey[j.keys[id]]
			switch {
			case !ok:
				return fmt.Sprintf("needs %s, which the saved plan does not have", id)
			case k != i && bad(k) != "":
				return bad(k)
			}
		}
	}
	return ""
}

// run narrows the plan of now to the open actions.
func (j judge) run(judged []Judgement) plan.Plan {
	standing := map[string]Standing{}
	for _, g := range judged {
		standing[plan.Identity(g.Action)] = g.Standing
	}
	p := plan.Keep(j.now, func(a plan.Action) bool {
		key := j.keys[a.ID]
		return standing[key] == StandingOpen || standing[key] == StandingDone && key != plan.Identity(a)
	})
	p.ID, p.Narrowed = j.saved.ID, j.saved.Narrowed
	return p
}
