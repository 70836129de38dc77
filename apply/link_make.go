package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
	"fairlead.dev/fairlead/secrets"
)

// linkMake takes a link from nothing, or from wherever an earlier apply stopped, to
// operational: grant, token, Link, and then the credentials go; or Certificate, Secret, Link.
type linkMake struct{ *linkWriter }

// awaitSites waits until both ends are ready, which they may not be although the
// plan has nothing to do there, and learns their UIDs: a redemption at a site that
// has no endpoints yet burns its grant. The plan is left as it is: the task works
// on a copy.
func (m *linkMake) awaitSites(ctx context.Context) error {
	work := *m.Link
	m.Link = &work
	m.at = plan.StepReady
	role := ""
	for _, w := range []struct {
		c       Cluster
		end     *plan.End
		listens bool
	}{{m.from, &work.From, false}, {m.to, &work.To, true}} {
		ref := siteAt(*w.end)
		err := m.wait(ctx, w.c, ref, "ready", func(o Object, exists bool) (bool, error) {
			if w.end.UID != "" && exists && o.UID != w.end.UID {
				return false, fmt.Errorf("%s was made anew: %w", ref, ErrStale)
			}
			ready, err := siteReady(o, exists, w.listens)
			if !ready || err != nil {
				return false, err
			}
			w.end.UID = o.UID
			if !w.listens {
				edge, _ := o.Spec["edge"].(bool)
				role = roleOf(edge)
				return true, nil
			}
			return complete(o, work.Groups, role), nil
		}, siteReason)
		if err != nil {
			return err
		}
	}
	return nil
}

// roleOf is the name of the endpoint that a connecting site uses.
func roleOf(edge bool) string {
	if edge {
		return "edge"
	}
	return "inter-router"
}

// complete reports whether a Site shows all of its routers, each with an endpoint of
// the role: a link made of fewer would stay so.
func complete(site Object, groups int, role string) bool {
	all := groupsOf(site)
	for _, group := range all {
		has := slices.ContainsFunc(group, func(item any) bool {
			endpoint, _ := item.(map[string]any)
			return text(endpoint, "name") == role
		})
		if !has {
			return false
		}
	}
	return len(all) >= groups
}

// record makes sure that nobody changed the Links, and writes the intent.
func (m *linkMake) record(ctx context.Context) error {
	if err := m.reread(ctx); err != nil {
		return err
	}
	return m.link.record(ctx)
}

// takeOverAll takes over the new Links.
func (m *linkMake) takeOverAll(ctx context.Context) error {
	for _, l := range m.links {
		if err := m.takeOver(ctx, l, "", nil); err != nil {
			return err
		}
	}
	return m.labelSecrets(ctx, m.links)
}

// operational waits until the routers carry the new Links.
func (m *linkMake) operational(ctx context.Context) error {
	if err := m.waitNew(ctx, m.links); err != nil || m.Verb != plan.VerbReplace {
		return err
	}
	return m.waitReport(ctx, m.links)
}

// confirm records that the link is up as desired.
func (m *linkMake) confirm(ctx context.Context) error {
	return m.linkWriter.confirm(ctx, names(m.links))
}

// typeTLS is the type of a Link's Secret.
const typeTLS = "kubernetes.io/tls"

// certification makes a link without a token: a Certificate at the listening site, its
// Secret carried over, and one Link for each endpoint group. Each part bears our
// labels from the start and the attempt's own name, so doing all of it again
// finishes whatever an earlier apply left undone.
type certification struct{ *linkWriter }

// issue makes sure of the Certificate and waits for its Secret.
func (c *certification) issue(ctx context.Context) error {
	site, err := c.to.Get(ctx, siteAt(c.Link.To))
	if err != nil {
		return err
	}
	issuer := text(site.Status, "defaultIssuer")
	if issuer == "" {
		return fmt.Errorf("%s names no issuer in its status", site.ObjectRef)
	}
	ref := c.issuedRef(plan.ObjectCertificate)
	made, err := c.create(ctx, c.to, Object{
		ObjectRef: ref, Labels: c.labels(plan.LabelLink), Annotations: c.annotations(c.owned()),
		Spec: map[string]any{"ca": issuer, "client": true, "subject": string(c.Link.From.Site)},
	})
	if errors.Is(err, ErrExists) {
		if made, err = c.existing(ctx, c.to, ref); err == nil && text(made.Spec, "ca") != issuer {
			return c.takeBack(ctx, made, issuer)
		}
	}
	if err != nil {
		return err
	}
	return c.awaitIssued(ctx, made)
}

// takeBack deletes a Certificate of an interrupted apply that another CA signed: its
// content is never issued again. The next apply makes it anew.
func (c *certification) takeBack(ctx context.Context, made Object, issuer string) error {
	if err := c.remove(ctx, c.to, made.ObjectRef); err != nil {
		return err
	}
	secret := c.issuedRef(plan.ObjectSecret)
	if err := again(func() error { return c.removeIssued(ctx, c.to, secret, made.UID) }); err != nil {
		return err
	}
	return fmt.Errorf("%s was signed by %s and the site's issuer is %s now: %w",
		made.ObjectRef, text(made.Spec, "ca"), issuer, ErrStale)
}

// awaitIssued waits for the Certificate's own Secret.
func (c *certification) awaitIssued(ctx context.Context, made Object) error {
	secret := c.issuedRef(plan.ObjectSecret)
	return c.wait(ctx, c.to, secret, "issued",
		func(o Object, exists bool) (bool, error) {
			return exists && !o.Deleting && (o.OwnerUID == "" || o.OwnerUID == made.UID), nil
		},
		func(o Object) string {
			if o.Deleting {
				return goes(o)
			}
			now, err := c.to.Get(context.WithoutCancel(ctx), made.ObjectRef)
			if err != nil {
				return "its Certificate cannot be read"
			}
			return Reason(now, "Ready")
		})
}

// carry copies the Certificate's Secret to the connecting site. A copy that is
// there gets the content anew, which the router takes up without a drop.
func (c *certification) carry(ctx context.Context) error {
	issued := c.issuedRef(plan.ObjectSecret)
	data, err := c.to.SecretData(ctx, issued)
	if err != nil {
		return err
	}
	content := map[string]secrets.Value{}
	for _, key := range []string{keyCertificate, keyPrivate, keyAuthority} {
		if data[key].IsZero() {
			return fmt.Errorf("%s has no %s", issued, key)
		}
		content[key] = data[key]
	}
	copied := Object{
		ObjectRef: c.secretRef(c.object()), Labels: c.labels(plan.LabelLink),
		Annotations: noteRun(c.opts.Run, ends509(content[keyCertificate].Reveal())), Secret: content, Type: typeTLS,
	}
	_, err = c.create(ctx, c.from, copied)
	if !errors.Is(err, ErrExists) {
		return err
	}
	old, err := c.existing(ctx, c.from, copied.ObjectRef)
	if err != nil {
		return err
	}
	copied.UID = old.UID
	_, err = c.from.Apply(ctx, copied, true)
	return err
}

// createLinks makes one Link for each endpoint group of the listening site, named
// as Skupper names its own: the object name, or numbered ones for an HA site. A
// proxy's Secret must be there first: the controller crashes on a Link without it.
func (c *certification) createLinks(ctx context.Context) error {
	if err := c.checkProxy(ctx); err != nil {
		return err
	}
	groups, err := c.groups(ctx)
	if err != nil {
		return err
	}
	for i, group := range groups {
		name := network.LinkObjectNames(c.object())[0]
		if len(groups) > 1 {
			name = fmt.Sprintf("%s-%d", c.object(), i+1)
		}
		o, existed, err := c.createLink(ctx, name, c.linkSpec(group, c.object()))
		if err != nil {
			return err
		}
		if existed {
			o.Spec["endpoints"] = group // the site may have moved since; taking over writes them
		}
		c.links = append(c.links, o.leadingTo(group))
	}
	return nil
}
