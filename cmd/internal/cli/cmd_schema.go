package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"fairlead.dev/fairlead/cmd/internal/report"
)

func newSchema(sys *System) *cobra.Command {
	names := strings.Join(report.SchemaNames(), ", ")
	return &cobra.Command{
		Use:   "schema [NAME]",
		Short: "Print the JSON schema of what a command writes",
		Long: `Schema prints the JSON schema of the JSON that a command writes, for validators and
editors; without a name it lists the names. These are ` + names + `:
findings are vet's, failures those of simulate without flags, events each line of apply's
--events file, and applied is how an apply ended. The JSON of diff and drift is a plan.`,
		Example:   "  fairlead schema plan > plan.schema.json",
		ValidArgs: report.SchemaNames(),
		Args:      atMostOne("schema"),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				_, err := fmt.Fprintln(sys.Out, strings.Join(report.SchemaNames(), "\n"))
				return err
			}
			text, ok := report.Schema(args[0])
			if !ok {
				return fail(exitInvalid, "there is no schema %q; there are %s", args[0], names)
			}
			_, err := sys.Out.Write(text)
			return err
		},
	}
}
