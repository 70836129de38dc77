// Package report renders: every output of Fairlead is one Report value shown as
// text, or as JSON. It computes nothing that is not in the value.
package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"

	"fairlead.dev/fairlead/plan"
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
	Status *plan.Status
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

// Style says how text looks.
type Style struct {
	Color bool
}

// JSON writes the set part, indented, with a final newline.
func JSON(w io.Writer, r Report) error {
	return writeJSON(w, r.part())
}

// writeJSON writes a value, indented, with a final newline.
func writeJSON(w io.Writer, v any) error {
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

// planOf is the plan that a report shows, be it of drift; nil where it shows neither.
func planOf(r Report) *plan.Plan { return cmp.Or(r.Plan, r.Drift) }

// Text writes the set part for people.
func Text(w io.Writer, r Report, style Style) error {
	p := &printer{paint: palette(style.Color)}
	switch {
	case r.Findings != nil:
		p.findings(*r.Findings)
	case r.Plan != nil:
		p.plan(*r.Plan)
	case r.Drift != nil:
		p.drift(*r.Drift)
	case r.Simulation != nil:
		p.simulation(*r.Simulation)
	case r.Failures != nil:
		p.failures(*r.Failures)
	case r.Status != nil:
		p.status(*r.Status)
	case r.Applied != nil:
		p.applied(*r.Applied)
	}
	_, err := w.Write(p.buf.Bytes())
	return err
}
