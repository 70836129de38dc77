package schema_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"fairlead.dev/fairlead/schema"
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// odd texts may stand wherever a description takes any text.
var odd = []string{
	"a.b/c:d@e", "_hidden", "#Definition", "__x", `q"uo'te`, "tab\tnew\nline", `\(x)`, `"""`, "#\"x\"#", "ünï✓", "\u2028", "\x00\x7f\r", "\uFEFFbom", " ",
	"for", "null", "true", "string", "network", "0x1", "-", "// no comment", "a b", "$x", `back\slash`,
}

// oddClusters are names that a cluster may have, some of which mean something to CUE.
var oddClusters = []string{
	"a.b:c@d_e", "_hidden", "#Definition", "__x", `q"uo'te`, "#\"x\"#", "ünï✓", `$(x)`, `"""`,
	"for", "null", "true", "string", "network", "0x1", "-", "$x",
}

// words are DNS labels, some of which mean something to CUE.
var words = []string{"for", "if", "in", "let", "null", "true", "string", "import", "package", "network", "0", "0x1", "1e3", "a-b", "x", "len"}

// maker makes random networks that are valid, with every field and default.
type maker struct {
	*rand.Rand
	n network.Network
}

func (m *maker) odd() string { return odd[m.IntN(len(odd))] }

// word is a label that is not used twice.
func (m *maker) word(i int) string {
	if i == 0 {
		return words[m.IntN(len(words))]
	}
	return fmt.Sprintf("%s-%dx", words[m.IntN(len(words))], i)
}

func (m *maker) sometimes(s string) string {
	if m.IntN(2) == 0 {
		return ""
	}
	return s
}

func (m *maker) secret() *network.SecretRef {
	file := func() *network.EncryptedFile {
		return &network.EncryptedFile{File: m.odd(), Key: m.sometimes(m.odd())}
	}
	switch m.IntN(7) {
	case 0:
		return &network.SecretRef{Env: "VARIABLE"}
	case 1:
		return &network.SecretRef{File: m.odd()}
	case 2:
		return &network.SecretRef{Age: file()}
	case 3:
		return &network.SecretRef{SOPS: file()}
	case 4:
		return &network.SecretRef{Kubernetes: &network.SecretKey{Cluster: m.n.Clusters[0].Name, Namespace: m.odd(), Name: m.odd(), Key: m.odd()}}
	case 5:
		return &network.SecretRef{Command: []string{m.odd(), "", m.odd()}}
	}
	return nil
}

func (m *maker) network() network.Network {
	m.n = network.Network{
		Name: m.word(0), Overlay: m.sometimes("overlays/all"),
		Policy: m.policy(),
	}
	// The last cluster is never the source of a kubeconfig.
	for i := range 1 + m.IntN(3) {
		c := network.Cluster{
			Name:    network.ClusterName(fmt.Sprintf("%s%d", oddClusters[m.IntN(len(oddClusters))], i)),
			Context: fmt.Sprintf("%s%d", m.odd(), i), LockNamespace: m.sometimes("locks"),
		}
		if i > 0 {
			c.Kubeconfig = m.secret()
		}
		m.n.Clusters = append(m.n.Clusters, c)
	}
	for i := range 2 + m.IntN(5) {
		m.n.Sites = append(m.n.Sites, m.site(i))
	}
	m.n.Sites[0].Edge, m.n.Sites[0].LinkAccess = false, "default"
	for i := range m.IntN(3) {
		p := network.Proxy{Name: network.ProxyName(m.word(i)), Host: "proxy.example.com", Port: 1 + m.IntN(65535), Username: m.secret(), Password: m.secret()}
		if p.Username == nil || p.Password == nil {
			p.Username, p.Password = nil, nil
		}
		m.n.Proxies = append(m.n.Proxies, p)
	}
	for i := range m.n.Sites[1:] {
		m.n.Links = append(m.n.Links, m.link(i, m.n.Sites[i+1].Name))
	}
	return sorted(m.n)
}

func (m *maker) policy() network.Policy {
	limit := func(usual int) int { return []int{0, usual, 100}[m.IntN(3)] }
	usual := network.DefaultDeletes
	p := network.Policy{
		UnreachableSites: []network.Level{network.LevelWarn, network.LevelError}[m.IntN(2)], Clean: m.IntN(2) == 0,
		Deletes:    network.DeleteLimits{Sites: limit(usual.Sites), Links: limit(usual.Links), Objects: limit(usual.Objects), Percent: limit(usual.Percent)},
		PlanExpiry: m.sometimes("1h30m"),
	}
	for range m.IntN(3) {
		p.Signers = append(p.Signers, "keys/"+m.odd())
	}
	for range m.IntN(3) {
		path := []string{"link/*/cost", "site/*/settings.*", "object/*/Job/" + m.word(0) + "/" + m.odd()}[m.IntN(3)]
		p.Ignore = append(p.Ignore, network.Ignore{Path: path, Reason: "x" + m.odd()})
	}
	return p
}

func (m *maker) site(i int) network.Site {
	s := network.Site{
		Name: network.SiteName(m.word(i)), Cluster: m.n.Clusters[m.IntN(len(m.n.Clusters))].Name, Namespace: fmt.Sprintf("ns%d", i),
		Protect: m.IntN(2) == 0, DefaultIssuer: m.sometimes(m.odd()), ServiceAccount: m.sometimes(m.odd()),
		Overlay: m.sometimes("overlays/one"), Settings: map[string]string{},
	}
	s.Object = string(s.Name)
	if m.IntN(2) == 0 {
		s.Object = "some.object"
	}
	if s.Edge = m.IntN(3) == 0; !s.Edge {
		s.HA = m.IntN(2) == 0
		s.LinkAccess = []string{"", "none", "default", "route"}[m.IntN(4)]
	}
	for range m.IntN(4) {
		s.Settings[m.odd()] = m.sometimes(m.odd())
	}
	return s
}

func (m *maker) link(i int, from network.SiteName) network.Link {
	l := network.Link{
		Name: network.LinkName(m.word(i)), From: from, To: m.n.Sites[0].Name,
		Cost: []int32{1, 2, 99999, 1<<31 - 1}[m.IntN(4)], Via: []network.Via{network.ViaToken, network.ViaCertificate}[m.IntN(2)],
		Rotation: []int32{0, 1, 7}[m.IntN(3)],
	}
	if len(m.n.Proxies) > 0 && m.IntN(2) == 0 {
		l.Proxy, l.Via = m.n.Proxies[m.IntN(len(m.n.Proxies))].Name, network.ViaCertificate
	}
	l.Object = string(l.Name)
	if m.IntN(2) == 0 {
		l.Object = "skupper-router-1.x"
	}
	return l
}

// sorted gives the network in the order of its names, with no list nil.
func sorted(n network.Network) network.Network {
	n.Clusters = inOrder(n.Clusters, func(c network.Cluster) string { return string(c.Name) })
	n.Sites = inOrder(n.Sites, func(s network.Site) string { return string(s.Name) })
	n.Links = inOrder(n.Links, func(l network.Link) string { return string(l.Name) })
	n.Proxies = inOrder(n.Proxies, func(p network.Proxy) string { return string(p.Name) })
	return n
}

func inOrder[V any](list []V, name func(V) string) []V {
	out := append([]V{}, list...)
	slices.SortFunc(out, func(a, b V) int { return strings.Compare(name(a), name(b)) })
	return out
}

func TestLoadTextFindsMistakes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"package x\nnetwork: \"n\" {":                        "x.cue:2:14: error: ",
		"package x\nnetwork: \"n\"\nlinks: l: from: \"a\"\n": `x.cue:3:8: error: link "l": `,
	} {
		res := schema.LoadText("x.cue", []byte(text))
		if !res.Findings.HasErrors() || !strings.HasPrefix(res.Findings[0].String(), want) {
			t.Errorf("findings %v, want %s…", res.Findings, want)
		}
	}
}

// Loading what was written gives the network that was written.
func TestWriteAndLoad(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		want := (&maker{Rand: r}).network()
		text, err := schema.Write(want, []string{odd[r.IntN(len(odd))], "two\nlines"})
		if err != nil {
			t.Fatal(err)
		}
		res := loadDir(t, tree("network.cue", string(text)), ".")
		if diff := cmp.Diff(res, schema.LoadText("network.cue", text)); diff != "" {
			t.Fatalf("LoadText differs from Load (-Load +LoadText):\n%s", diff)
		}
		if res.Findings.HasErrors() {
			t.Fatalf("%v\n%s", res.Findings, text)
		}
		if diff := cmp.Diff(want, res.Network, cmpopts.IgnoreTypes(diag.Position{})); diff != "" {
			t.Fatalf("network (-written +loaded):\n%s\n%s", diff, text)
		}
	}
}

const writtenText = `// Imported from two clusters.
//
// Left out:
//   one thing

package network

network: "retail"

clusters: {
	hub: context:          "hub-admin"
	"kind-shops": context: "kind-shops"
}

sites: {
	hub: {cluster: "hub", namespace: "retail", linkAccess: "default", ha: true}
	shop: {
		cluster:        "kind-shops"
		namespace:      "shop"
		edge:           true
		serviceAccount: "router"
		object:         "my-site"
		settings: "router-data-connection-count": "4"
	}
}

proxies: {
	corp: {
		host: "proxy.example.com"
		port: 3128
		username: kubernetes: {cluster: "kind-shops", namespace: "shop", name: "corp", key: "username"}
		password: kubernetes: {cluster: "kind-shops", namespace: "shop", name: "corp", key: "password"}
	}
}

links: {
	"shop-hub": {from: "shop", to: "hub", cost: 5, proxy: "corp"}
}

policy: {deletes: links: 0, clean: true, signers: ["keys/alice.asc"], planExpiry: "24h"}
`

func TestWriteLooksWell(t *testing.T) {
	t.Parallel()
	text, err := schema.Write(network.Network{
		Name: "retail",
		Policy: network.Policy{
			Deletes: network.DeleteLimits{Sites: 10, Links: 0, Objects: 50, Percent: 30}, Clean: true, Signers: []string{"keys/alice.asc"},
			PlanExpiry: "24h",
		},
		Clusters: []network.Cluster{{Name: "hub", Context: "hub-admin"}, {Name: "kind-shops", Context: "kind-shops"}},
		Sites: []network.Site{
			{Name: "hub", Cluster: "hub", Namespace: "retail", LinkAccess: "default", HA: true, Object: "hub"},
			{Name: "shop", Cluster: "kind-shops", Namespace: "shop", Edge: true, Object: "my-site", ServiceAccount: "router",
				Settings: map[string]string{"router-data-connection-count": "4"}},
		},
		Proxies: []network.Proxy{{Name: "corp", Host: "proxy.example.com", Port: 3128,
			Username: &network.SecretRef{Kubernetes: &network.SecretKey{Cluster: "kind-shops", Namespace: "shop", Name: "corp", Key: "username"}},
			Password: &network.SecretRef{Kubernetes: &network.SecretKey{Cluster: "kind-shops", Namespace: "shop", Name: "corp", Key: "password"}}}},
		Links: []network.Link{{Name: "shop-hub", From: "shop", To: "hub", Cost: 5, Via: network.ViaCertificate, Proxy: "corp", Object: "shop-hub"}},
	}, []string{"Imported from two clusters.", "", "Left out:", "  one thing"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(writtenText, string(text)); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
}
