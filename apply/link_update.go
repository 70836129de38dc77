package apply

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
)

// updateLink changes a link that is there: cost, labels, leftovers, or only what
// the inventory says of it.
func (t *task) updateLink(ctx context.Context) error {
	e, err := t.ends()
	if err != nil {
		return err
	}
	t.attempt = t.Link.Attempt
	if err := t.step(ctx, plan.StepRecord, t.record); err != nil {
		return err
	}
	if err := t.awaitRouters(ctx, e); err != nil {
		return err
	}
	var links []Object
	if err := t.step(ctx, plan.StepTakeOver, func(ctx context.Context) (err error) {
		if links, err = t.changeLinks(ctx, e); err != nil {
			return err
		}
		if err := t.labelSecrets(ctx, e, links); err != nil {
			return err
		}
		return t.ledger.update(ctx, t.Cluster, t.Namespace, func(inv *plan.Inventory) { inv.ConfirmCost(network.LinkName(t.Name), t.keptCost) })
	}); err != nil {
		return err
	}
	if err := t.step(ctx, plan.StepConfigured, func(ctx context.Context) error { return t.waitConfigured(ctx, e, links) }); err != nil {
		return err
	}
	var added []Object
	if err := t.step(ctx, plan.StepAdd, func(ctx context.Context) (err error) {
		added, err = t.addLinks(ctx, e)
		return err
	}); err != nil {
		return err
	}
	if err := t.step(ctx, plan.StepOperational, func(ctx context.Context) error { return t.awaitLive(ctx, e) }); err != nil {
		return err
	}
	if err := t.step(ctx, plan.StepClean, func(ctx context.Context) error {
		if err := t.surviving(ctx, e); err != nil {
			return err
		}
		return t.removeObjects(ctx, t.Link.Remove)
	}); err != nil {
		return err
	}
	return t.step(ctx, plan.StepConfirm, func(ctx context.Context) error {
		all := names(added)
		for _, l := range t.Link.Live {
			all = append(all, l.Name)
		}
		slices.Sort(all)
		return t.confirm(ctx, all)
	})
}

// awaitLive waits until the Links that stay carry traffic, before others go.
func (t *task) awaitLive(ctx context.Context, e ends) error {
	var links []Object
	for _, planned := range t.Link.Live {
		o, err := e.from.Get(ctx, t.linkRef(planned.Name))
		if err != nil {
			return err
		}
		links = append(links, o)
	}
	if err := t.waitOperational(ctx, e, links); err != nil {
		return err
	}
	return t.waitReport(ctx, e, links)
}

// changeLinks brings each Link to its desired cost and labels: one conditional
// patch for each that differs.
func (t *task) changeLinks(ctx context.Context, e ends) ([]Object, error) {
	out := make([]Object, 0, len(t.Link.Live))
	for _, planned := range t.Link.Live {
		err := again(func() error {
			live, err := t.changeLink(ctx, e, planned)
			if err == nil {
				out = append(out, live)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// changeLink reads a Link again: as desired means done, as planned means write,
// anything else is stale.
func (t *task) changeLink(ctx context.Context, e ends, planned plan.LiveLink) (Object, error) {
	live, err := e.from.Get(ctx, t.linkRef(planned.Name))
	if err != nil {
		return live, err
	}
	desired, cost := int64(t.Link.Cost), max(number(live.Spec, "cost"), 1)
	if t.Link.KeepCost {
		desired = cost
	}
	endpoints, err := t.newEndpoints(ctx, e, live)
	if err != nil {
		return live, err
	}
	switch {
	case live.Deleting:
		return live, notGoing(live)
	case live.UID != planned.UID:
		return live, fmt.Errorf("%s was made anew: %w", live.ObjectRef, ErrStale)
	case cost != desired && cost != max(int64(planned.Cost), 1):
		return live, fmt.Errorf("%s: cost is now %d, was %d: %w", live.ObjectRef, cost, planned.Cost, ErrStale)
	case cost == desired && t.labelled(live) && t.noted(live) && endpoints == nil && Holds(live, "Configured"):
		return live, nil
	}
	return live, t.takeOver(ctx, e, live, live.ResourceVersion, endpoints)
}

// noted reports whether a Link notes the declared cost.
func (t *task) noted(live Object) bool {
	return live.Annotations[plan.AnnotationCost] == strconv.Itoa(int(t.Link.Cost))
}

// newEndpoints are what a Link by certificate should lead to now: the endpoints of
// the group that it leads to, nil when it has them or the plan wants no change.
func (t *task) newEndpoints(ctx context.Context, e ends, live Object) ([]any, error) {
	if !t.Link.Reconnect {
		return nil, nil
	}
	groups, err := t.groups(ctx, e)
	if err != nil {
		return nil, err
	}
	have, _ := live.Spec["endpoints"].([]any)
	for _, group := range groups {
		alone := len(groups) == 1 && len(t.Link.Live) == 1
		if (alone || groupName(have) == groupName(group)) && !reflect.DeepEqual(have, group) {
			return group, nil
		}
	}
	return nil, nil
}

// groupName is the group of endpoints that are all of one.
func groupName(endpoints []any) string {
	if len(endpoints) == 0 {
		return ""
	}
	first, _ := endpoints[0].(map[string]any)
	return text(first, "group")
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

// deleteLink removes all of a link. An unfinished redemption may bring a Link
// after its token is gone, so its names are looked at once more.
func (t *task) deleteLink(ctx context.Context) error {
	t.attempt = t.Link.Attempt
	if err := t.step(ctx, plan.StepDelete, func(ctx context.Context) error {
		if err := t.reread(ctx); err != nil {
			return err
		}
		if err := t.removeObjects(ctx, t.Link.Remove); err != nil {
			return err
		}
		if !slices.ContainsFunc(t.Link.Remove, func(r plan.ObjectRef) bool { return r.Kind == plan.ObjectToken }) {
			return nil
		}
		from, err := t.cluster(t.Cluster)
		if err != nil {
			return err
		}
		return t.removeMade(ctx, ends{from: from}, t.attempt)
	}); err != nil {
		return err
	}
	return t.step(ctx, plan.StepConfirm, func(ctx context.Context) error {
		return t.ledger.update(ctx, t.Cluster, t.Namespace, func(inv *plan.Inventory) {
			inv.RetireLink(network.LinkName(t.Name))
		})
	})
}

func names(links []Object) []string {
	out := make([]string, 0, len(links))
	for _, l := range links {
		out = append(out, l.Name)
	}
	slices.Sort(out)
	return out
}
