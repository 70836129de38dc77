package standin

import (
	"context"
	"fmt"
	"time"

	"fairlead.dev/fairlead/cmd/sandbox/pki"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// reconcileCertificate sees to the Secret that a Certificate asks for. Only a
// missing or an expired one is made anew.
func (s *Standin) reconcileCertificate(ctx context.Context, namespace, name string) error {
	u, ok := s.watch.get(s.watch.certs, namespace, name).(*unstructured.Unstructured)
	if !ok || u.GetDeletionTimestamp() != nil {
		return nil
	}
	cert, err := decode[certObject](u)
	if err != nil {
		return err
	}
	problem, err := s.ensurePair(ctx, cert)
	if err != nil {
		return fmt.Errorf("certificate %s/%s: %w", namespace, name, err)
	}
	cert.Status.settle(cert.Generation, false, condition{kind: "Ready", problem: problem, failed: true})
	return s.writeStatus(ctx, certsGVR, u, cert.Status)
}

// ensurePair makes the Secret if needed; a problem is one of the user's.
func (s *Standin) ensurePair(ctx context.Context, cert *certObject) (problem string, err error) {
	owner := secretOwner(cert)
	secret := s.watch.secret(cert.Namespace, cert.Name)
	if secret != nil && foreignOwner(secret.OwnerReferences, owner[0]) {
		// Its delete event brings the work back.
		uid := secret.UID
		err := s.core.CoreV1().Secrets(cert.Namespace).Delete(ctx, cert.Name,
			metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}})
		if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
			return "Waiting for an old Secret to go", nil
		}
		return "Waiting for an old Secret to go", err
	}
	if secret != nil && !expired(secret) {
		return "", nil
	}
	data, problem, err := s.issue(cert)
	if err != nil || problem != "" {
		return problem, err
	}
	return "", s.storePair(ctx, cert, owner, secret, data)
}

// secretOwner is the Certificate, but the site's own CA belongs to the Site.
func secretOwner(cert *certObject) []metav1.OwnerReference {
	if cert.Name == siteCA && len(cert.OwnerReferences) == 1 {
		return cert.OwnerReferences
	}
	return ownedBy("Certificate", cert.object)
}

func (s *Standin) issue(cert *certObject) (data map[string][]byte, problem string, err error) {
	var issuer *pki.Pair
	if cert.Spec.CA != "" {
		if issuer = pairOf(s.watch.secret(cert.Namespace, cert.Spec.CA)); issuer == nil {
			return nil, fmt.Sprintf("CA %s not found", cert.Spec.CA), nil
		}
	}
	pair, err := pki.Issue(issuer, pki.Request{
		Subject: cert.Spec.Subject, Hosts: cert.Spec.Hosts,
		Client: cert.Spec.Client, Server: cert.Spec.Server, Signing: cert.Spec.Signing,
	})
	if err != nil {
		return nil, err.Error(), nil
	}
	return tlsData(pair, issuer), "", nil
}

// tlsData is the content of a TLS Secret; an authority has no ca.crt.
func tlsData(pair, issuer *pki.Pair) map[string][]byte {
	data := map[string][]byte{corev1.TLSCertKey: pair.Cert, corev1.TLSPrivateKeyKey: pair.Key}
	if issuer != nil {
		data["ca.crt"] = issuer.Cert
	}
	return data
}

func (s *Standin) storePair(ctx context.Context, cert *certObject, owner []metav1.OwnerReference, old *corev1.Secret, data map[string][]byte) error {
	api := s.core.CoreV1().Secrets(cert.Namespace)
	if old != nil {
		next := old.DeepCopy()
		next.Data = data
		_, err := api.Update(ctx, next, metav1.UpdateOptions{})
		return err
	}
	_, err := api.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: cert.Name, OwnerReferences: owner},
		Type:       corev1.SecretTypeTLS,
		Data:       data,
	}, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// expired tells whether the Secret's certificate has run out.
func expired(secret *corev1.Secret) bool {
	leaf, err := pki.Leaf(secret.Data[corev1.TLSCertKey])
	return err == nil && time.Now().After(leaf.NotAfter)
}
