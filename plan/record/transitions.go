package record

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/field"
	"fairlead.dev/fairlead/schema/network"
)

// An inventory changes in these ways alone. Begin records what actions are about to do,
// beside what was last applied. Confirm, ConfirmObject and ConfirmLink record that it was
// done, Refuse that it was not for sure; RetireLink, ForgetObject and
// ForgetSecret that something is gone.
// None changes a map that others may hold.

// Begin records what actions are about to do, all of them at the inventory's place and in
// the plan's order. An action that writes nothing but the inventory is done with that.
func (inv *Inventory) Begin(actions ...plan.Action) {
	for _, a := range actions {
		switch {
		case !a.Has(plan.StepRecord):
		case a.Kind == plan.KindSite:
			inv.beginSite(a)
		case a.Kind == plan.KindProxy:
			inv.beginProxy(a)
		case a.Kind == plan.KindObject:
			inv.beginObject(a)
		default:
			inv.beginLink(a)
		}
	}
}

func (inv *Inventory) beginSite(a plan.Action) {
	was := cmp.Or(inv.Object, string(inv.Site))
	if inv.Site != network.SiteName(a.Name) && (a.Verb != plan.VerbUpdate || was != a.Site.Object) {
		*inv = Inventory{Network: inv.Network, LockNamespace: inv.LockNamespace, Links: map[network.LinkName]Link{}}
	}
	inv.Site, inv.Protect = network.SiteName(a.Name), a.Site.Protect
	inv.Object, inv.UID, inv.ClusterUID = "", a.Site.UID, cmp.Or(a.Site.ClusterUID, inv.ClusterUID)
	if a.Site.Object != a.Name {
		inv.Object = a.Site.Object
	}
	if !a.Has(plan.StepSite) { // it is as declared already
		inv.Answer = inv.Answer.Of(inv.Fields, a.Site.Fields)
		inv.Fields, inv.Intent = a.Site.Fields, nil
		return
	}
	if a.Site.UID != "" {
		fields := SettledFields(field.Equality, inv.Fields, inv.Intent, a.Site.Observed)
		inv.Fields, inv.Answer = fields, inv.Answer.Of(inv.Fields, fields)
	}
	inv.Intent = intend(inv.Fields, a.Site.Fields)
}

func (inv *Inventory) beginObject(a plan.Action) {
	inv.Site = cmp.Or(inv.Site, a.Object.Site)
	entry := inv.Objects[a.Key()]
	entry.APIVersion, entry.Kind, entry.Name, entry.UID = a.Object.APIVersion, a.Object.Kind, a.Name, a.Object.UID
	if a.Object.UID != "" {
		fields := SettledFields(field.Exactly, entry.Fields, entry.Intent, a.Object.Observed)
		entry.Fields, entry.Answer = fields, entry.Answer.Of(entry.Fields, fields)
	}
	entry.Intent = intend(entry.Fields, a.Object.Fields)
	if !a.Has(plan.StepObject) { // it is as declared already
		entry.Answer = entry.Answer.Of(entry.Fields, a.Object.Fields)
		entry.Fields, entry.Intent = a.Object.Fields, nil
	}
	inv.SetObject(a.Key(), entry)
}

// intend gives the intent that leads from what was last applied to what is wanted; nil
// where that is the same.
func intend(applied, wanted map[string]any) *Intent {
	if applied != nil && len(field.DiffBy(field.Exactly, wanted, applied, applied)) == 0 {
		return nil
	}
	return &Intent{Fields: wanted}
}

// Unwritten reports whether an intent asks for another value at a path than was applied,
// of which nobody knows whether it was ever written.
func (in *Intent) Unwritten(path string, applied map[string]any) bool {
	return in.Open() && !field.SameValue(in.Fields[path], applied[path])
}

// WhyNot ends the reason of an action whose write was refused before.
func (in *Intent) WhyNot(equality func(path string) func(a, b any) bool, wanted map[string]any) string {
	if in == nil || in.Refused == "" || len(field.DiffBy(equality, wanted, in.Fields, in.Fields)) > 0 {
		return ""
	}
	return RefusedBefore(in.Refused)
}

// RefusedBefore words why the API server refused what an earlier apply wrote.
func RefusedBefore(reason string) string { return "; was never applied: " + reason }

// Of is what is known of an answer once the fields that were sent become others: of another
// value the form is not known yet.
func (w Answer) Of(sent, fields map[string]any) Answer {
	return w.At(func(path string) bool {
		v, ok := fields[path]
		return ok && field.SameValue(sent[path], v)
	})
}

// At is the part of an answer that is about some paths.
func (w Answer) At(about func(path string) bool) Answer {
	var out Answer
	for path, kept := range w.Stored {
		if !about(path) {
			continue
		}
		if out.Stored == nil {
			out.Stored = map[string]any{}
		}
		out.Stored[path] = kept
		if slices.Contains(w.Altered, path) {
			out.Altered = append(out.Altered, path)
		}
	}
	slices.Sort(out.Altered)
	return out
}

// with adds an answer about other paths.
func (w Answer) with(other Answer) Answer {
	for path, kept := range other.Stored {
		if w.Stored == nil {
			w.Stored = map[string]any{}
		}
		w.Stored[path] = kept
	}
	w.Altered = slices.Sorted(slices.Values(slices.Concat(w.Altered, other.Altered)))
	return w
}

// Alterations says of each altered path what is there and what was sent.
func (w Answer) Alterations(sent map[string]any) (out []string) {
	for _, path := range w.Altered {
		out = append(out, fmt.Sprintf("%s is %s there and %s was sent", path, field.Shown(w.Stored[path]), field.Shown(sent[path])))
	}
	return out
}

// SetObject records an object; maps that others hold stay as they are.
func (inv *Inventory) SetObject(key string, o Object) {
	inv.Objects = withEntry(inv.Objects, key, o)
}

// withEntry is a copy of a map, which may be nil, with one entry set.
func withEntry[K comparable, V any](m map[K]V, key K, value V) map[K]V {
	out := maps.Clone(m)
	if out == nil {
		out = map[K]V{}
	}
	out[key] = value
	return out
}

// beginProxy records a Secret before one bears its number. What is in one never changes,
// so which is in use is a matter of the links alone.
func (inv *Inventory) beginProxy(a plan.Action) {
	w, name := a.Proxy, network.ProxyName(a.Name)
	p := inv.Proxies[name]
	p.Revision = max(p.Revision, w.Revision)
	p.Secrets = withEntry(p.Secrets, w.Secret.Name, ProxySettings{Host: w.Host, Port: w.Port, References: w.References})
	inv.Proxies = withEntry(inv.Proxies, name, p)
}

// ForgetSecret drops what is recorded of a proxy's Secret that is gone.
func (inv *Inventory) ForgetSecret(proxy network.ProxyName, secret string) {
	if p, known := inv.Proxies[proxy]; known {
		p.Secrets, inv.Proxies = maps.Clone(p.Secrets), maps.Clone(inv.Proxies)
		delete(p.Secrets, secret)
		inv.Proxies[proxy] = p
	}
}

// termsOf is a link as its action wants it.
func termsOf(w *plan.LinkWork) Link {
	return Link{
		To: w.To.Site, ToCluster: w.To.Cluster, ToNamespace: w.To.Namespace, ToUID: w.To.UID, ToClusterUID: w.To.ClusterUID,
		Cost: w.Cost, Adopted: w.Adopted, Via: w.Via, Rotation: w.Rotation, Proxy: w.Proxy, ProxySecret: w.ProxySecret,
	}
}

// beginLink records what is to become of a link. One that is made anew stays recorded as
// it was applied. In one that changes in place only the cost is a matter of a write: what
// else is recorded says how the Links are.
func (inv *Inventory) beginLink(a plan.Action) {
	inv.Site, inv.ClusterUID = cmp.Or(inv.Site, a.Link.From.Site), cmp.Or(inv.ClusterUID, a.Link.From.ClusterUID)
	name, next := network.LinkName(a.Name), termsOf(a.Link)
	entry := inv.Links[name]
	making := a.Has(plan.StepGrant) || a.Has(plan.StepCertificate) || a.Verb == plan.VerbAdopt
	switch {
	case making && entry.State == LinkApplied:
		next.State = LinkUnderWay
		entry.Attempt, entry.Intent = max(entry.Attempt, a.Link.Attempt), &next
		inv.SetLink(name, entry)
		return
	case making:
		next.State, next.Objects = LinkUnderWay, entry.Objects
		if a.Verb == plan.VerbAdopt { // they bear no label yet
			next.Objects = liveNames(a.Link)
		}
	default:
		next = inPlace(entry, next, a)
	}
	next.Attempt, next.Unanswered = max(entry.Attempt, a.Link.Attempt), entry.Unanswered
	inv.SetLink(name, next)
}

// inPlace is the record of a link whose Links stay.
func inPlace(entry, next Link, a plan.Action) Link {
	wanted := next
	wanted.State, next.State = LinkApplied, LinkApplied
	next.Adopted, next.Objects, next.Intent = entry.Adopted, entry.Objects, entry.Intent
	next.Cost, next.KeptCost = entry.SettledCost(costsOf(a.Link.Live)), entry.KeptCost
	if entry.State != LinkApplied { // its inventory was lost
		next.Adopted, next.Objects, next.Intent = a.Link.Adopted, liveNames(a.Link), nil
		next.Cost = cmp.Or(agreed(costsOf(a.Link.Live)), wanted.Cost)
	}
	if writes := a.Has(plan.StepTakeOver) && !a.Link.KeepCost; !writes {
		next.Cost = wanted.Cost
	}
	switch taken := next.Intent != nil && next.Intent.State == LinkUnderWay; {
	case next.Cost != wanted.Cost:
		next.Intent = &wanted
	case !taken: // else it is closed when what it made is gone
		next.Intent = nil
	}
	return next
}

// SettledCost is the cost that a link's Links are known to have been given last.
func (l Link) SettledCost(live []int32) int32 {
	if in := l.Intent; in != nil && in.State == LinkApplied && in.Refused == "" && agreed(live) == in.Cost {
		return in.Cost
	}
	return l.Cost
}

// agreed is the one cost that all Links have; 0 where there is none.
func agreed(costs []int32) int32 {
	slices.Sort(costs)
	if costs = slices.Compact(costs); len(costs) == 1 {
		return max(costs[0], 1)
	}
	return 0
}

func costsOf(links []plan.LiveLink) (out []int32) {
	for _, l := range links {
		out = append(out, l.Cost)
	}
	return out
}

func liveNames(w *plan.LinkWork) []string {
	names := make([]string, 0, len(w.Live))
	for _, l := range w.Live {
		names = append(names, l.Name)
	}
	slices.Sort(names)
	return names
}

// SetLink records a link; maps that others hold stay as they are.
func (inv *Inventory) SetLink(name network.LinkName, l Link) {
	inv.Links = withEntry(inv.Links, name, l)
}

// Confirm records that the Site of the UID is written as a site's action wants it, and what
// the API server made of that. At the paths that were left as they are nothing is learnt,
// and what was known stays.
func (inv *Inventory) Confirm(a plan.Action, uid string, answer Answer) {
	if inv.Site != network.SiteName(a.Name) {
		return
	}
	left := func(path string) bool { return slices.Contains(a.Site.Keep, path) }
	inv.Answer = answer.with(inv.Answer.At(left))
	inv.Fields, inv.Intent, inv.UID = a.Site.Fields, nil, uid
}

// ConfirmObject is Confirm for an object of an overlay.
func (inv *Inventory) ConfirmObject(a plan.Action, uid string, answer Answer) {
	entry, known := inv.Objects[a.Key()]
	if !known || inv.Site != a.Object.Site {
		return
	}
	left := func(path string) bool { return slices.Contains(a.Object.Keep, path) }
	entry.Answer = answer.with(entry.Answer.At(left))
	entry.UID, entry.Fields, entry.Intent = uid, a.Object.Fields, nil
	inv.SetObject(a.Key(), entry)
}

// ForgetObject drops the record of an object that is gone.
func (inv *Inventory) ForgetObject(key string) {
	inv.Objects = maps.Clone(inv.Objects)
	delete(inv.Objects, key)
}

// Amend changes what an apply that is under way records of its own link: the UID of the
// listening Site, the attempt, which only rises, and attempts of which nothing was heard.
// Nothing is changed by 0 or "".
func (inv *Inventory) Amend(name network.LinkName, toUID string, attempt int, unanswered ...int) {
	entry, known := inv.Links[name]
	if !known {
		return
	}
	entry.Attempt = max(entry.Attempt, attempt)
	entry.Unanswered = WithAttempts(entry.Unanswered, unanswered...)
	if in := entry.Intent; in != nil && toUID != "" {
		next := *in
		next.ToUID, entry.Intent = toUID, &next
	}
	if entry.Intent == nil || entry.Intent.State == LinkApplied {
		entry.ToUID = cmp.Or(toUID, entry.ToUID)
	}
	inv.SetLink(name, entry)
}

// ConfirmCost records that the Links of a link that stays were given their cost, and which
// one they have instead; 0 where they have it.
func (inv *Inventory) ConfirmCost(name network.LinkName, kept int32) {
	entry, known := inv.Links[name]
	if !known {
		return
	}
	if entry.Intent != nil && entry.Intent.State == LinkApplied {
		entry.Cost, entry.Intent = entry.Intent.Cost, nil
	}
	entry.KeptCost = kept
	inv.SetLink(name, entry)
}

// ConfirmLink records that a link is up as its action wants it, with the Links of these
// names and to the Site of the UID, and which cost these have instead, as ConfirmCost does.
func (inv *Inventory) ConfirmLink(a plan.Action, toUID string, objects []string, kept int32) {
	name := network.LinkName(a.Name)
	next := termsOf(a.Link)
	next.State, next.ToUID, next.Objects, next.KeptCost = LinkApplied, toUID, objects, kept
	was := inv.Links[name]
	next.Attempt, next.Unanswered = max(was.Attempt, a.Link.Attempt), was.Unanswered
	inv.SetLink(name, next)
}

// RetireLink records that a link is gone. Its number stays, and that of an attempt under
// way, of which the redemption may be answered yet.
func (inv *Inventory) RetireLink(name network.LinkName) {
	entry := inv.Links[name]
	if entry.State == LinkUnderWay || len(entry.Making(name)) > 0 {
		entry.Unanswered = WithAttempts(entry.Unanswered, entry.Attempt)
	}
	entry.State, entry.Objects, entry.Intent, entry.Refused = LinkRetired, nil, nil, ""
	inv.SetLink(name, entry)
}

// longestReason bounds the text of a refusal, in bytes.
const longestReason = 300

// Refuse records that the API server refused what an action was about to write, and why.
func (inv *Inventory) Refuse(a plan.Action, reason string) {
	reason = strings.Join(strings.Fields(reason), " ")
	if len(reason) > longestReason {
		reason = strings.ToValidUTF8(reason[:longestReason], "") + "..."
	}
	switch a.Kind {
	case plan.KindSite:
		if inv.Site == network.SiteName(a.Name) {
			inv.Intent = &Intent{Fields: a.Site.Fields, Refused: reason}
		}
	case plan.KindObject:
		if entry, known := inv.Objects[a.Key()]; known && inv.Site == a.Object.Site {
			entry.Intent = &Intent{Fields: a.Object.Fields, Refused: reason}
			inv.SetObject(a.Key(), entry)
		}
	case plan.KindLink:
		inv.refuseLink(network.LinkName(a.Name), reason)
	}
}

func (inv *Inventory) refuseLink(name network.LinkName, reason string) {
	entry, known := inv.Links[name]
	switch {
	case !known:
		return
	case entry.Intent != nil:
		next := *entry.Intent
		next.Refused, entry.Intent = reason, &next
	case entry.State == LinkUnderWay:
		entry.Refused = reason
	}
	inv.SetLink(name, entry)
}

// SameApplied reports whether two inventories are the same but for what is intended.
func (inv Inventory) SameApplied(other Inventory) bool {
	a, errA := inv.withoutIntents().Encode()
	b, errB := other.withoutIntents().Encode()
	return errA == nil && errB == nil && a == b
}

func (inv Inventory) withoutIntents() Inventory {
	inv.Intent, inv.Proxies, inv.ClusterUID, inv.LockNamespace = nil, nil, "", ""
	if inv.Fields == nil {
		inv.Site, inv.Object, inv.Protect = "", "", false
	}
	objects, links := map[string]Object{}, map[network.LinkName]Link{}
	for key, o := range inv.Objects {
		if o.Intent = nil; o.Fields != nil {
			objects[key] = o
		}
	}
	for name, l := range inv.Links {
		if l.Intent, l.Attempt, l.ToClusterUID = nil, 0, ""; l.State != LinkUnderWay {
			links[name] = l
		}
	}
	inv.Objects, inv.Links = objects, links
	return inv
}
