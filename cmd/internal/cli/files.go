package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// abs resolves a path of the user against the working directory.
func (s *System) abs(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(s.Dir, path)
}

// write makes or replaces the file that a flag names, for its owner alone.
func (s *System) write(flag, file string, content func(io.Writer) error) error {
	f, err := os.OpenFile(s.abs(file), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("%s: %w", flag, err)
	}
	if err := content(f); err != nil {
		_ = f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("%s: %w", flag, err)
	}
	return nil
}
