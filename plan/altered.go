package plan

import (
	"fmt"
	"strings"

	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// CodeAltered is the code of warnings about what a cluster keeps otherwise than it was sent:
// its admission changes it. Nothing is written again for its sake.
const CodeAltered = "altered"

// altered warns of what is on a cluster as its admission made it of what is wanted.
func (m *maker) altered(subject string, at diag.Position, cluster network.ClusterName, w Answer, wanted, live map[string]any) {
	still := w.at(func(path string) bool { return sameValue(live[path], w.Stored[path]) })
	m.warnAltered(subject, at, cluster, still.Alterations(wanted))
}

func (m *maker) warnAltered(subject string, at diag.Position, cluster network.ClusterName, what []string) {
	if len(what) == 0 {
		return
	}
	m.findings = append(m.findings, diag.Finding{
		Severity: diag.Warning, Code: CodeAltered, Subject: subject, At: at,
		Message: fmt.Sprintf("cluster %s altered it when it was last applied: %s", cluster, strings.Join(what, "; ")),
		Fix:     "look for an admission policy or webhook there; describe what it makes, or change it and then the object by hand",
	})
}

// alteredCost reports whether a Link has the cost that its cluster gave it instead of the one
// that is wanted, and warns of that once.
func (m linkPlanner) alteredCost(c linkCase, v LinkView) bool {
	kept := c.recorded.KeptCost
	if kept == 0 || max(v.Cost, 1) != kept || c.recorded.Cost != c.Cost {
		return false
	}
	subject := fmt.Sprintf("link %q", c.Name)
	for _, f := range m.findings {
		if f.Code == CodeAltered && f.Subject == subject {
			return true
		}
	}
	m.warnAltered(subject, c.CostAt, c.at.cluster, []string{fmt.Sprintf("cost is %d there and %d was sent", kept, c.Cost)})
	return true
}
