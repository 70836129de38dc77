package crds

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

// TestSameAsSkupper compares the definitions with Skupper's own, where a copy
// of those is at hand; words do not count.
func TestSameAsSkupper(t *testing.T) {
	dir := os.Getenv("FAIRLEAD_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", "shared")
	}
	theirs := readAll(t, filepath.Join(dir, "skupper-crds"))
	if len(theirs) == 0 {
		t.Skip("no copy of Skupper's definitions in " + dir)
	}
	ours, err := All()
	if err != nil {
		t.Fatal(err)
	}
	for _, crd := range ours {
		want := theirs[crd.Name]
		delete(theirs, crd.Name)
		if diff := cmp.Diff(structure(t, want), structure(t, crd)); diff != "" {
			t.Errorf("%s: Skupper's (-), ours (+):\n%s", crd.Name, diff)
		}
	}
	for name := range theirs {
		t.Errorf("%s is missing", name)
	}
}

func readAll(t *testing.T, dir string) map[string]*apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]*apiextensionsv1.CustomResourceDefinition{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		crd := &apiextensionsv1.CustomResourceDefinition{}
		if err := yaml.Unmarshal(text, crd); err != nil {
			t.Fatal(err)
		}
		out[crd.Name] = crd
	}
	return out
}

// structure is the definition without descriptions.
func structure(t *testing.T, crd *apiextensionsv1.CustomResourceDefinition) any {
	t.Helper()
	text, err := yaml.Marshal(crd)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := yaml.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return wordless(v)
}

func wordless(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, value := range v {
			if _, words := value.(string); key == "description" && words {
				continue
			}
			out[key] = wordless(value)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = wordless(v[i])
		}
		return out
	}
	return v
}

func TestTwelveKinds(t *testing.T) {
	all, err := All()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 12 {
		t.Errorf("%d kinds, want 12", len(all))
	}
}
