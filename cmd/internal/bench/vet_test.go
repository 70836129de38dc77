package bench

import (
	"os"
	"path/filepath"
	"strings"
)

// vet measures checking the large network. Both programs read the same files;
// fairlead checks what names mean to each other too, which cue vet does not. With
// its built-in schema fairlead needs no import; that is measured apart.
func (b *bench) vet() {
	dir := b.describe(large())
	plain := b.withoutImport(large())
	rows := []*series{
		{name: "fairlead vet (structure and meaning)"},
		{name: "cue vet (structure)"},
		{name: "fairlead vet, no import, built-in schema"},
	}
	for range b.runs {
		rows[0].add(b.run(dir, []int{0}, "fairlead", "vet", "."))
		rows[1].add(b.run(dir, []int{0}, "cue", "vet", "."))
		rows[2].add(b.run(plain, []int{0}, "fairlead", "vet", "."))
	}
	table("Check 1,000 sites and 5,000 links; the same files, a module that vendors the schema", rows...)
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
