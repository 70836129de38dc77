package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/topology"
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
func Outputs(w io.Writer, r Report, _ Style) error {
	var list []output
	if r.Findings != nil {
		list = outputsOfFindings(*r.Findings, notices(r))
	} else if p := planOf(r); p != nil {
		list = outputsOfPlan(*p)
	}
	var b strings.Builder
	for _, o := range list {
		fmt.Fprintf(&b, "%s=%s\n", o.key, clip(strings.TrimSpace(oneLine(fmt.Sprint(o.value))), outputMost))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// outputMost is how many characters a value may have: GitLab takes files of 5 KiB.
const outputMost = 300

func outputsOfFindings(f Findings, list []notice) []output {
	first := ""
	if len(list) > 0 {
		first = list[0].text()
	}
	return []output{
		{"network", f.Network}, {"valid", !f.List.HasErrors()}, {"errors", f.List.Count(diag.Error)},
		{"warnings", f.List.Count(diag.Warning)}, {"sites", f.Sites}, {"links", f.Links}, {"first", first},
	}
}

func outputsOfPlan(p plan.Plan) []output {
	refused := len(p.Refused())
	own, _ := p.ByOrigin()
	most := ""
	if len(p.Topology.Effects) > 0 {
		most = p.Topology.Effects[0].Message
	}
	var missing []string
	for _, c := range unread(p.Clusters) {
		missing = append(missing, string(c.Name))
	}
	return slices.Concat([]output{
		{"network", p.Network}, {"plan_id", p.ID}, {"narrowed", p.Narrowed}, {"pending", p.Pending()}, {"refused", refused > 0},
	}, outputsOfSummary(p.Summary), []output{
		{"changed", len(own)}, {"refusals", refused}, {"overridden", len(p.Refusals) - refused},
		{"unread", len(missing)}, {"unread_clusters", strings.Join(missing, ",")},
		{"effects_high", len(effectsOf(p, topology.High))}, {"effects_medium", len(effectsOf(p, topology.Medium))},
		{"effects_low", len(effectsOf(p, topology.Low))}, {"effects_basis", p.Topology.Basis}, {"effect", most}, {"summary", Summary(p)},
		{"live_errors", len(liveOf(p, diag.Error))}, {"live_warnings", len(liveOf(p, diag.Warning))},
		{"ignored", len(p.Ignored)}, {"behind", len(p.Behind)},
	})
}

func outputsOfSummary(s plan.Summary) []output {
	return []output{
		{"create", s.Create}, {"update", s.Update}, {"replace", s.Replace}, {"delete", s.Delete},
		{"adopt", s.Adopt}, {"drift", s.Drift}, {"unknown", s.Unknown},
	}
}
