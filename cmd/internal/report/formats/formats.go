// Package formats ties the forms of a report together: it knows each by its name.
package formats

import (
	"fmt"
	"io"
	"slices"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/cmd/internal/report/finding"
	"fairlead.dev/fairlead/cmd/internal/report/markdown"
	"fairlead.dev/fairlead/cmd/internal/report/page"
	"fairlead.dev/fairlead/cmd/internal/report/text"
)

// format is one way to show a report, and what it can show.
type format struct {
	name     string
	write    func(io.Writer, report.Report) error
	findings bool // what vet found
	plans    bool // plans, comparisons of revisions, drift
}

// formats are all of them, in the order in which help lists them.
var formats = []format{
	{name: "text", findings: true, plans: true},
	{name: "json", write: report.JSON, findings: true, plans: true},
	{name: "markdown", write: markdown.Write, plans: true},
	{name: "sarif", write: finding.SARIF, findings: true, plans: true},
	{name: "junit", write: finding.JUnit, findings: true, plans: true},
	{name: "gitlab", write: finding.GitLab, findings: true, plans: true},
	{name: "github", write: finding.GitHub, findings: true, plans: true},
	{name: "outputs", write: finding.Outputs, findings: true, plans: true},
	{name: "html", write: page.Write, plans: true},
}

// OfFindings are the formats in which what vet found can be shown.
func OfFindings() []string { return names(func(f format) bool { return f.findings }) }

// OfPlans are the formats in which plans and drift can be shown.
func OfPlans() []string { return names(func(f format) bool { return f.plans }) }

func names(has func(format) bool) (out []string) {
	for _, f := range formats {
		if has(f) {
			out = append(out, f.name)
		}
	}
	return out
}

// Render writes a report in the named format, one of those above. Text and JSON can show
// every report.
func Render(w io.Writer, name string, r report.Report, style report.Style) error {
	i := slices.IndexFunc(formats, func(f format) bool { return f.name == name })
	switch {
	case i < 0:
		return fmt.Errorf("report: format %q is not known", name)
	case name == "text":
		return Text(w, r, style)
	}
	return formats[i].write(w, r)
}

// Text writes any report for people.
func Text(w io.Writer, r report.Report, style report.Style) error {
	return text.Write(w, r, style.Color)
}
