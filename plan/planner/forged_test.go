package planner_test

import (
	"slices"
	"testing"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/approve"
	"fairlead.dev/fairlead/plan/record"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// A record that somebody forged removes nothing that Fairlead did not make, of any kind, and
// overwrites no object either.
func TestForgedRecord(t *testing.T) {
	t.Parallel()
	foreign := func(name string) world.Meta {
		return world.Meta{Namespace: "shop00", Name: name, UID: "foreign-" + name}
	}
	for _, tt := range []struct {
		name  string
		forge func(v *world.ClusterView, inv *record.Inventory)
	}{
		{"an object", func(v *world.ClusterView, inv *record.Inventory) {
			v.Objects = append(v.Objects, world.ObjectView{Meta: foreign("quota"), APIVersion: "v1", Kind: "ResourceQuota"})
			inv.Objects = map[string]record.Object{"ResourceQuota/quota": {
				APIVersion: "v1", Kind: "ResourceQuota", Name: "quota", UID: "foreign-quota", Fields: map[string]any{"spec": "x"},
			}}
		}},
		{"the Site as an object", func(v *world.ClusterView, inv *record.Inventory) {
			for _, s := range v.Sites {
				v.Objects = append(v.Objects, world.ObjectView{Meta: s.Meta, APIVersion: "skupper.io/v2alpha1", Kind: "Site"})
			}
			inv.Objects = map[string]record.Object{"Site.skupper.io/shop00": {
				APIVersion: "skupper.io/v2alpha1", Kind: "Site", Name: "shop00", UID: inv.UID, Fields: map[string]any{"spec": "x"},
			}}
		}},
		{"a Link and its Secret", func(v *world.ClusterView, inv *record.Inventory) {
			v.Links = append(v.Links, world.LinkView{Meta: foreign("by-hand"), TLSCredentials: "keys"})
			v.Secrets = append(v.Secrets, world.SecretView{Meta: foreign("keys")})
			inv.Links["gone"] = record.Link{State: record.LinkApplied, To: "hub", Objects: []string{"by-hand"}, Adopted: true, Attempt: 1}
		}},
		{"a Secret of a link by certificate", func(v *world.ClusterView, inv *record.Inventory) {
			v.Links = append(v.Links, world.LinkView{Meta: foreign("by-hand"), TLSCredentials: "gone"})
			v.Secrets = append(v.Secrets, world.SecretView{Meta: foreign("gone")})
			inv.Links["gone"] = record.Link{State: record.LinkApplied, To: "hub", Objects: []string{"by-hand"}, Via: network.ViaCertificate, Attempt: 1}
		}},
		{"a Certificate", func(v *world.ClusterView, inv *record.Inventory) {
			v.Certificates = append(v.Certificates, world.CertificateView{Meta: foreign(plan.GrantName("net", "gone", 1))})
			inv.Links["gone"] = record.Link{State: record.LinkApplied, To: "shop00", ToCluster: "b", ToNamespace: "shop00", Via: network.ViaCertificate, Attempt: 1}
		}},
		{"the Secret of a proxy", func(v *world.ClusterView, inv *record.Inventory) {
			name := network.ProxySecretName("corp", 1)
			v.Secrets = append(v.Secrets, world.SecretView{Meta: foreign(name)})
			v.Proxies = append(v.Proxies, world.ProxyView{Meta: foreign(name), Host: "h", Port: "1"})
			inv.Proxies = map[network.ProxyName]record.Proxy{"corp": {Revision: 1}}
		}},
		{"a Link that somebody's token made", func(v *world.ClusterView, inv *record.Inventory) {
			somebodysLink(v, "gone")
			inv.Links["gone"] = record.Link{State: record.LinkApplied, To: "hub", Objects: []string{"gone"}, Attempt: 1}
		}},
		{"a Link that somebody's token made, as under way", func(v *world.ClusterView, inv *record.Inventory) {
			somebodysLink(v, "gone")
			inv.Links["gone"] = record.Link{State: record.LinkUnderWay, To: "hub", Attempt: 1}
		}},
		{"a Link that somebody's token made, as one that nobody heard of", func(v *world.ClusterView, inv *record.Inventory) {
			somebodysLink(v, "gone")
			inv.Links["gone"] = record.Link{State: record.LinkRetired, To: "hub", Unanswered: []int{1}, Attempt: 1}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n := star(1)
			m := carriedOut(t, n)
			view := m.cluster("b")
			tt.forge(view, &view.Inventories[0].Content)
			for _, a := range m.plan(n).Actions {
				removed := []string{}
				switch {
				case a.Link != nil:
					for _, r := range a.Link.Remove {
						removed = append(removed, r.UID)
					}
				case a.Verb == plan.VerbDelete && a.Object != nil:
					removed = append(removed, a.Object.UID)
				case a.Verb == plan.VerbDelete && a.Proxy != nil:
					removed = append(removed, a.Proxy.Secret.UID)
				}
				if slices.ContainsFunc(removed, func(uid string) bool { return uid != "" }) {
					t.Errorf("%s %s removes %v", a.Verb, a.ID, removed)
				}
			}
		})
	}
}

// somebodysLink is a Link of a name, with its Secret, that a token made which is not ours.
func somebodysLink(v *world.ClusterView, name string) {
	for _, s := range v.Sites {
		if s.Name == "shop00" {
			meta := world.Meta{Namespace: s.Namespace, Name: name, UID: "foreign-" + name, OwnerUID: s.UID}
			v.Links = append(v.Links, world.LinkView{Meta: meta, TLSCredentials: name, Cost: 1, Operational: true})
			meta.UID += "-keys"
			v.Secrets = append(v.Secrets, world.SecretView{Meta: meta})
		}
	}
}

// A record that somebody forged takes nothing over.
func TestForgedRecordTakesNothing(t *testing.T) {
	t.Parallel()
	for name, forged := range map[string]record.Link{
		"applied":             {State: record.LinkApplied, To: "hub", Objects: []string{"shop00-hub"}, Attempt: 1},
		"under way":           {State: record.LinkUnderWay, To: "hub", Attempt: 1},
		"adoption under way":  {State: record.LinkUnderWay, To: "hub", Objects: []string{"shop00-hub"}, Adopted: true, Attempt: 1},
		"nobody heard of it":  {State: record.LinkRetired, To: "hub", Unanswered: []int{1}, Attempt: 1},
		"one of another name": {State: record.LinkApplied, To: "hub", Objects: []string{"by-hand"}, Attempt: 1},
		"adopted before":      {State: record.LinkApplied, To: "hub", Objects: []string{"by-hand"}, Adopted: true, Attempt: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := star(1)
			bare := n
			bare.Links = nil
			m := carriedOut(t, bare)
			view := m.cluster("b")
			for _, object := range []string{"shop00-hub", "by-hand"} {
				somebodysLink(view, object)
			}
			forged.ToCluster, forged.ToNamespace = "a", "hub"
			view.Inventories[0].Content.Links["shop00-hub"] = forged
			p := m.plan(n)
			for _, a := range p.Actions {
				if a.Link == nil {
					continue
				}
				for _, l := range slices.Concat(a.Link.Live, a.Link.Seen) {
					t.Errorf("%s %s takes %s (UID %s)", a.Verb, a.ID, l.Name, l.UID)
				}
				if len(a.Link.Remove) > 0 {
					t.Errorf("%s %s removes %v", a.Verb, a.ID, a.Link.Remove)
				}
			}
			if len(p.Refusals) == 0 && !p.Pending() {
				t.Errorf("neither refused nor made: %s", dump(p))
			}
		})
	}
}

// What a saved plan does to a proxy, or to an object of a kind that is not served or may not
// be read, is not done because nobody can tell.
func TestApproveUntold(t *testing.T) {
	t.Parallel()
	proxy := plan.Action{ID: "proxy/corp@b/shop00", Kind: plan.KindProxy, Verb: plan.VerbCreate, Cluster: "b", Namespace: "shop00", Name: "corp", Proxy: &plan.ProxyWork{}}
	link := plan.Action{ID: "link/l", Kind: plan.KindLink, Verb: plan.VerbReplace, Cluster: "b", Namespace: "shop00", Name: "l", DependsOn: []string{proxy.ID},
		Link: &plan.LinkWork{From: plan.End{Site: "shop00", Cluster: "b"}, To: plan.End{Site: "hub", Cluster: "b"}, Proxy: "corp"}}
	object := plan.Action{ID: "object/shop00/Widget/x", Kind: plan.KindObject, Verb: plan.VerbDelete, Cluster: "b", Namespace: "shop00", Name: "x",
		Object: &plan.ObjectWork{Site: "shop00", APIVersion: "e.com/v1", Kind: "Widget", UID: "u"}}
	saved := plan.Plan{Actions: []plan.Action{proxy, link, object}}
	standings := func(now plan.Plan) (out []approve.Standing) {
		now.Clusters = []plan.Cluster{{Name: "b", State: plan.StateOK}}
		for _, j := range approve.Approve(saved, now).Judged {
			out = append(out, j.Standing)
		}
		return out
	}
	told := func(code, subject string) plan.Plan {
		p := plan.Plan{}
		p.Diagnostics = append(p.Diagnostics, diagOf(code, subject))
		return p
	}
	const done, unknown, stale = approve.StandingDone, approve.StandingUnknown, approve.StandingStale
	for name, tt := range map[string]struct {
		now  plan.Plan
		want []approve.Standing
	}{
		"all is told":                  {plan.Plan{}, []approve.Standing{done, done, done}},
		"the credentials are not read": {told("proxy-unknown", `proxy "corp"`), []approve.Standing{unknown, unknown, done}},
		"the kind is not served":       {told("unknown-kind", `object Widget/x of site "shop00"`), []approve.Standing{done, done, unknown}},
		"the kind may not be read":     {told("kind-unread", `object Widget/x of site "shop00"`), []approve.Standing{done, done, unknown}},
		"the link is refused": {plan.Plan{Refusals: []plan.Refusal{{Code: "unsupported-version", Subject: `link "l"`}}},
			[]approve.Standing{stale, stale, done}},
	} {
		if got := standings(tt.now); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

func diagOf(code, subject string) diag.Finding {
	return diag.Finding{Severity: diag.Warning, Code: code, Subject: subject, Message: "is not known"}
}
