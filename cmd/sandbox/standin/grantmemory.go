package standin

import (
	"context"
	"net/http"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// grantMemory holds what the grant server knows of grants: of each the copy that the last
// event brought. A redemption counts in the copy before it is written. Where that write
// meets a newer grant, the copy stays counted until the next event.
type grantMemory struct {
	mu     sync.Mutex
	grants map[types.NamespacedName]*knownGrant
}

type knownGrant struct {
	u           *unstructured.Unstructured
	redemptions int64
}

// record takes over what an event brought.
func (m *grantMemory) record(u *unstructured.Unstructured) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.put(u)
}

func (m *grantMemory) put(u *unstructured.Unstructured) {
	if m.grants == nil {
		m.grants = map[types.NamespacedName]*knownGrant{}
	}
	n, _, _ := unstructured.NestedInt64(u.Object, "status", "redemptions")
	m.grants[types.NamespacedName{Namespace: u.GetNamespace(), Name: u.GetName()}] = &knownGrant{u, n}
}

// forget drops a grant that is gone.
func (m *grantMemory) forget(namespace, name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.grants, types.NamespacedName{Namespace: namespace, Name: name})
}

// find looks a grant up by its UID, nil without one.
func (m *grantMemory) find(uid types.UID) *knownGrant {
	for _, k := range m.grants {
		if k.u.GetUID() == uid {
			return k
		}
	}
	return nil
}

// namespace tells where the grant of a UID is.
func (m *grantMemory) namespace(uid types.UID) (string, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if k := m.find(uid); k != nil {
		return k.u.GetNamespace(), true
	}
	return "", false
}

// count writes one more redemption into the grant, or says why not, as an HTTP status.
// The write fails where the grant is not as it is remembered.
func (g *grantServer) count(ctx context.Context, uid types.UID, code string, disturbed bool) int {
	g.memory.mu.Lock()
	defer g.memory.mu.Unlock()
	known := g.memory.find(uid)
	if known == nil {
		return http.StatusNotFound
	}
	grant, err := decode[grantObject](known.u)
	if err != nil {
		return http.StatusServiceUnavailable
	}
	grant.Status.Redemptions = known.redemptions
	if refusal := grant.refusal(code, time.Now()); refusal != 0 {
		return refusal
	}
	if disturbed {
		if changed := g.disturb(ctx, known.u); changed != nil {
			defer g.memory.put(changed)
		}
	}
	known.redemptions++
	grant.Status.Redemptions++
	updated, err := g.s.updateStatus(ctx, grantsGVR, known.u, grant.Status)
	if err != nil {
		return http.StatusServiceUnavailable
	}
	g.memory.put(updated)
	return 0
}

// disturb changes a grant once, as somebody else may do at any time, and gives what it
// is then; nil when it was changed before.
func (g *grantServer) disturb(ctx context.Context, u *unstructured.Unstructured) *unstructured.Unstructured {
	const mark = switchPrefix + "disturbed"
	if u.GetAnnotations()[mark] != "" {
		return nil
	}
	changed, err := g.s.dyn.Resource(grantsGVR).Namespace(u.GetNamespace()).Patch(ctx, u.GetName(), types.MergePatchType,
		[]byte(`{"metadata":{"annotations":{"`+mark+`":"true"}}}`), metav1.PatchOptions{})
	if err != nil {
		return nil
	}
	return changed
}
