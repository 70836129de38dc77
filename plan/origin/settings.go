package origin

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"fairlead.dev/fairlead/plan/field"
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// The codes of what SettingsChanged finds.
const (
	CodeClusterChanged = "cluster-changed"
	CodePolicyChanged  = "policy-changed"
)

// SettingsChanged warns of what a change does that no action shows: clusters that are
// reached in another way, which may make them others, and rules that guard every later
// change. Sorted, never nil.
func SettingsChanged(before, after network.Network) diag.List {
	out := diag.List{}
	known := map[network.ClusterName]network.Cluster{}
	for _, c := range before.Clusters {
		known[c.Name] = c
	}
	for _, c := range after.Clusters {
		was, ok := known[c.Name]
		if changed := changedSettings(clusterSettings(was), clusterSettings(c)); ok && len(changed) > 0 {
			out = append(out, diag.Finding{
				Severity: diag.Warning, Code: CodeClusterChanged, Subject: fmt.Sprintf("cluster %q", c.Name), At: c.DeclaredAt,
				Message: "is reached in another way: " + strings.Join(changed, ", "),
				Fix:     "make sure that it is the same cluster: a plan tells what another one lacks",
			})
		}
	}
	changed := changedSettings(policySettings(before.Policy), policySettings(after.Policy))
	if changed = append(changed, changedRules(before.Policy, after.Policy)...); len(changed) > 0 {
		out = append(out, diag.Finding{
			Severity: diag.Warning, Code: CodePolicyChanged, Subject: "policy", At: policyAt(after.Policy),
			Message: "changes what later changes are refused for: " + strings.Join(changed, ", "),
			Fix:     "look whether that is meant",
		})
	}
	return out.Sorted()
}

// setting is a name with a value that people may see: of secrets only where they come
// from.
type setting struct {
	name  string
	value any
}

func clusterSettings(c network.Cluster) []setting {
	return []setting{
		{"context", c.Context}, {"kubeconfig", c.Kubeconfig}, {"inCluster", c.InCluster}, {"lockNamespace", c.LocksIn()},
		{"uid", c.UID},
	}
}

func policySettings(p network.Policy) []setting {
	return []setting{
		{"unreachableSites", cmp.Or(p.UnreachableSites, network.LevelWarn)},
		{"deletes.sites", p.Deletes.Sites}, {"deletes.links", p.Deletes.Links}, {"deletes.objects", p.Deletes.Objects}, {"deletes.percent", p.Deletes.Percent},
		{"clean", p.Clean}, {"signers", strings.Join(slices.Sorted(slices.Values(p.Signers)), " ")},
		{"planExpiry", cmp.Or(p.PlanExpiry, network.DefaultPlanExpiry)},
	}
}

// changedRules names the rules of policy.ignore that come and go, by their paths.
func changedRules(before, after network.Policy) (out []string) {
	came, went := rulePaths(after), rulePaths(before)
	for _, change := range []struct {
		word  string
		paths []string
		other []string
	}{{"adds", came, went}, {"drops", went, came}} {
		only := slices.DeleteFunc(slices.Clone(change.paths), func(p string) bool { return slices.Contains(change.other, p) })
		if len(only) > 0 {
			out = append(out, "ignore "+change.word+" "+strings.Join(only, ", "))
		}
	}
	return out
}

func rulePaths(p network.Policy) []string {
	var out []string
	for _, r := range p.Ignore {
		out = append(out, fmt.Sprintf("%q", r.Path))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// policyAt is a place of the policy, as far as one is known.
func policyAt(p network.Policy) diag.Position {
	if len(p.Ignore) > 0 {
		return p.Ignore[0].DeclaredAt
	}
	if !p.SignersAt.IsZero() {
		return p.SignersAt
	}
	return p.CleanAt
}

// changedSettings says what is different: "context: was "a", is "b"". Where a kubeconfig
// comes from is only said to differ.
func changedSettings(was, is []setting) (out []string) {
	for i := range is {
		switch {
		case reflect.DeepEqual(was[i].value, is[i].value):
		case is[i].name == "kubeconfig":
			out = append(out, "kubeconfig: another source")
		default:
			out = append(out, fmt.Sprintf("%s: was %s, is %s", is[i].name, field.Shown(was[i].value), field.Shown(is[i].value)))
		}
	}
	return out
}
