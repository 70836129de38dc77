package apply

import (
	"context"
	"errors"
	"fmt"

	"fairlead.dev/fairlead/plan"
)

// awaitRouters waits until the listening Site shows the planned number of routers:
// it may have been changed in this same apply.
func (t *task) awaitRouters(ctx context.Context, e ends) error {
	if t.Link.Routers == 0 {
		return nil
	}
	what := fmt.Sprintf("showing %d routers", t.Link.Routers)
	return t.wait(ctx, e.to, t.siteOf(t.Link.To), what, func(o Object, exists bool) (bool, error) {
		ready, err := siteReady(o, exists, true)
		return ready && len(groupsOf(o)) == t.Link.Routers, err
	}, func(o Object) string { return Reason(o, "Configured", "Running", "Resolved", "Ready") })
}

// addLinks makes the Links of routers that no living Link leads to, with the
// credentials that the link has already, and waits until they carry traffic.
func (t *task) addLinks(ctx context.Context, e ends) ([]Object, error) {
	groups, err := t.groups(ctx, e)
	if err != nil {
		return nil, err
	}
	covered := map[string]bool{}
	secret := ""
	for _, planned := range t.Link.Live {
		live, err := e.from.Get(ctx, t.linkRef(planned.Name))
		if err != nil {
			return nil, err
		}
		have, _ := live.Spec["endpoints"].([]any)
		for _, group := range groups {
			if leadsTo(have, group) {
				covered[groupName(group)] = true
			}
		}
		secret = text(live.Spec, "tlsCredentials")
	}
	var made []Object
	for i, group := range groups {
		if covered[groupName(group)] {
			continue
		}
		o, err := t.addLink(ctx, e, i, group, secret)
		if err != nil {
			return nil, err
		}
		made = append(made, o)
	}
	if err := t.waitConfigured(ctx, e, made); err != nil {
		return nil, err
	}
	return made, t.waitNew(ctx, e, made)
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
func (t *task) addLink(ctx context.Context, e ends, i int, group []any, secret string) (Object, error) {
	if err := t.checkProxy(ctx, e); err != nil {
		return Object{}, err
	}
	spec := t.linkSpec(group)
	spec["tlsCredentials"] = secret
	ref := t.linkRef(fmt.Sprintf("%s-%d", t.object(), i+1))
	o, err := t.create(ctx, e.from, Object{ObjectRef: ref, Labels: t.labels(plan.LabelLink), Annotations: noteRun(t.opts.Run, nil), Spec: spec})
	if errors.Is(err, ErrExists) {
		o, err = t.ownObject(ctx, e.from, ref)
	}
	if err != nil {
		return o, err
	}
	return o, t.takeOver(ctx, e, o.leadingTo(group), "", nil)
}

// surviving checks that the Links which stay lead to routers that are there, before
// others go.
func (t *task) surviving(ctx context.Context, e ends) error {
	if t.Link.Routers == 0 {
		return nil
	}
	groups, err := t.groups(ctx, e)
	if err != nil {
		return err
	}
	for _, planned := range t.Link.Live {
		live, err := e.from.Get(ctx, t.linkRef(planned.Name))
		if err != nil {
			return err
		}
		have, _ := live.Spec["endpoints"].([]any)
		ok := false
		for _, group := range groups {
			ok = ok || leadsTo(have, group)
		}
		if !ok {
			return fmt.Errorf("%s leads to a router that site %s no longer has: %w", live.ObjectRef, t.Link.To.Site, ErrStale)
		}
	}
	return nil
}
