package finding

import (
	"fmt"
	"io"
	"net/url"
	"strings"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/plan/words"
	"fairlead.dev/fairlead/schema/diag"
)

// The parts of a SARIF 2.1.0 log that Fairlead writes; names are the standard's own.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool                `json:"tool"`
		Automation sarifAutomation          `json:"automationDetails"`
		Bases      map[string]sarifArtifact `json:"originalUriBaseIds"`
		Results    []sarifResult            `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name  string      `json:"name"`
		About string      `json:"informationUri"`
		Rules []sarifRule `json:"rules"`
	}
	sarifAutomation struct {
		ID string `json:"id"`
	}
	sarifRule struct {
		ID      string       `json:"id"`
		Short   sarifText    `json:"shortDescription"`
		Full    sarifText    `json:"fullDescription"`
		Help    sarifText    `json:"help"`
		Default sarifDefault `json:"defaultConfiguration"`
	}
	sarifDefault struct {
		Level string `json:"level"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		Rule         string             `json:"ruleId"`
		Index        int                `json:"ruleIndex"`
		Level        string             `json:"level"`
		Message      sarifText          `json:"message"`
		Locations    []sarifLocation    `json:"locations"`
		Related      []sarifLocation    `json:"relatedLocations,omitempty"`
		Prints       map[string]string  `json:"partialFingerprints"`
		Suppressions []sarifSuppression `json:"suppressions,omitempty"`
	}
	sarifLocation struct {
		Physical sarifPhysical  `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI         string     `json:"uri,omitempty"`
		Base        string     `json:"uriBaseId,omitempty"`
		Description *sarifText `json:"description,omitempty"`
	}
	sarifRegion struct {
		Line   int `json:"startLine"`
		Column int `json:"startColumn,omitempty"`
	}
	sarifLogical struct {
		Name string `json:"fullyQualifiedName"`
	}
	sarifSuppression struct {
		Kind   string `json:"kind"`
		Reason string `json:"justification"`
	}
)

// sourceRoot is the name that a log gives to the root of the repository; whoever reads it
// knows where that is.
const sourceRoot = "SRCROOT"

var sarifLevels = map[level]string{levelError: "error", levelWarning: "warning", levelNote: "note"}

// SARIF writes findings, a plan or drift as a SARIF 2.1.0 log of one run. Refusals,
// unread clusters and lost connections are errors, deletions and drift warnings, other
// changes notes. Every result has a place, as GitHub's code scanning wants: what no line
// declares is placed at the network's name. Fingerprints do not depend on lines; the
// one that GitHub knows (primaryLocationLineHash) is given too, as GitHub would otherwise
// take all that stands at one line for the same.
func SARIF(w io.Writer, r report.Report) error {
	list := notices(r)
	rules, index := sarifRules(list)
	run := sarifRun{
		Tool:       sarifTool{sarifDriver{Name: "fairlead", About: "https://fairlead.dev", Rules: rules}},
		Automation: sarifAutomation{ID: fmt.Sprintf("fairlead/%s/%s/", reportKind(r), category(r))},
		Bases:      map[string]sarifArtifact{sourceRoot: {Description: &sarifText{"The root of the repository."}}},
		Results:    []sarifResult{},
	}
	for _, n := range list {
		run.Results = append(run.Results, sarifResultOf(n, index[n.rule]))
	}
	return report.WriteJSON(w, sarifLog{
		Schema:  "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
		Version: "2.1.0", Runs: []sarifRun{run},
	})
}

// sarifRules describes the rules of a list, each once, and says where each stands. A
// rule's own level is that of its first, most serious notice.
func sarifRules(list []notice) (rules []sarifRule, index map[string]int) {
	rules, index = []sarifRule{}, map[string]int{}
	for _, n := range list {
		if _, known := index[n.rule]; known {
			continue
		}
		index[n.rule] = len(rules)
		d := ruleOf(n.rule)
		rules = append(rules, sarifRule{
			ID: d.id, Short: sarifText{d.short}, Full: sarifText{d.full}, Help: sarifText{d.help},
			Default: sarifDefault{sarifLevels[n.level]},
		})
	}
	return rules, index
}

func sarifResultOf(n notice, index int) sarifResult {
	out := sarifResult{
		Rule: n.rule, Index: index, Level: sarifLevels[n.level], Message: sarifText{sarifMessage(n.text())},
		Locations: []sarifLocation{sarifLocationOf(n.at)},
		Prints:    map[string]string{"fairlead/v1": n.print, "primaryLocationLineHash": n.print + ":1"},
	}
	out.Locations[0].Logical = []sarifLogical{{Name: words.Printable(n.subject)}}
	for _, at := range n.related {
		out.Related = append(out.Related, sarifLocationOf(at))
	}
	if n.ignored != "" {
		out.Suppressions = []sarifSuppression{{Kind: "external", Reason: n.ignored}}
	}
	return out
}

func sarifLocationOf(at diag.Position) sarifLocation {
	uri := url.URL{Path: at.File}
	return sarifLocation{Physical: sarifPhysical{
		Artifact: sarifArtifact{URI: uri.String(), Base: sourceRoot},
		Region:   sarifRegion{Line: max(at.Line, 1), Column: at.Column},
	}}
}

// sarifMessage keeps text from being read as anything else: the standard doubles braces,
// which are placeholders otherwise, and a bracket before a parenthesis would be a link.
func sarifMessage(s string) string {
	return strings.NewReplacer("{", "{{", "}", "}}", "](", "] (").Replace(words.Printable(s))
}

// reportKind says what a report is, in a word.
func reportKind(r report.Report) string {
	switch {
	case r.Findings != nil:
		return "vet"
	case r.Drift != nil:
		return "drift"
	}
	return "plan"
}

// category keeps the results of several networks of a repository apart. A description
// that is not valid may have no name, so what vet finds goes by its directory.
func category(r report.Report) string {
	if r.Findings != nil {
		return r.Stand.Package
	}
	return networkOf(r)
}

func networkOf(r report.Report) string {
	if r.Findings != nil {
		return r.Findings.Network
	}
	if p := r.Planned(); p != nil {
		return p.Network
	}
	return ""
}
