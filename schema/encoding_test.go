package schema_test

import (
	"io/fs"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A file that is no UTF-8 is told of as such, at its first bad byte: also one that does not
// parse, and one that CUE would leave out because it finds no package clause in it.
func TestEncoding(t *testing.T) {
	t.Parallel()
	const bad = "error: the byte 0xff is no UTF-8 text; save the file as UTF-8"
	for name, tt := range map[string]struct {
		files fs.FS
		want  []string
	}{
		"in a text":          {tree("a.cue", "package a\nnetwork: \"x\xff\"\n"), []string{"a.cue:2:12: " + bad}},
		"in a comment":       {tree("a.cue", "package a\n// \xff\nnetwork: 5\n"), []string{"a.cue:2:4: " + bad}},
		"outside of a text":  {tree("a.cue", "package a\n\xffnetwork: \"x\"\n"), []string{"a.cue:2:1: " + bad}},
		"beside a mistake":   {tree("a.cue", "package a\nnetwork: \"x\xff\" \"\n"), []string{"a.cue:2:12: " + bad}},
		"UTF-16":             {tree("a.cue", "\xff\xfep\x00a\x00"), []string{"a.cue:1:1: " + bad}},
		"UTF-16 beside text": {tree("a.cue", "\xff\xfep\x00a\x00", "b.cue", "package b\nnetwork: 5\n"), []string{"a.cue:1:1: " + bad}},
		"two files": {
			tree("a.cue", "package a\nnetwork: \"x\xff\"\n", "b.cue", "package a\n_x: \"\xff\"\n"),
			[]string{"a.cue:2:12: " + bad, "b.cue:2:6: " + bad},
		},
		"an imported package": {
			tree("cue.mod/module.cue", "module: \"example.com/n\"\nlanguage: version: \"v0.9.0\"\n",
				"a.cue", "package a\nimport \"example.com/n/sub\"\nnetwork: sub.x\n",
				"sub/s.cue", "package sub\nx: \"x\"\n", "sub/t.cue", "\xff\xfep\x00a\x00"),
			[]string{"sub/t.cue:1:1: " + bad},
		},
		"a file of no package": {
			tree("a.cue", "package a\nnetwork: 5\n", "notes.cue", "// \xff\nx: 1\n", "notes.txt", "\xff"),
			[]string{"notes.cue:1:4: " + bad},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, f := range loadDir(t, tt.files, ".").Findings {
				got = append(got, f.String())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}
