package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// The size of the large network.
const (
	hubs      = 20
	siteCount = 1000
	linkCount = 5000
	// changed is how many links' costs the description has moved on from.
	changed = 10
)

// shape is a network of hubs, which listen, and spokes, which connect to them.
type shape struct {
	name  string
	sites []siteOf
	links []linkOf
}

type siteOf struct {
	name    string
	cluster int
	listens bool
}

type linkOf struct {
	name, from, to string
	cost           int
}

func (s shape) namespace(site string) string { return s.name + "-" + site }

// large is the network of 1,000 sites and 5,000 links: the hubs are on the first
// cluster, the spokes on both in turn, each with links to five or six hubs.
func large() shape {
	s := shape{name: "large"}
	for i := range hubs {
		s.sites = append(s.sites, siteOf{fmt.Sprintf("hub%d", i), 0, true})
	}
	spokes := siteCount - hubs
	for i := range spokes {
		s.sites = append(s.sites, siteOf{fmt.Sprintf("spoke%d", i), i % 2, false})
	}
	for i := range linkCount {
		spoke := i % spokes
		hub := (spoke + i/spokes) % hubs
		s.links = append(s.links, linkOf{fmt.Sprintf("link%d", i), fmt.Sprintf("spoke%d", spoke), fmt.Sprintf("hub%d", hub), 1 + i%7})
	}
	return s
}

// star is one hub and spokes on both clusters in turn.
func star(name string, spokes int) shape {
	s := shape{name: name, sites: []siteOf{{"hub", 0, true}}}
	for i := range spokes {
		from := fmt.Sprintf("spoke%d", i)
		s.sites = append(s.sites, siteOf{from, i % 2, false})
		s.links = append(s.links, linkOf{from + "-hub", from, "hub", 1})
	}
	return s
}

// mesh is hubs on the first cluster and spokes on both in turn, the second first, each with
// a link to each.
func mesh(name string, spokes, hubs int) shape {
	s := shape{name: name}
	for h := range hubs {
		s.sites = append(s.sites, siteOf{fmt.Sprintf("hub%d", h), 0, true})
	}
	for i := range spokes {
		from := fmt.Sprintf("spoke%d", i)
		s.sites = append(s.sites, siteOf{from, (i + 1) % 2, false})
		for h := range hubs {
			s.links = append(s.links, linkOf{fmt.Sprintf("%s-hub%d", from, h), from, fmt.Sprintf("hub%d", h), 1})
		}
	}
	return s
}

// describe writes the network as a CUE module that vendors the schema, so that cue
// and fairlead read the very same files.
func (b *bench) describe(s shape) (dir string) {
	b.Helper()
	dir, err := os.MkdirTemp(b.work, s.name+"-")
	b.must(err)
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "schema", "schema.cue"))
	b.must(err)
	b.write(filepath.Join(dir, "cue.mod", "module.cue"), "module: \"example.com/net\"\nlanguage: version: \"v0.17.0\"\n")
	b.write(filepath.Join(dir, "cue.mod", "pkg", "fairlead.dev", "schema", "schema.cue"), string(text))
	b.write(filepath.Join(dir, "net.cue"), b.cue(s))
	return dir
}

func (b *bench) cue(s shape) string {
	contexts := b.contexts
	if contexts == nil {
		contexts = []string{"one", "two"}
	}
	var w strings.Builder
	w.WriteString("package net\n\nimport \"fairlead.dev/schema\"\n\nschema.#Network\n\n")
	fmt.Fprintf(&w, "network: %q\nclusters: {c0: context: %q, c1: context: %q}\nsites: {\n", s.name, contexts[0], contexts[1])
	for _, v := range s.sites {
		access := ""
		if v.listens {
			access = `, linkAccess: "default"`
		}
		fmt.Fprintf(&w, "\t%q: {cluster: \"c%d\", namespace: %q%s}\n", v.name, v.cluster, s.namespace(v.name), access)
	}
	w.WriteString("}\nlinks: {\n")
	for _, l := range s.links {
		fmt.Fprintf(&w, "\t%q: {from: %q, to: %q, cost: %d}\n", l.name, l.from, l.to, l.cost)
	}
	w.WriteString("}\n")
	return w.String()
}

func (b *bench) write(file, text string) {
	b.Helper()
	b.must(os.MkdirAll(filepath.Dir(file), 0o700))
	b.must(os.WriteFile(file, []byte(text), 0o600))
}
