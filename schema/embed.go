package schema

import (
	"embed"
	"io/fs"
)

//go:embed schema.cue
var moduleFiles embed.FS

// ImportPath is how a description imports the schema once it is vendored.
const ImportPath = "fairlead.dev/schema"

// Module holds the files of the package fairlead.dev/schema. Copied to
// cue.mod/pkg/fairlead.dev/schema in a user's module, they let `cue vet` and
// editors check a description that embeds schema.#Network. Load needs none of it.
func Module() fs.FS { return moduleFiles }
