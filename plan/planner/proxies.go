package planner

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/field"
	"fairlead.dev/fairlead/plan/record"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// throughProxy finds or plans the Secret that a link's Links have to name. A proxy
// never changes in place: other content gets a Secret of another name, and what
// used the old one is replaced.
func (m proxyPlanner) throughProxy(c *linkCase) {
	if c.Proxy == "" {
		return
	}
	c.proxy = m.proxySecret(*c)
	c.action.Link.ProxySecret = c.proxy
	if id := proxyID(c.Proxy, c.At); m.has(id) {
		c.action.DependsOn = append(c.action.DependsOn, id)
	}
}

func proxyID(name network.ProxyName, at plan.Place) string {
	return "proxy/" + string(name) + at.Suffix()
}

func (m proxyPlanner) proxySecret(c linkCase) string {
	want := m.wanted(c)
	if secret, ok := m.newProxies[proxyID(c.Proxy, c.At)]; ok {
		return secret
	}
	for _, v := range m.proxyCandidates(c) {
		if m.sameProxy(want, v) && !v.Deleting {
			m.keepProxy(c, want, v)
			return v.Name
		}
	}
	return m.newProxy(c, want)
}

// wanted is the proxy of a link: the description's, or, of what was last applied, that in
// the Secret which the link was applied with.
func (m proxyPlanner) wanted(c linkCase) plan.DesiredProxy {
	key := world.WantedProxy{Name: c.Proxy}
	if c.ProxySecret != "" {
		key.Site, key.Secret = c.From, c.ProxySecret
	}
	return m.world.WantedProxies[key]
}

// proxyCandidates are the Secrets that may serve as they are: what the link's own
// Links name, or a Link to adopt; then those of the place's other links through the
// proxy, and what we made for it, the latest first. The second part is the same for
// all links of the place, so that they agree.
func (m proxyPlanner) proxyCandidates(c linkCase) []world.ProxyView {
	links := c.current
	if !c.Known {
		links = c.own
	}
	if foreign := m.links.foreignLinks(c); !c.Known && m.mayAdopt(metas(foreign)...) {
		links = append(slices.Clone(links), foreign...)
	}
	var out, made []world.ProxyView
	for _, v := range links {
		if p, ok := m.world.Proxies[c.At][v.Proxy]; ok {
			out = append(out, p)
		}
	}
	shared := m.sharedProxies(c)
	for _, p := range m.world.Proxies[c.At] {
		if p.Owned(m.network()) && p.Labels[plan.LabelProxy] == string(c.Proxy) || slices.Contains(shared, p.Name) {
			made = append(made, p)
		}
	}
	slices.SortFunc(made, func(a, b world.ProxyView) int {
		return cmp.Or(revisionOf(c.Proxy, b.Name)-revisionOf(c.Proxy, a.Name), cmp.Compare(a.Name, b.Name))
	})
	return append(out, made...)
}

// sharedProxies names the Secrets of a place that links through the proxy use by
// their records, or would bring along when they are adopted.
func (m proxyPlanner) sharedProxies(c linkCase) (names []string) {
	for _, l := range m.world.Inventories[c.At].Content.Links {
		if l.Proxy == c.Proxy && l.State != record.LinkRetired {
			names = append(names, l.ProxySecret)
		}
		if l.Intent != nil && l.Intent.Proxy == c.Proxy {
			names = append(names, l.Intent.ProxySecret)
		}
	}
	if !m.adopting() {
		return names
	}
	for _, l := range m.in.Desired.Links {
		if l.Proxy != c.Proxy || l.From != c.From {
			continue
		}
		foreign := m.links.foreignLinks(linkCase{m: m.maker, DesiredLink: l, RecordedLink: world.RecordedLink{Link: l.Name, At: c.At}})
		if !m.mayAdopt(metas(foreign)...) {
			continue
		}
		for _, v := range foreign {
			names = append(names, v.Proxy)
		}
	}
	return names
}

// revisionOf reads the number in a Secret's name; 0 when we did not name it.
func revisionOf(proxy network.ProxyName, secret string) int {
	prefix := network.ProxySecretName(proxy, 0)
	prefix = prefix[:len(prefix)-1]
	if len(secret) <= len(prefix) || secret[:len(prefix)] != prefix {
		return 0
	}
	n, err := strconv.Atoi(secret[len(prefix):])
	if err != nil {
		return 0
	}
	return n
}

// sameProxy compares a Secret with a wanted proxy. Credentials that cannot be told
// count as the same: nothing is replaced on a guess.
func (m proxyPlanner) sameProxy(want plan.DesiredProxy, v world.ProxyView) bool {
	return v.Host == want.Host && v.Port == want.Port && (want.Unknown != "" || v.Digest == want.Digest)
}

// keepProxy notes that a Secret stays in use, takes it over where it is not ours
// yet, and says when its credentials could not be compared.
func (m proxyPlanner) keepProxy(c linkCase, want plan.DesiredProxy, v world.ProxyView) {
	m.keptProxies[c.At] = append(m.keptProxies[c.At], v.Name)
	m.tellUnknown(c, want, "whether its credentials changed cannot be told here: ", "plan where its references can be read")
	inv := m.world.Inventories[c.At].Content
	recorded, known := inv.Proxies[c.Proxy].Of(v.Name)
	known = known && inv.Site == c.From && !m.world.Cleared(c.At) // a site that is made anew starts a new inventory
	labelled := v.Owned(m.network()) && v.Labels[plan.LabelProxy] == string(c.Proxy)
	same := recorded.Host == want.Host && recorded.Port == want.Port
	if labelled && known && same && (recorded.References == want.References || want.Unknown != "") {
		return // what cannot be compared changes nothing
	}
	a := m.proxyAction(c, want, world.Ref(c.At.Cluster, plan.ObjectSecret, v.Meta), revisionOf(c.Proxy, v.Name))
	for _, other := range m.actions {
		if other.ID == a.ID && other.Proxy.Secret.Name != v.Name { // links of the place use several
			a.ID = "proxy/" + v.Name + c.At.Suffix()
		}
	}
	if m.has(a.ID) {
		return
	}
	a.Proxy.Revision = max(a.Proxy.Revision, inv.Proxies[c.Proxy].Revision)
	a.Verb, a.Steps, a.Why = plan.VerbUpdate, []plan.Step{plan.StepRecord}, "the inventory catches up"
	if known && same {
		a.Why = "its references changed and give the same credentials"
	}
	if !labelled {
		a.Steps = append(a.Steps, plan.StepSecret)
		a.Verb, a.Why = plan.VerbAdopt, "taken over as it is, without being re-created"
	}
	m.add(a)
}

// tellUnknown counts and reports, once, credentials that cannot be read here.
func (m proxyPlanner) tellUnknown(c linkCase, want plan.DesiredProxy, message, fix string) {
	id := proxyID(c.Proxy, c.At)
	if want.Unknown == "" || m.reported[id] {
		return
	}
	m.reported[id] = true
	m.unknown++
	m.findings = append(m.findings, diag.Finding{
		Severity: diag.Warning, Code: plan.CodeUnknownProxy, Subject: plan.ProxySubject(c.Proxy), At: want.DeclaredAt,
		Message: message + want.Unknown, Fix: fix,
	})
}

// newProxy plans a Secret under a name that was never used.
func (m proxyPlanner) newProxy(c linkCase, want plan.DesiredProxy) string {
	m.tellUnknown(c, want, "its credentials cannot be read here: ", "apply where its references can be read")
	recorded, known := m.world.Inventories[c.At].Content.Proxies[c.Proxy]
	before, latest := m.latestProxy(c)
	revision := max(recorded.Revision, latest)
	for revision++; ; revision++ {
		if _, taken := m.world.Secrets[c.At][network.ProxySecretName(c.Proxy, revision)]; !taken {
			break
		}
	}
	secret := plan.ObjectRef{Cluster: c.At.Cluster, Kind: plan.ObjectSecret, Namespace: c.At.Namespace, Name: network.ProxySecretName(c.Proxy, revision)}
	a := m.proxyAction(c, want, secret, revision)
	a.Verb, a.Steps, a.Why = plan.VerbCreate, []plan.Step{plan.StepRecord, plan.StepSecret}, "a link goes through it from here"
	switch {
	case before != nil && before.Deleting:
		a.Verb, a.Cause, a.Disruption = plan.VerbReplace, plan.CauseDrift, plan.DisruptionReplace
		a.Why = fmt.Sprintf("its Secret %s %s, so it gets a new one and its links are replaced", before.Name, before.Going())
	case before != nil:
		a.Verb, a.Why = plan.VerbReplace, "its settings change, so it gets a new Secret and its links are replaced"
		was, _ := recorded.Of(before.Name)
		a.Fields = proxyFields(want, *before, was)
		a.Cause, a.Disruption = field.MergeCauses(a.Fields, plan.CausePending), plan.DisruptionReplace
	case known && m.recordedProxy(c):
		a.Cause, a.Why = plan.CauseDrift, "its Secret is gone from the cluster, so it gets a new one and its links are replaced"
		a.Disruption = plan.DisruptionReplace
	}
	m.newProxies[a.ID] = secret.Name
	m.add(a)
	return secret.Name
}

// latestProxy is the Secret of ours with the highest number, nil when there is none.
func (m proxyPlanner) latestProxy(c linkCase) (before *world.ProxyView, revision int) {
	for _, p := range m.world.Proxies[c.At] {
		r := revisionOf(c.Proxy, p.Name)
		if !p.Owned(m.network()) || p.Labels[plan.LabelProxy] != string(c.Proxy) {
			continue
		}
		if before == nil || r > revision || r == revision && p.Name < before.Name {
			before, revision = &p, r
		}
	}
	return before, revision
}

// recordedProxy reports whether some link of the place went through the proxy when
// it was last applied.
func (m proxyPlanner) recordedProxy(c linkCase) bool {
	for _, l := range m.world.Inventories[c.At].Content.Links {
		if l.Proxy == c.Proxy && l.State == record.LinkApplied {
			return true
		}
	}
	return false
}

func (m proxyPlanner) proxyAction(c linkCase, want plan.DesiredProxy, secret plan.ObjectRef, revision int) plan.Action {
	a := plan.Action{
		ID: proxyID(c.Proxy, c.At), Kind: plan.KindProxy, Cause: plan.CausePending,
		Cluster: c.At.Cluster, Namespace: c.At.Namespace, Name: string(c.Proxy),
		DeclaredAt: want.DeclaredAt, Disruption: plan.DisruptionNone,
		Proxy: &plan.ProxyWork{Secret: secret, Revision: revision, Host: want.Host, Port: want.Port, References: want.References},
	}
	if id := siteID(m.world.Desired[c.From]); m.has(id) {
		a.DependsOn = append(a.DependsOn, id)
	}
	return a
}

// proxyFields compares a Secret with the wanted proxy. What credentials are is not
// shown; git moved them when it names other sources.
func proxyFields(want plan.DesiredProxy, live world.ProxyView, recorded record.ProxySettings) []plan.Field {
	var out []plan.Field
	known := recorded.Host != ""
	if live.Host != want.Host {
		out = append(out, plan.Field{Path: "host", From: live.Host, To: want.Host, Cause: field.CauseOf(want.Host, recorded.Host, live.Host, known)})
	}
	if live.Port != want.Port {
		out = append(out, plan.Field{Path: "port", From: live.Port, To: want.Port, Cause: field.CauseOf(want.Port, recorded.Port, live.Port, known)})
	}
	if want.Unknown == "" && live.Digest != want.Digest {
		cause := plan.CausePending
		if known && recorded.References == want.References {
			cause = plan.CauseDrift
		}
		out = append(out, plan.Field{Path: "credentials", From: "*** in the Secret", To: "*** by the references", Cause: cause})
	}
	return out
}

// staleProxies plans the removal of proxy Secrets of ours that no Link will use once
// the plan is carried out.
func (m proxyPlanner) staleProxies() {
	removers := map[string][]string{}
	for _, a := range m.actions {
		if a.Link != nil {
			for _, r := range a.Link.Remove {
				removers[r.UID] = append(removers[r.UID], a.ID)
			}
		}
	}
	unseen := m.unseenProxies()
	for _, at := range world.SortedPlaces(m.world.Proxies) {
		for _, name := range slices.Sorted(maps.Keys(m.world.Proxies[at])) {
			if v := m.world.Proxies[at][name]; v.Owned(m.network()) && !unseen[at] {
				m.staleProxy(at, network.ProxyName(v.Labels[plan.LabelProxy]), v.Meta, removers)
			}
		}
	}
	for _, at := range world.SortedPlaces(m.world.Inventories) {
		for _, proxy := range slices.Sorted(maps.Keys(m.world.Inventories[at].Content.Proxies)) {
			for r := 1; r <= m.world.Inventories[at].Content.Proxies[proxy].Revision && !unseen[at]; r++ {
				if s, ok := m.world.Secrets[at][network.ProxySecretName(proxy, r)]; ok && s.Labels[plan.LabelManagedBy] == "" && s.Marked {
					m.staleProxy(at, proxy, s.Meta, removers) // somebody took its labels off
				}
			}
		}
	}
}

// unseenProxies marks places with a link through a proxy that was not looked at: its
// other end could not be read.
func (m proxyPlanner) unseenProxies() map[plan.Place]bool {
	out := map[plan.Place]bool{}
	for _, l := range m.in.Desired.Links {
		from := m.world.Desired[l.From]
		if l.Proxy != "" && m.unseen(l) {
			out[from.Place()] = true
		}
	}
	return out
}

func (m proxyPlanner) staleProxy(at plan.Place, proxy network.ProxyName, v world.Meta, removers map[string][]string) {
	id := "proxy/" + v.Name + at.Suffix()
	if proxy == "" || m.has(id) || !m.world.Readable(at.Cluster) || slices.Contains(m.keptProxies[at], v.Name) {
		return
	}
	a := plan.Action{
		ID:   id,
		Kind: plan.KindProxy, Verb: plan.VerbDelete, Cause: plan.CausePending,
		Cluster: at.Cluster, Namespace: at.Namespace, Name: string(proxy),
		DeclaredAt: m.world.WantedProxies[world.WantedProxy{Name: proxy}].DeclaredAt, Disruption: plan.DisruptionNone,
		Steps: []plan.Step{plan.StepDelete}, Why: fmt.Sprintf("nothing uses Secret %s any more", v.Name),
		Proxy: &plan.ProxyWork{Secret: world.Ref(at.Cluster, plan.ObjectSecret, v), Revision: revisionOf(proxy, v.Name)},
	}
	a.Proxy.Host, a.Proxy.Port = m.world.Proxies[at][v.Name].Host, m.world.Proxies[at][v.Name].Port
	used := false
	for _, l := range m.world.LiveLinks[at] {
		if l.Proxy != v.Name {
			continue
		}
		used = true
		if len(removers[l.UID]) == 0 {
			return // a Link that stays, ours or not, uses it
		}
		a.DependsOn = append(a.DependsOn, removers[l.UID]...)
	}
	if !used {
		a.Cause, a.Why = m.abandoned(at, proxy, v.Name), fmt.Sprintf("no Link uses Secret %s", v.Name)
	}
	m.add(a)
}

// abandoned is the cause of removing a Secret that no Link uses: an apply that was
// cut off left it, unless the description still went through the proxy. One that is recorded
// and that no link was applied with is what git moved.
func (m proxyPlanner) abandoned(at plan.Place, proxy network.ProxyName, secret string) plan.Cause {
	inv := m.world.Inventories[at].Content
	_, recorded := inv.Proxies[proxy].Secrets[secret]
	for _, l := range inv.Links {
		recorded = recorded && !(l.State == record.LinkApplied && l.ProxySecret == secret)
	}
	if _, known := inv.Proxies[proxy]; known && !recorded {
		return plan.CauseDrift
	}
	return plan.CausePending
}
