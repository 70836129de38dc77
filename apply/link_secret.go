package apply

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"time"

	"fairlead.dev/fairlead/plan"
)

// The keys of a Secret of type kubernetes.io/tls, and of the CA beside them that
// Skupper demands.
const (
	keyCertificate = "tls.crt"
	keyPrivate     = "tls.key"
	keyAuthority   = "ca.crt"
)

// labelSecrets marks the Secrets that the Links use, so that they can be found when
// the link goes, and notes when their certificates end. A Secret that neither we
// nor a redemption made is left alone.
func (t *task) labelSecrets(ctx context.Context, e ends, links []Object) error {
	done := map[string]bool{}
	for _, l := range links {
		name := text(l.Spec, "tlsCredentials")
		if name == "" || done[name] {
			continue
		}
		done[name] = true
		ref := t.secretRef(t.attempt)
		ref.Name = name
		if err := t.labelSecret(ctx, e, ref); err != nil {
			return err
		}
	}
	return nil
}

func (t *task) labelSecret(ctx context.Context, e ends, ref plan.ObjectRef) error {
	o, err := e.from.Get(ctx, ref)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil
	case err != nil || !t.redeemed(o):
		return err
	case o.Deleting:
		return notGoing(o)
	case t.labelled(o) && o.Annotations[plan.AnnotationExpires] != "":
		return nil
	}
	data, err := e.from.SecretData(ctx, ref)
	if err != nil {
		return err
	}
	_, err = e.from.Apply(ctx, Object{
		ObjectRef: o.ObjectRef, Labels: t.labels(plan.LabelLink), Annotations: noteRun(t.opts.Run, ends509(data[keyCertificate].Reveal())),
	}, true)
	return err
}

// ends509 notes when a certificate in PEM ends; nothing when it cannot be read. The
// controller leaves status.expiration of its Certificates empty.
func ends509(certificate string) map[string]string {
	block, _ := pem.Decode([]byte(certificate))
	if block == nil {
		return nil
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil
	}
	return map[string]string{plan.AnnotationExpires: c.NotAfter.UTC().Format(time.RFC3339)}
}
