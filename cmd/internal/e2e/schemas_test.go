package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/cmd/internal/report/schematest"
)

// publishedAs names the schema of what each command prints with --format json.
var publishedAs = map[string]string{
	"vet": "findings", "plan": "plan", "apply": "plan", "drift": "plan", "diff": "plan", "status": "status",
}

var publishedSchemas = sync.OnceValue(func() map[string]*jsonschema.Schema {
	out := map[string]*jsonschema.Schema{}
	for _, name := range report.SchemaNames() {
		text, _ := report.Schema(name)
		schema, err := schematest.Compile(name+".json", text)
		if err != nil {
			panic(err)
		}
		out[name] = schema
	}
	return out
})

// published wants all JSON that any command of any test writes to fit its schema.
func (w *world) published(dir string, args []string, o outcome) {
	w.t.Helper()
	name := publishedAs[args[0]]
	if i := slices.Index(args, "--format"); name != "" && i > 0 && i+1 < len(args) && args[i+1] == "json" && o.out != "" {
		w.fits(name, []byte(o.out))
	}
	if i := slices.Index(args, "-o"); args[0] == "plan" && i > 0 && i+1 < len(args) && strings.HasSuffix(args[i+1], ".json") {
		if data, err := os.ReadFile(filepath.Join(dir, args[i+1])); err == nil {
			w.fits("plan", data)
		}
	}
}

func (w *world) fits(name string, data []byte) {
	w.t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		w.t.Errorf("%s: %v\n%s", name, err, data)
		return
	}
	if err := publishedSchemas()[name].Validate(v); err != nil {
		w.t.Errorf("%s: %v\n%s", name, err, data)
	}
}
