// Package page lays plans and drift out as one HTML page that needs nothing else.
package page

import (
	"crypto/sha256"
	_ "embed" // the page's template, style and script
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"io"
	"strings"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/plan/topology"
)

var (
	//go:embed page.html
	page string
	//go:embed style.css
	style string
	//go:embed script.js
	script string
)

// policy lets a browser load nothing at all, and run this script alone. An icon
// without content keeps it from asking for one.
func policy() string {
	return fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; img-src data:; base-uri 'none'; form-action 'none'", digestOf(style), digestOf(script))
}

// digestOf is how a Content-Security-Policy names a text that may stand in the page.
func digestOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

var parsed = template.Must(template.New("page").Funcs(template.FuncMap{
	"style":  func() template.CSS { return template.CSS(style) }, //nolint:gosec // embedded
	"script": func() template.JS { return template.JS(script) },  //nolint:gosec // embedded
	"policy": policy,
	"about":  report.About,
}).Parse(page))

// Write writes a plan or drift as one page: it opens from disk, asks for nothing over a
// network, and can be read without its script, which adds pan and zoom, a filter and
// highlights. The same report gives the same bytes.
func Write(w io.Writer, r report.Report) error {
	d, ok := report.DocumentOf(r)
	if !ok {
		return errors.New("report: html shows plans and drift only")
	}
	var b strings.Builder
	if err := parsed.Execute(&b, newLayout(d)); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// layout is what the template shows. All texts are plain; the template escapes them.
type layout struct {
	Doc report.Document
	// About are lines that say what was compared; Seal says the verdict without colour.
	About []string
	Seal  string
	// Lost are the worst effects, Deletes what goes, Effects the others: each with the parts of the
	// picture that they are about.
	Lost     []effect
	Deletes  []deletes
	Effects  []effects
	Drawing  *canvas
	Sections []section
	Live     []fact
	Data     pageData
}

var seals = map[string]string{"danger": "✖", "caution": "!", "fine": "✔"}

func newLayout(d report.Document) layout {
	c := newCanvas(d)
	b := builder{doc: d, parts: c.parts()}
	b.all = b.rows(d.Actions, "a")
	out := layout{
		Doc: d, About: about(d), Seal: seals[d.Verdict.Level], Lost: b.effectsOf(topology.High), Deletes: b.deletes(),
		Effects: b.effects(), Drawing: c, Sections: b.sections(),
	}
	for _, f := range d.Live {
		out.Live = append(out.Live, fact{f, b.parts.ofSubject(f.Subject)})
	}
	if c != nil {
		out.Data = c.data
	}
	return out
}

// Danger reports whether there is anything that deserves to be read first.
func (l layout) Danger() bool { return len(l.Doc.Danger.Refusals)+len(l.Lost)+len(l.Deletes) > 0 }

// Lone reports whether nothing stands beside the picture.
func (l layout) Lone() bool { return !l.Danger() && len(l.Effects) == 0 }

// fact is a fact about how the network runs, and the part of the picture that it is about.
type fact struct {
	report.Fact
	Is string
}

// about says what was compared with what.
func about(d report.Document) []string {
	from := func(s report.Source) string { return "(" + s.String() + ")" }
	head := "Description " + from(d.Source)
	if len(d.Effects.List) > 0 && !d.Alone && !d.Drift && d.Effects.Since != "" {
		head += ". What it does to the network" + d.Effects.Since
	}
	switch {
	case d.Drift:
		out := []string{"The clusters compared with what was last applied", head}
		if applied := d.LastApplied(report.AsItIs, report.AsItIs); applied != "" && d.InGit() {
			out = append(out, "Last applied: "+applied)
		}
		return out
	case !d.Based:
		return []string{head + " compared with the clusters"}
	case d.Alone:
		return []string{head + " compared with the base " + from(d.Base),
			"No cluster was read: the base counts as applied"}
	}
	return []string{head + " compared with the clusters and with the base " + from(d.Base)}
}
