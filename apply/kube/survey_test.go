package kube

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"fairlead.dev/fairlead/apply/lock"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
)

// Where only single namespaces may be read, the Lease names those of earlier sites: a
// Lease that cannot be read for another reason than rights leaves the cluster unread,
// and nothing in it is taken for gone.
func TestLeaseOfNamespaces(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]plan.State{
		http.StatusNotFound: plan.StateOK, http.StatusForbidden: plan.StateOK, http.StatusBadRequest: plan.StateUnreachable,
	} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			t.Parallel()
			c := connected(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				switch {
				case strings.Contains(r.URL.Path, "/leases/"):
					writeStatus(w, code, map[int]string{404: "NotFound", 403: "Forbidden", 400: "BadRequest"}[code])
				case strings.Contains(r.URL.Path, "/namespaces/hub/"):
					fmt.Fprint(w, `{"kind":"List","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[]}`)
				default:
					writeStatus(w, http.StatusForbidden, "Forbidden")
				}
			})
			view := c.observe(t.Context(), Reading{Network: "net", Areas: map[network.ClusterName]Area{"a": {Declared: []string{"hub"}, Lock: "default"}}})
			if view.State != want {
				t.Errorf("state %s (%s), want %s", view.State, view.Reason, want)
			}
		})
	}
}

// What the Leases of a network note at all places of its lock counts together, and of what
// limits they note the stricter.
func TestLeasesOfAllPlaces(t *testing.T) {
	t.Parallel()
	notes := map[string]map[string]string{
		"now": {lock.AnnotationNamespaces: "hub", lock.AnnotationClusters: `[{"name":"a","sites":1}]`, lock.AnnotationDeletes: `{"sites":9,"percent":5}`},
		"old": {lock.AnnotationNamespaces: "left", lock.AnnotationClusters: `[{"name":"b","sites":2}]`, lock.AnnotationDeletes: `{"sites":1,"percent":50}`},
	}
	for _, refused := range []bool{false, true} {
		c := connected(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			place := strings.Split(strings.TrimPrefix(r.URL.Path, "/apis/coordination.k8s.io/v1/namespaces/"), "/")[0]
			switch note := notes[place]; {
			case note != nil && !(refused && place == "old"):
				meta := metav1.ObjectMeta{Name: "fairlead-net", Annotations: note, Labels: map[string]string{plan.LabelManagedBy: plan.ManagedBy, plan.LabelNetwork: "net"}}
				_ = json.NewEncoder(w).Encode(metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{Kind: "PartialObjectMetadata", APIVersion: "meta.k8s.io/v1"}, ObjectMeta: meta})
			case strings.Contains(r.URL.Path, "/namespaces/hub/"), strings.Contains(r.URL.Path, "/namespaces/left/"):
				fmt.Fprint(w, `{"kind":"List","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[]}`)
			default:
				writeStatus(w, http.StatusForbidden, "Forbidden")
			}
		})
		area := Area{Declared: []string{"hub"}, Lock: "now", Former: []string{"old"}}
		view := c.observe(t.Context(), Reading{Network: "net", Noted: true, Areas: map[network.ClusterName]Area{"a": area}})
		want := `ok [hub left] [{a  1} {b  2}] {1 0 0 5} false`
		if refused {
			want = `ok [hub] [{a  1}] {9 0 0 5} true`
		}
		if got := fmt.Sprintln(view.State, view.Read, view.Noted, *view.Deletes, view.Unnoted); strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(want), " ") {
			t.Errorf("%s (%s), want %s", got, view.Reason, want)
		}
	}
}
