package cli

import (
	"slices"

	"github.com/spf13/cobra"

	"fairlead.dev/fairlead/plan"
)

// allowing adds the flag that lifts refusals.
func (o *common) allowing(c *cobra.Command) {
	o.lifts = true
	c.Flags().StringArrayVar(&o.allow, "allow", nil,
		"go ahead with what the plan or its description is refused for, as is shown: CODE:NUMBER@PLAN (repeatable), or all@PLAN")
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
// mistake of the command line. Those about where the description comes from were taken
// when it was judged.
func (o *common) lift(p plan.Plan) (plan.Plan, error) {
	lifted, err := plan.Lift(p, slices.DeleteFunc(slices.Clone(o.allowances), plan.Allowance.OfProvenance))
	if err != nil {
		return p, failure{code: exitInvalid, err: err}
	}
	return lifted, nil
}
