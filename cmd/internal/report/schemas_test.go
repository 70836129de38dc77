package report_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/cmd/internal/report/schematest"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/status"
	"fairlead.dev/fairlead/plan/topology"
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// ofType are values of types that take only some.
var ofType = map[reflect.Type]string{
	reflect.TypeFor[plan.State](): "ok", reflect.TypeFor[plan.Kind](): "link", reflect.TypeFor[plan.Verb](): "create",
	reflect.TypeFor[plan.Cause](): "both", reflect.TypeFor[plan.Disruption](): "restart", reflect.TypeFor[plan.Step](): "grant",
	reflect.TypeFor[plan.Origin](): "anyway", reflect.TypeFor[plan.Basis](): "running", reflect.TypeFor[status.Condition](): "ready", reflect.TypeFor[network.Via](): "token",
	reflect.TypeFor[diag.Severity](): "warning", reflect.TypeFor[topology.Severity](): "high", reflect.TypeFor[report.State](): "done",
}

// ofField are values of texts that take only some, by type and field.
var ofField = map[string]string{
	"Plan.Format": plan.Format, "Plan.ID": "sha256:" + strings.Repeat("0a", 32), "Plan.Made": "2026-07-01T10:00:00Z",
	"Effect.Severity": "low", "Effect.Code": "some-code", "Finding.Code": "some-code", "Live.Code": "some-code", "LeftOut.State": "forbidden",
	"Findings.Format": report.FindingsFormat, "Status.Format": status.Format,
	"Simulation.Format": report.SimulationFormat, "Failures.Format": report.FailuresFormat,
	"Applied.Format": report.AppliedFormat, "Applied.Plan": "sha256:" + strings.Repeat("0a", 32),
}

// fill sets every field of a value: to something when full, else to as little as may be.
func fill(v reflect.Value, full bool) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			name := v.Type().Name() + "." + v.Type().Field(i).Name
			if fill(v.Field(i), full); ofField[name] != "" && (full || name != "Plan.Made") {
				v.Field(i).SetString(ofField[name])
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), map[bool]int{true: 1}[full], 1))
		if full {
			fill(v.Index(0), full)
		}
	case reflect.Pointer:
		if full {
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem(), full)
		}
	default:
		fillOne(v, full)
	}
}

// fillOne sets what has no parts that are typed.
func fillOne(v reflect.Value, full bool) {
	switch v.Kind() {
	case reflect.String:
		if text := ofType[v.Type()]; text != "" {
			v.SetString(text)
		} else if full {
			v.SetString("text")
		}
	case reflect.Bool:
		v.SetBool(full)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(int64(map[bool]int{true: 3}[full]))
	case reflect.Interface:
		if full {
			v.Set(reflect.ValueOf("text"))
		}
	case reflect.Map:
		if full {
			v.Set(reflect.MakeMap(v.Type()))
			one := reflect.New(v.Type().Elem()).Elem()
			fill(one, full)
			v.SetMapIndex(reflect.ValueOf("key"), one)
		}
	default:
		panic(fmt.Sprintf("a %s cannot be filled", v.Type()))
	}
}

// filled are reports of each part that is published.
func filled(full bool) map[string]report.Report {
	p, d, s := &plan.Plan{}, &plan.Plan{}, &status.Status{}
	f, m, x, a := &report.Findings{}, &report.Simulation{}, &report.Failures{}, &report.Applied{}
	for _, v := range []any{p, d, s, f, m, x, a} {
		fill(reflect.ValueOf(v).Elem(), full)
	}
	if !full { // these are not there at all
		p.Live, p.Ignored, p.Behind, d.Live, d.Ignored, d.Behind = nil, nil, nil, nil, nil, nil
	}
	return map[string]report.Report{
		"plan": {Plan: p}, "plan of drift": {Drift: d}, "status": {Status: s}, "findings": {Findings: f},
		"simulation": {Simulation: m}, "failures": {Failures: x}, "applied": {Applied: a},
	}
}

func published(t *testing.T, name string) []byte {
	t.Helper()
	name, _, _ = strings.Cut(name, " ")
	text, ok := report.Schema(name)
	if !ok {
		t.Fatalf("there is no schema %s", name)
	}
	return text
}

// What has every field, and what has none but those that are always there, fits the
// published schema; so a field that is added to the JSON has to be published.
func TestSchemasFit(t *testing.T) {
	t.Parallel()
	for _, full := range []bool{true, false} {
		for name, r := range filled(full) {
			s, err := schematest.Compile(name+".json", published(t, name))
			if err != nil {
				t.Fatal(err)
			}
			data := jsonOf(t, r)
			if err := schematest.Validate(t, s, data); err != nil {
				t.Errorf("%s, full %t: %v\n%s", name, full, err, data)
			}
		}
	}
}

// Every property of a schema is one that the JSON has, and no object takes others than
// the schema's.
func TestSchemasAreExact(t *testing.T) {
	t.Parallel()
	for name, r := range filled(true) {
		var schema, value any
		if err := json.Unmarshal(published(t, name), &schema); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(jsonOf(t, r), &value); err != nil {
			t.Fatal(err)
		}
		exact(t, name, schema.(map[string]any), schema.(map[string]any), value)
	}
}

func exact(t *testing.T, at string, root, schema map[string]any, value any) {
	t.Helper()
	if ref, ok := schema["$ref"].(string); ok {
		schema = root["$defs"].(map[string]any)[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
	}
	switch value := value.(type) {
	case []any:
		exact(t, at+"[]", root, schema["items"].(map[string]any), value[0])
	case map[string]any:
		properties, _ := schema["properties"].(map[string]any)
		others, said := schema["additionalProperties"]
		if !said || properties != nil && others != false {
			t.Errorf("%s takes anything", at)
		}
		for key, p := range properties {
			if v, ok := value[key]; ok {
				exact(t, at+"."+key, root, p.(map[string]any), v)
			} else {
				t.Errorf("%s.%s is not in the JSON", at, key)
			}
		}
	}
}

// A field more, a field less and another format do not fit.
func TestSchemasAreStrict(t *testing.T) {
	t.Parallel()
	for name, r := range filled(true) {
		s, err := schematest.Compile(name+".json", published(t, name))
		if err != nil {
			t.Fatal(err)
		}
		for change, apply := range map[string]func(map[string]any){
			"more": func(v map[string]any) { v["more"] = 1 }, "less": func(v map[string]any) { delete(v, "network") },
			"format": func(v map[string]any) { v["format"] = "fairlead.plan/v2" },
		} {
			var value map[string]any
			if err := json.Unmarshal(jsonOf(t, r), &value); err != nil {
				t.Fatal(err)
			}
			apply(value)
			data, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			if schematest.Validate(t, s, data) == nil {
				t.Errorf("%s: %s fits", name, change)
			}
		}
	}
}

// Schemas stand by themselves: what several define is the same in each, and each is known
// by its name and version.
func TestSchemasAgree(t *testing.T) {
	t.Parallel()
	known := map[string]any{}
	for _, name := range report.SchemaNames() {
		var schema struct {
			ID   string         `json:"$id"`
			Defs map[string]any `json:"$defs"`
		}
		text := published(t, name)
		if err := json.Unmarshal(text, &schema); err != nil {
			t.Fatal(err)
		}
		if schema.ID != "https://fairlead.dev/schema/"+name+"/v1.json" || !bytes.HasSuffix(text, []byte("}\n")) {
			t.Errorf("%s: %s", name, schema.ID)
		}
		for def, is := range schema.Defs {
			if was, ok := known[def]; ok {
				if diff := cmp.Diff(was, is); diff != "" {
					t.Errorf("%s: %s differs\n%s", name, def, diff)
				}
			}
			known[def] = is
		}
	}
	if _, ok := report.Schema("nothing"); ok {
		t.Error("there is a schema of nothing")
	}
}

// jsonOf is a report as JSON.
func jsonOf(t testing.TB, r report.Report) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := report.JSON(&out, r); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
