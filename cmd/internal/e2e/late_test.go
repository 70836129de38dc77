package e2e

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"fairlead.dev/fairlead/plan"
)

// A redemption that failed at first, and that the controller's own next try carries out,
// is not given up: its Link is taken over, and there is no other.
func TestRedemptionAnswersLate(t *testing.T) {
	t.Parallel()
	for name, hold := range map[string]bool{"counted while its grant is deleted": true, "not counted, or just so": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			sites, links := hubAndSpoke()
			w.describe(sites, links)
			w.relayGrants("spoke-hub", refusesFirst(3*time.Second))
			w.wrap = func(next http.RoundTripper) http.RoundTripper {
				return roundTripper(func(r *http.Request) (*http.Response, error) {
					if hold && r.Method == http.MethodDelete && strings.Contains(r.URL.Path, "/accessgrants/") {
						within(r.Context(), func() bool { return w.counted("hub") })
					}
					return next.RoundTrip(r)
				})
			}
			w.must(0, "apply", "--yes")
			w.eventually("what was counted is answered", func() bool { return len(w.list(0, w.ns("hub"), "accessgrants", "")) == 0 })
			w.settled(sites, links)
			w.noneLate(sites, links)
		})
	}
}

// counted reports whether a grant of a site counts a redemption, or there is none any more.
func (w *world) counted(site string) bool {
	grants := w.list(0, w.ns(site), "accessgrants", "")
	for _, g := range grants {
		if n, _, _ := unstructured.NestedInt64(g.Object, "status", "redemptions"); n > 0 {
			return true
		}
	}
	return len(grants) == 0
}

// noneLate checks for as long as a redemption may take that no other Link comes.
func (w *world) noneLate(sites []site, links []link) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 5*time.Second)
	defer cancel()
	within(ctx, func() bool { return len(w.list(1, w.ns("spoke"), "links", "")) > len(links) })
	w.exactLinks(sites, links)
	w.must(0, "drift")
}

// Whoever annotates grants while they are redeemed, as policy controllers do, brings about
// no second Link.
func TestGrantsAreAnnotatedMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, links := []site{{"hub", 0, `linkAccess: "default"`}}, []link{}
	for i := range 4 {
		name := fmt.Sprintf("shop%d", i)
		sites, links = append(sites, site{name, 1, ""}), append(links, link{name + "-hub", name, "hub", 1})
	}
	w.applied(sites, nil)
	w.describe(sites, links)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.annotateGrants(ctx, "hub")
	}()
	// Each change of a grant may burn it: the grant server cannot write its count, and finds the
	// grant spent when it is asked again. All attempts of an apply may meet that.
	if o := w.run("apply", "--yes"); o.code != 0 && o.code != 4 {
		t.Fatalf("exit %d\n%s%s", o.code, o.out, o.errOut)
	}
	cancel()
	<-done
	w.must(0, "apply", "--yes")
	w.settled(sites, links)
	w.must(0, "drift")
}

// annotateGrants changes all grants of a site again and again, until ctx ends.
func (w *world) annotateGrants(ctx context.Context, site string) {
	grants := w.dyn[0].Resource(resource("accessgrants")).Namespace(w.ns(site))
	n := 0
	within(ctx, func() bool {
		list, err := grants.List(ctx, metav1.ListOptions{})
		if err != nil {
			return false
		}
		for _, g := range list.Items {
			n++
			body := fmt.Appendf(nil, `{"metadata":{"annotations":{"policy.example.com/seen":"%d"}}}`, n)
			_, _ = grants.Patch(ctx, g.GetName(), types.MergePatchType, body, metav1.PatchOptions{})
		}
		return false
	})
}

// What an attempt that was given up makes later is drift, and the next apply takes it away:
// a Secret alone, too.
func TestLateLinkIsTakenAway(t *testing.T) {
	t.Parallel()
	for name, withLink := range map[string]bool{"Link and Secret": true, "Secret alone": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			sites, links := hubAndSpoke()
			w.applied(sites, links)
			w.remove(0, w.ns("hub"), "sites", "hub") // its links are made anew
			w.must(0, "apply", "--yes")
			w.patch(1, w.ns("spoke"), "sites", "spoke", map[string]any{"metadata": map[string]any{
				"annotations": map[string]any{plan.AnnotationUnanswered + "spoke-hub": "spoke-hub"},
			}})
			w.redeemLate("spoke-hub", withLink)
			if o := w.must(2, "drift"); !strings.Contains(o.out, "an earlier apply left something behind") {
				t.Errorf("drift does not tell of it:\n%s", o.out)
			}
			w.must(0, "apply", "--yes")
			w.settled(sites, links)
			if o := w.get(1, w.ns("spoke"), "secrets", "spoke-hub"); o != nil {
				t.Error("the Secret is there still")
			}
			w.must(0, "drift")
		})
	}
}

// redeemLate makes what the redemption of a token of that name makes at the spoke.
func (w *world) redeemLate(name string, withLink bool) {
	w.t.Helper()
	owner := w.get(1, w.ns("spoke"), "sites", "spoke")
	meta := map[string]any{"namespace": w.ns("spoke"), "name": name, "ownerReferences": []any{map[string]any{
		"apiVersion": "skupper.io/v2alpha1", "kind": "Site", "name": "spoke", "uid": string(owner.GetUID()),
	}}}
	w.create(1, "secrets", map[string]any{"apiVersion": "v1", "kind": "Secret", "metadata": meta})
	if !withLink {
		return
	}
	w.create(1, "links", map[string]any{
		"apiVersion": "skupper.io/v2alpha1", "kind": "Link", "metadata": meta,
		"spec": map[string]any{"tlsCredentials": name, "endpoints": []any{}},
	})
}
