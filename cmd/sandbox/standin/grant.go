package standin

import (
	"context"
	"crypto/rand"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// reconcileGrant settles code, expiry and URL of a new grant, once.
func (s *Standin) reconcileGrant(ctx context.Context, namespace, name string) error {
	u, ok := s.watch.get(s.watch.grants, namespace, name).(*unstructured.Unstructured)
	if !ok {
		s.grants.memory.forget(namespace, name)
		return nil
	}
	s.grants.memory.record(u)
	if u.GetDeletionTimestamp() != nil {
		return nil
	}
	grant, err := decode[grantObject](u)
	if err != nil {
		return err
	}
	if s.watch.annotation(namespace, "grants") == "off" {
		if len(grant.Status.Conditions) > 0 {
			return nil
		}
		return s.writeStatus(ctx, grantsGVR, u, map[string]any{"message": "AccessGrants are not enabled"})
	}
	if grant.Spec.RedemptionsAllowed < 1 {
		return s.allowOne(ctx, u)
	}
	s.process(grant, time.Now())
	return s.writeProcessed(ctx, grant, u)
}

// writeProcessed writes the status of a processed grant. The grant server knows it before
// anybody can read it: a redemption that comes at once is not one of an unknown code.
func (s *Standin) writeProcessed(ctx context.Context, grant *grantObject, u *unstructured.Unstructured) error {
	status, err := encodeMap(grant.Status)
	if err != nil {
		return err
	}
	known := u.DeepCopy()
	known.Object["status"] = status
	s.grants.memory.record(known)
	updated, err := s.writtenStatus(ctx, grantsGVR, u, grant.Status)
	if updated != nil {
		s.grants.memory.record(updated)
	}
	return err
}

// allowOne rewrites the spec; the update event brings the work back.
func (s *Standin) allowOne(ctx context.Context, u *unstructured.Unstructured) error {
	next := u.DeepCopy()
	if err := unstructured.SetNestedField(next.Object, int64(1), "spec", "redemptionsAllowed"); err != nil {
		return err
	}
	_, err := s.dyn.Resource(grantsGVR).Namespace(u.GetNamespace()).Update(ctx, next, metav1.UpdateOptions{})
	return err
}

// process fills in the status; what is fixed at first stays.
func (s *Standin) process(grant *grantObject, now time.Time) {
	processed := condition{kind: "Processed"}
	st := &grant.Status
	if st.ExpirationTime == "" {
		window, err := grant.Spec.window()
		if err != nil {
			processed.problem, processed.failed = err.Error(), true
			st.settle(grant.Generation, true, processed)
			return
		}
		st.ExpirationTime = now.Add(window).UTC().Format(time.RFC3339)
	}
	if st.Code == "" {
		if st.Code = grant.Spec.Code; st.Code == "" {
			st.Code = rand.Text()
		}
	}
	st.URL, st.CA = s.grants.url(grant.UID), string(s.grants.ca.Cert)
	st.settle(grant.Generation, true, processed, condition{kind: "Resolved"})
}
