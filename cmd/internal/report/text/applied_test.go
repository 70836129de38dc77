package text_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/cmd/internal/report/text"
	"fairlead.dev/fairlead/plan"
)

func action(kind plan.Kind, name string) plan.Action {
	return plan.Action{ID: string(kind) + "/" + name, Kind: kind, Name: name}
}

func TestAppliedText(t *testing.T) {
	t.Parallel()
	a := report.Applied{
		Network: "net", Run: "r1", DurationMs: 12345,
		Outcomes: []report.Outcome{
			{Action: action(plan.KindSite, "hub"), State: report.StateDone, DurationMs: 1234},
			{Action: action(plan.KindSite, "far"), State: report.StateUntouched, Reason: "the apply was interrupted before"},
			{Action: action(plan.KindSite, "shop"), State: report.StateStale, Step: plan.StepSite, DurationMs: 40, Reason: "Site is gone"},
			{Action: action(plan.KindLink, "shop-hub"), State: report.StateBlocked, Reason: "blocked by site/shop"},
			{Action: action(plan.KindLink, "x-hub"), State: report.StateFailed, Step: plan.StepRedeem, Attempt: 3, DurationMs: 5000, Reason: "no\nluck"},
		},
		LeftOut: []report.LeftOut{{Cluster: "two", State: plan.StateUnreachable, Reason: "no answer", Unknown: 3}},
	}
	a.Sort()
	var got bytes.Buffer
	if err := text.Write(&got, report.Report{Applied: &a}, false); err != nil {
		t.Fatal(err)
	}
	want := `Applied: 1 done, 1 failed, 1 stale, 1 blocked, 1 not started, in 12.3s (run r1).
  ✗ link x-hub: failed, at "redeem token", attempt 3, after 5s: no
      luck
  ✗ site shop: stale, at "write Site", after 40ms: Site is gone
  ✗ link shop-hub: blocked by site/shop
  ✗ site far: not started: the apply was interrupted before
  ✓ site hub: done in 1.2s
  ! cluster two was left out, it is unreachable: no answer; 3 described things that need it are unknown
Not everything was applied; run it again to finish.
`
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Error(diff)
	}
}

// Of a saved plan what is stale stays so: the end says what can be done.
func TestHowToGoOn(t *testing.T) {
	t.Parallel()
	outcome := func(s report.State) report.Outcome {
		return report.Outcome{Action: action(plan.KindSite, string(s)), State: s}
	}
	done, stale, blocked, failed := outcome(report.StateDone), outcome(report.StateStale), outcome(report.StateBlocked), outcome(report.StateFailed)
	const again, anew = "run it again to finish.", "make a new plan, review it, and apply that."
	for _, tt := range []struct {
		name     string
		saved    bool
		outcomes []report.Outcome
		want     string
	}{
		{"a stale saved plan", true, []report.Outcome{stale, blocked, done}, "Not everything was applied; what is stale stays so, however often this plan is applied: " + anew},
		{"a saved plan that failed too", true, []report.Outcome{failed, stale, done}, "Not everything was applied; run it again to finish what is not stale; for the rest " + anew},
		{"a saved plan that failed", true, []report.Outcome{failed, done}, "Not everything was applied; " + again},
		{"a stale action of a plan that was made now", false, []report.Outcome{stale, done}, "Not everything was applied; " + again},
	} {
		var out bytes.Buffer
		a := report.Applied{Network: "net", Run: "r1", Saved: tt.saved, Outcomes: tt.outcomes}
		if err := text.Write(&out, report.Report{Applied: &a}, false); err != nil {
			t.Fatal(err)
		}
		if !bytes.HasSuffix(out.Bytes(), []byte(tt.want+"\n")) {
			t.Errorf("%s: %s", tt.name, out.String())
		}
	}
}
