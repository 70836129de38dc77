package apply

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/record"
)

// task is one action under way; only its own goroutine uses it.
type task struct {
	*runner
	plan.Action
	at      plan.Step
	attempt int
	// altered is what API servers made of its writes, in words.
	altered []string
}

// begin records what the plan will do at the site's namespace.
func (t *task) begin(ctx context.Context) error { return t.ledger.begin(ctx, t.Cluster, t.Namespace) }

// note changes the inventory of the site's namespace.
func (t *task) note(ctx context.Context, change func(*record.Inventory)) error {
	return t.ledger.update(ctx, t.Cluster, t.Namespace, change)
}

// withNamespaceHint says what to do about a namespace that is missing.
func (t *task) withNamespaceHint(_ context.Context, err error) error {
	if errors.Is(err, ErrNotFound) || t.at == plan.StepNamespace && errors.Is(err, ErrForbidden) {
		return fmt.Errorf("%w; create it with: kubectl create namespace %s", err, t.Namespace)
	}
	return err
}

// recordRefusal records that the API server refused a write of the action's, so that nobody
// takes it for done. What it says of objects that hold secrets is not kept.
func (t *task) recordRefusal(ctx context.Context, err error) {
	var r *Refused
	if !errors.As(err, &r) || t.Verb == plan.VerbDelete || t.at == plan.StepNamespace || t.at == plan.StepRecord {
		return
	}
	reason := r.Reason
	switch r.Ref.Kind {
	case plan.ObjectSecret, plan.ObjectGrant, plan.ObjectToken:
		reason = fmt.Sprintf("the API server refuses %s", r.Ref)
	}
	t.report(t.note(ctx, func(inv *record.Inventory) { inv.Refuse(t.Action, reason) }))
}

// tell tells of the action at its present attempt.
func (t *task) tell(e Event) {
	e.Action, e.Attempt = t.ID, t.attempt
	t.sink.Event(e)
}

// report tells of a failure that does not change the action's own end.
func (t *task) report(err error) {
	if err != nil && !errors.Is(err, ErrNotFound) {
		t.tell(Event{Step: plan.StepClean, Phase: CleanupFailed, Message: err.Error()})
	}
}

// labels are what every object of the action carries.
func (t *task) labels(kind string) map[string]string {
	return map[string]string{
		plan.LabelManagedBy: plan.ManagedBy, plan.LabelNetwork: t.plan.Network, kind: t.Name,
	}
}

// noteRun adds the run to annotations, which may be nil. Every object that is written
// carries it; nothing is written for its sake.
func noteRun(run string, annotations map[string]string) map[string]string {
	if run == "" {
		return annotations
	}
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[plan.AnnotationRun] = run
	return annotations
}

// annotations are the commit, the run and the digest of the owned fields.
func (t *task) annotations(fields map[string]any) map[string]string {
	data, err := json.Marshal(fields)
	if err != nil {
		data = nil // fields are strings, booleans and numbers, which always marshal
	}
	sum := sha256.Sum256(data)
	out := map[string]string{plan.AnnotationDigest: "sha256:" + hex.EncodeToString(sum[:])}
	if s := t.plan.Source; s.Commit != "" {
		out[plan.AnnotationCommit] = s.Commit
		if s.Dirty {
			out[plan.AnnotationCommit] += plan.DirtySuffix
		}
	}
	return noteRun(t.opts.Run, out)
}

// writePlanned writes an object: as a new one, or over one that check finds as planned or as
// desired. onto prepares the write for what is there.
func (t *task) writePlanned(
	ctx context.Context, c Cluster, want Object, check func(Object) error, onto func(want *Object, live Object),
) (written Object, err error) {
	err = again(func() (err error) {
		live, err := t.live(ctx, c, want.ObjectRef)
		switch {
		case errors.Is(err, ErrNotFound) && want.UID == "":
			written, err = c.Apply(ctx, want, false)
			return err
		case errors.Is(err, ErrNotFound):
			return fmt.Errorf("%s is gone: %w", want.ObjectRef, ErrStale)
		case err != nil:
			return err
		}
		if err := check(live); err != nil {
			return err
		}
		now := want
		onto(&now, live)
		now.UID, now.ResourceVersion = live.UID, live.ResourceVersion
		written, err = c.Apply(ctx, now, true)
		return err
	})
	return written, err
}

// isPlanned refuses an object that is not the one of the plan: of its UID, or one of ours
// where the plan saw none.
func (t *task) isPlanned(live Object, uid string) error {
	switch {
	case uid == "" && !plan.Owned(live.Labels, t.plan.Network):
		return fmt.Errorf("%s appeared and is not ours: %w", live.ObjectRef, ErrStale)
	case uid != "" && uid != live.UID:
		return fmt.Errorf("%s was made anew: %w", live.ObjectRef, ErrStale)
	}
	return nil
}

// expected reports whether a value is as the plan saw it, or as it wants it. Anything else is
// somebody's edit, which nobody approved to overwrite or to delete.
func expected(now, saw, want any) bool { return sameJSON(now, saw) || sameJSON(now, want) }

// sameJSON compares two values of a manifest.
func sameJSON(a, b any) bool {
	left, errLeft := json.Marshal(a)
	right, errRight := json.Marshal(b)
	return errLeft == nil && errRight == nil && string(left) == string(right)
}

// again repeats a read-compare-write whose write met a newer version: a status
// that moved in between is no reason to give up.
func again(do func() error) error {
	const tries = 5
	var err error
	for range tries {
		if err = do(); !errors.Is(err, ErrConflict) {
			return err
		}
	}
	return err
}

// answer compares what an API server answered to a write with the labels and the fields that
// were sent, but for those that are left as they are, and notes for the action's end what it
// altered. kept are the fields that it keeps in another form.
func (t *task) answer(c Cluster, written Object, labels map[string]string, sent, kept map[string]any) record.Answer {
	out := record.Answer{}
	for path, v := range kept {
		if out.Stored == nil {
			out.Stored = map[string]any{}
		}
		out.Stored[path] = v
		if !c.SameMeaning(path, sent[path], v) {
			out.Altered = append(out.Altered, path)
		}
	}
	slices.Sort(out.Altered)
	t.noteAltered(written, out.Alterations(sent))
	t.noteAltered(written, lostLabels(labels, written))
	return out
}

// noteAltered keeps what an API server altered, and its warnings, for the action's end.
func (t *task) noteAltered(written Object, what []string) {
	if len(what) == 0 {
		return
	}
	for _, w := range written.Warnings {
		what = append(what, "it warned: "+w)
	}
	t.altered = append(t.altered, what...)
}

// lostLabels are those of an object's labels that an answer does not have.
func lostLabels(sent map[string]string, written Object) (out []string) {
	for name, value := range sent {
		if written.Labels[name] != value {
			out = append(out, fmt.Sprintf("metadata.labels.%s is %q there and %q was sent", name, written.Labels[name], value))
		}
	}
	slices.Sort(out)
	return out
}

// alteration is the error of an action that was done and altered; nil where nothing was.
func (t *task) alteration() error {
	if len(t.altered) == 0 {
		return nil
	}
	return fmt.Errorf("%w %s: %s", ErrAltered, t.Cluster, strings.Join(t.altered, "; "))
}

// without gives fields without those at some paths.
func without(fields map[string]any, paths []string) map[string]any {
	out := maps.Clone(fields)
	for _, path := range paths {
		delete(out, path)
	}
	return out
}
