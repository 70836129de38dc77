// Package report holds what a command found, and makes of a plan or drift the one Document that
// text, markdown, the page and the formats of forges lay out.
package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"strings"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/status"
	"fairlead.dev/fairlead/plan/topology"
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// Report is what a command found; exactly one of its parts is set, and beside a plan or
// drift the networks that it leads from and to.
type Report struct {
	// Findings are what vet found.
	Findings *Findings
	// Plan is what plan and apply show.
	Plan *plan.Plan
	// Drift is a plan made against what was last applied.
	Drift *plan.Plan
	// Simulation is what happens when something fails, Failures when anything does.
	Simulation *Simulation
	Failures   *Failures
	// Status is how the network is.
	Status *status.Status
	// Applied is how an apply ended.
	Applied *Applied
	// Before and After are the network as it is (as last applied, or as the base of a diff
	// describes it) and as described; nil where that is not known.
	Before, After *network.Network
	// Run is the page of the run that made the report, for links; empty outside of CI.
	Run string
	// Described is the description that was read, with the places in it; nil where there is
	// none. Stand says where those places start.
	Described *network.Network
	Stand     Stand
}

// Planned is the plan that a report shows, be it of drift; nil where it shows neither.
func (r Report) Planned() *plan.Plan { return cmp.Or(r.Plan, r.Drift) }

// FindingsFormat names the version of the JSON of findings.
const FindingsFormat = "fairlead.findings/v1"

// Findings are a description's, with its size.
type Findings struct {
	Format  string    `json:"format"`
	Network string    `json:"network"`
	Sites   int       `json:"sites"`
	Links   int       `json:"links"`
	List    diag.List `json:"findings"`
}

// SimulationFormat names the version of a simulation's JSON.
const SimulationFormat = "fairlead.simulation/v1"

// Simulation is what simulate found.
type Simulation struct {
	Format  string `json:"format"`
	Network string `json:"network"`
	topology.Outcome
}

// FailuresFormat names the version of the JSON of a survey of failures.
const FailuresFormat = "fairlead.failures/v1"

// Failures is what simulate found when each site and link fails by itself. Lists are
// never nil.
type Failures struct {
	Format  string `json:"format"`
	Network string `json:"network"`
	// Failures are the sites and then the links, by name.
	Failures []topology.Failure `json:"failures"`
	// Cuts are those that others hang on, the most serious first.
	Cuts []topology.Cut `json:"cuts"`
	// Unused are the links on no cheapest path, by name.
	Unused []topology.UnusedLink `json:"unused"`
}

// Style says how text looks; no other format has one.
type Style struct {
	Color bool
}

// JSON writes the set part, indented, with a final newline.
func JSON(w io.Writer, r Report) error {
	return WriteJSON(w, r.part())
}

// WriteJSON writes a value, indented, with a final newline.
func WriteJSON(w io.Writer, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	_, err = w.Write(append(data, '\n'))
	return err
}

func (r Report) part() any {
	switch {
	case r.Findings != nil:
		return r.Findings
	case r.Plan != nil:
		return r.Plan
	case r.Drift != nil:
		return r.Drift
	case r.Simulation != nil:
		return r.Simulation
	case r.Failures != nil:
		return r.Failures
	case r.Applied != nil:
		return r.Applied
	}
	return r.Status
}

// Stand says where the files of positions are named from. People read them from where
// they stand, and forges from the root of the repository.
type Stand struct {
	// Root and Here are absolute paths with slashes: the root of the repository, and the
	// directory that the files of positions are relative to. Both are empty where that is
	// the root itself, as for a revision.
	Root, Here string
	// Package is the directory of the description, a slash path from the root.
	Package string
}

// Rooted names a file from the root of the repository; not ok for one outside of it.
func (s Stand) Rooted(file string) (string, bool) {
	if file == "" {
		return "", false
	}
	if s.Root == "" {
		file = path.Clean(file)
		return file, !path.IsAbs(file) && file != ".." && !strings.HasPrefix(file, "../")
	}
	if !path.IsAbs(file) {
		file = path.Join(s.Here, file)
	}
	root := strings.TrimSuffix(path.Clean(s.Root), "/")
	if file = path.Clean(file); file == root {
		return ".", true
	}
	return strings.CutPrefix(file, root+"/")
}
