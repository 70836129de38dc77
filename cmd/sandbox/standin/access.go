package standin

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"time"

	"fairlead.dev/fairlead/cmd/sandbox/pki"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// ensureAccess makes the RouterAccess where link access is on, and undoes what others
// change of it; where it is off, one that exists stays, and counts.
func (s *Standin) ensureAccess(ctx context.Context, site *siteObject) error {
	owner := ownedBy("Site", site.object)
	found, _ := s.watch.get(s.watch.accesses, site.Namespace, routerAccessName).(*unstructured.Unstructured)
	if found != nil && foreignOwner(found.GetOwnerReferences(), owner[0]) {
		// Its delete event brings the work back.
		return s.discard(ctx, accessesGVR, found)
	}
	if !site.Spec.wantsAccess() {
		return nil
	}
	spec := defaultAccess(site.Spec)
	if found != nil {
		return s.alignAccess(ctx, found, spec)
	}
	_, err := s.create(ctx, accessesGVR, &accessObject{object: named("RouterAccess", routerAccessName, owner), Spec: spec}, site.Namespace)
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// defaultAccess is the spec of the RouterAccess that a listening site has.
func defaultAccess(site siteSpec) accessSpec {
	spec := accessSpec{
		Roles:                  []accessRole{{Name: interRouter, Port: 55671}, {Name: edgeRole, Port: 45671}},
		AccessType:             site.LinkAccess,
		Issuer:                 site.issuer(),
		GenerateTLSCredentials: true,
		TLSCredentials:         siteServer,
	}
	if spec.AccessType == "default" {
		spec.AccessType = ""
	}
	return spec
}

// alignAccess brings all of the spec but its settings to what it has to be.
func (s *Standin) alignAccess(ctx context.Context, found *unstructured.Unstructured, spec accessSpec) error {
	want, err := encodeMap(spec)
	if err != nil {
		return err
	}
	have, _, _ := unstructured.NestedMap(found.Object, "spec")
	if settings, there := have["settings"]; there {
		want["settings"] = settings
	}
	if have["accessType"] == "" {
		delete(have, "accessType")
	}
	if reflect.DeepEqual(have, want) {
		return nil
	}
	next := found.DeepCopy()
	next.Object["spec"] = want
	_, err = s.dyn.Resource(accessesGVR).Namespace(found.GetNamespace()).Update(ctx, next, metav1.UpdateOptions{})
	return err
}

// open has the router listen for every RouterAccess of the namespace, and gives the
// endpoints of all of them, which are in one list, the RouterAccesses in no fixed order.
func (s *Standin) open(ctx context.Context, site *siteObject, r *router, ca *pki.Pair, stuck bool) ([]endpoint, error) {
	accesses := s.watch.in(s.watch.accesses, site.Namespace)
	var doors []door
	for _, u := range accesses {
		d, err := s.doorOf(u)
		if err != nil {
			return nil, err
		}
		if len(d.roles) > 0 && ca != nil && !stuck && !site.Spec.Edge {
			doors = append(doors, d)
		}
	}
	endpoints, err := r.listen(doors, site.Spec.groups(), ca)
	if err != nil {
		return nil, fmt.Errorf("router of %s: %w", site.Namespace, err)
	}
	delay, _ := time.ParseDuration(s.watch.annotation(site.Namespace, "access-delay"))
	endpoints, until := r.show(endpoints, delay)
	if !until.IsZero() {
		s.work.AddAfter(key{kind: "site", namespace: site.Namespace}, time.Until(until))
	}
	var all []endpoint
	rand.Shuffle(len(accesses), func(i, j int) { accesses[i], accesses[j] = accesses[j], accesses[i] })
	for _, u := range accesses {
		all = append(all, endpoints[u.GetName()]...)
		if err := s.writeAccessStatus(ctx, u, endpoints[u.GetName()]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// doorOf is how a RouterAccess lets links in: not at all while the keys that it names are
// missing. Names of the user's own (subjectAlternativeNames) are in no certificate.
func (s *Standin) doorOf(u *unstructured.Unstructured) (door, error) {
	access, err := decode[accessObject](u)
	if err != nil {
		return door{}, err
	}
	d := door{access: access.Name, kind: access.Spec.AccessType}
	if !access.Spec.GenerateTLSCredentials {
		if d.keys = pairOf(s.watch.secret(access.Namespace, access.Spec.TLSCredentials)); d.keys == nil {
			return d, nil
		}
	}
	for _, role := range access.Spec.Roles {
		if role.Name == interRouter || role.Name == edgeRole {
			d.roles = append(d.roles, role.Name)
		}
	}
	return d, nil
}

func (s *Standin) writeAccessStatus(ctx context.Context, u *unstructured.Unstructured, endpoints []endpoint) error {
	access, err := decode[accessObject](u)
	if err != nil {
		return err
	}
	access.Status.Endpoints = endpoints
	resolved := condition{kind: "Resolved"}
	if len(endpoints) == 0 {
		resolved.problem = "Waiting for endpoints"
	}
	access.Status.settle(access.Generation, true, condition{kind: "Configured"}, resolved)
	return s.writeStatus(ctx, accessesGVR, u, access.Status)
}

// inOrderOf gives the endpoints in the order that they had, unless they are others.
func inOrderOf(before, now []endpoint) []endpoint {
	same := len(before) == len(now)
	for _, e := range now {
		same = same && slices.Contains(before, e)
	}
	if same {
		return before
	}
	return now
}
