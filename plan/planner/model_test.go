package planner_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/desired"
	"fairlead.dev/fairlead/plan/record"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// model is a set of clusters as data, with a controller that does what Skupper
// would. It carries out plans, so that the planner's invariant can be tested
// without a cluster: carried out, a plan leaves nothing to plan.
type model struct {
	t    testing.TB
	net  string
	obs  world.Observation
	uids int
	// digest is that of the credentials that references give now.
	digest string
}

func newModel(t testing.TB, net string, clusters ...network.ClusterName) *model {
	m := &model{t: t, net: net}
	for _, c := range clusters {
		m.obs.Clusters = append(m.obs.Clusters, world.ClusterView{Name: c, UID: "uid-" + string(c), State: plan.StateOK, Namespaces: []string{"kube-system"}})
	}
	return m
}

func (m *model) uid() string {
	m.uids++
	return fmt.Sprintf("u%d", m.uids)
}

func (m *model) cluster(name network.ClusterName) *world.ClusterView {
	for i := range m.obs.Clusters {
		if m.obs.Clusters[i].Name == name {
			return &m.obs.Clusters[i]
		}
	}
	m.t.Fatalf("no cluster %s", name)
	return nil
}

func (m *model) labels(kind, name string) map[string]string {
	return map[string]string{plan.LabelManagedBy: plan.ManagedBy, plan.LabelNetwork: m.net, kind: name}
}

// run carries out all actions in an order that their dependencies allow.
func (m *model) run(p plan.Plan) {
	m.t.Helper()
	done := map[string]bool{}
	known := map[string]bool{}
	for _, a := range p.Actions {
		if known[a.ID] {
			m.t.Fatalf("two actions have the ID %s", a.ID)
		}
		known[a.ID] = true
	}
	for len(done) < len(p.Actions) {
		before := len(done)
		for _, a := range p.Actions {
			ready := !slices.ContainsFunc(a.DependsOn, func(id string) bool { return known[id] && !done[id] })
			if !done[a.ID] && ready {
				m.carryOut(a)
				done[a.ID] = true
			}
		}
		if len(done) == before {
			m.t.Fatalf("the plan's dependencies form a circle: %v", p.Actions)
		}
	}
}

func (m *model) carryOut(a plan.Action) {
	m.begin(a)
	switch {
	case a.Kind == plan.KindProxy && a.Verb == plan.VerbDelete:
		m.deleteProxy(a)
	case a.Kind == plan.KindObject:
		m.carryOutObject(a)
	case a.Kind == plan.KindSite && a.Verb == plan.VerbDelete:
		m.deleteSite(a)
	case a.Kind == plan.KindSite:
		m.applySite(a)
	case a.Verb == plan.VerbDelete:
		m.remove(a.Link.Remove)
		if a.Has(plan.StepConfirm) {
			m.inventory(a.Cluster, a.Namespace, func(inv *record.Inventory) { inv.RetireLink(network.LinkName(a.Name)) })
		}
	case a.Kind == plan.KindProxy:
		m.applyProxy(a)
	case a.Has(plan.StepGrant), a.Has(plan.StepCertificate):
		m.makeLink(a)
	default:
		m.updateLink(a)
	}
}

// begin records what actions at one place are about to do, as an apply does first.
func (m *model) begin(actions ...plan.Action) {
	for _, a := range actions {
		if a.Has(plan.StepRecord) {
			m.inventory(a.Cluster, a.Namespace, func(inv *record.Inventory) { inv.Begin(actions...) })
			return
		}
	}
}

func (m *model) inventory(c network.ClusterName, ns string, change func(*record.Inventory)) {
	view := m.cluster(c)
	for i := range view.Inventories {
		if view.Inventories[i].Namespace == ns {
			change(&view.Inventories[i].Content)
			return
		}
	}
	inv := world.InventoryView{Meta: world.Meta{Namespace: ns, Name: network.InventoryName(m.net), UID: m.uid(), Marked: true, Labels: m.labels(plan.LabelSite, "")}}
	inv.Content = record.Inventory{Format: record.Format, Network: m.net, Links: map[network.LinkName]record.Link{}}
	change(&inv.Content)
	view.Inventories = append(view.Inventories, inv)
}

func (m *model) applySite(a plan.Action) {
	view := m.cluster(a.Cluster)
	if a.Has(plan.StepNamespace) {
		view.Namespaces = append(view.Namespaces, a.Namespace)
	}
	if !a.Has(plan.StepSite) {
		m.access(view, a)
		return
	}
	uid := a.Site.UID
	defer func() {
		m.inventory(a.Cluster, a.Namespace, func(inv *record.Inventory) { inv.Confirm(a, uid, record.Answer{}) })
	}()
	for i, s := range view.Sites {
		if s.Namespace == a.Namespace && s.Name == a.Site.Object {
			view.Sites[i].Fields, view.Sites[i].Labels, view.Sites[i].Protected = keeping(a.Site, s.Fields), m.labels(plan.LabelSite, a.Name), a.Site.Protect
			if now := listening(view.Sites[i]); !slices.Equal(listening(s), now) { // else they are where they are
				view.Sites[i].Endpoints = now
			}
			m.access(view, a)
			return
		}
		if s.Namespace == a.Namespace {
			m.t.Fatalf("site %s is made while the namespace has Site %s", a.Name, s.Name)
		}
	}
	view.Sites = append(view.Sites, world.SiteView{
		Meta:   world.Meta{Namespace: a.Namespace, Name: a.Site.Object, UID: m.uid(), Marked: true, Labels: m.labels(plan.LabelSite, a.Name)},
		Fields: maps.Clone(a.Site.Fields), Protected: a.Site.Protect, Ready: true,
	})
	last := &view.Sites[len(view.Sites)-1]
	uid = last.UID
	last.Endpoints = listening(*last)
	m.access(view, a)
}

// keeping are a Site's fields as sent: those that the plan leaves alone are as they were.
func keeping(w *plan.SiteWork, live map[string]any) map[string]any {
	out := maps.Clone(w.Fields)
	for _, path := range w.Keep {
		out[path] = live[path]
	}
	return out
}

// access makes the RouterAccess of a Site that listens; it stays when the Site ceases to
// listen, until it is deleted.
func (m *model) access(view *world.ClusterView, a plan.Action) {
	at := func(v world.AccessView) bool { return v.Namespace == a.Namespace }
	if a.Has(plan.StepClose) {
		view.Accesses = slices.DeleteFunc(view.Accesses, at)
	}
	if a.Site.Listens && !slices.ContainsFunc(view.Accesses, at) {
		view.Accesses = append(view.Accesses, world.AccessView{Meta: world.Meta{Namespace: a.Namespace, Name: world.RouterAccess, UID: m.uid()}})
	}
}

// listening are the endpoints that a Site gives: a port for each router, which
// moves when the link access changes.
func listening(s world.SiteView) []world.Endpoint {
	access, _ := s.Fields["linkAccess"].(string)
	if access == "" || access == "none" {
		return nil
	}
	groups := []string{"skupper-router"}
	if s.Fields["ha"] == true {
		groups = append(groups, "skupper-router-2")
	}
	var out []world.Endpoint
	for _, g := range groups {
		out = append(out, world.Endpoint{Name: "inter-router", Host: s.UID + "." + access, Port: "55671", Group: g})
	}
	return out
}

// ofGroup are the endpoints that the i-th Link of a site has.
func ofGroup(s world.SiteView, i int) []world.Endpoint {
	if i < len(s.Endpoints) {
		return slices.Clone(s.Endpoints[i : i+1])
	}
	return nil
}

func (m *model) applyProxy(a plan.Action) {
	view, w := m.cluster(a.Cluster), a.Proxy
	if !a.Has(plan.StepSecret) {
		return
	}
	labels := m.labels(plan.LabelProxy, a.Name)
	for i, p := range view.Proxies {
		if p.Namespace == a.Namespace && p.Name == w.Secret.Name {
			view.Proxies[i].Labels = labels
			view.Proxies[i].Marked = true
			return
		}
	}
	meta := world.Meta{Namespace: a.Namespace, Name: w.Secret.Name, UID: m.uid(), Marked: true, Labels: labels}
	view.Secrets = append(view.Secrets, world.SecretView{Meta: meta})
	view.Proxies = append(view.Proxies, world.ProxyView{Meta: meta, Host: w.Host, Port: w.Port, Digest: m.digest})
}

func (m *model) deleteProxy(a plan.Action) {
	view, r := m.cluster(a.Cluster), a.Proxy.Secret
	for _, l := range view.Links {
		if l.Namespace == r.Namespace && l.Proxy == r.Name {
			m.t.Fatalf("proxy Secret %s goes while Link %s names it", r.Name, l.Name)
		}
	}
	view.Proxies = slices.DeleteFunc(view.Proxies, func(o world.ProxyView) bool { return o.UID == r.UID })
	m.remove([]plan.ObjectRef{r})
	for i, inv := range view.Inventories {
		if inv.Namespace == a.Namespace {
			view.Inventories[i].Content.ForgetSecret(network.ProxyName(a.Name), r.Name)
		}
	}
}

func (m *model) hasProxy(view *world.ClusterView, ns, secret string) bool {
	return slices.ContainsFunc(view.Proxies, func(p world.ProxyView) bool { return p.Namespace == ns && p.Name == secret })
}

func (m *model) deleteSite(a plan.Action) {
	view := m.cluster(a.Cluster)
	m.collect(view, a.Site.UID)
	view.Inventories = slices.DeleteFunc(view.Inventories, func(v world.InventoryView) bool { return v.Namespace == a.Namespace })
}

// collect removes a Site and what it owns.
func (m *model) collect(view *world.ClusterView, uid string) {
	if uid == "" {
		return
	}
	for _, s := range view.Sites {
		if s.UID == uid {
			view.Accesses = slices.DeleteFunc(view.Accesses, func(v world.AccessView) bool { return v.Namespace == s.Namespace })
		}
	}
	view.Sites = slices.DeleteFunc(view.Sites, func(v world.SiteView) bool { return v.UID == uid })
	view.Links = slices.DeleteFunc(view.Links, func(v world.LinkView) bool { return v.OwnerUID == uid })
	view.Secrets = slices.DeleteFunc(view.Secrets, func(v world.SecretView) bool { return v.OwnerUID == uid })
}

func (m *model) remove(refs []plan.ObjectRef) {
	for _, r := range refs {
		v := m.cluster(r.Cluster)
		if r.Kind == plan.ObjectToken {
			m.unanswered(v, r.Namespace, r.Name)
		}
		v.Links = slices.DeleteFunc(v.Links, func(o world.LinkView) bool { return r.Kind == plan.ObjectLink && o.UID == r.UID })
		v.Secrets = slices.DeleteFunc(v.Secrets, func(o world.SecretView) bool { return r.Kind == plan.ObjectSecret && o.UID == r.UID })
		v.Tokens = slices.DeleteFunc(v.Tokens, func(o world.TokenView) bool { return r.Kind == plan.ObjectToken && o.UID == r.UID })
		v.Certificates = slices.DeleteFunc(v.Certificates, func(o world.CertificateView) bool { return r.Kind == plan.ObjectCertificate && o.UID == r.UID })
		v.Grants = slices.DeleteFunc(v.Grants, func(o world.GrantView) bool { return r.Kind == plan.ObjectGrant && o.UID == r.UID })
	}
}

// unanswered notes on the Site of a namespace that a token was taken away.
func (m *model) unanswered(v *world.ClusterView, namespace, token string) {
	for i := range v.Sites {
		if s := &v.Sites[i]; s.Namespace == namespace && !slices.Contains(s.Unanswered, token) {
			s.Unanswered = append(slices.Clone(s.Unanswered), token)
		}
	}
}

func (m *model) site(e plan.End) world.SiteView {
	for _, s := range m.cluster(e.Cluster).Sites {
		if s.Namespace == e.Namespace && s.Name == e.Object {
			return s
		}
	}
	m.t.Fatalf("site %s is not there when its link is made", e.Site)
	return world.SiteView{}
}

func (m *model) makeLink(a plan.Action) {
	from, to := m.site(a.Link.From), m.site(a.Link.To)
	view := m.cluster(a.Cluster)
	object := network.ObjectName(network.LinkName(a.Name), a.Link.Attempt)
	labels := m.labels(plan.LabelLink, a.Name)
	names := []string{object}
	if to.Fields["ha"] == true {
		names = []string{object + "-1", object + "-2"}
	}
	if found := m.existing(view, a, object); a.Link.Resume && len(found) > 0 {
		names = found
	}
	owner := from.UID
	if a.Has(plan.StepCertificate) {
		owner = ""
		m.issue(a)
	}
	for i, name := range names {
		m.takeOrMake(view, a, name, object, owner, labels)
		m.remote(view, a.Namespace, name, to, i)
	}
	if i := slices.IndexFunc(view.Secrets, func(s world.SecretView) bool { return s.Namespace == a.Namespace && s.Name == object }); i >= 0 {
		if !a.Link.Resume {
			m.t.Fatalf("Secret %s is there: the grant is burnt", object)
		}
		view.Secrets[i].Labels = labels
		view.Secrets[i].Marked = true
	} else {
		view.Secrets = append(view.Secrets, world.SecretView{Meta: world.Meta{Namespace: a.Namespace, Name: object, UID: m.uid(), Marked: true, Labels: labels, OwnerUID: owner}})
	}
	m.remove(a.Link.Remove)
	m.dropCredentials(a, object)
	for i := range view.Links {
		view.Links[i].Operational = true
	}
	m.confirm(a, names, to.UID)
}

// existing are the Links that an interrupted attempt made.
func (m *model) existing(view *world.ClusterView, a plan.Action, object string) []string {
	var out []string
	for _, l := range view.Links {
		if l.Namespace == a.Namespace && slices.Contains(network.LinkObjectNames(object), l.Name) {
			out = append(out, l.Name)
		}
	}
	return out
}

// remote sets what the routers report of a Link's other end.
func (m *model) remote(view *world.ClusterView, ns, name string, to world.SiteView, group int) {
	for i := range view.Links {
		if view.Links[i].Namespace == ns && view.Links[i].Name == name {
			view.Links[i].RemoteSiteID = to.UID
			if len(view.Links[i].Endpoints) == 0 {
				view.Links[i].Endpoints = ofGroup(to, group)
				if view.Links[i].Noted.Via == network.ViaCertificate {
					view.Links[i].Noted.Endpoints = world.Addresses(view.Links[i].Endpoints)
				}
			}
		}
	}
}

// issue makes an attempt's Certificate and its Secret, unless they are there.
func (m *model) issue(a plan.Action) {
	view, name := m.cluster(a.Link.To.Cluster), plan.GrantName(m.net, network.LinkName(a.Name), a.Link.Attempt)
	for _, c := range view.Certificates {
		if c.Namespace == a.Link.To.Namespace && c.Name == name {
			return
		}
	}
	meta := world.Meta{Namespace: a.Link.To.Namespace, Name: name, UID: m.uid(), Marked: true, Labels: m.labels(plan.LabelLink, a.Name)}
	view.Certificates = append(view.Certificates, world.CertificateView{Meta: meta})
	view.Secrets = append(view.Secrets, world.SecretView{Meta: world.Meta{Namespace: meta.Namespace, Name: name, UID: m.uid(), OwnerUID: meta.UID}})
}

func (m *model) takeOrMake(view *world.ClusterView, a plan.Action, name, secret, owner string, labels map[string]string) {
	for i, l := range view.Links {
		if l.Namespace == a.Namespace && l.Name == name {
			if !a.Link.Resume {
				m.t.Fatalf("Link %s is there: the grant is burnt", name)
			}
			view.Links[i].Labels, view.Links[i].Cost, view.Links[i].Noted = labels, a.Link.Cost, noted(a)
			view.Links[i].Marked = true
			if to := m.site(a.Link.To); a.Has(plan.StepCertificate) && len(to.Endpoints) > 0 {
				view.Links[i].Endpoints = nil // taken over with the site's
			}
			return
		}
	}
	if a.Link.ProxySecret != "" && !m.hasProxy(view, a.Namespace, a.Link.ProxySecret) {
		m.t.Fatalf("Link %s is made before its proxy Secret %s", name, a.Link.ProxySecret)
	}
	view.Links = append(view.Links, world.LinkView{
		Meta: world.Meta{Namespace: a.Namespace, Name: name, UID: m.uid(), Marked: true, Labels: labels, OwnerUID: owner},
		Cost: a.Link.Cost, TLSCredentials: secret, Proxy: a.Link.ProxySecret, Noted: noted(a), Configured: true, Operational: true, Current: true,
	})
}

func (m *model) dropCredentials(a plan.Action, object string) {
	from, to := m.cluster(a.Link.From.Cluster), m.cluster(a.Link.To.Cluster)
	from.Tokens = slices.DeleteFunc(from.Tokens, func(v world.TokenView) bool { return v.Namespace == a.Namespace && v.Name == object })
	grant := plan.GrantName(m.net, network.LinkName(a.Name), a.Link.Attempt)
	to.Grants = slices.DeleteFunc(to.Grants, func(v world.GrantView) bool { return v.Namespace == a.Link.To.Namespace && v.Name == grant })
}

func (m *model) confirm(a plan.Action, names []string, toUID string) {
	m.inventory(a.Cluster, a.Namespace, func(inv *record.Inventory) {
		if inv.Site == "" {
			inv.Site = a.Link.From.Site
		}
		inv.ConfirmLink(a, toUID, names, 0)
	})
}

func (m *model) updateLink(a plan.Action) {
	view := m.cluster(a.Cluster)
	m.inventory(a.Cluster, a.Namespace, func(inv *record.Inventory) {
		if a.Has(plan.StepRecord) {
			inv.Amend(network.LinkName(a.Name), m.site(a.Link.To).UID, 0)
		}
		if a.Has(plan.StepTakeOver) {
			inv.ConfirmCost(network.LinkName(a.Name), 0)
		}
	})
	var names []string
	for _, live := range a.Link.Live {
		names = append(names, live.Name)
		for i := range view.Links {
			if view.Links[i].UID == live.UID && a.Has(plan.StepTakeOver) {
				if !a.Link.KeepCost {
					view.Links[i].Cost = a.Link.Cost
				}
				view.Links[i].Labels = m.labels(plan.LabelLink, a.Name)
				view.Links[i].Marked = true
				note(&view.Links[i], a, nil)
				m.relabel(view, a, live.Secret)
				if a.Link.Reconnect {
					view.Links[i].Endpoints = matching(m.site(a.Link.To), view.Links[i].Endpoints)
					note(&view.Links[i], a, view.Links[i].Endpoints)
				}
			}
		}
	}
	if a.Has(plan.StepAdd) {
		names = append(names, m.addLinks(view, a)...)
	}
	slices.Sort(names)
	m.remove(a.Link.Remove)
	if a.Has(plan.StepConfirm) {
		m.confirm(a, names, m.site(a.Link.To).UID)
	}
}

func noted(a plan.Action) world.Note {
	return world.Note{Via: a.Link.Via, Rotation: fmt.Sprint(a.Link.Rotation), Adopted: a.Link.Adopted, Cost: a.Link.Cost}
}

// note notes on a Link what it was written with; what it leads to stays noted.
func note(v *world.LinkView, a plan.Action, endpoints []world.Endpoint) {
	was := v.Noted.Endpoints
	v.Noted = noted(a)
	v.Noted.Endpoints = was
	if a.Link.Via == network.ViaCertificate && endpoints != nil {
		v.Noted.Endpoints = world.Addresses(endpoints)
	}
}

// relabel marks the Secret of a Link that is taken over, where it is the link's.
func (m *model) relabel(view *world.ClusterView, a plan.Action, secret string) {
	for i, s := range view.Secrets {
		if s.Namespace != a.Namespace || s.Name != secret || s.Labels[plan.LabelManagedBy] != "" {
			continue
		}
		for k := 1; k <= a.Link.Attempt; k++ {
			carried := a.Link.Via == network.ViaCertificate && a.Verb != plan.VerbAdopt && s.Name == network.ObjectName(network.LinkName(a.Name), k)
			if carried || s.OwnerUID != "" && s.OwnerUID == a.Link.From.UID {
				view.Secrets[i].Labels = m.labels(plan.LabelLink, a.Name)
				view.Secrets[i].Marked = true
			}
		}
	}
}

// addLinks makes the Links of routers that no living Link leads to.
func (m *model) addLinks(view *world.ClusterView, a plan.Action) (names []string) {
	to := m.site(a.Link.To)
	covered := map[string]bool{}
	for _, l := range view.Links {
		for _, live := range a.Link.Live {
			if l.UID == live.UID && len(l.Endpoints) > 0 {
				covered[l.Endpoints[0].Group] = true
			}
		}
	}
	for i, e := range to.Endpoints {
		if covered[e.Group] {
			continue
		}
		name := fmt.Sprintf("%s-%d", network.ObjectName(network.LinkName(a.Name), a.Link.Attempt), i+1)
		m.takeOrMake(view, a, name, a.Link.Live[0].Secret, "", m.labels(plan.LabelLink, a.Name))
		m.remote(view, a.Namespace, name, to, i)
		names = append(names, name)
	}
	return names
}

// matching are the endpoints of a site that are of a Link's group.
func matching(s world.SiteView, have []world.Endpoint) []world.Endpoint {
	if len(s.Endpoints) == 1 {
		return slices.Clone(s.Endpoints)
	}
	return slices.DeleteFunc(slices.Clone(s.Endpoints), func(e world.Endpoint) bool {
		return !slices.ContainsFunc(have, func(h world.Endpoint) bool { return h.Group == e.Group })
	})
}

// meddle changes the clusters behind the planner's back, as people, crashes and
// controllers do.
func (m *model) meddle(r *rand.Rand) {
	view := &m.obs.Clusters[r.IntN(len(m.obs.Clusters))]
	switch r.IntN(18) {
	case 17:
		m.answerLate(r, view)
	case 14:
		if n := len(view.Secrets); n > 0 {
			view.Secrets[r.IntN(n)].Labels = nil
		}
	case 15:
		if n := len(view.Certificates); n > 0 {
			view.Certificates[r.IntN(n)].Labels = nil
		}
	case 16:
		for i := range view.Links {
			view.Links[i].Operational = r.IntN(2) == 0
		}
	case 10:
		if n := len(view.Proxies); n > 0 {
			view.Proxies[r.IntN(n)].Digest = "changed by hand"
		}
	case 11:
		if n := len(view.Proxies); n > 0 {
			gone := view.Proxies[n-1].UID
			view.Proxies = slices.Delete(view.Proxies, n-1, n)
			view.Secrets = slices.DeleteFunc(view.Secrets, func(s world.SecretView) bool { return s.UID == gone })
		}
	case 12:
		for i := range view.Sites { // load balancers move
			for j := range view.Sites[i].Endpoints {
				view.Sites[i].Endpoints[j].Host += "x"
			}
		}
	case 13:
		if n := len(view.Links); n > 0 {
			view.Links[r.IntN(n)].Proxy = ""
		}
	case 0:
		if n := len(view.Links); n > 0 {
			view.Links = slices.Delete(view.Links, 0, 1)
		}
	case 1:
		for i := range view.Links {
			view.Links[i].Cost = 1 + r.Int32N(5)
		}
	case 2:
		if n := len(view.Sites); n > 0 {
			m.collect(view, view.Sites[r.IntN(n)].UID)
		}
	case 3:
		if n := len(view.Inventories); n > 0 {
			view.Inventories = slices.Delete(view.Inventories, n-1, n)
		}
	case 4:
		if n := len(view.Links); n > 0 {
			view.Links[r.IntN(n)].Labels = nil
		}
	case 5:
		if n := len(view.Sites); n > 0 {
			view.Sites[r.IntN(n)].Fields["linkAccess"] = "nodeport"
		}
	case 6:
		m.interrupt(r, view)
	case 7:
		if n := len(view.Secrets); n > 0 {
			gone := view.Secrets[n-1].UID
			view.Secrets = slices.Delete(view.Secrets, n-1, n)
			view.Proxies = slices.DeleteFunc(view.Proxies, func(p world.ProxyView) bool { return p.UID == gone })
		}
	case 8:
		if n := len(view.Inventories); n > 0 {
			ns := view.Inventories[r.IntN(n)].Namespace
			view.Grants = append(view.Grants, world.GrantView{Meta: world.Meta{Namespace: ns, Name: m.uid(), UID: m.uid(), Marked: true, Labels: m.labels(plan.LabelLink, "l1")}})
		}
	case 9:
		taken := func(s world.SecretView) bool { return s.Namespace == view.Sites[0].Namespace && s.Name == "l2" }
		if n := len(view.Sites); n > 0 && !slices.ContainsFunc(view.Secrets, taken) {
			view.Secrets = append(view.Secrets, world.SecretView{Meta: world.Meta{Namespace: view.Sites[0].Namespace, Name: "l2", UID: m.uid()}})
		}
	}
}

// interrupt leaves a link as an apply that was killed does: recorded as under way,
// with none, some or all of what its redemption makes.
func (m *model) interrupt(r *rand.Rand, view *world.ClusterView) {
	if len(view.Inventories) == 0 {
		return
	}
	inv := &view.Inventories[r.IntN(len(view.Inventories))]
	for name, l := range inv.Content.Links {
		if l.State == record.LinkRetired {
			continue
		}
		l.State = record.LinkUnderWay
		inv.Content.Links[name] = l
		object := network.ObjectName(name, l.Attempt)
		if r.IntN(2) == 0 {
			view.Tokens = append(view.Tokens, world.TokenView{Meta: world.Meta{Namespace: inv.Namespace, Name: object, UID: m.uid(), Marked: true, Labels: m.labels(plan.LabelLink, string(name))}})
		}
		for i := range view.Links {
			if view.Links[i].Namespace == inv.Namespace && view.Links[i].Name == object && r.IntN(2) == 0 {
				view.Links[i].Labels = nil
			}
		}
	}
}

// answerLate lets a redemption that was given up make its Secret, and maybe its Link.
func (m *model) answerLate(r *rand.Rand, view *world.ClusterView) {
	for _, inv := range view.Inventories {
		site := slices.IndexFunc(view.Sites, func(s world.SiteView) bool { return s.Namespace == inv.Namespace && s.Owned(m.net) })
		if site < 0 {
			continue
		}
		for name, l := range inv.Content.Links {
			attempts := slices.Clone(l.Unanswered)
			for attempt := 1; l.State != record.LinkRetired && attempt <= l.Attempt; attempt++ {
				attempts = append(attempts, attempt)
			}
			for _, attempt := range attempts {
				token := network.ObjectName(name, attempt)
				there := slices.ContainsFunc(view.Tokens, func(v world.TokenView) bool { return v.Namespace == inv.Namespace && v.Name == token })
				if there || slices.Contains(view.Sites[site].Unanswered, token) {
					m.redeemLate(view, view.Sites[site], token, r.IntN(2) == 0)
				}
			}
		}
	}
}

func (m *model) redeemLate(view *world.ClusterView, site world.SiteView, object string, withLink bool) {
	for _, v := range view.Secrets {
		if v.Namespace == site.Namespace && v.Name == object {
			return
		}
	}
	for _, v := range view.Links {
		if v.Namespace == site.Namespace && (v.Name == object || v.TLSCredentials == object) {
			return
		}
	}
	meta := world.Meta{Namespace: site.Namespace, Name: object, UID: m.uid(), OwnerUID: site.UID}
	view.Secrets = append(view.Secrets, world.SecretView{Meta: meta})
	if withLink {
		meta.UID = m.uid()
		view.Links = append(view.Links, world.LinkView{Meta: meta, Cost: 1, TLSCredentials: object, Operational: true})
	}
}

// wanted are the desired objects, with the digest that the proxies' references give.
func (m *model) wanted(n network.Network) plan.Desired {
	d := desired.Build(n)
	for i := range d.Proxies {
		d.Proxies[i].Digest, d.Proxies[i].Unknown = m.digest, ""
	}
	return d
}
