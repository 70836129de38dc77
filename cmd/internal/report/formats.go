package report

import (
	"fmt"
	"io"
	"slices"
)

// Renderer writes a report in one format.
type Renderer func(io.Writer, Report, Style) error

// format is one way to show a report, and what it can show.
type format struct {
	name     string
	render   Renderer
	findings bool // what vet found
	plans    bool // plans, comparisons of revisions, drift
}

// formats are all of them, in the order in which help lists them.
var formats = []format{
	{name: "text", render: Text, findings: true, plans: true},
	{name: "json", render: func(w io.Writer, r Report, _ Style) error { return JSON(w, r) }, findings: true, plans: true},
	{name: "markdown", render: Markdown, plans: true},
	{name: "sarif", render: SARIF, findings: true, plans: true},
	{name: "junit", render: JUnit, findings: true, plans: true},
	{name: "gitlab", render: GitLab, findings: true, plans: true},
	{name: "github", render: GitHub, findings: true, plans: true},
	{name: "outputs", render: Outputs, findings: true, plans: true},
	{name: "html", render: HTML, plans: true},
}

// FormatsOfFindings are the formats in which what vet found can be shown.
func FormatsOfFindings() []string { return formatNames(func(f format) bool { return f.findings }) }

// FormatsOfPlans are the formats in which plans and drift can be shown.
func FormatsOfPlans() []string { return formatNames(func(f format) bool { return f.plans }) }

func formatNames(has func(format) bool) (out []string) {
	for _, f := range formats {
		if has(f) {
			out = append(out, f.name)
		}
	}
	return out
}

// Render writes a report in the named format, one of those above. Text and JSON can show
// every report.
func Render(w io.Writer, name string, r Report, style Style) error {
	i := slices.IndexFunc(formats, func(f format) bool { return f.name == name })
	if i < 0 {
		return fmt.Errorf("report: format %q is not known", name)
	}
	return formats[i].render(w, r, style)
}
