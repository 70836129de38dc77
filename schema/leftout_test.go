package schema_test

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/schema"
)

const whole = "package x\nnetwork: \"n\"\n" + onePath + oneSite

// TestEveryFileIsReadOrNamed puts a file beside those of a description, in each way in
// which CUE passes it over.
func TestEveryFileIsReadOrNamed(t *testing.T) {
	t.Parallel()
	links := "links: l: {from: \"a\", to: \"b\"}\n"
	tests := []struct {
		name  string
		files fs.FS
		dir   string
		tags  []string
		want  []string
	}{
		{"no clause", tree("a.cue", whole, "links.cue", links), ".", nil,
			[]string{"links.cue: error: the file has no package clause; start it with a line such as: package x"}},
		{"comments alone", tree("a.cue", whole, "links.cue", "// package x\n"), ".", nil,
			[]string{"links.cue: error: the file has no package clause; start it with a line such as: package x"}},
		{"nothing at all", tree("a.cue", whole, "links.cue", ""), ".", nil,
			[]string{"links.cue: error: the file has no package clause; start it with a line such as: package x"}},
		{"two without a clause", tree("a.cue", whole, "links.cue", links, "more.cue", links), ".", nil,
			[]string{"links.cue: error: the file has no package clause; start it with a line such as: package x",
				"more.cue: error: the file has no package clause; start it with a line such as: package x"}},
		{"none with a clause", tree("net/a.cue", links, "net/b.cue", links), "net", nil,
			[]string{"net/a.cue: error: the file has no package clause; start it with a line such as: package net",
				"net/b.cue: error: the file has no package clause; start it with a line such as: package net"}},
		{"no clause in a module that vendors", tree("cue.mod/module.cue", module, "cue.mod/pkg/example.org/t/t.cue", "package t\n", "a.cue", whole, "links.cue", links), ".", nil,
			[]string{"links.cue: error: the file has no package clause; start it with a line such as: package x"}},
		{"no clause in what is inherited", tree("cue.mod/module.cue", module, "a.cue", whole, "links.cue", links, "prod/b.cue", "package x\n"), "prod", nil,
			[]string{"links.cue: error: the file has no package clause; start it with a line such as: package x"}},
		{"no clause in an import", tree("cue.mod/module.cue", module, "a.cue", strings.Replace(whole, "package x\n", "package x\nimport \"example.com/m/lib\"\n_n: lib.n\n", 1), "lib/l.cue", "package lib\nn: 1\n", "lib/links.cue", links), ".", nil,
			[]string{"lib/links.cue: error: the file has no package clause; start it with a line such as: package lib"}},
		{"UTF-16", tree("a.cue", whole, "links.cue", "\xff\xfep\x00"), ".", nil, []string{"links.cue:1:1: error: the byte 0xff is no UTF-8 text; save the file as UTF-8"}},
		{"a tag", tree("a.cue", whole, "links.cue", "@if(prod)\n\npackage x\n"+links), ".", nil,
			[]string{"links.cue:1:1: warning: the file is left out: @if(prod) did not match; give the tag that includes it, with -t, or take the attribute off"}},
		{"ignored", tree("a.cue", whole, "links.cue", "@ignore()\n\npackage x\n"+links), ".", nil,
			[]string{"links.cue:1:1: warning: the file is left out: @ignore() attribute found; give the tag that includes it, with -t, or take the attribute off"}},
		{"underscore", tree("a.cue", whole, "_links.cue", "package x\n"+links), ".", nil,
			[]string{`_links.cue: warning: the file is left out: its name begins with "_"; rename it to have it read`}},
		{"dot", tree("a.cue", whole, ".links.cue", "package x\n"+links), ".", nil,
			[]string{`.links.cue: warning: the file is left out: its name begins with "."; rename it to have it read`}},
		{"test", tree("a.cue", whole, "links_test.cue", "package x\n"+links), ".", nil,
			[]string{`links_test.cue: warning: the file is left out: its name ends in "_test.cue"; rename it to have it read`}},
		{"tool", tree("a.cue", whole, "links_tool.cue", "package x\n"+links), ".", nil,
			[]string{`links_tool.cue: warning: the file is left out: its name ends in "_tool.cue"; rename it to have it read`}},
		{"commands", tree("a.cue", whole, "x_tool.cue", "@extern(x)\npackage x\nimport \"tool/cli\"\nlet hello = \"hi\"\n_text: hello\ncommand: say: cli.Print & {text: _text}\n"), ".", nil, nil},
		{"capitals", tree("a.cue", whole, "links.CUE", "package x\n"+links), ".", nil,
			[]string{`links.CUE: warning: the file is left out: its name ends in ".CUE"; rename it to have it read`}},
		{"a directory", tree("a.cue", whole, "links.cue/l.cue", "package x\n"+links), ".", nil,
			[]string{`links.cue: warning: the directory is no part of the description, though its name ends in ".cue"; rename it`}},
		{"link to nothing", fstest.MapFS{"a.cue": {Data: []byte(whole)}, "links.cue": {Data: []byte("gone.cue"), Mode: fs.ModeSymlink | 0o777}}, ".", nil,
			[]string{`links.cue: error: the link leads to no file that can be read; correct or remove it`}},
		{"hidden link to nothing", fstest.MapFS{"a.cue": {Data: []byte(whole)}, ".#a.cue": {Data: []byte("me@host.1"), Mode: fs.ModeSymlink | 0o777}}, ".", nil,
			[]string{`.#a.cue: warning: the file is left out: its name begins with "."; rename it to have it read`}},
		{"link to a directory", fstest.MapFS{"a.cue": {Data: []byte(whole)}, "links.cue": {Data: []byte("lib"), Mode: fs.ModeSymlink | 0o777}, "lib/l.cue": {Data: []byte("package l\n")}}, ".", nil,
			[]string{`links.cue: error: the link leads to no file that can be read; correct or remove it`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			res, err := schema.Load(t.Context(), schema.Source{FS: tt.files, Dir: tt.dir, Tags: tt.tags})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range res.Findings {
				got = append(got, f.String())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if !res.Findings.HasErrors() && len(res.LeftOut) != len(tt.want) {
				t.Errorf("left out: %v", res.LeftOut)
			}
		})
	}
}

// TestPackageOfTwo asks for one of two packages in a directory.
func TestPackageOfTwo(t *testing.T) {
	t.Parallel()
	res := loadDir(t, tree("a.cue", "package x\nnetwork: \"n\"\n", "b.cue", "package y\nnetwork: \"m\"\n"), ".:y")
	const want = `a.cue: warning: the file is left out: it is of package "x", and package "y" is read; correct its package clause, or move it to another directory`
	if res.Network.Name != "m" || len(res.Findings) != 1 || res.Findings[0].String() != want {
		t.Errorf("network %q, findings %v", res.Network.Name, res.Findings)
	}
	if diff := cmp.Diff([]string{"b.cue"}, res.Files); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]schema.LeftOut{{File: "a.cue", Why: `it is of package "x", and package "y" is read`}}, res.LeftOut); diff != "" {
		t.Errorf("left out (-want +got):\n%s", diff)
	}
}

// TestLeftOutOfAnImport checks that an import takes one package of a directory.
func TestLeftOutOfAnImport(t *testing.T) {
	t.Parallel()
	files := tree("cue.mod/module.cue", module, "a.cue", strings.Replace(whole, "package x\n", "package x\nimport \"example.com/m/lib:l\"\n_n: l.n\n", 1),
		"lib/l.cue", "package l\nn: 1\n", "lib/m.cue", "package m\n", "lib/l_test.cue", "package l\n", "cue.mod/other.cue", "n: 1\n")
	if res := valid(t, files, "."); len(res.LeftOut) != 0 {
		t.Errorf("left out: %v", res.LeftOut)
	}
}
