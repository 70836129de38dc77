package planner

import (
	"fmt"
	"slices"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// rekeyed says why a link that is as recorded needs new credentials or a new Link:
// nothing of this can change in place. It is empty when nothing does.
func (c linkCase) rekeyed() string {
	switch {
	case c.Recorded.MadeVia() != c.Via:
		return fmt.Sprintf("its credentials come by %s now, by %s before", c.Via, c.Recorded.MadeVia())
	case c.Recorded.Rotation < c.Rotation:
		return fmt.Sprintf("rotation %d asks for new keys", c.Rotation)
	case c.Recorded.Proxy != c.Proxy && c.Proxy == "":
		return fmt.Sprintf("it no longer goes through proxy %s", c.Recorded.Proxy)
	case c.Recorded.Proxy != c.Proxy:
		return fmt.Sprintf("it goes through proxy %s now", c.Proxy)
	case c.Recorded.ProxySecret != c.proxy:
		return fmt.Sprintf("the settings of proxy %s change, which a Link never takes up in place", c.Proxy)
	}
	return c.otherProxy()
}

// otherProxy says which Link names another proxy Secret than it should.
func (c linkCase) otherProxy() string {
	links := c.current
	if !c.Known {
		links = c.own
	}
	for _, v := range links {
		if v.Proxy != c.proxy {
			return fmt.Sprintf("the proxy setting of Link %q is not the wanted one, and is never changed in place", v.Name)
		}
	}
	return ""
}

// otherwise says how Links that no inventory knows were made otherwise than is
// described, as far as they note it.
func (c linkCase) otherwise() string {
	for _, v := range c.own {
		switch n := v.Noted; {
		case n.Via != "" && n.Via != c.Via:
			return fmt.Sprintf("its inventory is missing, and its credentials came by %s", n.Via)
		case n.Rotation != "" && n.RotationNumber() < c.Rotation:
			return fmt.Sprintf("its inventory is missing, and its keys are of rotation %s", n.Rotation)
		}
	}
	return ""
}

// rekeyCause says who moved: git, unless only the cluster did.
func (c linkCase) rekeyCause() plan.Cause {
	same := c.Recorded.MadeVia() == c.Via && c.Recorded.Rotation >= c.Rotation && c.Recorded.Proxy == c.Proxy
	if !same {
		return plan.CausePending
	}
	for _, a := range c.m.actions {
		if a.Kind == plan.KindProxy && a.Proxy.Secret.Name == c.proxy && a.Cluster == c.At.Cluster && a.Namespace == c.At.Namespace {
			return a.Cause
		}
	}
	for _, v := range c.current {
		if v.Proxy != c.Recorded.ProxySecret {
			return plan.CauseDrift
		}
	}
	return plan.CausePending // another link of the site went ahead to the new settings
}

// keyFields are the fields of a known link for which it is replaced.
func (c linkCase) keyFields() []plan.Field {
	var out []plan.Field
	if !c.Known {
		return out
	}
	for _, f := range []struct {
		path     string
		from, to any
	}{
		{"to", string(c.Recorded.To), string(c.To)},
		{"cost", max(c.Recorded.Cost, 1), c.Cost},
		{"via", string(c.Recorded.MadeVia()), string(c.Via)},
		{"proxy", string(c.Recorded.Proxy), string(c.Proxy)},
		{"rotation", c.Recorded.Rotation, c.Rotation},
	} {
		if f.from != f.to {
			out = append(out, plan.Field{Path: f.path, From: f.from, To: f.to, Cause: plan.CausePending})
		}
	}
	return out
}

// credentials is the attempt whose credentials a link's Links use. Links that were
// added for another router have a later attempt's name and the old one's Secret.
func (c linkCase) credentials() int {
	for _, v := range c.current {
		if v.TLSCredentials != "" {
			return attemptOf(c.Name, v.TLSCredentials)
		}
	}
	return c.Recorded.Attempt
}

// certificateOf selects what of an attempt's Certificate has to stay. At another site
// than the listening one it is of a link that was there before.
func (c linkCase) certificateOf(attempt int) func(plan.ObjectRef) bool {
	to := c.action.Link.To
	return func(r plan.ObjectRef) bool {
		there := r.Cluster == to.Cluster && r.Namespace == to.Namespace
		return c.Via == network.ViaCertificate && r.Kind == plan.ObjectCertificate && there && c.ofAttempt(attempt, r)
	}
}

// addressesOf are the endpoints of a listening site that a Link of several should
// have: those of the group that it has now, or all when there is one group.
func addressesOf(site []world.Endpoint, v world.LinkView, links int) []world.Endpoint {
	groups := map[string]bool{}
	for _, e := range site {
		groups[e.Group] = true
	}
	if len(groups) == 1 && links == 1 {
		return site
	}
	var out []world.Endpoint
	for _, e := range site {
		if slices.ContainsFunc(v.Endpoints, func(have world.Endpoint) bool { return have.Group == e.Group }) {
			out = append(out, e)
		}
	}
	return out
}

// addressField compares the endpoints of a link by certificate with those of its
// listening site, which nobody else keeps equal: a moved load balancer is drift.
func (c linkCase) addressField(v world.LinkView) (plan.Field, bool) {
	if c.Via != network.ViaCertificate || c.Recorded.Adopted {
		return plan.Field{}, false
	}
	want := addressesOf(c.m.world.Endpoints(c.action.Link.To), v, len(c.current))
	from, to := world.Addresses(v.Endpoints), world.Addresses(want)
	return plan.Field{Path: "endpoints", From: from, To: to, Cause: plan.CauseDrift}, len(want) > 0 && from != to
}
