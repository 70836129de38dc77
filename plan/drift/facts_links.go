package drift

import (
	"fmt"
	"maps"
	"slices"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/ignore"
	"fairlead.dev/fairlead/plan/record"
	"fairlead.dev/fairlead/plan/words"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// runningLink is one Link of ours with the link that it is of.
type runningLink struct {
	world.LinkView
	at       plan.Place
	name     network.LinkName
	recorded record.Link
	about    plan.Action
	// alone is true where no other Link of the link is up, or none where this is empty.
	alone bool
}

// linkFacts tells of the Links of ours whose link is recorded as applied, or of which no
// record tells anything because it is lost.
func (f *facts) linkFacts() {
	for _, at := range world.SortedPlaces(f.world.LiveLinks) {
		_, recorded := f.world.Inventories[at]
		for _, v := range f.world.LiveLinks[at] {
			name, own := f.world.LinkOf(at, v)
			l := f.world.Inventories[at].Content.Links[name]
			made := slices.Contains(l.Making(name), v.Name) && !slices.Contains(l.Objects, v.Name)
			if own && !v.Deleting && !made && (l.State == record.LinkApplied || !recorded) {
				f.linkFact(f.running(at, name, l, v))
			}
		}
	}
}

// halted tells of links that an apply began to make, or to make anew, and did not finish,
// where no Link of theirs is up: one fact for each link, whether it has Links or none.
func (f *facts) halted() {
	for _, at := range world.SortedPlaces(f.world.Inventories) {
		inv := f.world.Inventories[at]
		if inv.Broken != "" {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(inv.Content.Links)) {
			if l := inv.Content.Links[name]; l.State == record.LinkUnderWay {
				f.halt(f.running(at, name, l, world.LinkView{}))
			}
		}
	}
}

// halt tells of one such link; l has no Link.
func (f *facts) halt(l runningLink) {
	if !l.alone {
		return
	}
	fact := plan.Live{
		Severity: diag.Error, Code: plan.LiveLinkDown, Message: "an apply of it was interrupted, and it has no Link",
		Fix: "unless an apply is running now, apply again: that finishes it",
	}
	for _, v := range f.world.LiveLinks[l.at] {
		if name, own := f.world.LinkOf(l.at, v); own && name == l.name && !v.Deleting {
			health, why := v.Health(f.world.Report(l.at))
			if fact.Message = fmt.Sprintf("an apply of it was interrupted, and Link %s is not operational: %s", v.Name, why); health == world.LinkUnknown {
				fact.Severity, fact.Code = diag.Warning, plan.LiveLinkUnknown
				fact.Message = fmt.Sprintf("an apply of it did not end well, and whether Link %s is up is not known: %s", v.Name, why)
			}
			break
		}
	}
	if l.recorded.Refused != "" {
		fact.Message += record.RefusedBefore(l.recorded.Refused)
	}
	f.note(l.about, fact)
}

func (f *facts) running(at plan.Place, name network.LinkName, l record.Link, v world.LinkView) runningLink {
	d := f.world.Links[name]
	to := plan.End{Site: l.To, Cluster: l.ToCluster, Namespace: l.ToNamespace}
	to.UID = f.world.SiteUID(to.Place(), to.Site)
	up := func(o world.LinkView) bool {
		other, own := f.world.LinkOf(at, o)
		return own && other == name && o.UID != v.UID && o.Works()
	}
	return runningLink{
		LinkView: v, at: at, name: name, recorded: l, alone: !slices.ContainsFunc(f.world.LiveLinks[at], up),
		about: plan.Action{
			Kind: plan.KindLink, Name: string(name), Cluster: at.Cluster, Namespace: at.Namespace, DeclaredAt: d.DeclaredAt,
			Link: &plan.LinkWork{From: plan.End{Site: f.sites[at].Name}, To: to},
		},
	}
}

func (f *facts) linkFact(l runningLink) {
	f.down(l)
	f.expiry(l)
	a, drifts := f.drift["link/"+string(l.name)]
	if drifts && a.Verb != plan.VerbUpdate { // it is made anew, and the action says why
		return
	}
	f.cost(l, a)
	f.moved(l, a)
	f.authority(l)
}

// down tells of a Link that is not operational, or of which that is not known. The first is
// an error where no other Link of the same link is up.
func (f *facts) down(l runningLink) {
	state, reason := l.Health(f.world.Report(l.at))
	switch state {
	case world.LinkUp, world.LinkChanging: // a change that the controller has yet to see brings no link down
		return
	case world.LinkUnknown:
		f.note(l.about, plan.Live{
			Severity: diag.Warning, Code: plan.LiveLinkUnknown, Message: fmt.Sprintf("whether Link %s is up is not known: %s", l.Name, reason),
			Fix: "look again in a minute; if it stays so, look at ConfigMap skupper-network-status and at Skupper's controller there",
		})
		return
	}
	fact := plan.Live{
		Severity: diag.Error, Code: plan.LiveLinkDown, Message: fmt.Sprintf("Link %s is not operational: %s", l.Name, reason),
		Fix: "look at the sites at both ends and the way between them; status shows more",
	}
	if !l.Configured {
		fact.Message = fmt.Sprintf("Link %s is not configured: %s", l.Name, reason)
	}
	if !l.alone {
		fact.Severity = diag.Warning
		fact.Message += "; another Link of it is up"
	}
	if r, known := f.world.Report(l.at).Link(l.Name); known && r.Up {
		fact.Fix = "the routers report it up: if that stays so, Skupper's controller has missed it; raise the link's rotation to make it anew"
	}
	f.note(l.about, fact)
}

// cost tells of a router that has another cost than the Link asks for. What the Link
// asks for is the drift's to compare.
func (f *facts) cost(l runningLink, a plan.Action) {
	r, known := f.world.Report(l.at).Link(l.Name)
	asked := max(l.Cost, 1)
	if !known || !r.Up || r.Cost == 0 || r.Cost == asked || hasField(a, "cost") {
		return
	}
	f.note(l.about, plan.Live{
		Severity: diag.Warning, Code: plan.LiveLinkCost,
		Message: fmt.Sprintf("the routers have Link %s at cost %d, and it asks for %d", l.Name, r.Cost, asked),
		Fix:     "it may have been changed just now, or Skupper is older than 2.2.0; if it stays so, raise the link's rotation to make it anew",
	})
}

// moved tells of an address that the listening site does not have, of Links which drift
// does not compare in full: those by token, and those made by hand.
func (f *facts) moved(l runningLink, a plan.Action) {
	at := f.world.Endpoints(l.about.Link.To)
	if len(at) == 0 || hasField(a, "endpoints") || f.ruledEndpoints(l) {
		return
	}
	for _, e := range l.Endpoints {
		if slices.ContainsFunc(at, func(o world.Endpoint) bool { return o.String() == e.String() }) {
			continue
		}
		f.note(l.about, plan.Live{
			Severity: diag.Warning, Code: plan.LiveEndpointMoved,
			Message: fmt.Sprintf("Link %s leads to %s, and site %s has %s", l.Name, e, l.recorded.To, world.Addresses(at)),
			Fix:     "raise the link's rotation to make it anew, unless that address is meant and leads there too",
		})
		return
	}
}

// ruledEndpoints reports whether a rule covers the endpoints of a link by certificate,
// which are a field of drift then.
func (f *facts) ruledEndpoints(l runningLink) bool {
	return l.recorded.MadeVia() == network.ViaCertificate && !l.recorded.Adopted && ignore.For(f.rules, l.about, "endpoints") != nil
}

func hasField(a plan.Action, path string) bool {
	return slices.ContainsFunc(a.Fields, func(f plan.Field) bool { return f.Path == path })
}

// expiry tells of a certificate that has ended or ends soon, as was noted when it was
// made: Secrets are not read.
func (f *facts) expiry(l runningLink) {
	ends := f.world.Secrets[l.at][l.TLSCredentials].Expires
	switch {
	case ends == "" || f.in.Now == "":
	case ends <= f.in.Now:
		f.note(l.about, plan.Live{
			Severity: diag.Error, Code: plan.LiveCertificateExpired,
			Message: fmt.Sprintf("Link %s: its certificate ended at %s, it does not connect again", l.Name, ends),
			Fix:     "raise the link's rotation to re-key it",
		})
	case ends < f.in.ExpiringBefore:
		f.note(l.about, plan.Live{
			Severity: diag.Warning, Code: plan.LiveCertificateExpiring,
			Message: fmt.Sprintf("Link %s: its certificate ends at %s", l.Name, ends),
			Fix:     "raise the link's rotation to re-key it",
		})
	}
}

// siteCA is the Secret with the CA of a site that names no other issuer (Skupper's
// documentation: Certificate, "links without tokens").
const siteCA = "skupper-site-ca"

// authority tells of a link whose credentials are older than the CA of its listening
// site, or are of another Site. Neither Secret is read: what is compared is when they were
// made, so a CA that was replaced inside its Secret is not seen.
func (f *facts) authority(l runningLink) {
	to := l.about.Link.To.Place()
	issuer := siteCA
	if d, ok := f.world.DesiredAt[to].Fields["defaultIssuer"].(string); ok && d != "" {
		issuer = d
	}
	ca, credentials := f.world.Secrets[to][issuer], f.world.Secrets[l.at][l.TLSCredentials]
	by, uid := newerSecret(ca, credentials, to.Cluster == l.at.Cluster), l.about.Link.To.UID
	switch {
	case l.recorded.ToUID != "" && uid != "" && uid != l.recorded.ToUID:
		f.mismatch(l, diag.Error, fmt.Sprintf("Link %s has credentials of an earlier Site %s, whose CA is gone: it does not connect again", l.Name, l.recorded.To))
	case by > 0:
		f.mismatch(l, diag.Warning, fmt.Sprintf("the CA of site %s (Secret %s) was made %s after the credentials of Link %s, which may not connect again",
			l.recorded.To, issuer, span(by), l.Name))
	}
}

func (f *facts) mismatch(l runningLink, severity diag.Severity, message string) {
	f.note(l.about, plan.Live{
		Severity: severity, Code: plan.LiveCAMismatch, Message: message,
		Fix: "raise the link's rotation to re-key it",
	})
}

// skew is how many seconds the clocks of two clusters may be apart.
const skew = 10 * 60

// newer gives by how many seconds a Secret is newer than another for sure, 0 where that
// cannot be told.
func newerSecret(s, than world.SecretView, oneClock bool) int64 {
	apart := s.Created - than.Created
	if s.Created == 0 || than.Created == 0 || !oneClock && apart <= skew {
		return 0
	}
	return max(apart, 0)
}

// span words a number of seconds.
func span(seconds int64) string {
	for _, u := range []struct {
		long int64
		name string
	}{{24 * 60 * 60, "day"}, {60 * 60, "hour"}, {60, "minute"}} {
		if seconds >= u.long {
			return words.Count(int(seconds/u.long), u.name)
		}
	}
	return words.Count(int(seconds), "second")
}
