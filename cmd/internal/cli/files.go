package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
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

// toFile reports whether -o names a file or a directory.
func (o *common) toFile() bool { return o.output != "" && o.output != "-" }

// distinct refuses a file that two flags name, and standard output, which has the
// plan.
func (o *common) distinct() error {
	type flagged struct{ flag, file string }
	files := []flagged{{"--output", o.output}, {"--plan", o.reads}}
	for _, text := range o.reports {
		_, file, _ := strings.Cut(text, "=")
		files = append(files, flagged{"--report", file})
	}
	files = append(files, flagged{"--metrics", o.records.metricsFile}, flagged{"--events", o.records.eventsFile})
	named := map[string]string{}
	for _, f := range files {
		ours := f.flag != "--output" && f.flag != "--plan"
		switch {
		case f.file == "-" && ours:
			return fail(exitInvalid, "%s -: standard output is for the command's own; name a file", f.flag)
		case f.file == "" || f.file == "-":
			continue
		}
		file := filepath.Clean(o.abs(f.file))
		if other, taken := named[file]; taken {
			return fail(exitInvalid, "%s and %s name the same file, %s", other, f.flag, f.file)
		}
		named[file] = f.flag
	}
	return nil
}
