package markdown_test

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// ours are types whose values come from us, never from a description or a cluster.
var ours = []reflect.Type{
	reflect.TypeFor[plan.Kind](), reflect.TypeFor[plan.Verb](), reflect.TypeFor[plan.Cause](), reflect.TypeFor[plan.Disruption](), reflect.TypeFor[plan.Step](),
	reflect.TypeFor[plan.State](), reflect.TypeFor[plan.Origin](), reflect.TypeFor[plan.Basis](), reflect.TypeFor[diag.Severity](), reflect.TypeFor[network.Via](),
}

// oursToo are fields of the same kind that are plain text.
var oursToo = []string{"Format", "ID", "Made", "Severity", "Code", "LinkAccess"}

// spoil puts something into every text of a value that others can write.
func spoil(v reflect.Value, f func(string) string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			spoil(v.Elem(), f)
		}
	case reflect.Interface:
		if s, ok := v.Interface().(string); ok {
			v.Set(reflect.ValueOf(f(s)))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if name := v.Type().Field(i).Name; !slices.Contains(oursToo, name) && v.Type().Field(i).Type != reflect.TypeFor[plan.Base]() {
				spoil(v.Field(i), f)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			spoil(v.Index(i), f)
		}
	case reflect.String:
		if !slices.Contains(ours, v.Type()) && v.String() != "" {
			v.SetString(f(v.String()))
		}
	default:
	}
}

// spoiled is a report with something in every text of it.
func spoiled(r report.Report, f func(string) string) report.Report {
	for _, p := range []*plan.Plan{r.Plan, r.Drift} {
		if p != nil {
			spoil(reflect.ValueOf(p), f)
			if p.Base != nil {
				p.Base.Origins = maps.Clone(p.Base.Origins)
			}
		}
	}
	if r.Before != nil && r.Before != r.After {
		spoil(reflect.ValueOf(r.Before), f)
	}
	if r.After != nil {
		spoil(reflect.ValueOf(r.After), f)
	}
	return r
}

// around puts a text before and behind every other one.
func around(s string) func(string) string {
	return func(was string) string { return s + was + s }
}

// Whatever names, values, reasons and file names hold, the page has the elements that it
// has when they are harmless, and nothing in it that a forge acts on.
func TestMarkdownCannotBeBrokenOutOf(t *testing.T) {
	t.Parallel()
	for name, r := range cases {
		want := elements(domOf(t, markdownOf(t, spoiled(without(r()), around("x")))))
		for i, s := range rude {
			if s == "" || len(s) > 200 || name == "hubless" && i%9 > 0 {
				continue // what is long makes for another shape, see TestMarkdownFits
			}
			t.Run(fmt.Sprintf("%s/%q", name, s), func(t *testing.T) {
				t.Parallel()
				text := markdownOf(t, spoiled(without(r()), around(s)))
				root := domOf(t, text)
				checkQuiet(t, root)
				checkTables(t, root)
				if got := elements(root); !slices.Equal(want, got) {
					t.Errorf("the page has another shape:\n%v\nwant\n%v\n%s", got, want, text)
				}
				if first, _, _ := strings.Cut(text, "\n"); strings.Count(text, first) != 1 {
					t.Errorf("the marker %q is not alone", first)
				}
			})
		}
	}
}

// without is a report without the page of its run, which is a link.
func without(r report.Report) report.Report {
	r.Run = ""
	return r
}

// The page of the run is a link when it can be one, and nothing otherwise.
func TestMarkdownRun(t *testing.T) {
	t.Parallel()
	for run, links := range map[string]int{
		"https://forge.example/a/b/-/runs/7?x=1&y=2#z": 1,
		"":                    0,
		"javascript:alert(1)": 0,
		"https://forge.example/> ![x](http://e.example)":           0,
		"https://forge.example/x)[y](z":                            0,
		"https://forge.example/\n\n# x":                            0,
		"https://forge.example/" + strings.Repeat("x", 70_000):     0,
		"http://user:password@forge.example/actions/runs/1;a=b,c!": 1,
	} {
		r := settled()
		r.Run = run
		root := domOf(t, markdownOf(t, r))
		got := 0
		for n := range root.Descendants() {
			if n.Data == "a" {
				got++
				if n.Attr[0].Val != run {
					t.Errorf("%q links to %q", run, n.Attr[0].Val)
				}
			}
		}
		if got != links {
			t.Errorf("%q gives %d links, want %d", run, got, links)
		}
	}
}

// No label of a picture ends its block, or is anything but a label.
func TestMarkdownPictureStaysInItsBlock(t *testing.T) {
	t.Parallel()
	for i, s := range rude {
		if i%2 == 1 || len(s) > 200 {
			continue
		}
		root := domOf(t, markdownOf(t, spoiled(without(planned()), around(s))))
		pictures := 0
		for n := range root.Descendants() {
			if n.Data != "pre" {
				continue
			}
			pictures++
			for line := range strings.Lines(textOf(n)) {
				if !mermaidLine.MatchString(strings.TrimSuffix(line, "\n")) {
					t.Errorf("%q makes the line %q", s, line)
				}
			}
		}
		if pictures != 3 {
			t.Errorf("%q: %d pictures", s, pictures)
		}
	}
}

// mermaidLine is what a line of a picture can be.
var mermaidLine = regexp.MustCompile(`^(flowchart LR|  subgraph c\d+\["[^"<>` + "`" + `]*"\]|    n\d+(\[\["[^"<>` + "`" + `]*"\]\]|\["[^"<>` + "`" + `]*"\]|\(\["[^"<>` + "`" + `]*"\]\))|  end|  n\d+ ---\|"[0-9→ ]+"\| n\d+|  (classDef|class|linkStyle) [a-z0-9,:#;\- ]+)$`)
