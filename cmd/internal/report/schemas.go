package report

import (
	"embed"
	"io/fs"
	"strings"
)

//go:embed *.schema.json
var schemaFiles embed.FS

// schemaSuffix ends the name of each file with a published schema.
const schemaSuffix = ".schema.json"

// SchemaNames are the names of the published JSON schemas, sorted: "plan" is that of what
// plan prints with --format json. Each allows what is in the JSON today and nothing else;
// what is added comes with a new schema, and what is taken away or changes its meaning with
// a new number in the JSON's format.
func SchemaNames() (names []string) {
	files, err := fs.Glob(schemaFiles, "*"+schemaSuffix)
	if err != nil {
		panic(err) // the pattern is ours
	}
	for _, f := range files {
		names = append(names, strings.TrimSuffix(f, schemaSuffix))
	}
	return names
}

// Schema is a published JSON schema (draft 2020-12), by its name; not ok for one that
// there is not.
func Schema(name string) (text []byte, ok bool) {
	text, err := schemaFiles.ReadFile(name + schemaSuffix)
	return text, err == nil
}
