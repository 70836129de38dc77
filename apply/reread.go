package apply

import (
	"context"
	"errors"
	"fmt"

	"fairlead.dev/fairlead/plan"
)

// reread looks at a link's own Links once more before the action touches anything:
// gone means done, and what has neither the cost that the plan saw nor the one that
// it wants is somebody's edit, which nobody approved to overwrite or to delete.
func (t *task) reread(ctx context.Context) error {
	c, err := t.cluster(t.Cluster)
	if err != nil {
		return err
	}
	for _, seen := range t.Link.Seen {
		ref := t.linkRef(seen.Name)
		ref.UID = seen.UID
		if err := recheck(ctx, c, ref, func(live Object) error {
			if cost := max(number(live.Spec, "cost"), 1); cost != max(int64(seen.Cost), 1) && cost != int64(t.Link.Cost) {
				return fmt.Errorf("%s: cost is now %d, was %d: %w", live.ObjectRef, cost, seen.Cost, ErrStale)
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// recheck reads the object of the reference's UID again and checks it. One that is
// gone, or another one by now, passes: every delete is by its UID.
func recheck(ctx context.Context, c Reader, ref plan.ObjectRef, check func(Object) error) error {
	live, err := c.Get(ctx, ref)
	if errors.Is(err, ErrNotFound) || err == nil && live.UID != ref.UID {
		return nil
	}
	if err != nil {
		return err
	}
	return check(live)
}

// checkNewSite refuses to overwrite a Site of ours that appeared with other fields
// than the wanted ones: another apply made it.
func (t *task) checkNewSite(live Object) error {
	now := FieldsOf(live)
	for path, want := range t.Site.Fields {
		blank := now[path] == nil || now[path] == "" || now[path] == false || now[path] == "none"
		if !blank && now[path] != want {
			return fmt.Errorf("%s appeared with %s %v: %w", live.ObjectRef, path, now[path], ErrStale)
		}
	}
	return nil
}
