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
func (w *linkWriter) waitConfigured(ctx context.Context, links []Object) error {
	touching, stop := context.WithCancel(ctx)
	var all sync.WaitGroup
	for _, l := range links {
		all.Go(func() { w.keepTouching(touching, l) }) // ends with the wait below
	}
	err := w.eachLink(ctx, links, "configured", func(o Object) bool { return Holds(o, "Configured") },
		func(o Object) string { return Reason(o, "Configured", "Ready") })
	stop()
	all.Wait()
	return err
}

// keepTouching touches a Link again and again until it has been configured, was changed by
// somebody, which is a touch, or ctx ends. It only reads what the task holds.
func (w *linkWriter) keepTouching(ctx context.Context, l Object) {
	for n, pause := 1, firstPause; n <= mostTouches; n, pause = n+1, pause*3/2 {
		if Pause(ctx, pause) != nil {
			return
		}
		now, err := w.from.Get(ctx, l.ObjectRef)
		if err != nil {
			continue
		}
		touched := w.takenOver(now, now.ResourceVersion, nil)
		if now.UID != l.UID || LastHeld(now, "Configured") || costOf(now) != number(touched.Spec, "cost") {
			return
		}
		touched.Annotations[plan.AnnotationTouch] = strconv.Itoa(n)
		_, _ = w.from.Apply(ctx, touched, true) // the wait tells what is wrong, if anything is
	}
}

// waitNew is waitOperational for Links that this apply made, and meanwhile leads them to where
// the listening Site is. The addresses of others may be somebody's own.
func (w *linkWriter) waitNew(ctx context.Context, links []Object) error {
	following, stop := context.WithCancel(ctx)
	var all sync.WaitGroup
	all.Go(func() { w.follow(following, links) }) // ends with the wait below
	defer all.Wait()
	defer stop()
	return w.waitOperational(ctx, links)
}

// waitOperational waits until each Link is up, as far as its own status tells. Where one is
// not up in time, the report of its site may say more.
func (w *linkWriter) waitOperational(ctx context.Context, links []Object) error {
	up := func(o Object) bool {
		health, _ := LinkOf(o).Health(plan.SiteReport{})
		return health == plan.LinkUp
	}
	return w.eachLink(ctx, links, "operational", up, func(o Object) string {
		_, why := LinkOf(o).Health(w.ownReport(ctx))
		return why
	})
}

// follow leads Links to the endpoints that the listening Site comes to have, until ctx ends.
// A Site whose access changed is Ready with the endpoints that it had until its Service has
// an address, and a token carries those (Skupper: internal/kube/site, CheckRouterAccess; seen
// of 2.2). Routers take new endpoints of a Link since 2.2.0 alone. It only reads what the
// task holds.
func (w *linkWriter) follow(ctx context.Context, links []Object) {
	leads := map[string][]any{}
	for _, l := range links {
		leads[l.Name], _ = l.Spec["endpoints"].([]any)
	}
	for {
		var behind plan.ObjectRef
		var group []any
		err := w.to.Wait(ctx, siteAt(w.Link.To), func(site Object, _ bool) (bool, error) {
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
		_ = again(func() error { return w.lead(ctx, behind, group) })
	}
}

// lead leads a Link to other endpoints, where its site's routers take them.
func (w *linkWriter) lead(ctx context.Context, link plan.ObjectRef, group []any) error {
	site, err := w.from.Get(ctx, siteAt(w.Link.From))
	if controller, _ := site.Status["controller"].(map[string]any); err != nil || !plan.EditsLinks(text(controller, "version")) {
		return err
	}
	now, err := w.from.Get(ctx, link)
	if err != nil || now.UID != link.UID {
		return err
	}
	_, err = w.from.Apply(ctx, w.takenOver(now, now.ResourceVersion, group), true)
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
func (w *linkWriter) eachLink(ctx context.Context, links []Object, what string, is func(Object) bool, why func(Object) string) error {
	for _, l := range links {
		err := w.wait(ctx, w.from, l.ObjectRef, what, func(o Object, exists bool) (bool, error) {
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

// silence is how long a report may have nothing of a Link that its own status has as
// operational, before the status alone counts: routers report each 10 s (seen).
const silence = 30 * time.Second

// reportRef is the ConfigMap with the report of the connecting site.
func (w *linkWriter) reportRef() plan.ObjectRef {
	return objectAt(w.Link.From, plan.ObjectConfigMap, NetworkStatusName)
}

// ownReport is what the routers of the connecting site say just now. It waits for nothing:
// to list and to watch the ConfigMap is all that an apply may do with it.
func (w *linkWriter) ownReport(ctx context.Context) plan.SiteReport {
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), withdrawal)
	defer cancel()
	var report plan.SiteReport
	err := w.from.Wait(bounded, w.reportRef(), func(o Object, _ bool) (bool, error) {
		report = Reported(o.Data, w.Link.From.UID)
		return true, nil
	})
	if err != nil {
		return NoReport(w.Link.From.UID, fmt.Sprintf("the report of its routers cannot be read: %s", err))
	}
	return report
}

// waitReport waits until the connecting site's routers themselves report the Links up:
// what they replace goes next. A report that tells nothing keeps nobody waiting, as the
// Links' own status has them as operational; one without them does for a while.
func (w *linkWriter) waitReport(ctx context.Context, links []Object) error {
	patience, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	err := w.watchReport(patience, links, func(l plan.LinkReport, listed bool) bool { return listed && l.Up })
	if err == nil || ctx.Err() != nil || patience.Err() == nil {
		return err
	}
	return w.watchReport(ctx, links, func(l plan.LinkReport, listed bool) bool { return !listed || l.Up })
}

// watchReport waits until the report says of each of the Links what is good, or nothing
// of their site at all.
func (w *linkWriter) watchReport(ctx context.Context, links []Object, good func(l plan.LinkReport, listed bool) bool) error {
	down := ""
	return w.wait(ctx, w.from, w.reportRef(), "reporting the new links up", func(o Object, _ bool) (bool, error) {
		report := Reported(o.Data, w.Link.From.UID)
		down = ""
		for _, l := range links {
			if reported, listed := report.Link(l.Name); !good(reported, listed) {
				down = l.Name
			}
		}
		return down == "" || report.Fault != "", nil
	}, func(Object) string { return fmt.Sprintf("the routers do not report %s up", down) })
}
