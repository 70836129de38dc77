package plan

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// throughProxy finds or plans the Secret that a link's Links have to name. A proxy
// never changes in place: other content gets a Secret of another name, and what
// used the old one is replaced.
func (m *maker) throughProxy(c *linkCase) {
	if c.Proxy == "" {
		return
	}
	c.proxy = m.proxySecret(*c)
	c.action.Link.ProxySecret = c.proxy
	if id := proxyID(c.Proxy, c.at); m.has(id) {
		c.action.DependsOn = append(c.action.DependsOn, id)
	}
}

func proxyID(name network.ProxyName, at place) string {
	return "proxy/" + string(name) + "@" + string(at.cluster) + "/" + at.namespace
}

func (m *maker) proxySecret(c linkCase) string {
	want := m.index.wantedProxies[c.Proxy]
	if secret, ok := m.index.newProxies[proxyID(c.Proxy, c.at)]; ok {
		return secret
	}
	for _, v := range m.proxyCandidates(c) {
		if m.sameProxy(want, v) {
			m.keepProxy(c, want, v)
			return v.Name
		}
	}
	return m.newProxy(c, want)
}

// proxyCandidates are the Secrets that may serve as they are: what the link's own
// Links name, what a Link to adopt names, and what we made for the proxy, the
// latest first.
func (m *maker) proxyCandidates(c linkCase) []ProxyView {
	var out []ProxyView
	links := slices.Clone(c.current)
	if foreign := m.foreignLinks(c); m.in.Adopt && !c.known {
		links = append(links, foreign...)
	}
	for _, v := range links {
		if p, ok := m.index.proxies[c.at][v.Proxy]; ok {
			out = append(out, p)
		}
	}
	var made []ProxyView
	for _, p := range m.index.proxies[c.at] {
		if p.Owned(m.network()) && p.Labels[LabelProxy] == string(c.Proxy) {
			made = append(made, p)
		}
	}
	slices.SortFunc(made, func(a, b ProxyView) int { return revisionOf(c.Proxy, b.Name) - revisionOf(c.Proxy, a.Name) })
	return append(out, made...)
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
func (m *maker) sameProxy(want DesiredProxy, v ProxyView) bool {
	return v.Host == want.Host && v.Port == want.Port && (want.Unknown != "" || v.Digest == want.Digest)
}

// keepProxy notes that a Secret stays in use, takes it over where it is not ours
// yet, and says when its credentials could not be compared.
func (m *maker) keepProxy(c linkCase, want DesiredProxy, v ProxyView) {
	m.index.keptProxies[c.at] = append(m.index.keptProxies[c.at], v.Name)
	if want.Unknown != "" && !m.told[proxyID(c.Proxy, c.at)] {
		m.told[proxyID(c.Proxy, c.at)] = true
		m.unknown++
		m.findings = append(m.findings, diag.Finding{
			Severity: diag.Warning, Code: "proxy-unknown", Subject: fmt.Sprintf("proxy %q", c.Proxy), At: want.DeclaredAt,
			Message: "whether its credentials changed cannot be told here: " + want.Unknown, Fix: "plan where its references can be read",
		})
	}
	inv := m.index.inventories[c.at].Content
	recorded, known := inv.Proxies[c.Proxy]
	known = known && inv.Site == c.From // a site that is made anew starts a new inventory
	labelled := v.Owned(m.network()) && v.Labels[LabelProxy] == string(c.Proxy)
	id := proxyID(c.Proxy, c.at)
	if labelled && known && recorded.References == want.References || m.has(id) {
		return
	}
	a := m.proxyAction(c, want, ref(c.at.cluster, ObjectSecret, v.Meta), revisionOf(c.Proxy, v.Name))
	a.Proxy.Revision = max(a.Proxy.Revision, recorded.Revision)
	a.Verb, a.Steps, a.Why = VerbUpdate, []Step{StepRecord}, "the inventory catches up"
	if known {
		a.Why = "its references changed and give the same credentials"
	}
	if !labelled {
		a.Steps = append(a.Steps, StepSecret)
		a.Verb, a.Why = VerbAdopt, "taken over as it is, without being re-created"
	}
	m.add(a)
}

// newProxy plans a Secret under a name that was never used.
func (m *maker) newProxy(c linkCase, want DesiredProxy) string {
	recorded, known := m.index.inventories[c.at].Content.Proxies[c.Proxy]
	revision := recorded.Revision
	var before *ProxyView
	for _, p := range m.index.proxies[c.at] {
		if p.Owned(m.network()) && p.Labels[LabelProxy] == string(c.Proxy) {
			if r := revisionOf(c.Proxy, p.Name); before == nil || r >= revision {
				before = &p
			}
			revision = max(revision, revisionOf(c.Proxy, p.Name))
		}
	}
	for revision++; ; revision++ {
		if _, taken := m.index.secrets[c.at][network.ProxySecretName(c.Proxy, revision)]; !taken {
			break
		}
	}
	secret := ObjectRef{Cluster: c.at.cluster, Kind: ObjectSecret, Namespace: c.at.namespace, Name: network.ProxySecretName(c.Proxy, revision)}
	a := m.proxyAction(c, want, secret, revision)
	a.Verb, a.Steps, a.Why = VerbCreate, []Step{StepRecord, StepSecret}, "a link goes through it from here"
	switch {
	case before != nil:
		a.Verb, a.Why = VerbReplace, "its settings change, so it gets a new Secret and its links are replaced"
		a.Fields = proxyFields(want, *before, recorded)
		a.Cause, a.Disruption = mergeCauses(a.Fields, CausePending), DisruptionReplace
	case known && m.recordedProxy(c):
		a.Cause, a.Why = CauseDrift, "its Secret is gone from the cluster, so it gets a new one and its links are replaced"
		a.Disruption = DisruptionReplace
	}
	m.index.newProxies[a.ID] = secret.Name
	m.add(a)
	return secret.Name
}

// recordedProxy reports whether some link of the place went through the proxy when
// it was last applied.
func (m *maker) recordedProxy(c linkCase) bool {
	for _, l := range m.index.inventories[c.at].Content.Links {
		if l.Proxy == c.Proxy && l.State != LinkRetired {
			return true
		}
	}
	return false
}

func (m *maker) proxyAction(c linkCase, want DesiredProxy, secret ObjectRef, revision int) Action {
	a := Action{
		ID: proxyID(c.Proxy, c.at), Kind: KindProxy, Cause: CausePending,
		Cluster: c.at.cluster, Namespace: c.at.namespace, Name: string(c.Proxy),
		DeclaredAt: want.DeclaredAt, Disruption: DisruptionNone,
		Proxy: &ProxyWork{Secret: secret, Revision: revision, Host: want.Host, Port: want.Port, References: want.References},
	}
	if id := siteID(m.index.desired[c.From]); m.has(id) {
		a.DependsOn = append(a.DependsOn, id)
	}
	return a
}

// proxyFields compares a Secret with the wanted proxy. What credentials are is not
// shown; git moved them when it names other sources.
func proxyFields(want DesiredProxy, live ProxyView, recorded InventoryProxy) []Field {
	var out []Field
	known := recorded.Host != ""
	if live.Host != want.Host {
		out = append(out, Field{Path: "host", From: live.Host, To: want.Host, Cause: causeOf(want.Host, recorded.Host, live.Host, known)})
	}
	if live.Port != want.Port {
		out = append(out, Field{Path: "port", From: live.Port, To: want.Port, Cause: causeOf(want.Port, recorded.Port, live.Port, known)})
	}
	if want.Unknown == "" && live.Digest != want.Digest {
		cause := CausePending
		if known && recorded.References == want.References {
			cause = CauseDrift
		}
		out = append(out, Field{Path: "credentials", From: "***", To: "***", Cause: cause})
	}
	return out
}

// staleProxies plans the removal of proxy Secrets of ours that no Link will use once
// the plan is carried out.
func (m *maker) staleProxies() {
	removers := map[string][]string{}
	for _, a := range m.actions {
		if a.Link != nil {
			for _, r := range a.Link.Remove {
				removers[r.UID] = append(removers[r.UID], a.ID)
			}
		}
	}
	for _, at := range sortedPlaces(m.index.proxies) {
		for _, name := range slices.Sorted(maps.Keys(m.index.proxies[at])) {
			m.staleProxy(at, m.index.proxies[at][name], removers)
		}
	}
}

func (m *maker) staleProxy(at place, v ProxyView, removers map[string][]string) {
	if !v.Owned(m.network()) || v.Labels[LabelProxy] == "" || !m.index.readable(at.cluster) || slices.Contains(m.index.keptProxies[at], v.Name) {
		return
	}
	proxy := network.ProxyName(v.Labels[LabelProxy])
	secret := ref(at.cluster, ObjectSecret, v.Meta)
	a := Action{
		ID:   "proxy/" + v.Name + "@" + string(at.cluster) + "/" + at.namespace,
		Kind: KindProxy, Verb: VerbDelete, Cause: CausePending,
		Cluster: at.cluster, Namespace: at.namespace, Name: string(proxy),
		DeclaredAt: m.index.wantedProxies[proxy].DeclaredAt, Disruption: DisruptionNone,
		Steps: []Step{StepDelete}, Why: fmt.Sprintf("nothing uses Secret %s any more", v.Name),
		Proxy: &ProxyWork{Secret: secret, Revision: revisionOf(proxy, v.Name), Host: v.Host, Port: v.Port},
	}
	used := false
	for _, l := range m.index.liveLinks[at] {
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
		a.Cause, a.Why = m.abandoned(at, proxy), fmt.Sprintf("no Link uses Secret %s", v.Name)
	}
	m.add(a)
}

// abandoned is the cause of removing a Secret that no Link uses: an apply that was
// cut off left it, unless the description still went through the proxy.
func (m *maker) abandoned(at place, proxy network.ProxyName) Cause {
	if _, known := m.index.inventories[at].Content.Proxies[proxy]; known {
		return CauseDrift
	}
	return CausePending
}
