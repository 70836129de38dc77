package markdown_test

import (
	"strings"
	"testing"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/cmd/internal/report/markdown"
	"fairlead.dev/fairlead/cmd/internal/report/reporttest"
	"fairlead.dev/fairlead/plan"
)

func markdownOf(t testing.TB, r report.Report) string {
	t.Helper()
	return string(reporttest.Rendered(t, "markdown", r))
}

func TestMarkdownGolden(t *testing.T) {
	t.Parallel()
	for name, r := range cases {
		reporttest.Golden(t, "markdown", name+".md", reporttest.Rendered(t, "markdown", r()))
	}
}

// The text about a part of a network is not taken for that about the whole.
func TestMarkdownOfPart(t *testing.T) {
	t.Parallel()
	for narrowed, want := range map[bool]string{false: "drift", true: "drift-part"} {
		r := drifted()
		r.Drift.Narrowed = narrowed
		if text := markdownOf(t, r); !strings.HasPrefix(text, markdown.Marker(want, r.Drift.Network)+"\n") {
			t.Errorf("narrowed %v: %.80s", narrowed, text)
		}
	}
}

// Where several rules refuse a plan, each text shows the one flag for all of them.
func TestOneFlagForAll(t *testing.T) {
	t.Parallel()
	r := planned()
	p := *r.Plan
	p.ID = "sha256:" + strings.Repeat("0a1b2c3d", 8)
	p.Refusals = []plan.Refusal{
		{Code: "deletes.sites", Subject: "network", Number: 4, Override: "--allow deletes.sites:4@0a1b2c3d0a1b"},
		{Code: "partition", Subject: "network", Number: 2, Override: "--allow partition:2@0a1b2c3d0a1b"},
	}
	for _, format := range []string{"text", "markdown", "html"} {
		r.Plan = &p
		if text := string(reporttest.Rendered(t, format, r)); !strings.Contains(text, "--allow all@0a1b2c3d0a1b") {
			t.Errorf("%s does not show it", format)
		}
		one := p
		one.Refusals = p.Refusals[:1]
		r.Plan = &one
		if text := string(reporttest.Rendered(t, format, r)); strings.Contains(text, "all@") {
			t.Errorf("%s shows it for one rule", format)
		}
	}
}
