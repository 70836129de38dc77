package report

import (
	"io"
)

// gitlabIssue is one entry of GitLab's code quality report.
type gitlabIssue struct {
	Description string         `json:"description"`
	Check       string         `json:"check_name"`
	Fingerprint string         `json:"fingerprint"`
	Severity    string         `json:"severity"`
	Location    gitlabLocation `json:"location"`
}

type gitlabLocation struct {
	Path  string      `json:"path"`
	Lines gitlabLines `json:"lines"`
}

type gitlabLines struct {
	Begin int `json:"begin"`
}

var gitlabSeverities = map[level]string{levelError: "critical", levelWarning: "major", levelNote: "info"}

// GitLab writes findings, a plan or drift as a code quality report: a list of issues,
// each with a fingerprint that is unique and does not depend on lines. What a rule of
// the description ignores is left out.
func GitLab(w io.Writer, r Report, _ Style) error {
	out := []gitlabIssue{}
	for _, n := range notices(r) {
		if n.ignored != "" {
			continue
		}
		out = append(out, gitlabIssue{
			Description: printable(n.text()), Check: n.rule, Fingerprint: n.print, Severity: gitlabSeverities[n.level],
			Location: gitlabLocation{Path: n.at.File, Lines: gitlabLines{max(n.at.Line, 1)}},
		})
	}
	return writeJSON(w, out)
}
