package schema

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/parser"
	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/schema/network"
)

func schemaText(t *testing.T) []byte {
	t.Helper()
	text, err := fs.ReadFile(Module(), "schema.cue")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// definitions lists the required and the optional fields of each definition in
// schema.cue, in the order of the file.
func definitions(t *testing.T) map[string][2][]string {
	t.Helper()
	file, err := parser.ParseFile("schema.cue", schemaText(t))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][2][]string{}
	for _, d := range file.Decls {
		def, name := staticField(d)
		if def == nil {
			continue
		}
		var fields [2][]string
		for _, e := range def.Value.(*ast.StructLit).Elts {
			f, key := staticField(e)
			kind := map[string]int{"!": 0, "?": 1}[f.Constraint.String()]
			fields[kind] = append(fields[kind], key)
		}
		out[name] = fields
	}
	return out
}

// shapes are the tables of the definitions in schema.cue.
func shapes() map[string]*shape {
	inner := func(s *shape, name string) *shape {
		f, _ := s.field(name)
		return f.inner
	}
	root := description()
	proxy, policy := inner(root, "proxies"), inner(root, "policy")
	secret := inner(proxy, "password")
	return map[string]*shape{
		"#Network": root, "#Cluster": inner(root, "clusters"), "#Site": inner(root, "sites"), "#Link": inner(root, "links"),
		"#Proxy": proxy, "#Secret": secret, "#EncryptedFile": inner(secret, "age"), "#SecretKey": inner(secret, "kubernetes"),
		"#Policy": policy, "#Deletes": inner(policy, "deletes"), "#Ignore": inner(policy, "ignore"),
	}
}

func TestShapesAreThoseOfTheSchema(t *testing.T) {
	t.Parallel()
	got := map[string][2][]string{}
	for name, shape := range shapes() {
		fields := [2][]string{}
		for _, f := range shape.fields {
			kind := map[bool]int{true: 0, false: 1}[f.required]
			fields[kind] = append(fields[kind], f.name)
		}
		got[name] = fields
	}
	if diff := cmp.Diff(definitions(t), got); diff != "" {
		t.Errorf("shapes (-schema.cue +Go):\n%s", diff)
	}
}

// TestValuesAreThoseOfTheSchema tries values around each bound in CUE and in Go.
func TestValuesAreThoseOfTheSchema(t *testing.T) {
	t.Parallel()
	accepts := func(path, value string) bool {
		def, name, _ := strings.Cut(path, ".")
		text := fmt.Sprintf("%s\ntried: %s & {%s: %s}\n", schemaText(t), def, name, value)
		v := cuecontext.New().CompileString(text).LookupPath(cue.MakePath(cue.Str("tried"), cue.Str(name)))
		return v.Validate(cue.Concrete(true)) == nil
	}
	paths := map[string]string{
		"linkAccess": "#Site.linkAccess", "via": "#Link.via", "unreachableSites": "#Policy.unreachableSites",
	}
	choices := func(name string) []string {
		def, field, _ := strings.Cut(paths[name], ".")
		f, _ := shapes()[def].field(field)
		return f.choices
	}
	words := []string{"", "x", "tokens", "defaults"}
	for name := range paths {
		words = append(words, choices(name)...)
	}
	for name, path := range paths {
		for _, word := range words {
			if got, want := slices.Contains(choices(name), word), accepts(path, strconv.Quote(word)); got != want {
				t.Errorf("%s %q: Go says %t, schema.cue %t", name, word, got, want)
			}
		}
	}
	for name, path := range map[string]string{
		"cost": "#Link.cost", "port": "#Proxy.port", "rotation": "#Link.rotation",
		"sites": "#Deletes.sites", "links": "#Deletes.links", "objects": "#Deletes.objects", "percent": "#Deletes.percent",
	} {
		def, field, _ := strings.Cut(path, ".")
		f, _ := shapes()[def].field(field)
		bounds := f.numbers
		for _, n := range []int64{-1, 0, 1, bounds.most, bounds.most + 1} {
			if got, want := bounds.least <= n && n <= bounds.most, accepts(path, strconv.FormatInt(n, 10)); got != want {
				t.Errorf("%s %d: Go says %t, schema.cue %t", name, n, got, want)
			}
		}
	}
	long := string(slices.Repeat([]byte("n"), network.MaxNetworkName))
	for _, name := range []string{"", "a", "-", "a-", "-a", "a-b", "A", "a.b", "a_b", "ä", long, long + "n"} {
		if got, want := network.ValidNetworkName(name), accepts("#Network.network", strconv.Quote(name)); got != want {
			t.Errorf("network %q: Go says %t, schema.cue %t", name, got, want)
		}
	}
}

// TestVerdictsAreThoseOfTheSchema unifies every fixture that builds with
// schema.cue: what CUE refuses Load refuses, and the reverse for the codes of
// structure.
func TestVerdictsAreThoseOfTheSchema(t *testing.T) {
	t.Parallel()
	structural := map[string]bool{
		"wrong-type": true, "unknown-field": true, "missing-field": true, "conflicting-values": true,
		"incomplete": true, "not-a-choice": true, "network-name": true, "cost-range": true, "port-range": true, "rotation-range": true, "deletes-range": true, "evaluation": true, "unresolved-reference": true,
	}
	dirs, err := filepath.Glob("../fixtures/*/*/*.cue")
	if err != nil || len(dirs) < 50 {
		t.Fatalf("%d fixtures: %v", len(dirs), err)
	}
	valid, err := filepath.Glob("../fixtures/*/*.cue")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, file := range append(dirs, valid...) {
		dir := filepath.Dir(file)
		if seen[dir] {
			continue
		}
		seen[dir] = true
		src := Source{FS: os.DirFS(dir), Dir: "."}
		inst, err := instance(src)
		if err != nil || inst.Err != nil {
			continue
		}
		res, err := Load(t.Context(), src)
		if err != nil {
			t.Fatal(err)
		}
		refused := false
		for _, f := range res.Findings {
			refused = refused || structural[f.Code]
		}
		ctx := cuecontext.New()
		v := ctx.BuildInstance(inst)
		if v.Err() != nil && v.IncompleteKind() == cue.BottomKind && len(res.Findings) > 0 {
			continue
		}
		v = ctx.CompileBytes(schemaText(t)).LookupPath(cue.ParsePath("#Network")).Unify(v)
		if cueRefuses := v.Validate(cue.Concrete(true)) != nil; cueRefuses != refused {
			t.Errorf("%s: schema.cue refuses: %t, Load: %v", dir, cueRefuses, res.Findings)
		}
	}
}
