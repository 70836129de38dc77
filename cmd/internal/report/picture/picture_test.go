package picture_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/cmd/internal/report/picture"
	"fairlead.dev/fairlead/schema/network"
)

var formats = map[string]func(io.Writer, picture.Picture) error{
	"mermaid": picture.Mermaid, "dot": picture.DOT, "svg": picture.SVG,
}

func draw(t *testing.T, format string, p picture.Picture) string {
	t.Helper()
	var b bytes.Buffer
	if err := formats[format](&b, p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// shops is a hub with some shops in another cluster.
func shops(count int) network.Network {
	n := network.Network{Name: "retail", Sites: []network.Site{{Name: "hub", Cluster: "hubs", LinkAccess: "default"}}}
	for i := range count {
		name := network.SiteName(fmt.Sprintf("shop%d", i+1))
		n.Sites = append(n.Sites, network.Site{Name: name, Cluster: "shops", Edge: i%2 == 1})
		n.Links = append(n.Links, network.Link{Name: network.LinkName(name + "-hub"), From: name, To: "hub", Cost: 3})
	}
	return n
}

func TestPictureOfChange(t *testing.T) {
	t.Parallel()
	before, after := shops(3), shops(4)
	after.Sites[1].Edge = true      // shop1
	after.Sites = after.Sites[:4:4] // without shop4
	after.Links[1].Cost = 9         // shop2-hub
	before.Sites = before.Sites[:3] // without shop3
	before.Links[2].From = "shop2"  // its link is another one's
	before.Sites = append(before.Sites, network.Site{Name: "old", Cluster: "gone"})
	got := picture.OfChange(before, after)
	want := picture.Picture{
		Name:   "retail",
		Groups: []picture.Group{{Name: "gone", Change: picture.Removed}, {Name: "hubs"}, {Name: "shops"}},
		Nodes: []picture.Node{
			{Name: "hub", Group: "hubs", Listens: true},
			{Name: "old", Group: "gone", Change: picture.Removed},
			{Name: "shop1", Group: "shops", Edge: true, Change: picture.Changed},
			{Name: "shop2", Group: "shops", Edge: true},
			{Name: "shop3", Group: "shops", Change: picture.Added},
		},
		Edges: []picture.Edge{
			{Name: "shop1-hub", From: "shop1", To: "hub", Cost: 3},
			{Name: "shop2-hub", From: "shop2", To: "hub", Cost: 9, Was: 3, Change: picture.Changed},
			{Name: "shop3-hub", From: "shop2", To: "hub", Cost: 3, Change: picture.Removed},
			{Name: "shop3-hub", From: "shop3", To: "hub", Cost: 3, Change: picture.Added},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestCondensed(t *testing.T) {
	t.Parallel()
	n := shops(60)
	n.Links[4].Cost = 7 // shop5 is like no other
	p := picture.Of(n).Condensed(picture.ReadableNodes)
	var labels []string
	for _, v := range p.Nodes {
		labels = append(labels, v.Label())
	}
	want := []string{"29 sites: shop1, shop3 and 27 more", "30 sites: shop2, shop4 and 28 more", "hub", "shop5"}
	slices.Sort(labels)
	if diff := cmp.Diff(want, labels); diff != "" || len(p.Edges) != 3 {
		t.Errorf("%d links, %s", len(p.Edges), diff)
	}
	if small := picture.Of(shops(9)); !cmp.Equal(small, small.Condensed(picture.ReadableNodes)) {
		t.Error("a small picture is condensed")
	}
}

// hostile are names that would end a label, start markup, or be code in some format.
var hostile = []string{
	`a"]; click n0 "javascript:alert(1)"`, "b`**bold**`", "c</text><script>alert(1)</script>", "d\\", `e\N\G`,
	"f\n  end\n  n0 --- n1", "g%%{init: {}}%%", "h]]>", "i&lt;#quot;#35;", "j\x00\x07", "end", "graph", "k\"label=<b>x</b>", "l\u202e\u2028m", "n|\"|x", "@everyone ``` ", "\xff\xfe",
}

func hostileNet() network.Network {
	n := network.Network{Name: hostile[0]}
	for i, name := range hostile {
		n.Sites = append(n.Sites, network.Site{Name: network.SiteName(name), Cluster: network.ClusterName(hostile[i/3]), LinkAccess: []string{"", "default"}[i%2], Edge: i%4 == 2})
		n.Links = append(n.Links, network.Link{Name: network.LinkName(name), From: network.SiteName(name), To: network.SiteName(hostile[(i+1)%len(hostile)]), Cost: 2})
	}
	return n
}

var mermaidLine = regexp.MustCompile(`^(flowchart LR|  subgraph c\d+\["[^"<>` + "`" + `]*"\]|    n\d+(\[\["[^"<>` + "`" + `]*"\]\]|\["[^"<>` + "`" + `]*"\]|\(\["[^"<>` + "`" + `]*"\]\))|  end|  n\d+ ---\|"[0-9→ ]+"\| n\d+|  (classDef|class|linkStyle) [a-z0-9,:#;\- ]+)$`)

func TestMermaidCannotBeBrokenOutOf(t *testing.T) {
	t.Parallel()
	after := hostileNet()
	after.Sites, after.Links = after.Sites[3:], after.Links[3:]
	for line := range strings.Lines(draw(t, "mermaid", picture.OfChange(hostileNet(), after))) {
		if !mermaidLine.MatchString(strings.TrimSuffix(line, "\n")) {
			t.Errorf("unexpected line %q", line)
		}
	}
}

// All names come out of the XML as they went in, but for what XML cannot hold, and there
// is nothing in it that could run or load anything.
func TestSVGIsSafeAndWhole(t *testing.T) {
	t.Parallel()
	out := draw(t, "svg", picture.Of(hostileNet()))
	titles := map[string]bool{}
	decoder := xml.NewDecoder(strings.NewReader(out))
	inTitle := false
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch v := token.(type) {
		case xml.StartElement:
			if inTitle = v.Name.Local == "title"; !slices.Contains([]string{"svg", "title", "style", "rect", "path", "text", "g"}, v.Name.Local) {
				t.Errorf("element %s", v.Name.Local)
			}
			for _, a := range v.Attr {
				if strings.HasPrefix(a.Name.Local, "on") || a.Name.Local == "href" || a.Name.Local == "style" {
					t.Errorf("attribute %s", a.Name.Local)
				}
			}
		case xml.CharData:
			if inTitle {
				titles[string(v)] = true
			}
			inTitle = false
		}
	}
	for _, name := range []string{hostile[0], hostile[2], "end"} {
		if !slices.ContainsFunc(keys(titles), func(title string) bool { return strings.HasPrefix(title, name+": ") }) {
			t.Errorf("no title of %q", name)
		}
	}
	if strings.Contains(out, "url(") || strings.Contains(out, "@import") || strings.Count(out, "http") != 1 { // the name space
		t.Error("something may be loaded")
	}
}

func keys(m map[string]bool) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	return out
}

// The real Graphviz reads the picture and finds every site in it.
func TestDOTReadsInGraphviz(t *testing.T) {
	t.Parallel()
	dot, err := exec.LookPath("dot")
	if err != nil {
		t.Skip("graphviz is not installed")
	}
	for name, n := range map[string]network.Network{"hostile": hostileNet(), "shops": shops(20)} {
		cmd := exec.CommandContext(t.Context(), dot, "-Tplain")
		cmd.Stdin = strings.NewReader(draw(t, "dot", picture.Of(n)))
		var problems bytes.Buffer
		cmd.Stderr = &problems
		out, err := cmd.Output()
		nodes := strings.Count("\n"+string(out), "\nnode ")
		if err != nil || nodes != len(n.Sites) || strings.Contains(problems.String(), "syntax") {
			t.Errorf("%s: %d nodes, %v\n%s", name, nodes, err, problems.String())
		}
	}
}

// The same network gives the same picture, in whatever order it is described.
func TestPicturesAreDeterministic(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	n := shops(60)
	for i := range n.Sites {
		n.Sites[i].LinkAccess = []string{"", "default"}[i%2]
		n.Links = append(n.Links, network.Link{Name: network.LinkName(fmt.Sprint("l", i)), From: n.Sites[i].Name, To: n.Sites[r.IntN(30)].Name, Cost: int32(i)})
	}
	for format := range formats {
		want := draw(t, format, picture.Of(n))
		r.Shuffle(len(n.Sites), func(i, j int) { n.Sites[i], n.Sites[j] = n.Sites[j], n.Sites[i] })
		r.Shuffle(len(n.Links), func(i, j int) { n.Links[i], n.Links[j] = n.Links[j], n.Links[i] })
		if diff := cmp.Diff(want, draw(t, format, picture.Of(n))); diff != "" {
			t.Errorf("%s:\n%s", format, diff)
		}
	}
}

// Every shape of network is drawn inside of its frame: none, one, two, many sites that
// links lead to, and sites without any link.
func TestSVGOfEveryShape(t *testing.T) {
	t.Parallel()
	mesh := func(count int) network.Network {
		n := network.Network{Name: "mesh"}
		for i := range count {
			n.Sites = append(n.Sites, network.Site{Name: network.SiteName(fmt.Sprintf("s%02d", i)), Cluster: network.ClusterName(fmt.Sprint("c", i%3)), LinkAccess: "default"})
			for j := range i {
				n.Links = append(n.Links, network.Link{Name: network.LinkName(fmt.Sprint(i, "-", j)), From: n.Sites[i].Name, To: n.Sites[j].Name, Cost: 1})
			}
		}
		return n
	}
	alone := network.Network{Sites: []network.Site{{Name: "a", Cluster: "x"}, {Name: "b", Cluster: "y"}}}
	for name, n := range map[string]network.Network{
		"empty": {}, "alone": alone, "five": shops(4), "fifty": shops(49), "two hundred": shops(199),
		"pair": mesh(2), "three": mesh(3), "dozen": mesh(12), "ring": mesh(40),
	} {
		checkFrame(t, name, draw(t, "svg", picture.Of(n)), len(n.Sites), len(n.Links))
	}
}

var (
	frame = regexp.MustCompile(`viewBox="0 0 (\d+) (\d+)"`)
	place = regexp.MustCompile(`<(?:text|rect)[^>]* x="(-?\d+)" y="(-?\d+)"`)
)

func checkFrame(t *testing.T, name, svg string, sites, links int) {
	t.Helper()
	var width, height int
	size := frame.FindStringSubmatch(svg)
	fmt.Sscan(size[1]+" "+size[2], &width, &height)
	for _, m := range place.FindAllStringSubmatch(svg, -1) {
		var x, y int
		fmt.Sscan(m[1]+" "+m[2], &x, &y)
		if x < 0 || y < 0 || x > width || y > height {
			t.Errorf("%s: %s is outside of %d by %d", name, m[0], width, height)
		}
	}
	if n := strings.Count(svg, `<g`); n != sites {
		t.Errorf("%s: %d sites, want %d", name, n, sites)
	}
	if n := strings.Count(svg, `<path class="link`); n != links {
		t.Errorf("%s: %d links, want %d", name, n, links)
	}
}

// Costs that all differ are drawn as what they lie between, but for those that change.
func TestCoarse(t *testing.T) {
	t.Parallel()
	before, after := shops(60), shops(60)
	for i := range before.Links {
		before.Links[i].Cost, after.Links[i].Cost = int32(i+1), int32(i+1)
	}
	after.Links[4].Cost = 99 // shop5
	p := picture.OfChange(before, after)
	if fine := p.Condensed(picture.ReadableNodes); len(fine.Nodes) != 61 {
		t.Errorf("%d nodes of costs that all differ", len(fine.Nodes))
	}
	var got []string
	for _, e := range p.Coarse(picture.ReadableNodes).Edges {
		got = append(got, e.From+" "+e.Label())
	}
	if diff := cmp.Diff([]string{"shop1 1…59", "shop10 2…60", "shop5 5 → 99"}, got); diff != "" {
		t.Error(diff)
	}
	if small := picture.Of(shops(9)); !cmp.Equal(small, small.Coarse(picture.ReadableNodes)) {
		t.Error("a small picture is condensed")
	}
}
