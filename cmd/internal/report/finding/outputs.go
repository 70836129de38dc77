package finding

import (
	"fmt"
	"io"
	"strings"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/plan/topology"
	"fairlead.dev/fairlead/plan/words"
	"fairlead.dev/fairlead/schema/diag"
)

// output is a key and its value.
type output struct {
	key   string
	value any
}

// Outputs writes lines of key=value, for the file of GITHUB_OUTPUT and for a dotenv report
// of GitLab, whose keys may hold letters, digits and underscores alone. Every key is always
// there, no value has a newline, and lists are names with commas. Keys stay as they are:
//
// Of all: network. Of findings: valid, errors, warnings, sites, links, first (the most
// serious finding). Of plans and drift: plan_id, narrowed, pending, refused, create,
// update, replace, delete, adopt, drift, unknown, refusals, overridden, unread and
// unread_clusters, effects_high, effects_medium, effects_low, effects_basis (what they are
// compared with: running, described, base or applied), effect (the most serious one,
// in a sentence), summary; changed, how many actions the change from a base revision asks
// for (all of them without one); of drift alone live_errors, live_warnings, ignored and
// behind, which are 0 for plans.
func Outputs(w io.Writer, r report.Report) error {
	var list []output
	if r.Findings != nil {
		list = outputsOfFindings(*r.Findings, notices(r))
	} else if d, planned := report.DocumentOf(r); planned {
		list = outputsOfPlan(d)
	}
	var b strings.Builder
	for _, o := range list {
		fmt.Fprintf(&b, "%s=%s\n", o.key, words.Clip(strings.TrimSpace(words.OneLine(fmt.Sprint(o.value))), outputMost))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// outputMost is how many characters a value may have: GitLab takes files of 5 KiB.
const outputMost = 300

func outputsOfFindings(f report.Findings, list []notice) []output {
	first := ""
	if len(list) > 0 {
		first = list[0].text()
	}
	return []output{
		{"network", f.Network}, {"valid", !f.List.HasErrors()}, {"errors", f.List.Count(diag.Error)},
		{"warnings", f.List.Count(diag.Warning)}, {"sites", f.Sites}, {"links", f.Links}, {"first", first},
	}
}

func outputsOfPlan(d report.Document) []output {
	most := ""
	if len(d.Effects.List) > 0 {
		most = d.Effects.List[0].Message
	}
	var missing []string
	for _, c := range d.Unread() {
		missing = append(missing, string(c.Name))
	}
	changed := report.Only(d.Actions, func(a report.Action) bool { return !a.Anyway })
	refused, s := len(d.Danger.Refused), d.Totals
	return []output{
		{"network", d.Network}, {"plan_id", d.ID}, {"narrowed", d.Narrowed}, {"pending", d.Pending()},
		{"refused", refused > 0},
		{"create", s.Create}, {"update", s.Update}, {"replace", s.Replace}, {"delete", s.Delete},
		{"adopt", s.Adopt}, {"drift", s.Drift}, {"unknown", s.Unknown},
		{"changed", len(changed)}, {"refusals", refused}, {"overridden", len(d.Danger.Overridden)},
		{"unread", len(missing)}, {"unread_clusters", strings.Join(missing, ",")},
		{"effects_high", len(d.Effects.Of(topology.High))}, {"effects_medium", len(d.Effects.Of(topology.Medium))},
		{"effects_low", len(d.Effects.Of(topology.Low))}, {"effects_basis", d.Effects.Basis}, {"effect", most},
		{"summary", d.Verdict.Summary},
		{"live_errors", len(d.LiveOf(diag.Error))}, {"live_warnings", len(d.LiveOf(diag.Warning))},
		{"ignored", len(d.Ignored)}, {"behind", len(d.Behind)},
	}
}
