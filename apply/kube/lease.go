package kube

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"fairlead.dev/fairlead/apply"
	"fairlead.dev/fairlead/apply/lock"
	"fairlead.dev/fairlead/plan"
)

// objectLease is the kind of locks, which no plan has.
const objectLease plan.ObjectKind = "Lease"

// Leases is one Lease of a cluster. It implements lock.Leases.
type Leases struct {
	cluster *Cluster
	ref     plan.ObjectRef
}

// Leases gives the Lease of a name in a namespace, whether it is there or not. It makes
// no request.
func (c *Cluster) Leases(namespace, name string) *Leases {
	return &Leases{c, plan.ObjectRef{Cluster: c.name, Kind: objectLease, Namespace: namespace, Name: name}}
}

// Get implements lock.Leases.
func (l *Leases) Get(ctx context.Context) (lock.Lease, error) {
	return toLease(l.cluster.Get(ctx, l.ref))
}

// Create implements lock.Leases.
func (l *Leases) Create(ctx context.Context, want lock.Lease) (lock.Lease, error) {
	return toLease(l.cluster.Create(ctx, l.object(want)))
}

// Update implements lock.Leases. It replaces the whole Lease: a server-side apply
// would leave in place what another of our runs created.
func (l *Leases) Update(ctx context.Context, want lock.Lease) (lock.Lease, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	body, _ := manifest(l.object(want))
	body.SetResourceVersion(want.Version)
	u, err := l.cluster.resource(l.ref).Update(ctx, body, metav1.UpdateOptions{FieldManager: plan.ManagedBy})
	if err != nil {
		return lock.Lease{}, wrap(err, "update", l.ref)
	}
	return toLease(object(l.ref, u), nil)
}

// Changed implements lock.Leases.
func (l *Leases) Changed(ctx context.Context, version string) error {
	return l.cluster.Wait(ctx, l.ref, func(o apply.Object, exists bool) (bool, error) {
		return !exists || o.ResourceVersion != version, nil
	})
}

// microTime is the form of a Lease's times (see MicroTime in the Kubernetes API).
const microTime = "2006-01-02T15:04:05.000000Z07:00"

// object is the Lease as it is sent.
func (l *Leases) object(want lock.Lease) apply.Object {
	spec := map[string]any{
		"leaseDurationSeconds": max(int64(want.Duration/time.Second), 1),
		"leaseTransitions":     want.Transitions,
	}
	if want.Holder != "" {
		spec["holderIdentity"] = want.Holder
	}
	for key, at := range map[string]time.Time{"acquireTime": want.Acquired, "renewTime": want.Renewed} {
		if !at.IsZero() {
			spec[key] = at.UTC().Format(microTime)
		}
	}
	return apply.Object{ObjectRef: l.ref, Labels: want.Labels, Annotations: want.Annotations, Spec: spec}
}

// toLease reads a Lease. What it does not say, or says in another form, stays zero.
func toLease(o apply.Object, err error) (lock.Lease, error) {
	if err != nil {
		return lock.Lease{}, err
	}
	out := lock.Lease{
		Version: o.ResourceVersion, Labels: o.Labels, Annotations: o.Annotations, Deleting: o.Deleting, Finalizers: o.Finalizers,
	}
	out.Holder, _ = o.Spec["holderIdentity"].(string)
	seconds, _ := o.Spec["leaseDurationSeconds"].(int64)
	out.Duration = time.Duration(seconds) * time.Second
	out.Transitions, _ = o.Spec["leaseTransitions"].(int64)
	out.Acquired, out.Renewed = timeOf(o.Spec["acquireTime"]), timeOf(o.Spec["renewTime"])
	return out, nil
}

func timeOf(v any) time.Time {
	text, _ := v.(string)
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}
	}
	return at
}
