package rights

import (
	"strings"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// apply is what an apply writes, and reads again before and after it writes.
func (g *gatherer) apply(d Description) {
	sites := map[network.SiteName]plan.DesiredSite{}
	for _, s := range d.Desired.Sites {
		sites[s.Name] = s
		g.site(d, s)
	}
	for _, l := range d.Desired.Links {
		g.link(l, sites[l.From], sites[l.To])
	}
	for _, o := range d.Desired.Objects {
		g.object(d, o)
	}
	for _, c := range d.Clusters {
		at := place{c.Name, c.LocksIn()}
		g.grant(at, whyLock, coordination, "leases", []string{"get", "list", "update", "watch"}, d.inventory())
		g.grant(at, whyLock, coordination, "leases", []string{"create"})
	}
}

// site is what one Site and its inventory take. RBAC cannot tell by its name what may
// be made (Kubernetes documentation: "Using RBAC", resourceNames).
func (g *gatherer) site(d Description, s plan.DesiredSite) {
	at := g.at(s.Cluster, s.Namespace)
	if g.Scope == ScopeCluster {
		g.grant(at, whyNamespace, core, "namespaces", []string{"create", "watch"}) // one that goes is waited for
	}
	g.grant(at, whyInventory, core, "configmaps", []string{"create"})
	g.grant(at, whyInventory, core, "configmaps", []string{"get", "patch"}, d.inventory())
	why := whySites
	if s.Protect {
		why = whyKept
	} else {
		g.grant(at, whyInventory, core, "configmaps", []string{"delete", "watch"}, d.inventory())
		g.grant(at, why, skupper, "sites", []string{"delete"}, s.Object)
	}
	g.grant(at, why, skupper, "sites", []string{"create"})
	g.grant(at, why, skupper, "sites", []string{"get", "patch", "watch"}, s.Object)
	if !s.Listens {
		g.grant(at, whyClose, skupper, "routeraccesses", []string{"delete", "watch"}, world.RouterAccess)
	}
}

// link is what a link takes at both of its ends.
func (g *gatherer) link(l plan.DesiredLink, from, to plan.DesiredSite) {
	at, far := g.at(from.Cluster, from.Namespace), g.at(to.Cluster, to.Namespace)
	g.grant(at, whyLinks, skupper, "links", []string{"delete", "get", "patch", "watch"})
	g.grant(at, whySecrets, core, "secrets", []string{"delete", "get", "patch", "watch"})
	g.grant(at, whyReport, core, "configmaps", []string{"watch"}, routersReport)
	if l.Via == network.ViaToken {
		g.grant(at, whyTokens, skupper, "accesstokens", []string{"create", "delete", "get", "watch"})
		g.grant(far, whyGrants, skupper, "accessgrants", []string{"create", "delete", "get", "watch"})
	} else {
		g.grant(at, whyCarry, core, "secrets", []string{"create"})
		g.grant(far, whyIssue, skupper, "certificates", []string{"create", "delete", "get", "watch"})
		g.grant(far, whyIssued, core, "secrets", []string{"delete", "get", "watch"})
	}
	if l.Via == network.ViaCertificate || to.Fields["ha"] == true { // of an HA site's Links one may have to be made again
		g.grant(at, whyMake, skupper, "links", []string{"create"})
	}
}

// object is what one object of an overlay takes.
func (g *gatherer) object(d Description, o plan.DesiredObject) {
	at := g.at(o.Cluster, o.Namespace)
	g.grant(at, whyOverlay, groupOf(o), d.resource(o), []string{"create"})
	g.grant(at, whyOverlay, groupOf(o), d.resource(o), []string{"delete", "get", "patch", "watch"}, o.Name)
}

// groupOf is the API group of an object, empty for the core one.
func groupOf(o plan.DesiredObject) string {
	group, _, found := strings.Cut(o.APIVersion, "/")
	if !found {
		return core
	}
	return group
}
