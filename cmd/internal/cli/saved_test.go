package cli

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"fairlead.dev/fairlead/plan"
)

// A cluster is another one only where both plans know it by the same namespace.
func TestSameUIDs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ saved, now, want string }{
		{"a", "a", ""},
		{"", "a", ""},
		{"a", "b", "another one"},
		{"a", "", "cannot be told"},
		{"a", "namespace/default:a", "the same scope"},
		{"namespace/default:a", "a", "the same scope"},
		{"namespace/default:a", "namespace/locks:b", "the same scope"},
		{"namespace/default:a", "namespace/default:b", "another one"},
		{"namespace/default:a", "namespace/default:a", ""},
	} {
		of := func(uid string) plan.Plan {
			return plan.Plan{Clusters: []plan.Cluster{{Name: "hub", UID: uid, State: plan.StateOK}}}
		}
		got := ""
		if err := sameUIDs(of(c.saved), of(c.now)); err != nil {
			got = err.Error()
		}
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%q and %q: %q, want %q", c.saved, c.now, got, c.want)
		}
	}
}

// An id or a plan that is empty, such as a variable's that is not set, would let anything
// be applied, and is refused before any cluster is asked.
func TestReviewedIsEmpty(t *testing.T) {
	t.Parallel()
	dir := unreachable(t, "")
	p := plan.Plan{Format: plan.Format, Network: "x"}
	p.ID = plan.Identify(p)
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	writeAt(t, filepath.Join(dir, "plan.json"), string(text))
	for _, id := range []string{"", "sha256:"} {
		for _, args := range [][]string{{"--plan", "plan.json"}, {"--yes"}} {
			args = append([]string{"apply", "--timeout", "5s", "--expect-plan-id", id}, args...)
			if code, _, errOut := runIn(dir, nil, args...); code != exitInvalid || !strings.Contains(errOut, "--expect-plan-id is empty") {
				t.Errorf("%q: exit %d\n%s", args, code, errOut)
			}
		}
	}
	if code, _, errOut := runIn(dir, nil, "apply", "--timeout", "5s", "--plan", "", "--yes"); code != exitInvalid || !strings.Contains(errOut, "--plan is empty") {
		t.Errorf("exit %d\n%s", code, errOut)
	}
}
