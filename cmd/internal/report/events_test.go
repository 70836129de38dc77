package report_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/cmd/internal/report/schematest"
	"fairlead.dev/fairlead/plan"
)

// Lines of each type fit the schema; lines that lack something, or have more, do not.
func TestEventSchema(t *testing.T) {
	t.Parallel()
	s, err := schematest.Compile("events.json", report.EventSchema)
	if err != nil {
		t.Fatal(err)
	}
	code, ms := 4, int64(12)
	base := report.Event{Time: time.Now(), Run: "abc234", Network: "net"}
	with := func(change func(*report.Event)) report.Event {
		e := base
		change(&e)
		return e
	}
	for name, tt := range map[string]struct {
		event report.Event
		fits  bool
	}{
		"run": {with(func(e *report.Event) {
			e.Type, e.User, e.Host, e.Version, e.Summary = report.RecordRun, "me", "here", "v1", &plan.Summary{Create: 1}
		}), true},
		"step": {with(func(e *report.Event) {
			e.Type, e.Action, e.Kind, e.Verb, e.Cluster, e.Namespace = report.RecordStep, "link/l", plan.KindLink, plan.VerbCreate, "one", "ns"
			e.Step, e.Phase, e.Attempt, e.DurationMs = plan.StepGrant, "done", 1, &ms
		}), true},
		"end": {with(func(e *report.Event) {
			e.Type, e.ExitCode, e.DurationMs, e.Counts = report.RecordEnd, &code, &ms, map[report.State]int{report.StateDone: 2}
			e.LeftOut = []report.LeftOut{{Cluster: "two", State: plan.StateForbidden, Reason: "no", Unknown: 1}}
		}), true},
		"end without exit code": {with(func(e *report.Event) { e.Type, e.DurationMs = report.RecordEnd, &ms }), false},
		"no such type":          {with(func(e *report.Event) { e.Type = "other" }), false},
		"no such phase": {with(func(e *report.Event) {
			e.Type, e.Action, e.Kind, e.Verb, e.Cluster, e.Namespace = report.RecordAction, "link/l", plan.KindLink, plan.VerbCreate, "one", "ns"
			e.Phase = "perhaps"
		}), false},
	} {
		line, err := tt.event.Line()
		if err != nil {
			t.Fatal(err)
		}
		if err := schematest.Validate(t, s, line); (err == nil) != tt.fits {
			t.Errorf("%s: %v\n%s", name, err, line)
		}
	}
}

// Every line is one line, and its time is in UTC.
func TestEventLine(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 7, 1, 12, 0, 0, 5, time.FixedZone("east", 7200))
	line, err := report.Event{Time: at, Message: "two\nlines"}.Line()
	if err != nil || bytes.Count(line, []byte("\n")) != 1 {
		t.Fatalf("%q %v", line, err)
	}
	var got struct{ Time string }
	if err := json.Unmarshal(line, &got); err != nil || got.Time != "2026-07-01T10:00:00.000000005Z" {
		t.Errorf("%q %v", got.Time, err)
	}
}
