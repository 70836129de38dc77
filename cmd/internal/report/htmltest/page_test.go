package htmltest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/cmd/internal/report/formats"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/status"
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// reports are pages of every kind.
func reports() map[string]report.Report {
	n := retail(5)
	unpictured := reportOf(n, changed(n))
	unpictured.Before, unpictured.After = nil, nil
	return map[string]report.Report{
		"plan": reportOf(n, changed(n)), "nothing": reportOf(n, n), "first": reportOf(network.Network{Name: n.Name}, n), "end": reportOf(n, network.Network{Name: n.Name}),
		"base": baseReport(n, changed(n)), "drift": driftReport(n), "without picture": unpictured,
		"200 sites": reportOf(retail(200), changed(retail(200))), "hostile": hostileReport(),
	}
}

// document is a parsed page.
type document struct {
	*testing.T
	root *html.Node
}

func parse(t *testing.T, text string) document {
	t.Helper()
	root, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return document{t, root}
}

// all gives the elements of a name; of every name for "*".
func (d document) all(name string) (out []*html.Node) {
	for n := range d.root.Descendants() {
		if n.Type == html.ElementNode && (name == "*" || n.Data == name) {
			out = append(out, n)
		}
	}
	return out
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func text(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	return b.String()
}

// elements are all that a page may have; none of them loads anything but by src or href,
// which TestNothingIsLoaded looks at.
var elements = strings.Fields(`html head meta link title style body a header div h1 h2 h3 p button span main section ul li b br
	details summary dl dt dd table thead tbody tr th td code ins del form label input footer script svg rect path text tspan g`)

// attributes are all that they may have: no handler, no style, no source.
var attributes = strings.Fields(`lang charset http-equiv content name rel href class id type aria-label aria-hidden aria-pressed scope role placeholder
	autocomplete spellcheck checked for hidden title open data-of data-is data-verb data-zoom tabindex
	x y width height rx d viewbox viewBox text-anchor transform`)

// A page has only what its template has, whatever names are in it, and refers to nothing
// but itself.
func TestNothingIsLoaded(t *testing.T) {
	t.Parallel()
	for name, r := range reports() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := parse(t, page(t, r))
			ids := d.ids()
			for _, n := range d.all("*") {
				if !slices.Contains(elements, n.Data) {
					t.Errorf("element %s", n.Data)
				}
				for _, a := range n.Attr {
					switch {
					case !slices.Contains(attributes, a.Key):
						t.Errorf("attribute %s of %s", a.Key, n.Data)
					case a.Key == "href" && a.Val != "data:," && !(strings.HasPrefix(a.Val, "#") && ids[a.Val[1:]]):
						t.Errorf("refers to %q", a.Val)
					case a.Key != "aria-label" && a.Key != "class" && strings.Contains(strings.ToLower(a.Val), "url("):
						t.Errorf("attribute %s is %q", a.Key, a.Val)
					}
				}
			}
			for _, n := range d.all("style") {
				if css := text(n); strings.Contains(css, "url(") || strings.Contains(css, "@import") || strings.Contains(css, "//") {
					t.Error("the style may load something")
				}
			}
		})
	}
}

// ids are those of all elements, which are different.
func (d document) ids() map[string]bool {
	d.Helper()
	ids := map[string]bool{}
	for _, n := range d.all("*") {
		if id := attribute(n, "id"); id != "" {
			if ids[id] {
				d.Errorf("two elements are %q", id)
			}
			ids[id] = true
		}
	}
	return ids
}

// The policy names the style and the script as they stand in the page, and nothing else
// can run.
func TestPolicy(t *testing.T) {
	t.Parallel()
	for name, r := range reports() {
		d := parse(t, page(t, r))
		policy := ""
		for _, n := range d.all("meta") {
			if attribute(n, "http-equiv") == "Content-Security-Policy" {
				policy = attribute(n, "content")
			}
		}
		styles, scripts := d.all("style"), slices.DeleteFunc(d.all("script"), func(n *html.Node) bool { return attribute(n, "type") == "application/json" })
		if len(styles) != 1 || len(scripts) != 1 {
			t.Fatalf("%s: %d styles and %d scripts", name, len(styles), len(scripts))
		}
		want := fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; img-src data:; base-uri 'none'; form-action 'none'", digest(styles[0]), digest(scripts[0]))
		if policy != want {
			t.Errorf("%s: the policy is %q, want %q", name, policy, want)
		}
	}
}

func digest(n *html.Node) string {
	sum := sha256.Sum256([]byte(text(n)))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// Each action has a row of its own, and what a row is about is in the picture, also where
// alike sites are drawn as one.
func TestRowsAndPicture(t *testing.T) {
	t.Parallel()
	for name, r := range reports() {
		p := r.Plan
		if p == nil {
			p = r.Drift
		}
		d := parse(t, page(t, r))
		rows, drawn, about := 0, map[string]bool{}, map[string]bool{}
		for _, n := range d.all("*") {
			is := strings.Fields(attribute(n, "data-is"))
			switch {
			case n.Data == "tr":
				if attribute(n, "data-verb") != "" {
					rows++
				}
				for _, id := range strings.Fields(attribute(n, "data-of")) {
					about[id] = true
				}
			default:
				for _, id := range is {
					drawn[id] = true
				}
			}
		}
		if want := len(p.Actions) + len(p.Behind); rows != want {
			t.Errorf("%s: %d rows of %d actions", name, rows, want)
		}
		for id := range about {
			if !drawn[id] {
				t.Errorf("%s: %s is in no picture", name, id)
			}
		}
		if r.After != nil && len(p.Actions) > 0 && len(about) == 0 {
			t.Errorf("%s: no row is about a part of the picture", name)
		}
	}
}

// What happens to a site is marked on it in the picture, be it to its Site, to an object
// or to a proxy in its namespace.
func TestSitesAreNoted(t *testing.T) {
	t.Parallel()
	n := retail(5)
	for kind, change := range map[string]func(*plan.Action){
		"site": func(a *plan.Action) { a.Kind, a.Name, a.Site = plan.KindSite, "shop2", &plan.SiteWork{} },
		"object": func(a *plan.Action) {
			a.Kind, a.Object = plan.KindObject, &plan.ObjectWork{Site: "shop2", Kind: "ConfigMap"}
		},
		"proxy": func(a *plan.Action) { a.Kind, a.Proxy = plan.KindProxy, &plan.ProxyWork{} },
	} {
		r := reportOf(n, n)
		a := plan.Action{ID: kind + "/x", Name: "x", Verb: plan.VerbUpdate, Cause: plan.CausePending, Cluster: "shops", Namespace: "retail-shop2"}
		change(&a)
		r.Plan.Actions = append(r.Plan.Actions, a)
		var noted []string
		for _, g := range parse(t, page(t, r)).all("g") {
			if attribute(g, "class") == "site noted" {
				noted = append(noted, attribute(g, "aria-label"))
			}
		}
		if len(noted) != 1 || !strings.HasPrefix(noted[0], "shop2: ") {
			t.Errorf("%s: noted are %q", kind, noted)
		}
	}
}

// data is what the script reads.
type data struct {
	Sites []struct{ Name string }
	Links []struct{ Name, From, To string }
}

func (d document) data() (out data) {
	d.Helper()
	for _, n := range d.all("script") {
		if attribute(n, "type") == "application/json" {
			if err := json.Unmarshal([]byte(text(n)), &out); err != nil {
				d.Fatal(err)
			}
		}
	}
	return out
}

// Whatever a name or a value holds is shown as it is, and the script gets it as it is.
func TestHostileNamesAreText(t *testing.T) {
	t.Parallel()
	d := parse(t, page(t, hostileReport()))
	shown := text(d.root)
	for _, name := range hostile {
		if !strings.Contains(shown, name) {
			t.Errorf("%q is not shown", name)
		}
	}
	var names []string
	for _, s := range d.data().Sites {
		names = append(names, s.Name)
	}
	want := slices.Sorted(slices.Values(hostile))
	if !slices.Equal(names, want) {
		t.Errorf("the script gets %q, want %q", names, want)
	}
}

// What a reader has to know is in the page, whatever kind of report it is.
func TestPageSays(t *testing.T) {
	t.Parallel()
	all := reports()
	for name, want := range map[string][]string{
		"plan":    {"Refused: 1 rule stands against it", "shop2 loses its last path to backup", "--allow partition:3@0a1b2c3d4e5f", "1 site deleted", "4 links deleted", "backup becomes a single point of failure", "links.cue:6:2", "brief reconnect", "99999 → 20", "record → grant → redeem token"},
		"nothing": {"Nothing to do: the clusters are as described"},
		"first":   {"Disturbs no traffic", "10 to create"},
		"end":     {"Takes away 5 sites and 5 links"},
		"base":    {"What this change does", "Pending anyway", "Drift", "pending otherwise without this change", "No longer needed with this change", "link/spare", "with the base (main at aaaaaaaaaaaa)"},
		"drift": {"Drift: 2 sites and links are not as last applied", "cluster far (unreachable)", "no answer", "the routers report it down", "link-down", "look at the Link's status", "7 on the cluster, 99999 when last applied",
			"Not applied yet", "ignore.0", "an operator sets it", "Link other/by-hand on cluster hubs", "proxies.cue:3:1", "https://ci.example.com/runs/7"},
		"without picture": {"Refused", "shop1-backup"},
	} {
		got := strings.Join(strings.Fields(text(parse(t, page(t, all[name])).root)), " ")
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%s: does not say %q", name, w)
			}
		}
	}
}

// A page that is made without all that it takes does not say that there is nothing to do,
// or no drift.
func TestVerdictOfWhatIsNotKnown(t *testing.T) {
	t.Parallel()
	n := retail(5)
	far := plan.Cluster{Name: "far", State: plan.StateUnreachable, Reason: "no answer"}
	trouble := plan.Live{Severity: diag.Error, Code: "link-down", Subject: "link/shop1-hub", Message: "is down"}
	for want, change := range map[string]func(*report.Report){
		"No change is known: 1 thing could not be compared":  func(r *report.Report) { r.Plan.Summary.Unknown = 1 },
		"No change is known: 2 things could not be compared": func(r *report.Report) { r.Plan.Summary.Unknown, r.Plan.Clusters[0] = 2, far },
		"No change is known":                         func(r *report.Report) { r.Plan.Clusters[0] = far },
		"Not all could be compared: 1 unknown thing": func(r *report.Report) { r.Plan.Summary.Unknown, r.Plan, r.Drift = 1, nil, r.Plan },
		"Not all could be compared":                  func(r *report.Report) { r.Plan.Clusters[0], r.Plan, r.Drift = far, nil, r.Plan },
		"No drift is known, but 1 trouble in how the network runs": func(r *report.Report) {
			r.Plan.Clusters[0], r.Plan.Live, r.Plan, r.Drift = far, []plan.Live{trouble}, nil, r.Plan
		},
	} {
		r := reportOf(n, n)
		change(&r)
		d := parse(t, page(t, r))
		if got := text(d.all("h2")[0]); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		if got := text(d.all("title")[0]); got != "Network retail: "+want {
			t.Errorf("the title is %q", got)
		}
		if attribute(d.all("section")[0], "class") == "verdict fine" {
			t.Errorf("%s: that is fine", want)
		}
	}
}

func TestPagesAreDeterministic(t *testing.T) {
	t.Parallel()
	for name, r := range reports() {
		if once, again := page(t, r), page(t, r); once != again {
			t.Errorf("%s: two pages of the same report differ", name)
		}
	}
}

// A page shows plans and drift; anything else is an error.
func TestOtherReports(t *testing.T) {
	t.Parallel()
	if err := formats.Render(&strings.Builder{}, "html", report.Report{Status: &status.Status{}}, report.Style{}); err == nil {
		t.Error("a status is shown as a page")
	}
}

var color = regexp.MustCompile(`--([a-z-]+): light-dark\(#([0-9a-f]{6}), #([0-9a-f]{6})\)`)

// Text can be told from what is behind it, light and dark: at least 4.5 to 1, which is what
// accessibility guidelines (WCAG 2, level AA) ask for.
func TestContrast(t *testing.T) {
	t.Parallel()
	css := text(parse(t, page(t, reports()["plan"])).all("style")[0])
	colors := map[string][2]float64{}
	for _, m := range color.FindAllStringSubmatch(css, -1) {
		colors[m[1]] = [2]float64{luminance(t, m[2]), luminance(t, m[3])}
	}
	for _, pair := range strings.Fields(`text/page text/panel text/bad-back text/warn-back text/good-back text/pick-back dim/page dim/panel link/page link/bad-back link/pick-back
		good/page good/pick-back bad/page bad/bad-back bad/pick-back warn/page warn/pick-back note/page note/note-back dim/pick-back page/bad page/good page/warn`) {
		front, back, _ := strings.Cut(pair, "/")
		for i, scheme := range []string{"light", "dark"} {
			a, b := colors[front][i], colors[back][i]
			if ratio := (max(a, b) + 0.05) / (min(a, b) + 0.05); ratio < 4.5 {
				t.Errorf("%s, %s: %.2f to 1", pair, scheme, ratio)
			}
		}
	}
}

// luminance is the relative one of a colour such as 1f2328, as WCAG defines it.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	out := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		out += weight * linear(float64(n)/255)
	}
	return out
}
