package schema_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/schema"
)

const vendoredSchema = "cue.mod/pkg/fairlead.dev/schema/schema.cue"

// embedding is what `fairlead init` writes beside a description, but for its comments.
const embedding = `package %s
import "fairlead.dev/schema"
schema.#Network
clusters: [string]: schema.#Cluster
sites: [string]:    schema.#Site
links: [string]:    schema.#Link
proxies: [string]:  schema.#Proxy
policy?: schema.#Policy
`

func schemaFile(t testing.TB) string {
	t.Helper()
	text, err := fs.ReadFile(schema.Module(), "schema.cue")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// embedded adds the schema to the files of a description, as `fairlead init` does.
func embedded(t testing.TB, files fstest.MapFS, schemaText string) fstest.MapFS {
	t.Helper()
	out := fstest.MapFS{}
	for name, file := range files {
		out[name] = file
	}
	pkg := ""
	for name, file := range files {
		if strings.Contains(name, "/") {
			continue
		}
		if found := regexp.MustCompile(`(?m)^package (\w+)`).FindSubmatch(file.Data); found != nil {
			pkg = string(found[1])
		}
	}
	out["zz.cue"] = &fstest.MapFile{Data: fmt.Appendf(nil, embedding, pkg)}
	out["cue.mod/module.cue"] = &fstest.MapFile{Data: []byte(module)}
	out[vendoredSchema] = &fstest.MapFile{Data: []byte(schemaText)}
	return out
}

// filesIn reads the files of a fixture.
func filesIn(t *testing.T, dir string) fstest.MapFS {
	t.Helper()
	out := fstest.MapFS{}
	names, err := filepath.Glob(filepath.Join(dir, "*.cue"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(name)] = &fstest.MapFile{Data: text}
	}
	return out
}

// TestPlacesWithTheSchema checks that a description that embeds the schema has all its
// places where the one without has them.
func TestPlacesWithTheSchema(t *testing.T) {
	t.Parallel()
	dirs, err := filepath.Glob(filepath.Join(fixtures, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		files := filesIn(t, dir)
		if len(files) == 0 {
			continue
		}
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			want := loadDir(t, files, ".")
			got := loadDir(t, embedded(t, files, schemaFile(t)), ".")
			if diff := cmp.Diff(want.Network, got.Network); diff != "" {
				t.Errorf("network without and with the schema (-without +with):\n%.3000s", diff)
			}
			if diff := cmp.Diff(want.Findings, got.Findings); diff != "" {
				t.Errorf("findings without and with the schema (-without +with):\n%.3000s", diff)
			}
		})
	}
}

// TestPlacesOfWhatIsGenerated reads places of entries that no line of the description
// names: of comprehensions, and of packages of the same tree and of elsewhere.
func TestPlacesOfWhatIsGenerated(t *testing.T) {
	t.Parallel()
	const lib = "package lib\nlinks: {\n\tfor i in [1] {\n\t\t\"s\\(i)\": {from: \"s\\(i)\", to: \"hub\", cost: 7}\n\t}\n}\n"
	description := func(imports, links string) string {
		return "package x\n" + imports + "network: \"n\"\nclusters: c: {}\nsites: {\n" +
			"\thub: {cluster: \"c\", namespace: \"hub\", linkAccess: \"default\"}\n\tfor i in [1] {\n\t\t\"s\\(i)\": {cluster: \"c\", namespace: \"s\\(i)\"}\n\t}\n}\n" + links
	}
	for name, tt := range map[string]struct {
		links, imports, file string
		want                 [3]string // the generated site, the link, and its cost
	}{
		"comprehension": {"links: {\n\tfor i in [1] {\n\t\t\"s\\(i)\": {from: \"s\\(i)\", to: \"hub\", cost: 7}\n\t}\n}\n", "", "",
			[3]string{"x.cue:7:3", "x.cue:12:3", "x.cue:12:45"}},
		"the tree's own package": {"links: lib.links\n", "import \"example.com/m/lib\"\n", "lib/lib.cue",
			[3]string{"x.cue:8:3", "lib/lib.cue:4:3", "lib/lib.cue:4:45"}},
		"a package from elsewhere": {"links: lib.links\n", "import \"example.org/lib\"\n", "cue.mod/pkg/example.org/lib/lib.cue",
			[3]string{"x.cue:8:3", "x.cue:11:1", "x.cue:11:1"}},
	} {
		files := fstest.MapFS{"x.cue": {Data: []byte(description(tt.imports, tt.links))}}
		if tt.file != "" {
			files[tt.file] = &fstest.MapFile{Data: []byte(lib)}
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := valid(t, embedded(t, files, schemaFile(t)), ".").Network
			got := [3]string{n.Sites[1].DeclaredAt.String(), n.Links[0].DeclaredAt.String(), n.Links[0].CostAt.String()}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("places (-want +got):\n%s", diff)
			}
		})
	}
}

// TestNoFindingInTheSchema checks that mistakes are told where the user made them.
func TestNoFindingInTheSchema(t *testing.T) {
	t.Parallel()
	dirs, err := filepath.Glob(filepath.Join(fixtures, "invalid", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		_, isModule := os.Stat(filepath.Join(dir, "cue.mod"))
		files := filesIn(t, dir)
		if len(files) == 0 || isModule == nil {
			continue
		}
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			want := loadDir(t, files, ".")
			got := loadDir(t, embedded(t, files, schemaFile(t)), ".")
			for _, f := range got.Findings {
				if strings.Contains(f.At.File, "cue.mod/") {
					t.Errorf("%v", f)
				}
			}
			if want.Findings.HasErrors() != got.Findings.HasErrors() {
				t.Errorf("without the schema: %v\nwith it: %v", want.Findings, got.Findings)
			}
		})
	}
}

// older is the schema of an earlier program: without some fields and choices.
func older(t *testing.T) string {
	t.Helper()
	text := schemaFile(t)
	for _, line := range []string{"\trotation?: int & >=1 & <=2147483647\n", "\tignore?: [...#Ignore]\n", "|gateway", "\tedge?: bool\n"} {
		if !strings.Contains(text, line) {
			t.Fatalf("the schema has no %q", line)
		}
		text = strings.Replace(text, line, "", 1)
	}
	return text
}

// TestOlderSchema checks what is said of a copy of the schema that is not the program's.
func TestOlderSchema(t *testing.T) {
	t.Parallel()
	const (
		plain = "package x\nnetwork: \"n\"\nclusters: c: {}\nsites: {a: {cluster: \"c\", namespace: \"a\", linkAccess: \"default\"}, b: {cluster: \"c\", namespace: \"b\"}}\n" +
			"links: l: {from: \"b\", to: \"a\"}\n"
		differs = `cue.mod/pkg/fairlead.dev/schema/schema.cue: %s: this copy of Fairlead's schema is not the one of this program; renew it with: fairlead init --update-schema .`
		refuses = "the copy of Fairlead's schema in cue.mod refuses it, this program does not: renew the copy with: fairlead init --update-schema ."
	)
	warning := fmt.Sprintf(differs, "warning")
	for name, tt := range map[string]struct {
		more, schema string
		want         []string
	}{
		"the same":            {"", schemaFile(t), nil},
		"other ends of lines": {"", strings.ReplaceAll(schemaFile(t), "\n", "\r\n"), nil},
		"nothing of it used":  {"", older(t), []string{warning}},
		"a new field": {"links: l: rotation: 2\n", older(t), []string{fmt.Sprintf(differs, "error"),
			`x.cue:6:21: error: link "l": rotation cannot be evaluated: field not allowed; ` + refuses}},
		"a new choice": {"sites: b: linkAccess: \"gateway\"\n", older(t), []string{fmt.Sprintf(differs, "error"),
			`x.cue:6:23: error: site "b": linkAccess is "gateway", but cue.mod/pkg/fairlead.dev/schema/schema.cue:45:15 demands =~"^(none|default|local|loadbalancer|route|nodeport|ingress|…; ` + refuses}},
		"a new choice and a mistake": {"sites: b: linkAccess: \"gateway\"\nlinks: l: cost: 0\n", older(t), []string{fmt.Sprintf(differs, "error"),
			`x.cue:6:23: error: site "b": linkAccess is "gateway", but cue.mod/pkg/fairlead.dev/schema/schema.cue:45:15 demands =~"^(none|default|local|loadbalancer|route|nodeport|ingress|…; ` + refuses,
			`x.cue:7:17: error: link "l": cost is 0, want 1 to 2147483647; give a whole number in that range; 99999 means "backup only"`}},
		"a mistake alone": {"links: l: cost: 0\n", older(t), []string{warning,
			`x.cue:6:17: error: link "l": cost is 0, want 1 to 2147483647; give a whole number in that range; 99999 means "backup only"`}},
		"no CUE": {"", "package schema\n#Network: {\n", []string{fmt.Sprintf(differs, "error"),
			`cue.mod/pkg/fairlead.dev/schema/schema.cue:2:13: error: expected '}', found the end of the file; ` + refuses}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := embedded(t, fstest.MapFS{"x.cue": {Data: []byte(plain + tt.more)}}, tt.schema)
			var got []string
			for _, f := range loadDir(t, files, ".").Findings {
				got = append(got, f.String())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("not imported", func(t *testing.T) {
		t.Parallel()
		files := tree("net/cue.mod/module.cue", module, "net/"+vendoredSchema, older(t), "net/x.cue", plain)
		found := loadDir(t, files, "net").Findings
		if len(found) != 1 || !strings.HasSuffix(found[0].String(), "fairlead init --update-schema net") {
			t.Errorf("%v", found)
		}
	})
}
