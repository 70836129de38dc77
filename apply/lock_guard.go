package apply

import (
	"context"
	"errors"
	"fmt"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
)

// Guard gives the clusters so that no write starts on one whose lock is not held, or was
// last renewed too long ago: then the write waits for the renewal. Locks that are nil
// hold nothing.
func (l *Locks) Guard(clusters map[network.ClusterName]Cluster) map[network.ClusterName]Cluster {
	out := make(map[network.ClusterName]Cluster, len(clusters))
	for name, c := range clusters {
		out[name] = guarded{Cluster: c, name: name}
	}
	if l == nil {
		return out
	}
	for _, h := range l.held {
		if c, ok := clusters[h.Cluster]; ok {
			out[h.Cluster] = guarded{Cluster: c, name: h.Cluster, hold: h}
		}
	}
	return out
}

// guarded is a cluster that is written to under its lock.
type guarded struct {
	Cluster
	name network.ClusterName
	// hold is nil where there is no lock.
	hold *hold
}

func (g guarded) ready(ctx context.Context) error {
	if g.hold == nil {
		return fmt.Errorf("cluster %s was not locked, nothing is written there: %w", g.name, ErrUnreachable)
	}
	return g.hold.ready(ctx)
}

// Create implements Writer.
func (g guarded) Create(ctx context.Context, o Object) (Object, error) {
	if err := g.ready(ctx); err != nil {
		return Object{}, err
	}
	return g.Cluster.Create(ctx, o)
}

// Apply implements Writer.
func (g guarded) Apply(ctx context.Context, o Object, force bool) (Object, error) {
	if err := g.ready(ctx); err != nil {
		return Object{}, err
	}
	return g.Cluster.Apply(ctx, o, force)
}

// Delete implements Writer. A lost lock ends the apply's context before it shows here,
// so what is still deleted under a context that has not ended is what an apply takes
// back at its end: credentials of its own, which must not stay whoever has the lock.
func (g guarded) Delete(ctx context.Context, ref plan.ObjectRef) error {
	var lost *Lost
	if err := g.ready(ctx); err != nil && !errors.As(err, &lost) {
		return err
	}
	return g.Cluster.Delete(ctx, ref)
}
