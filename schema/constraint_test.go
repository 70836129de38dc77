package schema_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestOwnConstraint breaks constraints that the description itself makes: each is told
// with its words and its place, and with the schema beside it as without.
func TestOwnConstraint(t *testing.T) {
	t.Parallel()
	const fix = "; give a value that it allows, or change it there"
	for name, tt := range map[string]struct{ constraint, value, want string }{
		"bound":        {"links: [string]: cost: <100\n", "links: l: cost: 500\n", `b.cue:2:17: error: link "l": cost is 500, but a.cue:7:24 demands <100` + fix},
		"two bounds":   {"links: [string]: cost: >5 & <100\n", "links: l: cost: 3\n", `b.cue:2:17: error: link "l": cost is 3, but a.cue:7:24 demands >5` + fix},
		"in one place": {"", "links: l: cost: 3 & >5\n", `b.cue:2:17: error: link "l": cost is 3, but b.cue:2:21 demands >5` + fix},
		"by name":      {"_max: <100\nlinks: [string]: cost: _max\n", "links: l: cost: 500\n", `b.cue:2:17: error: link "l": cost is 500, but a.cue:8:24 demands <100` + fix},
		"definition":   {"#Cheap: {cost?: <100, ...}\nlinks: l: #Cheap\n", "links: l: cost: 500\n", `b.cue:2:17: error: link "l": cost is 500, but a.cue:7:17 demands <100` + fix},
		"choice":       {"links: [string]: rotation: 2 | 4\n", "links: l: rotation: 3\n", `b.cue:2:21: error: link "l": rotation is 3, but a.cue:7:28 demands 2 | 4` + fix},
		"not": {"sites: [string]: settings?: \"size\"?: !=\"small\"\n", "sites: a: settings: \"size\": \"small\"\n",
			`b.cue:2:29: error: site "a": settings.size is "small", but a.cue:7:38 demands !="small"` + fix},
		"function":    {"import \"strings\"\nlinks: [string]: object: strings.MinRunes(9)\n", "links: l: object: \"x\"\n", `b.cue:2:19: error: link "l": object is "x", but a.cue:8:26 demands strings.MinRunes(9)` + fix},
		"of a list":   {"import \"list\"\npolicy: signers: list.MinItems(2)\n", "policy: signers: [\"k\"]\n", `b.cue:2:18: error: policy.signers is ["k"], but a.cue:8:18 demands list.MinItems(2)` + fix},
		"of a limit":  {"policy: deletes: sites: >5\n", "policy: deletes: sites: 4\n", `b.cue:2:25: error: policy.deletes.sites is 4, but a.cue:7:25 demands >5` + fix},
		"beyond both": {"links: [string]: cost: >5\n", "links: l: cost: 0\n", `b.cue:2:17: error: link "l": cost is 0, want 1 to 2147483647; give a whole number in that range; 99999 means "backup only"`},
		"of a choice": {"sites: [string]: linkAccess?: !=\"route\"\n", "sites: b: linkAccess: \"route\"\n", `b.cue:2:23: error: site "b": linkAccess is "route", but a.cue:7:31 demands !="route"` + fix},
		"of the name": {"network: =~\"^prod-\"\n", "", `b.cue:2:10: error: network is "n", but a.cue:7:10 demands =~"^prod-"` + fix},
	} {
		text := "package x\n\nclusters: c: {}\nsites: a: {cluster: \"c\", namespace: \"a\", linkAccess: \"default\"}\n" +
			"sites: b: {cluster: \"c\", namespace: \"b\"}\nlinks: l: {from: \"b\", to: \"a\"}\n" + tt.constraint
		if imports, rest, ok := strings.Cut(tt.constraint, "\n"); ok && strings.HasPrefix(imports, "import") {
			text = strings.Replace(text, "package x\n", "package x\n"+imports+"\n", 1)
			text = strings.Replace(text, tt.constraint, rest, 1)
		}
		value := "package x\n" + tt.value
		if !strings.Contains(tt.constraint, "network") {
			text = strings.Replace(text, "\n\n", "\nnetwork: \"n\"\n", 1)
		} else {
			value += "network: \"n\"\n"
		}
		files := tree("a.cue", text, "b.cue", value)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check := func(got []string) {
				t.Helper()
				if diff := cmp.Diff([]string{tt.want}, got); diff != "" {
					t.Errorf("findings (-want +got):\n%s", diff)
				}
			}
			var got []string
			for _, f := range loadDir(t, files, ".").Findings {
				got = append(got, f.String())
			}
			check(got)
			got = nil
			for _, f := range loadDir(t, embedded(t, files, schemaFile(t)), ".").Findings {
				got = append(got, f.String())
			}
			check(got)
		})
	}
}
