package cli

import (
	"cmp"
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"fairlead.dev/fairlead/apply"
	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
)

// partial adds the flag that goes on without clusters that cannot be read.
func (o *common) partial(c *cobra.Command) {
	c.Flags().BoolVar(&o.allowPartial, "allow-partial", false, "go on where a cluster cannot be read, and leave out what needs it")
}

// accepted is a plan as planExit is to judge it: clusters that may be left out do not
// count, as long as one could be read.
func (o *common) accepted(p plan.Plan) plan.Plan {
	read := slices.DeleteFunc(slices.Clone(p.Clusters), func(c plan.Cluster) bool { return c.State != plan.StateOK })
	if o.allowPartial && len(read) > 0 {
		p.Clusters = read
	}
	return p
}

// leftOut says which clusters an apply does without.
func (s session) leftOut(p plan.Plan) []report.LeftOut {
	out := []report.LeftOut{}
	for _, c := range p.Clusters {
		if c.State != plan.StateOK {
			out = append(out, report.LeftOut{Cluster: c.Name, State: c.State, Reason: c.Reason, Unknown: plan.UnknownAt(s.desired, c.Name)})
		}
	}
	return out
}

// readable gives the clusters of a plan as apply wants them. Those that could not be
// read are not among them, so that no request can go there.
func (s session) readable(p plan.Plan) map[network.ClusterName]apply.Cluster {
	out := s.writers()
	for _, c := range p.Clusters {
		if c.State != plan.StateOK {
			delete(out, c.Name)
		}
	}
	return out
}

// unanswered reports whether a reference gave no secret because of the cluster that
// holds it, and not because of the reference.
func unanswered(err error) bool {
	return errors.Is(err, apply.ErrUnreachable) || errors.Is(err, apply.ErrForbidden)
}

// codeOfReference is the exit code where a secret reference gives nothing.
func codeOfReference(err error) int {
	if unanswered(err) {
		return exitUnreachable
	}
	return exitInvalid
}

// unread is the view of a cluster that could not even be asked.
func unread(name network.ClusterName, err error) plan.ClusterView {
	v := plan.ClusterView{Name: name, State: plan.StateUnreachable, Reason: err.Error()}
	if errors.Is(err, apply.ErrForbidden) {
		v.State = plan.StateForbidden
	}
	return v
}

// withUnread adds the clusters that could not be asked to an observation.
func (s session) withUnread(o plan.Observation) plan.Observation {
	o.Clusters = append(o.Clusters, s.unread...)
	slices.SortFunc(o.Clusters, func(a, b plan.ClusterView) int { return cmp.Compare(a.Name, b.Name) })
	return o
}

func countUnread(o plan.Observation) (n int) {
	for _, c := range o.Clusters {
		if c.State != plan.StateOK {
			n++
		}
	}
	return n
}
