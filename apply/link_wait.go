package apply

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"fairlead.dev/fairlead/plan"
)

// How a new Link is touched again: the controller configures it at its second event, and
// one that comes before the first was handled is folded into that (seen of Skupper 2.2).
// The pauses grow by half each time; after the last, the controller's resync is near.
const (
	firstPause  = 200 * time.Millisecond
	mostTouches = 10
)

// waitConfigured waits until the controller has configured each Link as it is now, and
// meanwhile touches those that it never has.
func (t *task) waitConfigured(ctx context.Context, e ends, links []Object) error {
	touching, stop := context.WithCancel(ctx)
	var all sync.WaitGroup
	for _, l := range links {
		all.Go(func() { t.keepTouching(touching, e, l) }) // ends with the wait below
	}
	err := t.eachLink(ctx, e, links, "configured", func(o Object) bool { return Holds(o, "Configured") },
		func(o Object) string { return Reason(o, "Configured", "Ready") })
	stop()
	all.Wait()
	return err
}

// keepTouching touches a Link again and again until it has been configured, was changed by
// somebody, which is a touch, or ctx ends. It only reads what the task holds.
func (t *task) keepTouching(ctx context.Context, e ends, l Object) {
	for n, pause := 1, firstPause; n <= mostTouches; n, pause = n+1, pause*3/2 {
		if Pause(ctx, pause) != nil {
			return
		}
		now, err := e.from.Get(ctx, l.ObjectRef)
		if err != nil {
			continue
		}
		touched := t.takenOver(now, now.ResourceVersion, nil)
		if now.UID != l.UID || LastHeld(now, "Configured") || max(number(now.Spec, "cost"), 1) != number(touched.Spec, "cost") {
			return
		}
		touched.Annotations[plan.AnnotationTouch] = strconv.Itoa(n)
		_, _ = e.from.Apply(ctx, touched, true) // the wait tells what is wrong, if anything is
	}
}

// waitNew is waitOperational for Links that this apply made, and meanwhile leads them to where
// the listening Site is. The addresses of others may be somebody's own.
func (t *task) waitNew(ctx context.Context, e ends, links []Object) error {
	following, stop := context.WithCancel(ctx)
	var all sync.WaitGroup
	all.Go(func() { t.follow(following, e, links) }) // ends with the wait below
	defer all.Wait()
	defer stop()
	return t.waitOperational(ctx, e, links)
}

// waitOperational waits until each Link is up, as far as its own status tells. Where one is
// not up in time, the report of its site may say more.
func (t *task) waitOperational(ctx context.Context, e ends, links []Object) error {
	up := func(o Object) bool {
		health, _ := LinkOf(o).Health(plan.SiteReport{})
		return health == plan.LinkUp
	}
	return t.eachLink(ctx, e, links, "operational", up, func(o Object) string {
		_, why := LinkOf(o).Health(t.ownReport(ctx, e))
		return why
	})
}

// follow leads Links to the endpoints that the listening Site comes to have, until ctx ends.
// A Site whose access changed is Ready with the endpoints that it had until its Service has
// an address, and a token carries those (Skupper: internal/kube/site, CheckRouterAccess; seen
// of 2.2). Routers take new endpoints of a Link since 2.2.0 alone. It only reads what the
// task holds.
func (t *task) follow(ctx context.Context, e ends, links []Object) {
	leads := map[string][]any{}
	for _, l := range links {
		leads[l.Name], _ = l.Spec["endpoints"].([]any)
	}
	for {
		var behind plan.ObjectRef
		var group []any
		err := e.to.Wait(ctx, t.siteOf(t.Link.To), func(site Object, _ bool) (bool, error) {
			for _, l := range links {
				if group = movedTo(leads[l.Name], groupsOf(site)); group != nil {
					behind = l.ObjectRef
					return true, nil
				}
			}
			return false, nil
		})
		if err != nil { // the wait for the Links tells what is wrong, if anything is
			return
		}
		leads[behind.Name] = group
		_ = again(func() error { return t.lead(ctx, e, behind, group) })
	}
}

// lead leads a Link to other endpoints, where its site's routers take them.
func (t *task) lead(ctx context.Context, e ends, link plan.ObjectRef, group []any) error {
	site, err := e.from.Get(ctx, t.siteOf(t.Link.From))
	if controller, _ := site.Status["controller"].(map[string]any); err != nil || !plan.EditsLinks(text(controller, "version")) {
		return err
	}
	now, err := e.from.Get(ctx, link)
	if err != nil || now.UID != link.UID {
		return err
	}
	_, err = e.from.Apply(ctx, t.takenOver(now, now.ResourceVersion, group), true)
	return err
}

// movedTo gives the group that a Link with some endpoints should lead to, where that has
// others; nil where it has not, or the group is not there.
func movedTo(have []any, groups [][]any) []any {
	for _, group := range groups {
		if groupName(have) == groupName(group) && addressesOf(have) != addressesOf(group) {
			return group
		}
	}
	return nil
}

// eachLink waits for one Link after the other.
func (t *task) eachLink(ctx context.Context, e ends, links []Object, what string, is func(Object) bool, why func(Object) string) error {
	for _, l := range links {
		err := t.wait(ctx, e.from, l.ObjectRef, what, func(o Object, exists bool) (bool, error) {
			if !exists || o.Deleting || o.UID != l.UID {
				return false, fmt.Errorf("%s was deleted meanwhile: %w", l.ObjectRef, ErrStale)
			}
			return is(o), nil
		}, why)
		if err != nil {
			return err
		}
	}
	return nil
}
