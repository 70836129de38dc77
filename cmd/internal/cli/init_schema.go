package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"fairlead.dev/fairlead/schema"
)

// updateSchema makes the copy of the schema in the directory's module that of this program.
func (o *initFlags) updateSchema() error {
	if o.network != "" {
		return fail(exitInvalid, "--network and --update-schema exclude each other: the schema is the same for every network")
	}
	if o.action != "" {
		return fail(exitInvalid, "--action and --update-schema exclude each other: with the latter no workflow is written")
	}
	file, err := schemaCopyOf(o.sys.abs(filepath.Clean(o.arg)))
	if err != nil {
		return fail(exitInvalid, "%s: %w", o.arg, err)
	}
	there, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("init: %w", err)
	}
	if bytes.Equal(there, schema.Text()) {
		_, err := fmt.Fprintf(o.sys.Out, "%s is the schema of this program already.\n", o.shown(file))
		return err
	}
	if err := os.WriteFile(file, schema.Text(), 0o644); err != nil {
		return fmt.Errorf("init: %w", err)
	}
	_, err = fmt.Fprintf(o.sys.Out, "%s was renewed; nothing else was written. Look at it with git diff, and commit it.\n", o.shown(file))
	return err
}

// schemaCopyOf finds the copy in the module that governs a directory.
func schemaCopyOf(dir string) (string, error) {
	for d := dir; ; d = filepath.Dir(d) {
		file := filepath.Join(d, filepath.FromSlash(schema.CopyOfSchema))
		switch _, err := os.Stat(file); {
		case err == nil:
			return file, nil
		case !errors.Is(err, os.ErrNotExist):
			return "", err
		}
		if _, err := os.Stat(filepath.Join(d, "cue.mod")); err == nil || filepath.Dir(d) == d {
			return "", fmt.Errorf("there is no copy of the schema to renew, no %s", schema.CopyOfSchema)
		}
	}
}
