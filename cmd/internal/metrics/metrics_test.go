package metrics

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/status"
	"fairlead.dev/fairlead/schema/diag"
)

func facts() Facts {
	p := plan.Plan{
		Actions: []plan.Action{
			{ID: "site/a", Verb: plan.VerbCreate, Cause: plan.CauseDrift}, {ID: "link/l", Verb: plan.VerbCreate, Cause: plan.CausePending},
			{ID: "link/m", Verb: plan.VerbDelete, Cause: plan.CausePending},
		},
		Summary: plan.Summary{Unknown: 2}, Refusals: []plan.Refusal{{}},
	}
	return Facts{
		Command: "plan", Version: "v1", Network: "net", Commit: "c0ffee", ExitCode: 6,
		Ended: time.UnixMilli(1500), Took: 250 * time.Millisecond, Pending: &p,
		Clusters: []plan.Cluster{{Name: "one", State: plan.StateOK}, {Name: "two", State: plan.StateForbidden}},
		Status: &status.Status{
			Sites: []status.Site{{Name: "a", Declared: true, State: status.ConditionReady}, {Name: "b", Declared: true}, {Name: "old", State: status.ConditionReady}},
			Links: []status.Link{
				{Name: "l", From: "b", To: "a", Declared: true, State: status.ConditionReady, Expires: "1970-01-01T00:01:00Z"},
				{Name: "l", From: "b", To: "a", Declared: true, State: status.ConditionConfigured, Expires: "1970-01-01T00:00:30Z"},
				{Name: "m", From: "b", To: "a", Declared: true, State: status.ConditionReady},
				{Name: "stray", State: status.ConditionReady},
			},
		},
	}
}

// text writes the file and gives the lines with values, without the two common labels.
func text(t *testing.T, f Facts) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "fairlead.prom")
	if err := Write(file, f); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	if _, err := parser.TextToMetricFamilies(bytes.NewReader(data)); err != nil {
		t.Errorf("%v\n%s", err, data)
	}
	var out []string
	for _, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		for _, common := range []string{`command="` + f.Command + `"`, `network="net"`} {
			if !strings.Contains(line, common) {
				t.Errorf("no %s in %s", common, line)
			}
			line = strings.NewReplacer(common+",", "", ","+common, "", common, "").Replace(line)
		}
		out = append(out, strings.Replace(line, "{}", "", 1))
	}
	return strings.Join(out, "\n")
}

func TestPlanAndStatus(t *testing.T) {
	t.Parallel()
	want := `fairlead_certificate_expiry_timestamp_seconds{link="l"} 30
fairlead_cluster_up{cluster="one"} 1
fairlead_cluster_up{cluster="two"} 0
fairlead_drift_actions 1
fairlead_link_ready{from="b",link="l",to="a"} 0
fairlead_link_ready{from="b",link="m",to="a"} 1
fairlead_links 2
fairlead_links_ready 1
fairlead_pending_actions{verb="adopt"} 0
fairlead_pending_actions{verb="create"} 2
fairlead_pending_actions{verb="delete"} 1
fairlead_pending_actions{verb="replace"} 0
fairlead_pending_actions{verb="update"} 0
fairlead_refusals 1
fairlead_run_exit_code 6
fairlead_run_info{commit="c0ffee",version="v1"} 1
fairlead_run_timestamp_seconds 1.5
fairlead_sites 2
fairlead_sites_ready 1
fairlead_unknown 2`
	if diff := cmp.Diff(want, text(t, facts())); diff != "" {
		t.Error(diff)
	}
}

// What an apply did is no longer pending.
func TestApply(t *testing.T) {
	t.Parallel()
	f := facts()
	f.Command, f.Applies, f.ExitCode, f.Status, f.Clusters = "apply", true, 4, nil, nil
	f.Applied = &report.Applied{Outcomes: []report.Outcome{
		{Action: f.Pending.Actions[0], State: report.StateDone}, {Action: f.Pending.Actions[1], State: report.StateFailed},
		{Action: f.Pending.Actions[2], State: report.StateBlocked},
	}}
	got := text(t, f)
	for _, want := range []string{
		`fairlead_pending_actions{verb="create"} 1`, `fairlead_pending_actions{verb="delete"} 1`, "fairlead_drift_actions 0",
		`fairlead_last_apply_actions{state="done"} 1`, `fairlead_last_apply_actions{state="failed"} 1`, `fairlead_last_apply_actions{state="stale"} 0`,
		"fairlead_last_apply_success 0", "fairlead_last_apply_duration_seconds 0.25", "fairlead_last_apply_timestamp_seconds 1.5",
	} {
		if !strings.Contains(got, want+"\n") && !strings.HasSuffix(got, want) {
			t.Errorf("no line %s in\n%s", want, got)
		}
	}
}

// A drift's actions are not pending, what git is ahead by is.
func TestDrift(t *testing.T) {
	t.Parallel()
	f := facts()
	f.Command, f.Drift, f.Pending = "drift", f.Pending, nil
	f.Drift.Behind = []plan.Action{{Verb: plan.VerbDelete}}
	f.Drift.Ignored = []plan.Ignored{{Action: "link/l", Field: "cost"}}
	f.Drift.Live = []plan.Live{
		{Code: plan.LiveLinkDown, Severity: diag.Error}, {Code: plan.LiveLinkDown, Severity: diag.Error}, {Code: plan.LiveLinkCost, Severity: diag.Warning},
	}
	got := text(t, f)
	for _, want := range []string{
		"fairlead_drift_actions 3", "fairlead_drift_ignored 1", `fairlead_pending_actions{verb="delete"} 1`, `fairlead_pending_actions{verb="create"} 0`,
		`fairlead_live_facts{code="link-down",severity="error"} 2`, `fairlead_live_facts{code="link-cost",severity="warning"} 1`,
	} {
		if !strings.Contains(got, want+"\n") && !strings.HasSuffix(got, want) {
			t.Errorf("no line %s in\n%s", want, got)
		}
	}
}

// Names, help texts and types are as Prometheus wants them.
func TestLint(t *testing.T) {
	t.Parallel()
	f := facts()
	f.Applies = true
	r, err := registry(f)
	if err != nil {
		t.Fatal(err)
	}
	problems, err := testutil.GatherAndLint(r)
	if err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
}

// A file that cannot be written is found beforehand, and Write leaves nothing half.
func TestCheck(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "f.prom")
	if err := Check(file); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
	for _, bad := range []string{filepath.Join(dir, "no", "f.prom"), os.DevNull, dir} {
		if err := Check(bad); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
	if err := Write(filepath.Join(dir, "no", "f.prom"), facts()); err == nil {
		t.Error("written to a folder that is not there")
	}
}
