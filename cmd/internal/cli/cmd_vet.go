package cli

import (
	"github.com/spf13/cobra"

	"fairlead.dev/fairlead/cmd/internal/report/formats"
)

func newVet(sys *System) *cobra.Command {
	o := newPackageCommand(sys, formats.OfFindings()...)
	c := &cobra.Command{
		Use:   "vet [PACKAGE]",
		Short: "Check a description without touching a cluster",
		Long: `Vet evaluates the description, checks its structure and its meaning, and reports
everything it finds with file, line and column. It never touches a cluster.`,
		RunE: func(c *cobra.Command, args []string) error {
			if err := o.check(c, args); err != nil {
				return err
			}
			d, err := o.read(c.Context())
			if err != nil {
				return err
			}
			d.Findings = append(d.Findings, foretold(d.Network.Policy, d.from)...).Sorted()
			if err := o.show(d.placed(findings(d.Result))); err != nil {
				return err
			}
			if d.Findings.HasErrors() {
				return quit(exitInvalid)
			}
			return nil
		},
	}
	o.flags(c)
	o.reportFlag(c)
	return c
}
