package finding

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// codePatterns are the ways in which the code gives a finding, a refusal, an effect or a
// fact its code.
var codePatterns = []*regexp.Regexp{
	regexp.MustCompile(`Code:\s+"([a-z]+(?:-[a-z]+)*)"`),
	regexp.MustCompile(`\.Code(?:, f\.Message)?(?:, f\.Fix)? = "([a-z]+(?:-[a-z]+)*)"`),
	regexp.MustCompile(`(?:\.add\((?:f|at), |\br\.(?:fail|warn|label)\()"([a-z]+(?:-[a-z]+)*)"`),
	regexp.MustCompile(`\bcode[A-Z]\w* += "([a-z]+(?:-[a-z]+)*)"`),
}

// codesIn are the codes in the files of a folder, tests apart.
func codesIn(t *testing.T, dir string) (codes []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(file) != ".go" || strings.HasSuffix(file, "_test.go") {
			return err
		}
		text, err := os.ReadFile(file)
		for _, p := range codePatterns {
			for _, found := range p.FindAllSubmatch(text, -1) {
				codes = append(codes, string(found[1]))
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return slices.Compact(slices.Sorted(slices.Values(codes)))
}

// Every code that a finding, a refusal or a fact can have is described.
func TestEveryCodeHasWords(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..", "..", "..")
	described := func(code string) bool {
		for _, table := range []map[string]ruleWords{findingWords, refusalWords, liveWords, effectWords} {
			if _, ok := table[code]; ok {
				return true
			}
		}
		return false
	}
	n := 0
	for _, dir := range []string{"schema", "plan", filepath.Join("cmd", "internal", "cli")} {
		for _, code := range codesIn(t, filepath.Join(root, dir)) {
			if n++; !described(code) {
				t.Errorf("%s: code %q has no words in rules.go", dir, code)
			}
		}
	}
	text, err := os.ReadFile(filepath.Join(root, "plan", "topology", "compare.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range regexp.MustCompile(`(?m)^\s[A-Z]\w+ += "([a-z-]+)"$`).FindAllSubmatch(text, -1) {
		if n++; effectWords[string(found[1])].short == "" {
			t.Errorf("effect %q has no words in rules.go", found[1])
		}
	}
	if n < 70 {
		t.Fatalf("only %d codes were found", n)
	}
}

// A rule has all its words, in the tables or not.
func TestEveryRuleHasWords(t *testing.T) {
	t.Parallel()
	ids := []string{"plan/delete-site", "plan/adopt-object", "drift/link", "cluster/forbidden", "effect/other", "live/none-such", "refused/none-such", "none-such", "a/b"}
	for family, table := range map[string]map[string]ruleWords{"": findingWords, "refused/": refusalWords, "live/": liveWords, "effect/": effectWords} {
		for code := range table {
			ids = append(ids, family+code)
		}
	}
	for _, id := range ids {
		if r := ruleOf(id); r.id != id || r.short == "" || !strings.HasSuffix(r.full, ".") || r.help == "" {
			t.Errorf("%+v", r)
		}
	}
}
