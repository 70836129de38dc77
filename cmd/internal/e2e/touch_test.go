package e2e

import (
	"bytes"
	"context"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"fairlead.dev/fairlead/plan"
)

// A touch that comes before the controller has handled the creation of a Link is lost, so
// Links are touched until they are configured, both of a pair too.
func TestLostTouch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites := []site{{"hub", 0, `linkAccess: "default", ha: true`}, {"spoke", 1, ""}, {"near", 0, ""}}
	links := []link{{"spoke-hub", "spoke", "hub", 1}, {"near-hub", "near", "hub", 2}}
	w.applied(sites, nil)
	w.loseTouches(sites[1:])
	w.applied(sites, links)
	w.must(0, "plan", "--detailed-exitcode")
	for _, at := range sites[1:] {
		made := w.list(at.cluster, w.ns(at.name), "links", "")
		if len(made) != 2 {
			t.Errorf("site %s has %d Links", at.name, len(made))
		}
		for _, l := range made {
			if l.GetAnnotations()[plan.AnnotationTouch] == "" || !holdsTrue(&l, "Configured") {
				t.Errorf("Link %s was not touched again: %v", l.GetName(), l.GetAnnotations())
			}
		}
	}
	links[0].cost = 5
	w.applied(sites, links)
	for _, l := range w.list(1, w.ns("spoke"), "links", "") {
		if touched := l.GetAnnotations()[plan.AnnotationTouch]; touched != "" {
			t.Errorf("Link %s still counts %s touches", l.GetName(), touched)
		}
	}
}

// loseTouches lets the first touches of Links at sites be lost. On given clusters nobody
// has their namespaces before a Link there was touched again; as nobody redeems a token
// meanwhile, the links are by certificate.
func (w *world) loseTouches(sites []site) {
	w.t.Helper()
	if bed.sandbox {
		for _, s := range sites {
			w.turn(s.cluster, s.name, switchQueue, "4s")
		}
		return
	}
	w.file("via.cue", "package test\n\nlinks: [_]: via: \"certificate\"\n")
	var lost [clusters]sync.Once
	for _, s := range sites {
		w.handOver(s.cluster, s.name)
	}
	w.bendBy(func(v *wires) {
		v.after = func(_ int, r request) {
			if !bytes.Contains(r.Body, []byte(`"`+plan.AnnotationTouch+`":"2"`)) {
				return
			}
			for _, s := range sites {
				if s.cluster == r.cluster {
					lost[s.cluster].Do(func() {
						_ = w.dyn[s.cluster].Resource(resource("configmaps")).Namespace(w.ns(s.name)).
							Delete(context.Background(), controllerChoice, metav1.DeleteOptions{})
					})
				}
			}
		}
	})
}
