package cli

import (
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
