package apply

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/record"
	"fairlead.dev/fairlead/schema/network"
)

// linkUpdate changes a link that is there: cost, labels, leftovers, or only what
// the inventory says of it.
type linkUpdate struct {
	*linkWriter
	// added are the Links of further routers.
	added []Object
}

// awaitRouters waits until the listening Site shows the planned number of routers:
// it may have been changed in this same apply.
func (u *linkUpdate) awaitRouters(ctx context.Context) error {
	if u.Link.Routers == 0 {
		return nil
	}
	what := fmt.Sprintf("showing %d routers", u.Link.Routers)
	return u.wait(ctx, u.to, siteAt(u.Link.To), what, func(o Object, exists bool) (bool, error) {
		ready, err := siteReady(o, exists, true)
		return ready && len(groupsOf(o)) == u.Link.Routers, err
	}, siteReason)
}

// changeLinks brings each Link to its desired cost and labels: one conditional
// patch for each that differs.
func (u *linkUpdate) changeLinks(ctx context.Context) error {
	for _, planned := range u.Link.Live {
		if err := again(func() error { return u.changeLink(ctx, planned) }); err != nil {
			return err
		}
	}
	if err := u.labelSecrets(ctx, u.links); err != nil {
		return err
	}
	return u.note(ctx, func(inv *record.Inventory) { inv.ConfirmCost(network.LinkName(u.Name), u.keptCost) })
}

// changeLink reads a Link again: as desired means done, as planned means write,
// anything else is stale.
func (u *linkUpdate) changeLink(ctx context.Context, planned plan.LiveLink) error {
	live, err := u.from.Get(ctx, u.linkRef(planned.Name))
	if err != nil {
		return err
	}
	endpoints, err := u.newEndpoints(ctx, live)
	if err != nil {
		return err
	}
	switch {
	case live.Deleting:
		return notGoing(live)
	case live.UID != planned.UID:
		return fmt.Errorf("%s was made anew: %w", live.ObjectRef, ErrStale)
	}
	if !u.Link.KeepCost {
		if err := u.checkCost(live, planned); err != nil {
			return err
		}
	}
	asDesired := u.Link.KeepCost || costOf(live) == int64(u.Link.Cost)
	if !asDesired || !u.labelled(live) || !u.noted(live) || endpoints != nil || !Holds(live, "Configured") {
		err = u.takeOver(ctx, live, live.ResourceVersion, endpoints)
	}
	if err == nil {
		u.links = append(u.links, live)
	}
	return err
}

// noted reports whether a Link notes the declared cost.
func (u *linkUpdate) noted(live Object) bool {
	return live.Annotations[plan.AnnotationCost] == strconv.Itoa(int(u.Link.Cost))
}

// newEndpoints are what a Link by certificate should lead to now: the endpoints of
// the group that it leads to, nil when it has them or the plan wants no change.
func (u *linkUpdate) newEndpoints(ctx context.Context, live Object) ([]any, error) {
	if !u.Link.Reconnect {
		return nil, nil
	}
	groups, err := u.groups(ctx)
	if err != nil {
		return nil, err
	}
	have := endpointsOf(live)
	for _, group := range groups {
		alone := len(groups) == 1 && len(u.Link.Live) == 1
		if (alone || groupName(have) == groupName(group)) && !sameJSON(have, group) {
			return group, nil
		}
	}
	return nil, nil
}

// addLinks makes the Links of routers that no living Link leads to, with the
// credentials that the link has already, and waits until they carry traffic.
func (u *linkUpdate) addLinks(ctx context.Context) error {
	groups, err := u.groups(ctx)
	if err != nil {
		return err
	}
	staying, err := u.staying(ctx)
	if err != nil {
		return err
	}
	secret := ""
	for _, live := range staying {
		secret = text(live.Spec, "tlsCredentials")
	}
	for i, group := range groups {
		if slices.ContainsFunc(staying, func(live Object) bool { return leadsTo(endpointsOf(live), group) }) {
			continue
		}
		o, err := u.addLink(ctx, i, group, secret)
		if err != nil {
			return err
		}
		u.added = append(u.added, o)
	}
	if err := u.waitConfigured(ctx, u.added); err != nil {
		return err
	}
	return u.waitNew(ctx, u.added)
}

// leadsTo reports whether endpoints are of the group, or have an address of it.
func leadsTo(endpoints, group []any) bool {
	if name := groupName(endpoints); name != "" {
		return name == groupName(group)
	}
	for _, have := range endpoints {
		h, _ := have.(map[string]any)
		for _, known := range group {
			k, _ := known.(map[string]any)
			if text(h, "host") == text(k, "host") && text(h, "port") == text(k, "port") {
				return true
			}
		}
	}
	return false
}

// addLink makes the Link of the i-th router under a name that was never used, and
// touches it.
func (u *linkUpdate) addLink(ctx context.Context, i int, group []any, secret string) (Object, error) {
	if err := u.checkProxy(ctx); err != nil {
		return Object{}, err
	}
	o, _, err := u.createLink(ctx, fmt.Sprintf("%s-%d", u.object(), i+1), u.linkSpec(group, secret))
	if err != nil {
		return o, err
	}
	return o, u.takeOver(ctx, o.leadingTo(group), "", nil)
}

// staying reads the Links that stay.
func (u *linkUpdate) staying(ctx context.Context) (out []Object, err error) {
	for _, planned := range u.Link.Live {
		o, err := u.from.Get(ctx, u.linkRef(planned.Name))
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, nil
}

// awaitLive waits until the Links that stay carry traffic, before others go.
func (u *linkUpdate) awaitLive(ctx context.Context) error {
	links, err := u.staying(ctx)
	if err != nil {
		return err
	}
	if err := u.waitOperational(ctx, links); err != nil {
		return err
	}
	return u.waitReport(ctx, links)
}

// surviving checks that the Links which stay lead to routers that are there, before
// others go.
func (u *linkUpdate) surviving(ctx context.Context) error {
	if u.Link.Routers == 0 {
		return nil
	}
	groups, err := u.groups(ctx)
	if err != nil {
		return err
	}
	staying, err := u.staying(ctx)
	if err != nil {
		return err
	}
	for _, live := range staying {
		if !slices.ContainsFunc(groups, func(group []any) bool { return leadsTo(endpointsOf(live), group) }) {
			return fmt.Errorf("%s leads to a router that site %s no longer has: %w", live.ObjectRef, u.Link.To.Site, ErrStale)
		}
	}
	return nil
}

// clean deletes what the plan names.
func (u *linkUpdate) clean(ctx context.Context) error {
	if err := u.surviving(ctx); err != nil {
		return err
	}
	return u.removePlanned(ctx)
}

// confirm records that the link is up as desired, with the Links that stay and the new ones.
func (u *linkUpdate) confirm(ctx context.Context) error {
	all := names(u.added)
	for _, l := range u.Link.Live {
		all = append(all, l.Name)
	}
	slices.Sort(all)
	return u.linkWriter.confirm(ctx, all)
}
