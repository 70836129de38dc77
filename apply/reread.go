package apply

import (
	"context"
	"errors"
	"fmt"
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
		live, err := c.Get(ctx, t.linkRef(seen.Name))
		if errors.Is(err, ErrNotFound) || err == nil && live.UID != seen.UID {
			continue // gone, or another one, which every write refuses by its UID
		}
		if err != nil {
			return err
		}
		if cost := max(number(live.Spec, "cost"), 1); cost != max(int64(seen.Cost), 1) && cost != int64(t.Link.Cost) {
			return fmt.Errorf("%s: cost is now %d, was %d: %w", live.ObjectRef, cost, seen.Cost, ErrStale)
		}
	}
	return nil
}

// rereadSite does the same for a Site that is to be deleted.
func (t *task) rereadSite(ctx context.Context, c Cluster) error {
	live, err := c.Get(ctx, t.siteRef())
	if errors.Is(err, ErrNotFound) || err == nil && live.UID != t.Site.UID {
		return nil // the delete is by UID
	}
	if err != nil {
		return err
	}
	return t.checkSite(live)
}

// rereadObject does the same for an object that is to be deleted.
func (t *task) rereadObject(ctx context.Context, c Cluster) error {
	live, err := c.Get(ctx, t.objectRef())
	if errors.Is(err, ErrNotFound) || err == nil && live.UID != t.Object.UID {
		return nil
	}
	if err != nil {
		return err
	}
	return t.checkObject(live)
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
