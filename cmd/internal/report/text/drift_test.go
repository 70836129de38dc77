package text_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/cmd/internal/report/formats"
	"fairlead.dev/fairlead/cmd/internal/report/text"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

func textOf(t *testing.T, r report.Report) string {
	t.Helper()
	var out strings.Builder
	if err := text.Write(&out, r, false); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestDriftText(t *testing.T) {
	t.Parallel()
	p := plan.Plan{
		Network: "n", Source: plan.Source{Commit: "0123456789abcdef", Ref: "main"},
		Applied: []plan.Applied{
			{Commit: "fedcba9876543210", Sites: []network.SiteName{"a", "b", "c", "d"}}, {Commit: "", Sites: []network.SiteName{"hub"}},
		},
		Actions: []plan.Action{
			{Kind: plan.KindLink, Verb: plan.VerbUpdate, Name: "l", Why: "changed on the cluster since it was last applied",
				DeclaredAt: diag.Position{File: "n.cue", Line: 3, Column: 1}, Fields: []plan.Field{{Path: "cost", From: int32(7), To: int32(1)}}, Link: &plan.LinkWork{}},
			{Kind: plan.KindLink, Verb: plan.VerbUpdate, Name: "m", Why: "an earlier apply left something behind", Link: &plan.LinkWork{
				Remove: []plan.ObjectRef{{Cluster: "one", Kind: plan.ObjectGrant, Namespace: "hub", Name: "n-m-1"}},
			}},
		},
		Live: []plan.Live{
			{Severity: diag.Error, Code: plan.LiveLinkDown, Subject: "link/l", Message: "is down", Fix: "look", At: diag.Position{File: "n.cue", Line: 3}},
			{Severity: diag.Warning, Code: plan.LiveUnmanagedLink, Subject: "link/x", Message: "is not ours", Fix: "delete it"},
		},
		Ignored: []plan.Ignored{
			{Action: "link/k", Field: "link-down", Rule: "link/*/link-down", Reason: "at night"},
			{Action: "object/a/Deployment/web", Field: "spec.replicas", From: int64(5), To: int64(3), Rule: "object/*/*/*/*", Reason: "autoscaler"},
			{Action: "object/a/Job/once", Rule: "object/*/Job/*", Reason: "ends"},
		},
		Behind: []plan.Action{{Kind: plan.KindSite, Verb: plan.VerbUpdate, Name: "hub", Why: "changed in the description", Fields: []plan.Field{{Path: "ha", From: false, To: true}}}},
	}
	const want = `Network n, compared with what was last applied
last applied: fedcba987654 (4 sites), no known commit (hub)
git: main at 0123456789ab

  ~ link l  n.cue:3:1
      changed on the cluster since it was last applied
      cost: 7 on the cluster, 1 when last applied
  ~ link m
      an earlier apply left something behind
      - AccessGrant hub/n-m-1 on cluster one

How it runs
  error: link/l: is down (link-down)  n.cue:3
      look
  warning: link/x: is not ours (unmanaged-link)
      delete it

Ignored by the description's policy
  link/k: link-down
      at night (link/*/link-down)
  object/a/Deployment/web spec.replicas: 5 on the cluster, 3 when last applied
      autoscaler (object/*/*/*/*)
  object/a/Job/once: gone from the cluster, or made anew by somebody
      ends (object/*/Job/*)

Git is ahead, not applied yet
  ~ update site hub: changed in the description
      ~ ha: false → true

Drift: 2 sites and links are not as last applied; to heal: fairlead apply
1 error and 1 warning about how it runs; 3 ignored by policy; git is ahead by 1 change.
`
	if diff := cmp.Diff(want, textOf(t, report.Report{Drift: &p})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestNoDriftText(t *testing.T) {
	t.Parallel()
	for want, p := range map[string]plan.Plan{
		"No drift.\n": {},
		"Not all could be compared: 1 unknown thing.\n": {Summary: plan.Summary{Unknown: 1}},
		"  ! cluster two is unreachable: no answer\n      nothing there is planned; what it holds is unknown\n\nNot all could be compared.\n": {
			Clusters: []plan.Cluster{{Name: "two", State: plan.StateUnreachable, Reason: "no answer"}},
		},
	} {
		p.Network, p.Applied = "n", []plan.Applied{{Sites: []network.SiteName{"hub"}}}
		got := textOf(t, report.Report{Drift: &p})
		if want = "Network n, compared with what was last applied\n\n" + want; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// A ref is named as it is, parentheses at its ends too.
func TestDriftTextOfOddRef(t *testing.T) {
	t.Parallel()
	p := plan.Plan{Network: "n", Source: plan.Source{Commit: "0123456789abcdef", Ref: "(wip)"}}
	got := textOf(t, report.Report{Drift: &p})
	if want := "\ngit: (wip) at 0123456789ab\n"; !strings.Contains(got, want) {
		t.Errorf("%q is not in %q", want, got)
	}
}

// What was applied with uncommitted changes is told apart from its commit, in every form.
func TestDriftOfUncommitted(t *testing.T) {
	t.Parallel()
	p := plan.Plan{
		Format: plan.Format, Network: "n", Source: plan.Source{Commit: "0123456789abcdef", Ref: "main"},
		Applied: []plan.Applied{
			{Commit: "fedcba9876543210", Dirty: true, Sites: []network.SiteName{"a", "b"}}, {Commit: "fedcba9876543210", Sites: []network.SiteName{"hub"}},
		},
	}
	for format, want := range map[string]string{
		"text":     "last applied: fedcba987654 with uncommitted changes (a, b), fedcba987654 (hub)\n",
		"markdown": "Last applied: `fedcba987654` with uncommitted changes (a, b), `fedcba987654` (hub).",
		"html":     "Last applied: fedcba987654 with uncommitted changes (a, b), fedcba987654 (hub)",
		"json":     `"dirty": true`,
	} {
		var out strings.Builder
		if err := formats.Render(&out, format, report.Report{Drift: &p}, report.Style{}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s: no %q in\n%s", format, want, out.String())
		}
	}
}
