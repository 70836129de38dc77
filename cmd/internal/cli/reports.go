package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"fairlead.dev/fairlead/cmd/internal/report"
)

// reporting adds --report, which writes what is shown to further files, each in a format
// of its own. It comes after describe.
func (o *common) reporting(c *cobra.Command) {
	c.Flags().StringArrayVar(&o.reports, "report", nil, "also write to a file: FORMAT=FILE, in any format of --format (repeatable)")
}

// checkReports refuses values of --report before any work is done.
func (o *common) checkReports() error {
	for _, text := range o.reports {
		name, file, ok := strings.Cut(text, "=")
		if !ok || file == "" {
			return fail(exitInvalid, "--report %s: say FORMAT=FILE, such as --report json=report.json", text)
		}
		if !slices.Contains(o.choices(), name) {
			return fail(exitInvalid, "--report %s: format %q is not known; use %s", text, name, alternatives(o.choices()))
		}
	}
	return nil
}

// writeReports writes a report to the files of --report.
func (o *common) writeReports(r report.Report) error {
	for _, text := range o.reports {
		name, file, _ := strings.Cut(text, "=")
		out, err := o.create("--report", file)
		if err != nil {
			return err
		}
		if err := report.Render(out, name, r, report.Style{}); err != nil {
			_ = out.Close()
			return err
		}
		if err := out.Close(); err != nil {
			return fail(exitError, "--report %s: %w", text, err)
		}
	}
	return nil
}
