package rights

import (
	"slices"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
)

// The API groups that Fairlead uses, beside those of overlays' objects.
const (
	core         = ""
	skupper      = "skupper.io"
	coordination = "coordination.k8s.io"
)

// Why a right is needed. A rule of RBAC has one of these as its comment.
const (
	whyRead      = "look at what is there; of Secrets the metadata, and the settings of proxies"
	whyObjects   = "look at the kinds of the overlays' objects"
	whyIdentity  = "tell this cluster from others"
	whyLists     = "tell this cluster from others, and which namespaces are missing"
	whyRecorded  = "find the namespaces of sites that are no longer described"
	whyNoted     = "find the clusters of sites that are no longer described"
	whyBoth      = "find the namespaces and clusters of sites that are no longer described"
	whyKubeconf  = "reach a cluster whose kubeconfig is this Secret"
	whyProxies   = "read the credentials of proxies where the description says they are"
	whyNamespace = "make the namespaces of new sites"
	whyInventory = "record what is applied, before it is"
	whySites     = "make, change and remove Sites, and wait until they are ready"
	whyKept      = "make and change protected Sites, and wait until they are ready"
	whyClose     = "close what Skupper leaves open at a site that no longer listens"
	whyOverlay   = "write the objects of overlays"
	whyGrants    = "make grants, read their codes, and take them away again"
	whyTokens    = "have grants redeemed, and take the tokens away again"
	whyLinks     = "take over the Links that tokens make, change their cost, and remove them"
	whyMake      = "make Links"
	whySecrets   = "mark the credentials of Links, note when they end, and remove them"
	whyCarry     = "bring certificates and proxies' settings to connecting sites"
	whyIssue     = "have certificates issued for links, and remove them"
	whyIssued    = "fetch what was issued"
	whyReport    = "see in the routers' report that new Links are up before old ones go"
	whyLock      = "hold the lock of the network, and wait for it"
	whyUnlock    = "free the lock of a run that is dead"
)

// routersReport is the ConfigMap with the routers' own report (Skupper 2.2).
const routersReport = "skupper-network-status"

// inventory is the name of a network's inventories and Leases.
func (d Description) inventory() string { return network.InventoryName(d.Desired.Network) }

// add gathers what the commands take of one description.
func (g *gatherer) add(d Description) {
	for _, command := range Commands {
		if !slices.Contains(g.Commands, command) {
			continue
		}
		if command == Import { // it takes clusters from the command line, and no overlay
			g.read(d, true)
			g.recorded(d)
			continue
		}
		g.reach(d)
		if command == Unlock {
			g.unlock(d)
			continue
		}
		g.read(d, command != Status)
		g.identify(d)
		if command != Status {
			g.objects(d)
			g.credentials(d)
		}
		switch command {
		case Apply:
			g.apply(d)
		case Plan, Drift:
			g.noted(d)
		default:
			g.recorded(d)
		}
	}
}

// places are where a cluster's sites are read.
func (g *gatherer) places(d Description, c network.ClusterName) []place {
	if g.Scope == ScopeCluster {
		return []place{{c, ""}}
	}
	var out []place
	for _, s := range d.Desired.Sites {
		if s.Cluster == c {
			out = append(out, place{c, s.Namespace})
		}
	}
	return out
}

// read is what an observation lists: see apply/kube, Observe.
func (g *gatherer) read(d Description, full bool) {
	for _, c := range d.Clusters {
		for _, at := range g.places(d, c.Name) {
			list := []string{"list"}
			g.grant(at, whyRead, core, "configmaps", list)
			g.grant(at, whyRead, core, "secrets", list)
			g.grant(at, whyRead, skupper, "sites", list)
			g.grant(at, whyRead, skupper, "links", list)
			if !full {
				continue
			}
			for _, resource := range []string{"accessgrants", "accesstokens", "certificates", "routeraccesses"} {
				g.grant(at, whyRead, skupper, resource, list)
			}
		}
	}
}

// objects is what it takes to look at the kinds of the overlays' objects.
func (g *gatherer) objects(d Description) {
	for _, o := range d.Desired.Objects {
		for _, at := range g.places(d, o.Cluster) {
			g.grant(at, whyObjects, groupOf(o), d.resource(o), []string{"list"})
		}
	}
}

// resource is that of an object of an overlay.
func (d Description) resource(o plan.DesiredObject) string {
	return d.Resources[plan.GroupKind(o.APIVersion, o.Kind)]
}

// identify is how a plan knows its clusters: all namespaces, or that of the lock.
func (g *gatherer) identify(d Description) {
	for _, c := range d.Clusters {
		if g.Scope == ScopeCluster {
			g.grant(place{c.Name, ""}, whyLists, core, "namespaces", []string{"list"})
			continue
		}
		g.grant(place{c.Name, c.LocksIn()}, whyIdentity, core, "namespaces", []string{"get"}, c.LocksIn())
	}
}

// recorded is what who may not list the whole cluster reads to know where to look.
func (g *gatherer) recorded(d Description) {
	for _, c := range d.Clusters {
		if g.Scope == ScopeNamespace {
			g.grant(place{c.Name, c.LocksIn()}, whyRecorded, coordination, "leases", []string{"get"}, d.inventory())
		}
	}
}

// noted is what tells of clusters that are described no more, and where to look.
func (g *gatherer) noted(d Description) {
	for _, c := range d.Clusters {
		why := whyNoted
		if g.Scope == ScopeNamespace {
			why = whyBoth
		}
		g.grant(place{c.Name, c.LocksIn()}, why, coordination, "leases", []string{"get"}, d.inventory())
	}
}

// reach is what kubeconfigs that are Secrets take, on the clusters that have them.
func (g *gatherer) reach(d Description) {
	for _, c := range d.Clusters {
		g.reference(c.Kubeconfig, whyKubeconf)
	}
}

// credentials are those of the proxies that links go through.
func (g *gatherer) credentials(d Description) {
	for _, p := range d.Proxies {
		used := func(o plan.DesiredProxy) bool { return o.Name == p.Name }
		if slices.ContainsFunc(d.Desired.Proxies, used) {
			g.reference(p.Username, whyProxies)
			g.reference(p.Password, whyProxies)
		}
	}
}

func (g *gatherer) reference(ref *network.SecretRef, why string) {
	if ref == nil || ref.Kubernetes == nil {
		return
	}
	k := ref.Kubernetes
	g.grant(place{k.Cluster, k.Namespace}, why, core, "secrets", []string{"get"}, k.Name)
}

// unlock frees a Lease.
func (g *gatherer) unlock(d Description) {
	for _, c := range d.Clusters {
		g.grant(place{c.Name, c.LocksIn()}, whyUnlock, coordination, "leases", []string{"get", "update"}, d.inventory())
	}
}
