package finding

import (
	"fmt"
	"io"
	"strings"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/plan/words"
)

var githubCommands = map[level]string{levelError: "error", levelWarning: "warning", levelNote: "notice"}

// githubMost is how many annotations of each level GitHub shows for a step.
const githubMost = 10

// githubLongest is how many bytes of names the last annotation has: GitHub's runner cuts a
// message at 4,096 characters (actions/runner, ExecutionContext.cs).
const githubLongest = 3800

// GitHub writes findings, a plan or drift as workflow commands, which GitHub shows as
// annotations at their lines. It shows ten of each level for a step: the most serious
// come first, and where there are more the last one names the rest, as far as they fit. What a rule of the
// description ignores is left out.
func GitHub(w io.Writer, r report.Report) error {
	levels := map[level][]notice{}
	for _, n := range notices(r) {
		if n.ignored == "" {
			levels[n.level] = append(levels[n.level], n)
		}
	}
	var b strings.Builder
	for _, l := range []level{levelError, levelWarning, levelNote} {
		list := levels[l]
		if len(list) > githubMost {
			list = append(list[:githubMost-1:githubMost-1], foldNotices(list[githubMost-1:]))
		}
		for _, n := range list {
			b.WriteString(githubCommand(n) + "\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// foldNotices gives one notice for many, at the place of the first: a line for each.
func foldNotices(list []notice) notice {
	lines, size := make([]string, 0, len(list)), 0
	for i, n := range list {
		line := n.title
		if strings.HasPrefix(n.rule, "effect/") || n.title == n.rule {
			line = n.message
		}
		line = words.OneLine(line)
		if size += len(line) + 1; size > githubLongest {
			lines = append(lines, fmt.Sprintf("and %d more, which the summary has", len(list)-i))
			break
		}
		lines = append(lines, line)
	}
	return notice{level: list[0].level, title: fmt.Sprintf("and %d more", len(list)),
		message: strings.Join(lines, "\n"), at: list[0].at}
}

func githubCommand(n notice) string {
	properties := []string{"file=" + githubProperty(n.at.File)}
	if n.at.Line > 0 {
		properties = append(properties, fmt.Sprintf("line=%d", n.at.Line))
	}
	if n.at.Column > 0 {
		properties = append(properties, fmt.Sprintf("col=%d", n.at.Column))
	}
	message := n.message
	if n.fix != "" {
		message += "\n" + n.fix
	}
	properties = append(properties, "title="+githubProperty("Fairlead: "+words.OneLine(n.title)))
	return fmt.Sprintf("::%s %s::%s", githubCommands[n.level], strings.Join(properties, ","), githubMessage(message))
}

// githubMessage escapes as workflow commands ask for. A command ends with its line, so
// nothing can start another; see
// https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions.
func githubMessage(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(words.Printable(s))
}

// githubProperty escapes what would end a property too.
func githubProperty(s string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(githubMessage(s))
}

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
func GitLab(w io.Writer, r report.Report) error {
	out := []gitlabIssue{}
	for _, n := range notices(r) {
		if n.ignored != "" {
			continue
		}
		out = append(out, gitlabIssue{
			Description: words.Printable(n.text()), Check: n.rule, Fingerprint: n.print,
			Severity: gitlabSeverities[n.level],
			Location: gitlabLocation{Path: n.at.File, Lines: gitlabLines{max(n.at.Line, 1)}},
		})
	}
	return report.WriteJSON(w, out)
}
