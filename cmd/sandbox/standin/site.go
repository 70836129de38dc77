package standin

import (
	"context"
	"fmt"
	"slices"

	"fairlead.dev/fairlead/cmd/sandbox/pki"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// reconcileSites brings one namespace's router in line with its Sites.
func (s *Standin) reconcileSites(ctx context.Context, namespace string) error {
	var current types.UID
	if r := s.router(namespace); r != nil {
		current = types.UID(r.ID)
	}
	objs := map[types.UID]*unstructured.Unstructured{}
	var sites []*siteObject
	for _, u := range s.watch.in(s.watch.sites, namespace) {
		site, err := decode[siteObject](u)
		if err != nil {
			return err
		}
		if site.DeletionTimestamp == nil {
			sites, objs[u.GetUID()] = append(sites, site), u
		}
	}
	active := pickActive(sites, current)
	if s.misses(namespace, active) {
		return nil
	}
	s.retire(namespace, active)
	for _, site := range sites {
		if site == active {
			continue
		}
		site.Status.settle(site.Generation, true, condition{kind: "Configured", problem: anotherActiveSite, failed: true})
		if err := s.writeStatus(ctx, sitesGVR, objs[site.UID], site.Status); err != nil {
			return err
		}
	}
	if active == nil {
		return nil
	}
	if s.isMistaken(active) {
		active.Status.settle(active.Generation, true, condition{kind: "Configured", problem: noConfiguration, failed: true})
		return s.writeStatus(ctx, sitesGVR, objs[active.UID], active.Status)
	}
	return s.reconcileActive(ctx, active, objs[active.UID])
}

// noConfiguration is what a Site says whose router's ConfigMap went with the Site before it.
const noConfiguration = `configmaps "skupper-router" not found`

// misses plays a controller that has not handled the deletion of its Site when another of the
// name is there: it takes that one for a change of the first, until that one is deleted, too.
func (s *Standin) misses(namespace string, active *siteObject) bool {
	late := s.watch.annotation(namespace, "site") == "missed"
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.routers[namespace]
	switch {
	case active == nil && r == nil:
		delete(s.mistaken, namespace)
	case active == nil:
		return late
	case late && r != nil && r.ID != string(active.UID) && r.Name == active.Name:
		s.mistaken[namespace] = active.UID
	}
	return false
}

func (s *Standin) isMistaken(site *siteObject) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mistaken[site.Namespace] == site.UID
}

// retire stops the router of a site that is no longer the active one.
func (s *Standin) retire(namespace string, active *siteObject) {
	s.mu.Lock()
	r := s.routers[namespace]
	old := r != nil && (active == nil || r.ID != string(active.UID))
	if old {
		delete(s.routers, namespace)
	}
	s.mu.Unlock()
	if old {
		r.shutDown()
		s.watch.eachLink(byNamespace, namespace)
		s.work.Add(key{kind: "services", namespace: namespace})
	}
}

// reconcileActive makes what the active site owns and runs its router.
func (s *Standin) reconcileActive(ctx context.Context, site *siteObject, u *unstructured.Unstructured) error {
	ca, err := s.ensureCA(ctx, site)
	if err != nil {
		return err
	}
	if err := s.ensureAccess(ctx, site); err != nil {
		return err
	}
	stuck := s.watch.annotation(site.Namespace, "site") == "stuck"
	r := s.ensureRouter(site, s.version(site.Namespace))
	endpoints, err := s.open(ctx, site, r, ca, stuck)
	if err != nil {
		return err
	}
	r.pause(stuck)
	s.describe(site, r, endpoints, ca != nil, stuck)
	return s.writeStatus(ctx, sitesGVR, u, site.Status)
}

// describe fills in the status of the active site.
func (s *Standin) describe(site *siteObject, r *router, endpoints []endpoint, signed, stuck bool) {
	st := &site.Status
	st.DefaultIssuer = site.Spec.issuer()
	st.Controller = &controllerInfo{Name: "skupper-controller", Namespace: "skupper", Version: s.version(site.Namespace)}
	st.Endpoints = inOrderOf(st.Endpoints, endpoints)
	st.Network = r.network()
	st.SitesInNetwork = int64(len(st.Network))
	configured, running := condition{kind: "Configured"}, condition{kind: "Running"}
	if !signed {
		configured.problem = "Waiting for issuer " + st.DefaultIssuer
	}
	if stuck {
		running.problem = "No router pod is ready"
	}
	all := []condition{configured, running}
	if site.Spec.wantsAccess() {
		resolved := condition{kind: "Resolved"}
		if len(endpoints) == 0 {
			resolved.problem = "Waiting for link access"
		}
		all = append(all, resolved)
	} else {
		st.Conditions = slices.DeleteFunc(st.Conditions, func(c metav1.Condition) bool { return c.Type == "Resolved" })
	}
	st.settle(site.Generation, true, all...)
}

// version is the controller's, as the namespace would have it.
func (s *Standin) version(namespace string) string {
	if v := s.watch.annotation(namespace, "version"); v != "" {
		return v
	}
	return defaultVersion
}

// ensureCA gives the site's authority, nil while there is none yet. The
// Certificate asks for it; reconcileCertificate makes the Secret.
func (s *Standin) ensureCA(ctx context.Context, site *siteObject) (*pki.Pair, error) {
	owner := ownedBy("Site", site.object)
	secret := s.watch.secret(site.Namespace, site.Spec.issuer())
	if site.Spec.issuer() != siteCA {
		return pairOf(secret), nil
	}
	found := s.watch.get(s.watch.certs, site.Namespace, siteCA)
	if found == nil {
		_, err := s.create(ctx, certsGVR, &certObject{
			object: named("Certificate", siteCA, owner),
			Spec:   certSpec{Subject: fmt.Sprintf("skupper.%s site CA %s", site.Namespace, site.UID), Signing: true},
		}, site.Namespace)
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return nil, fmt.Errorf("site CA: %w", err)
		}
	} else if u := found.(*unstructured.Unstructured); foreignOwner(u.GetOwnerReferences(), owner[0]) {
		// Its delete event brings the work back.
		return nil, s.discard(ctx, certsGVR, u)
	}
	if secret != nil && foreignOwner(secret.OwnerReferences, owner[0]) {
		return nil, nil
	}
	return pairOf(secret), nil
}

// ensureRouter gives the site's router, a new one for a new site.
func (s *Standin) ensureRouter(site *siteObject, version string) *router {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.routers[site.Namespace]
	if r == nil {
		r = newRouter(s.field, &s.fieldWG, siteInfo{
			ID: string(site.UID), Name: site.Name, Namespace: site.Namespace, Version: version,
		})
		s.routers[site.Namespace] = r
		s.work.Add(key{kind: "services", namespace: site.Namespace})
		s.watch.eachLink(byNamespace, site.Namespace)
		for _, token := range s.watch.in(s.watch.tokens, site.Namespace) {
			s.tokens.Add(key{"token", site.Namespace, token.GetName()})
		}
	}
	if r.configure(site.Spec) {
		s.watch.eachLink(byNamespace, site.Namespace)
	}
	return r
}

// named starts an object of ours.
func named(kind, name string, owners []metav1.OwnerReference) object {
	return object{
		TypeMeta:   metav1.TypeMeta{APIVersion: apiVersion, Kind: kind},
		ObjectMeta: metav1.ObjectMeta{Name: name, OwnerReferences: owners},
	}
}

// pairOf reads the key pair of a TLS Secret, nil if there is none.
func pairOf(secret *corev1.Secret) *pki.Pair {
	if secret == nil || len(secret.Data[corev1.TLSCertKey]) == 0 || len(secret.Data[corev1.TLSPrivateKeyKey]) == 0 {
		return nil
	}
	return &pki.Pair{Cert: secret.Data[corev1.TLSCertKey], Key: secret.Data[corev1.TLSPrivateKeyKey]}
}
