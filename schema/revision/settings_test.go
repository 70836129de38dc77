package revision

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What git takes is read as git reads it.
func TestSettingsAsGitReadsThem(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("there is no git to compare with")
	}
	for _, text := range []string{
		"", "\n\n", "# nothing\n; at all", "[core]\n", "[core]\n\tbare = false\n",
		"[remote.Origin]\n\tURL = https://example.com/a.git\n",
		"[core] autocrlf = input\n", "[core]autocrlf=input", "[a]b=1\n[c] [d] e=2\n",
		"[user]\n\tname = J\xf6rg\n", "[url \"\"]\n\tinsteadOf = foo\n", "[url \"\xf6\"]\n\tinsteadOf = foo\n",
		"\uFEFF[core]\n\tbare = true\n", "[core]\r\n\tbare = true\r\n[x]\r\ny = \"a\\\r\nb\"\r\n",
		"[core]\n\tbare\n", "[core]\nbare \n", "[core]\n\tbare =\n", "[core]\n\tbare = \"\"\n",
		"[a]\nb = 1 # one\nc = 2;two\nd = \"#;\" # no\n", "[a]\nb = x  y \n", "[a]\nb =   \"  x \" z\n",
		"[a]\nb = one\\\n  two\\\nthree\n", "[a]\nb = \\t\\n\\b\\\\\\\"\n", "[a]\nb = a\"b c\"d\n",
		"[a \"B.c\\\"d\\\\e]\"]\nf-1 = g\n", "[a   \"x\"]\nk = v", "[A]\nK=1\n[a]\nk=2\nK=3\n",
		"[remote \"origin\"] url = x ; [remote \"b\"]\n", "  [a]  \n   b  =  c  \n", "[a] # c\nb=c\n", "[a]\nb=c\\",
		"[include]\n\tpath = nowhere\n[core]\n\tbare = true\n",
	} {
		want, ok := gitSettings(t, text)
		if !ok {
			t.Errorf("%q: git does not take it", text)
		}
		if diff := cmp.Diff(want, parseSettings([]byte(text))); diff != "" {
			t.Errorf("%q (-git +got):\n%s", text, diff)
		}
	}
}

// gitSettings is what git reads; false where it takes none of it.
func gitSettings(t *testing.T, text string) (settings, bool) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("git", "config", "--file", file, "--no-includes", "--list", "-z").Output()
	if err != nil {
		return nil, false
	}
	s := settings{}
	for entry := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		if entry == "" {
			continue
		}
		key, value, found := strings.Cut(entry, "\n")
		if !found {
			value = "true"
		}
		s[key] = append(s[key], value)
	}
	return s, true
}

// What nobody can read costs no more than its line, or its section.
func TestSettingsThatAreBroken(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"[core\n\tbare = no\n", "[core \"x\n\"]\nbare = no\n", "[co re]\nbare = no\n", "bare = no\n", "[x]\n!\n1a = b\nb c\n",
		"[x]\ny = \"open\n", "[x]\ny = \\q\n", "]\n", "[]]\n", "\x00\xff\n",
	} {
		got := parseSettings([]byte(text + "[remote \"origin\"]\nurl = u\n"))
		if got.last("remote.origin.url") != "u" || got.last("core.bare") != "" {
			t.Errorf("%q: got %v", text, slices.Sorted(maps.Keys(got)))
		}
	}
}

// FuzzSettings wants what git takes read as git reads it, and everything else without panic.
func FuzzSettings(f *testing.F) {
	f.Add("[a \"b\"]\n\tc = \"d\\\"\" # e\n[f.g]h\n")
	f.Fuzz(func(t *testing.T, text string) {
		if got := parseSettings([]byte(text)); len(text) == 0 && len(got) > 0 {
			t.Errorf("got %v", got)
		}
	})
}
