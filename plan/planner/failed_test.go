package planner_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/planner"
	"fairlead.dev/fairlead/plan/record"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// runFailing carries out a plan as an apply does of which some actions fail: before they
// write anything, because they are refused, or after their writes and before they could
// record that. What depends on them is not carried out.
func (m *model) runFailing(r *rand.Rand, p plan.Plan) {
	state := map[string]string{}
	begun := map[string]bool{}
	for range p.Actions {
		for _, a := range p.Actions {
			ready, blocked := true, false
			for _, id := range a.DependsOn {
				known := slices.ContainsFunc(p.Actions, func(b plan.Action) bool { return b.ID == id })
				ready = ready && (!known || state[id] != "")
				blocked = blocked || known && state[id] == "failed"
			}
			if state[a.ID] != "" || !ready {
				continue
			}
			if blocked || r.IntN(12) == 0 {
				state[a.ID] = "failed"
				continue
			}
			if at := string(a.Cluster) + "/" + a.Namespace; a.Has(plan.StepRecord) && !begun[at] {
				m.begin(p.At(a.Cluster, a.Namespace)...)
				begun[at] = true
			}
			state[a.ID] = m.tryOut(r, a)
		}
	}
}

// tryOut carries one action out, or fails.
func (m *model) tryOut(r *rand.Rand, a plan.Action) string {
	switch r.IntN(6) {
	case 0:
		return "failed"
	case 1:
		if a.Has(plan.StepRecord) {
			m.inventory(a.Cluster, a.Namespace, func(inv *record.Inventory) { inv.Refuse(a, "no") })
		}
		return "failed"
	case 2:
		m.dieAfter(r, a)
		return "failed"
	}
	m.carryOut(a)
	return "done"
}

// dieAfter makes an action's writes and none of its records. Of a link that is made anew
// the old Link stays, and the new one may be down.
func (m *model) dieAfter(r *rand.Rand, a plan.Action) {
	was := m.clone()
	m.carryOut(a)
	making := a.Has(plan.StepGrant) || a.Has(plan.StepCertificate)
	for i := range m.obs.Clusters {
		now, before := &m.obs.Clusters[i], was.obs.Clusters[i]
		if a.Verb != plan.VerbDelete {
			now.Inventories = before.Inventories
		}
		if !making || r.IntN(3) == 0 {
			continue
		}
		for _, v := range before.Links {
			if !slices.ContainsFunc(now.Links, func(o world.LinkView) bool { return o.UID == v.UID }) {
				now.Links = append(now.Links, v)
			}
		}
		for _, v := range before.Secrets {
			if !slices.ContainsFunc(now.Secrets, func(o world.SecretView) bool { return o.UID == v.UID }) {
				now.Secrets = append(now.Secrets, v)
			}
		}
		for _, v := range before.Certificates {
			if !slices.ContainsFunc(now.Certificates, func(o world.CertificateView) bool { return o.UID == v.UID }) {
				now.Certificates = append(now.Certificates, v)
			}
		}
		for j, v := range now.Links {
			if !slices.ContainsFunc(before.Links, func(o world.LinkView) bool { return o.UID == v.UID }) && r.IntN(2) == 0 {
				now.Links[j].Operational = false
			}
		}
	}
}

// otherwise gives the network with other values of all kinds: settings, routers, costs,
// keys, ends, ways and proxies of links. How sites listen stays: links to one that listens
// elsewhere lead nowhere until they are made anew, which is drift whoever did it.
func otherwise(r *rand.Rand, n network.Network) network.Network {
	listening := n.Sites
	n = otherValues(r, n)
	for i := range n.Sites {
		n.Sites[i].LinkAccess, n.Sites[i].HA = listening[i].LinkAccess, r.IntN(3) == 0
	}
	n.Proxies = slices.Clone(n.Proxies)
	for i := range n.Proxies {
		if r.IntN(2) == 0 {
			n.Proxies[i].Port++
		}
	}
	for i := range n.Links {
		l := &n.Links[i]
		switch to := n.Sites[r.IntN(len(n.Sites))]; r.IntN(6) {
		case 0:
			l.Rotation++
		case 1:
			l.Via, l.Proxy = network.ViaToken, ""
		case 2:
			l.Via, l.Proxy = network.ViaCertificate, n.Proxies[r.IntN(2)].Name
		case 3:
			if to.Listens() && to.Name != l.From {
				l.To = to.Name
			}
		}
	}
	return n
}

// failing is a network with objects that API servers keep as they are sent.
func (m *model) failing(r *rand.Rand, n network.Network) plan.Desired {
	d := someObjects(r, n)
	d.Proxies = m.wanted(n).Proxies
	return d
}

// moved reports whether an action is not only about what an apply left behind.
func moved(a plan.Action) bool { return a.Why != "an earlier apply left something behind" }

// A change of which some fails is no drift: nobody touched the clusters. Taken back, or
// made in the end, it leaves nothing to plan, no drift and no intent.
func TestFailedChanges(t *testing.T) {
	t.Parallel()
	changed := map[plan.Kind]int{}
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 51))
		m := newModel(t, "net", "a", "b")
		m.digest = "d1"
		n := randomNetwork(r)
		before := m.failing(r, n)
		m.run(planner.Make(planner.Input{Desired: before, Observation: m.obs}))
		after := m.failing(r, otherwise(r, n))
		anyhow := r.IntN(4) == 0
		if anyhow {
			after = m.failing(r, randomNetwork(r))
		}
		for try := range 1 + r.IntN(2) {
			p := planner.Make(planner.Input{Desired: after, Observation: m.obs})
			for _, a := range p.Actions {
				changed[a.Kind]++
			}
			m.runFailing(r, p)
			if drift := plan.Keep(m.drift(after), moved); !anyhow && len(drift.Actions)+len(drift.Refusals) > 0 {
				t.Fatalf("seed %d try %d: drift after a failed\n%s\nis\n%s\n%v\n%s", seed, try, dump(p), dump(drift), drift.Refusals, m.recordedAs())
			}
		}
		end := []plan.Desired{before, after}[r.IntN(2)]
		p := planner.Make(planner.Input{Desired: end, Observation: m.obs})
		m.run(p)
		again := planner.Make(planner.Input{Desired: end, Observation: m.obs})
		if again.Pending() || len(again.Refusals) > 0 {
			t.Fatalf("seed %d: still to do after\n%s\n%s\n%s", seed, dump(p), dump(again), m.recordedAs())
		}
		if drift := m.drift(end); drift.Ill() || len(drift.Live)+len(drift.Behind) > 0 {
			t.Fatalf("seed %d: drift after\n%s\n%s\n%v", seed, dump(p), dump(drift), drift.Live)
		}
		if open := m.intents(); len(open) > 0 {
			t.Fatalf("seed %d: left open by\n%s\n%q", seed, dump(p), open)
		}
	}
	if len(changed) != 4 {
		t.Errorf("changed: %v", changed)
	}
}

// intents are what inventories still intend, but for what was refused.
func (m *model) intents() (out []string) {
	for _, c := range m.obs.Clusters {
		for _, inv := range c.Inventories {
			if inv.Content.Intent.Open() {
				out = append(out, "site "+string(inv.Content.Site))
			}
			for key, o := range inv.Content.Objects {
				if o.Intent.Open() {
					out = append(out, key)
				}
			}
			for name, l := range inv.Content.Links {
				if l.State == record.LinkUnderWay || l.Intent != nil && l.Intent.Refused == "" {
					out = append(out, "link "+string(name))
				}
			}
		}
	}
	return out
}

// recordedAs shows all inventories.
func (m *model) recordedAs() (out string) {
	for _, c := range m.obs.Clusters {
		for _, inv := range c.Inventories {
			text, err := inv.Content.Encode()
			out += fmt.Sprintf("%s/%s %s %v\n", c.Name, inv.Namespace, text, err)
		}
	}
	return out
}

// A port that never comes up and is taken back: neither drift nor an apply of it remains,
// and the old Link was never replaced.
func TestProxyTakenBack(t *testing.T) {
	t.Parallel()
	n := proxied()
	m := proxiedUp(t, n)
	link := m.cluster("b").Links[0]
	other := proxied()
	other.Proxies[0].Port = 3130
	p := planner.Make(planner.Input{Desired: m.wanted(other), Observation: m.obs})
	m.begin(p.At("b", "spoke")...)
	for _, a := range p.Actions {
		if a.Kind == plan.KindProxy && a.Verb != plan.VerbDelete {
			m.applyProxy(a)
		}
		if a.Kind == plan.KindLink {
			view := m.cluster("b")
			m.takeOrMake(view, a, "spoke-hub-r2", "spoke-hub-r2", "", m.labels(plan.LabelLink, "spoke-hub"))
			view.Links[1].Operational = false
		}
	}
	if drift := m.drift(m.wanted(other)); drift.Ill() {
		t.Errorf("drift while it does not come up: %s\n%v", dump(drift), drift.Live)
	}
	back := planner.Make(planner.Input{Desired: m.wanted(n), Observation: m.obs})
	m.run(back)
	if len(m.cluster("b").Links) != 1 || m.cluster("b").Links[0].UID != link.UID {
		t.Errorf("the old Link does not stay: %s", dump(back))
	}
	if drift := m.drift(m.wanted(n)); drift.Ill() || planner.Make(planner.Input{Desired: m.wanted(n), Observation: m.obs}).Pending() {
		t.Errorf("drift when it is taken back: %s", dump(drift))
	}
}

// Records of older builds, which wrote what they intended over what was applied.
func TestRecordsOfOlderBuilds(t *testing.T) {
	t.Parallel()
	inv, err := record.Decode(`{"format": "fairlead.inventory/v1", "network": "net", "site": "s", "commit": "c", "protect": false,
		"fields": {"ha": true, "linkAccess": "default", "settings.a": null, "settings.b": "2"}, "unwritten": ["settings.a", "settings.b"],
		"links": {"l": {"state": "under-way", "to": "h", "cost": 2, "attempt": 3, "objects": [], "proxy": "p", "proxySecret": "p-2"}},
		"proxies": {"p": {"revision": 2, "host": "h", "port": "1", "references": "r"}},
		"objects": {"Gate/new": {"apiVersion": "v1", "kind": "Gate", "name": "new", "fields": {"x": "1"}, "unwritten": ["*"]},
			"Gate/old": {"apiVersion": "v1", "kind": "Gate", "name": "old", "uid": "u", "fields": {"x": "1"}}}}`)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"ha": true, "linkAccess": "default", "settings.a": nil}
	if !maps.Equal(inv.Fields, want) || !inv.Intent.Open() || len(inv.Intent.Fields) != 3 || inv.Intent.Fields["settings.b"] != "2" {
		t.Errorf("site: %v, intended %v", inv.Fields, inv.Intent)
	}
	if o := inv.Objects["Gate/new"]; o.Fields != nil || !o.Intent.Open() || o.Intent.Fields["x"] != "1" {
		t.Errorf("an object that was to be made: %v", o)
	}
	if o := inv.Objects["Gate/old"]; o.Intent != nil || o.Fields["x"] != "1" {
		t.Errorf("an object that was applied: %v", o)
	}
	if s, ok := inv.Proxies["p"].Of("p-2"); !ok || s != (record.ProxySettings{Host: "h", Port: "1", References: "r"}) || inv.Proxies["p"].Revision != 2 {
		t.Errorf("proxy: %v", inv.Proxies["p"])
	}
	text, err := inv.Encode()
	if err != nil {
		t.Fatal(err)
	}
	again, err := record.Decode(text)
	if other, errOther := again.Encode(); err != nil || errOther != nil || other != text {
		t.Errorf("read again: %v %v\n%s\n%s", err, errOther, text, other)
	}
}

// A record that an older build spoilt, of a change that was taken back, is mended by the
// next apply.
func TestSpoiltProxyRecordIsMended(t *testing.T) {
	t.Parallel()
	n := proxied()
	m := proxiedUp(t, n)
	p := m.cluster("b").Inventories[0].Content.Proxies["corp"]
	p.Revision, p.Secrets = 2, map[string]record.ProxySettings{"": {Host: "proxy", Port: "3130", References: m.wanted(n).Proxies[0].References}}
	m.cluster("b").Inventories[0].Content.Proxies["corp"] = p
	in := planner.Input{Desired: m.wanted(n), Observation: m.obs}
	first := planner.Make(in)
	m.run(first)
	if again := planner.Make(in); len(first.Actions) != 1 || again.Pending() {
		t.Errorf("%s\nand then\n%s", dump(first), dump(again))
	}
	if drift := m.drift(m.wanted(n)); drift.Ill() {
		t.Errorf("drift: %s", dump(drift))
	}
}
