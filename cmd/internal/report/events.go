package report

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"time"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
)

// EventSchema is the JSON schema of each line of apply's --events file.
//
//go:embed events.schema.json
var EventSchema []byte

// RecordType says what a line of the file is about.
type RecordType string

// The types of record. The first line of a file is a run, the last an end.
const (
	RecordRun    RecordType = "run"
	RecordAction RecordType = "action"
	RecordStep   RecordType = "step"
	RecordEnd    RecordType = "end"
)

// Event is one line of the file. It holds no secret.
type Event struct {
	// Time is in UTC, as RFC 3339 with nanoseconds.
	Time    time.Time  `json:"time"`
	Type    RecordType `json:"type"`
	Run     string     `json:"run"`
	Network string     `json:"network"`
	Commit  string     `json:"commit"`
	// Plan is the plan's id; empty where the command ended before there was one.
	Plan string `json:"plan"`

	// Of a run: who runs it, with which version of Fairlead, and how many actions the
	// plan has, by verb, things that are unknown, and refusals.
	User    string        `json:"user,omitempty"`
	Host    string        `json:"host,omitempty"`
	URL     string        `json:"url,omitempty"`
	Version string        `json:"version,omitempty"`
	Summary *plan.Summary `json:"summary,omitempty"`

	// Of an action or a step. Phase is "started", "done", "altered", "failed", "blocked",
	// "untouched", "retrying" or "cleanup-failed".
	Action    string              `json:"action,omitempty"`
	Kind      plan.Kind           `json:"kind,omitempty"`
	Verb      plan.Verb           `json:"verb,omitempty"`
	Cluster   network.ClusterName `json:"cluster,omitempty"`
	Namespace string              `json:"namespace,omitempty"`
	Step      plan.Step           `json:"step,omitempty"`
	Phase     string              `json:"phase,omitempty"`
	Attempt   int                 `json:"attempt,omitempty"`
	Message   string              `json:"message,omitempty"`
	// Already is true where an action of a saved plan was done before this run.
	Already bool `json:"already,omitempty"`

	// DurationMs is how long the step, action or run took; absent where it did not end.
	DurationMs *int64 `json:"durationMs,omitempty"`

	// Of an end: the exit code, how many actions ended in each state, and clusters that
	// were left out.
	ExitCode *int          `json:"exitCode,omitempty"`
	Counts   map[State]int `json:"counts,omitempty"`
	LeftOut  []LeftOut     `json:"leftOut,omitempty"`
}

// Line gives the event as one line of JSON.
func (e Event) Line() ([]byte, error) {
	e.Time = e.Time.UTC()
	data, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("event: %w", err)
	}
	return append(data, '\n'), nil
}
