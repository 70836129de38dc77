package lock

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"fairlead.dev/fairlead/apply"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
)

// Guard gives the clusters so that no write starts on one whose lock is not held, or was
// last renewed too long ago: then the write waits for the renewal. Locks that are nil
// hold nothing.
func (l *Locks) Guard(clusters map[network.ClusterName]apply.Cluster) map[network.ClusterName]apply.Cluster {
	out := make(map[network.ClusterName]apply.Cluster, len(clusters))
	for name, c := range clusters {
		out[name] = guarded{Reader: c, writer: c, name: name, holds: l.of(name)}
	}
	return out
}

// of are the locks that are held on a cluster.
func (l *Locks) of(name network.ClusterName) (out []*hold) {
	if l == nil {
		return nil
	}
	for _, h := range l.held {
		if h.Cluster == name {
			out = append(out, h)
		}
	}
	return out
}

// guarded is a cluster that is written to under its locks. The writer is not embedded, so that
// each of its methods has to be guarded.
type guarded struct {
	apply.Reader
	writer apply.Writer
	name   network.ClusterName
	// holds are empty where there is no lock.
	holds []*hold
}

func (g guarded) ready(ctx context.Context) error {
	if len(g.holds) == 0 {
		return fmt.Errorf("cluster %s was not locked, nothing is written there: %w", g.name, apply.ErrUnreachable)
	}
	for fresh := false; !fresh; { // while one is waited for another may grow old
		for _, h := range g.holds {
			if err := h.ready(ctx); err != nil {
				return err
			}
		}
		fresh = !slices.ContainsFunc(g.holds, func(h *hold) bool { return !h.fresh() })
	}
	return nil
}

// Create implements apply.Writer.
func (g guarded) Create(ctx context.Context, o apply.Object) (apply.Object, error) {
	if err := g.ready(ctx); err != nil {
		return apply.Object{}, err
	}
	return g.writer.Create(FencedBy(ctx, g.ready), o)
}

// Apply implements apply.Writer.
func (g guarded) Apply(ctx context.Context, o apply.Object, force bool) (apply.Object, error) {
	if err := g.ready(ctx); err != nil {
		return apply.Object{}, err
	}
	return g.writer.Apply(FencedBy(ctx, g.ready), o, force)
}

// Delete implements apply.Writer. A lost lock ends the apply's context before it shows here,
// so what is still deleted under a context that has not ended is what an apply takes
// back at its end: credentials of its own, which must not stay whoever has the lock.
func (g guarded) Delete(ctx context.Context, ref plan.ObjectRef) error {
	if err := g.readyToDelete(ctx); err != nil {
		return err
	}
	return g.writer.Delete(FencedBy(ctx, g.readyToDelete), ref)
}

// DeleteUnchanged implements apply.Writer, as Delete does.
func (g guarded) DeleteUnchanged(ctx context.Context, o apply.Object) error {
	if err := g.readyToDelete(ctx); err != nil {
		return err
	}
	return g.writer.DeleteUnchanged(FencedBy(ctx, g.readyToDelete), o)
}

// Annotate implements apply.Writer, as Delete does: what is noted belongs to what is taken back.
func (g guarded) Annotate(ctx context.Context, ref plan.ObjectRef, annotations map[string]string) error {
	if err := g.readyToDelete(ctx); err != nil {
		return err
	}
	return g.writer.Annotate(FencedBy(ctx, g.readyToDelete), ref, annotations)
}

// SameMeaning implements apply.Writer; it writes nothing.
func (g guarded) SameMeaning(path string, sent, kept any) bool {
	return g.writer.SameMeaning(path, sent, kept)
}

func (g guarded) readyToDelete(ctx context.Context) error {
	var lost *Lost
	if err := g.ready(ctx); err != nil && !errors.As(err, &lost) {
		return err
	}
	return nil
}

// fenceKey holds what a write under a lock asks before each of its tries.
type fenceKey struct{}

// FencedBy gives a context under which each try of a write asks ready, see Fence.
func FencedBy(ctx context.Context, ready func(context.Context) error) context.Context {
	return context.WithValue(ctx, fenceKey{}, ready)
}

// Fence returns when a try of a write under ctx may be sent, or with the reason why it must
// not be any more: a *Lost, or the error of ctx. Who sends a request again asks before each
// try, as a lock may be lost between two of them. Writes that no lock guards may always be
// sent.
func Fence(ctx context.Context) error {
	ready, guarded := ctx.Value(fenceKey{}).(func(context.Context) error)
	if !guarded {
		return nil
	}
	return ready(ctx)
}
