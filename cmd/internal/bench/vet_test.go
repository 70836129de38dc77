package bench

import (
	"os"
	"path/filepath"
	"strings"
)

// vet measures checking the large network in both layouts that a description may have:
// with the schema imported, as `fairlead init` writes it, and without. Both programs read
// the same files; fairlead checks what names mean to each other too, which cue vet does
// not, and without the import cue vet knows no schema at all.
func (b *bench) vet() {
	for _, layout := range []struct{ name, dir string }{
		{"as init writes it, with the schema imported", b.asInit(large())},
		{"without the import; fairlead has the schema built in", b.withoutImport(large())},
	} {
		rows := []*series{{name: "fairlead vet (structure and meaning)"}, {name: "cue vet -c (structure)"}}
		for range b.runs {
			rows[0].add(b.run(layout.dir, []int{0}, "fairlead", "vet", "."))
			rows[1].add(b.run(layout.dir, []int{0}, "cue", "vet", "-c", "."))
		}
		table("Check 1,000 sites and 5,000 links "+layout.name, rows...)
	}
}

// asInit is describe with what `fairlead init` writes for each section, too.
func (b *bench) asInit(s shape) (dir string) {
	b.Helper()
	dir = b.describe(s)
	text, err := os.ReadFile(filepath.Join("..", "starter", "templates", "schema.cue"))
	b.must(err)
	b.write(filepath.Join(dir, "schema.cue"), strings.Replace(string(text), "package network\n", "package net\n", 1))
	return dir
}

// withoutImport writes the network as most users would: one file, no module.
func (b *bench) withoutImport(s shape) (dir string) {
	b.Helper()
	dir, err := os.MkdirTemp(b.work, "plain-")
	b.must(err)
	text := strings.NewReplacer("import \"fairlead.dev/schema\"\n\n", "", "schema.#Network\n\n", "").Replace(b.cue(s))
	b.write(filepath.Join(dir, "net.cue"), text)
	return dir
}
