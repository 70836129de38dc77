package report

import (
	"fairlead.dev/fairlead/plan/topology"
)

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
