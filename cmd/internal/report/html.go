package report

import (
	"crypto/sha256"
	_ "embed" // the page's template, style and script
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"

	"fairlead.dev/fairlead/plan"
)

var (
	//go:embed html/page.html
	htmlPage string
	//go:embed html/style.css
	htmlStyle string
	//go:embed html/script.js
	htmlScript string
)

// htmlPolicy lets a browser load nothing at all, and run this script alone. An icon
// without content keeps it from asking for one.
func htmlPolicy() string {
	return fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; img-src data:; base-uri 'none'; form-action 'none'", digestOf(htmlStyle), digestOf(htmlScript))
}

// digestOf is how a Content-Security-Policy names a text that may stand in the page.
func digestOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

var htmlTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"style":  func() template.CSS { return template.CSS(htmlStyle) }, //nolint:gosec // embedded
	"script": func() template.JS { return template.JS(htmlScript) },  //nolint:gosec // embedded
	"policy": htmlPolicy,
	"value":  value,
}).Parse(htmlPage))

// HTML writes a plan or drift as one page that needs nothing else: it opens from disk,
// asks for nothing over a network, and can be read without its script, which adds pan and
// zoom, a filter and highlights. The same report gives the same bytes.
func HTML(w io.Writer, r Report, _ Style) error {
	p := planOf(r)
	if p == nil {
		return fmt.Errorf("report: html shows plans and drift only")
	}
	var b strings.Builder
	if err := htmlTemplate.Execute(&b, newPage(r, *p, p == r.Drift)); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// page is what the template shows. All texts are plain; the template escapes them.
type page struct {
	Title, Network string
	// About are lines that say what was compared; ID and Run may be empty.
	About   []string
	ID, Run string
	Verdict headline
	Counts  []tally
	// Danger is what takes something away or is refused, Effects what traffic meets.
	Danger   danger
	Effects  []effects
	Clusters []plan.Cluster
	Drawing  *canvas
	Sections []section
	Spared   []plan.Spared
	Live     []live
	Ignored  []plan.Ignored
	Notes    []note
	// Lone says that nothing stands beside the picture.
	Lone bool
	// Unmanaged are objects that Fairlead leaves alone.
	Unmanaged []string
	Data      pageData
}

func newPage(r Report, p plan.Plan, drift bool) page {
	c := newCanvas(r, p, drift)
	b := pageBuilder{plan: p, drift: drift, parts: c.parts()}
	out := page{
		Network: p.Network, ID: p.ID, Run: r.Run, About: aboutOf(p, drift), Clusters: p.Clusters,
		Verdict: headlineOf(r, p, drift), Counts: talliesOf(p, drift), Danger: b.danger(), Effects: b.effects(),
		Drawing: c, Sections: b.sections(), Live: b.live(), Ignored: p.Ignored, Notes: notesOf(p.Diagnostics),
	}
	out.Lone = !out.Danger.Any() && len(out.Effects) == 0
	out.Title = "Network " + p.Network + ": " + out.Verdict.Words
	if p.Base != nil {
		out.Spared = p.Base.Spared
	}
	for _, u := range p.Unmanaged {
		out.Unmanaged = append(out.Unmanaged, u.String())
	}
	if c != nil {
		out.Data = c.data
	}
	return out
}

// aboutOf says what was compared with what.
func aboutOf(p plan.Plan, drift bool) []string {
	head := "Description " + sourceOf(p.Source)
	if len(p.Topology.Effects) > 0 && !alone(p) && !drift && sinceWhat(p) != "" {
		head += ". What it does to the network" + sinceWhat(p)
	}
	switch {
	case drift:
		out := []string{"The clusters compared with what was last applied", head}
		if applied := lastApplied(p, asItIs, asItIs); applied != "" && ofGit(p) {
			out = append(out, "Last applied: "+applied)
		}
		return out
	case p.Base == nil:
		return []string{head + " compared with the clusters"}
	case alone(p):
		return []string{head + " compared with the base " + sourceOf(p.Base.Source), "No cluster was read: the base counts as applied"}
	}
	return []string{head + " compared with the clusters and with the base " + sourceOf(p.Base.Source)}
}

// talliesOf counts what a plan has, zeros left out.
func talliesOf(p plan.Plan, drift bool) []tally {
	if !drift {
		return tallied(p.Summary)
	}
	return notZero(
		tally{len(p.Actions), "not as last applied", ""}, tally{len(p.Live), "about how it runs", ""}, tally{len(p.Behind), "not applied yet", ""},
		tally{len(p.Ignored), "ignored", ""}, tally{p.Summary.Unknown, "unknown", ""},
	)
}
