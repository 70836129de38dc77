package apply

import (
	"context"
	"fmt"
	"time"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
)

// Going is the error of a lock whose Lease is being deleted.
type Going struct {
	Cluster    network.ClusterName
	Finalizers []string
	// Waited is how long it was waited for.
	Waited time.Duration
}

// Error says what holds it.
func (g *Going) Error() string {
	text := fmt.Sprintf("the lock on cluster %s cannot be taken: its Lease is being deleted, %s", g.Cluster, plan.HeldBy(g.Finalizers))
	if g.Waited > 0 {
		text += fmt.Sprintf(" (waited %s)", g.Waited)
	}
	return text
}

// Unwrap gives the class.
func (g *Going) Unwrap() error { return ErrLocked }

// waitGone returns when a Lease that is being deleted changed or is gone, and with a *Going
// when the deadline is over.
func (t *taking) waitGone(ctx context.Context, now Lease) error {
	t.went = Lease{Annotations: now.Annotations, Transitions: now.Transitions}
	going := &Going{Cluster: t.Cluster, Finalizers: now.Finalizers, Waited: t.opts.Timeout}
	left := time.Until(t.deadline)
	if left <= 0 {
		return going
	}
	if told := "a Lease that goes"; t.opts.Waiting != nil && t.told != told {
		t.told = told
		t.opts.Waiting(going)
	}
	return t.changed(ctx, now, left)
}
