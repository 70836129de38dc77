package cli

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/cmd/internal/report/formats"
)

// outputFlags say how a command shows what it found, and where.
type outputFlags struct {
	*process
	format string
	// formats are the values of --format, the default first.
	formats []string
	// output is the file, or directory, of -o.
	output string
	color  string
	// reports are the values of --report, FORMAT=FILE.
	reports []string
}

func (o *outputFlags) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&o.format, "format", o.formats[0], "output format: "+alternatives(o.formats))
	f.StringVarP(&o.output, "output", "o", "", "write to this file instead of standard output")
	f.StringVar(&o.color, "color", "auto", "auto, always or never")
}

// reportFlag adds --report, which writes what is shown to further files, each in a format
// of its own.
func (o *outputFlags) reportFlag(c *cobra.Command) {
	c.Flags().StringArrayVar(&o.reports, "report", nil, "also write to a file: FORMAT=FILE, in any format of --format (repeatable)")
}

func (o *outputFlags) check() error {
	if err := cmp.Or(oneOf("--format", o.format, o.formats...), oneOf("--color", o.color, "auto", "always", "never")); err != nil {
		return err
	}
	for _, text := range o.reports {
		name, file, ok := strings.Cut(text, "=")
		if !ok || file == "" {
			return fail(exitInvalid, "--report %s: say FORMAT=FILE, such as --report json=report.json", text)
		}
		if !slices.Contains(o.formats, name) {
			return fail(exitInvalid, "--report %s: format %q is not known; use %s", text, name, alternatives(o.formats))
		}
	}
	return nil
}

// colored decides for one stream.
func (o *outputFlags) colored(terminal bool) bool {
	switch o.color {
	case "always":
		return true
	case "never":
		return false
	}
	return o.sys.draws(terminal) && o.sys.Getenv("NO_COLOR") == ""
}

// draws reports whether a stream takes more than plain lines.
func (s *System) draws(terminal bool) bool {
	return terminal && s.Getenv("TERM") != "dumb" && s.Getenv("CI") == ""
}

// show renders a report to standard output, or to the file of -o, and to those of
// --report.
func (o *outputFlags) show(r report.Report) error {
	err := o.out(func(w io.Writer) error {
		return formats.Render(w, o.format, r, report.Style{Color: o.output == "" && o.colored(o.sys.OutTerminal)})
	})
	if err != nil {
		return err
	}
	return o.writeReports(r)
}

// aside shows a report on standard error, as text.
func (o *outputFlags) aside(r report.Report) error {
	return formats.Text(o.sys.Err, r, report.Style{Color: o.colored(o.sys.ErrTerminal)})
}

// out writes to standard output, or to the file of -o.
func (o *outputFlags) out(content func(io.Writer) error) error {
	if !isFile(o.output) {
		return content(o.sys.Out)
	}
	return o.sys.write("--output", o.output, content)
}

// isFile reports whether -o names a file or a directory, and not standard output.
func isFile(output string) bool { return output != "" && output != "-" }

// writeReports writes a report to the files of --report.
func (o *outputFlags) writeReports(r report.Report) error {
	for _, text := range o.reports {
		name, file, _ := strings.Cut(text, "=")
		err := o.sys.write("--report", file, func(w io.Writer) error {
			return formats.Render(w, name, r, report.Style{})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// atMostOne refuses a second argument; what says what the first one is.
func atMostOne(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > 1 {
			return fail(exitInvalid, "one %s at a time: %q is one too many", what, args[1])
		}
		return nil
	}
}

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
	return about(flag, f.Close())
}

// openDir makes the directory that a flag names, and opens it as a root: no name in it leads
// out.
func (s *System) openDir(flag, dir string) (*os.Root, error) {
	if err := os.MkdirAll(s.abs(dir), 0o755); err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	root, err := os.OpenRoot(s.abs(dir))
	return root, about(flag, err)
}

// flagged is a file that a flag names.
type flagged struct{ flag, file string }

// distinct refuses a file that two flags name, and standard output, which is for what the
// command shows, to those that want a file of their own.
func distinct(sys *System, files []flagged) error {
	named := map[string]string{}
	for _, f := range files {
		ours := f.flag != "--output" && f.flag != "--plan"
		switch {
		case f.file == "-" && ours:
			return fail(exitInvalid, "%s -: standard output is for the command's own; name a file", f.flag)
		case f.file == "" || f.file == "-":
			continue
		}
		file := filepath.Clean(sys.abs(f.file))
		if other, taken := named[file]; taken {
			return fail(exitInvalid, "%s and %s name the same file, %s", other, f.flag, f.file)
		}
		named[file] = f.flag
	}
	return nil
}
