package cli

import (
	"io"
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
		err := o.sys.write("--report", file, func(w io.Writer) error {
			return report.Render(w, name, r, report.Style{})
		})
		if err != nil {
			return err
		}
	}
	return nil
}
