package apply

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"fairlead.dev/fairlead/plan"
)

// answer compares what an API server answered to a write with the fields that were sent,
// but for those that are left as they are, and notes for the action's end what it altered.
// kept are the fields that it keeps in another form.
func (t *task) answer(c Cluster, written Object, sent, kept map[string]any) plan.Answer {
	out := plan.Answer{}
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
