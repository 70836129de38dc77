package apply

import (
	"context"
	"errors"
	"fmt"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
	"fairlead.dev/fairlead/secrets"
)

// Credentials are what a proxy wants; both are empty for an anonymous one.
type Credentials struct{ Username, Password secrets.Value }

// Sum gives a keyed digest of both, to compare within one run.
func (c Credentials) Sum(d *secrets.Digester) string {
	return d.Sum(secrets.New(fmt.Sprintf("%d:%s%s", len(c.Username.Reveal()), c.Username.Reveal(), c.Password.Reveal())))
}

// Proxies gives the credentials of the description's proxies.
type Proxies interface {
	// Credentials resolves the references of a proxy. Errors hold no secret.
	Credentials(ctx context.Context, name network.ProxyName) (Credentials, error)
}

// typeBasicAuth is the type of a proxy's Secret. Kubernetes demands a username or a
// password of it, so an anonymous proxy has an empty username.
const typeBasicAuth = "kubernetes.io/basic-auth"

// applyProxy writes, labels or only records the Secret of a proxy at one site.
func (t *task) applyProxy(ctx context.Context) error {
	c, err := t.cluster(t.Cluster)
	if err != nil {
		return err
	}
	if t.Verb == plan.VerbDelete {
		return t.step(ctx, plan.StepDelete, func(ctx context.Context) error {
			if err := t.remove(ctx, c, t.Proxy.Secret); err != nil {
				return err
			}
			return t.ledger.update(ctx, t.Cluster, t.Namespace, func(inv *plan.Inventory) {
				inv.ForgetSecret(network.ProxyName(t.Name), t.Proxy.Secret.Name)
			})
		})
	}
	if err := t.step(ctx, plan.StepRecord, func(ctx context.Context) error { return t.ledger.begin(ctx, t.Cluster, t.Namespace) }); err != nil {
		return err
	}
	return t.step(ctx, plan.StepSecret, func(ctx context.Context) error {
		if t.Verb == plan.VerbAdopt {
			return t.adoptProxy(ctx, c)
		}
		return t.writeProxy(ctx, c)
	})
}

// adoptProxy labels a Secret that is there.
func (t *task) adoptProxy(ctx context.Context, c Cluster) error {
	if _, err := present(ctx, c, t.Proxy.Secret); err != nil {
		return err
	}
	_, err := c.Apply(ctx, Object{ObjectRef: t.Proxy.Secret, Labels: t.labels(plan.LabelProxy), Annotations: noteRun(t.opts.Run, nil)}, true)
	return err
}

// writeProxy creates the Secret. It never changes one: a router does not take up
// new content under the old name.
func (t *task) writeProxy(ctx context.Context, c Cluster) error {
	if t.opts.Proxies == nil {
		return errors.New("nobody can resolve the references of proxies")
	}
	bounded, cancel := context.WithTimeout(ctx, t.opts.Timeout)
	defer cancel()
	found, err := t.opts.Proxies.Credentials(bounded, network.ProxyName(t.Name))
	if err != nil {
		return err
	}
	content := map[string]secrets.Value{
		"host": secrets.New(t.Proxy.Host), "port": secrets.New(t.Proxy.Port), "username": found.Username,
	}
	if !found.Password.IsZero() {
		content["password"] = found.Password
	}
	_, err = t.create(ctx, c, Object{
		ObjectRef: t.Proxy.Secret, Labels: t.labels(plan.LabelProxy), Annotations: noteRun(t.opts.Run, nil), Secret: content, Type: typeBasicAuth,
	})
	if errors.Is(err, ErrExists) {
		return fmt.Errorf("%s appeared meanwhile: %w", t.Proxy.Secret, ErrStale)
	}
	return err
}
