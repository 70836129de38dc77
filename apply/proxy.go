package apply

import (
	"context"
	"errors"
	"fmt"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/record"
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

// proxy is the action of a proxy's Secret at one site.
type proxy struct {
	*task
	c Cluster
}

// delete removes the Secret and its record.
func (p *proxy) delete(ctx context.Context) error {
	if err := p.remove(ctx, p.c, p.Proxy.Secret); err != nil {
		return err
	}
	return p.note(ctx, func(inv *record.Inventory) { inv.ForgetSecret(network.ProxyName(p.Name), p.Proxy.Secret.Name) })
}

// secret writes the Secret, or labels the one that is there.
func (p *proxy) secret(ctx context.Context) error {
	if p.Verb == plan.VerbAdopt {
		return p.adopt(ctx)
	}
	return p.write(ctx)
}

// wanted is the Secret to send, but for its content.
func (p *proxy) wanted() Object {
	return Object{
		ObjectRef: p.Proxy.Secret, Labels: p.labels(plan.LabelProxy), Annotations: noteRun(p.opts.Run, nil),
	}
}

// adopt labels a Secret that is there.
func (p *proxy) adopt(ctx context.Context) error {
	if _, err := present(ctx, p.c, p.Proxy.Secret); err != nil {
		return err
	}
	_, err := p.c.Apply(ctx, p.wanted(), true)
	return err
}

// write creates the Secret. It never changes one: a router does not take up
// new content under the old name.
func (p *proxy) write(ctx context.Context) error {
	if p.opts.Proxies == nil {
		return errors.New("nobody can resolve the references of proxies")
	}
	bounded, cancel := context.WithTimeout(ctx, p.opts.Timeout)
	defer cancel()
	found, err := p.opts.Proxies.Credentials(bounded, network.ProxyName(p.Name))
	if err != nil {
		return err
	}
	content := map[string]secrets.Value{
		"host": secrets.New(p.Proxy.Host), "port": secrets.New(p.Proxy.Port), "username": found.Username,
	}
	if !found.Password.IsZero() {
		content["password"] = found.Password
	}
	secret := p.wanted()
	secret.Secret, secret.Type = content, typeBasicAuth
	_, err = p.create(ctx, p.c, secret)
	if errors.Is(err, ErrExists) {
		return fmt.Errorf("%s appeared meanwhile: %w", p.Proxy.Secret, ErrStale)
	}
	return err
}
