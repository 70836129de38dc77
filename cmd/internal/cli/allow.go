package cli

import (
	"github.com/spf13/cobra"

	"fairlead.dev/fairlead/plan"
)

// allowing adds the flag that lifts refusals.
func (o *common) allowing(c *cobra.Command) {
	c.Flags().StringArrayVar(&o.allow, "allow", nil,
		"go ahead with what the plan is refused for, as it shows: CODE:NUMBER@PLAN (repeatable)")
}

// readAllowances refuses an --allow that cannot be read, before any cluster is reached.
func (o *common) readAllowances() error {
	o.allowances = nil
	for _, text := range o.allow {
		a, err := plan.ParseAllowance(text)
		if err != nil {
			return failure{code: exitInvalid, err: err}
		}
		o.allowances = append(o.allowances, a)
	}
	return nil
}

// lift marks the refusals that --allow names. One that fits none of the plan's is a
// mistake of the command line.
func (o *common) lift(p plan.Plan) (plan.Plan, error) {
	lifted, err := plan.Lift(p, o.allowances)
	if err != nil {
		return p, failure{code: exitInvalid, err: err}
	}
	return lifted, nil
}
