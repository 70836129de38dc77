// Package desired turns a network into the objects that it should have on its
// clusters, in the shape that package plan compares. It is pure.
package desired

import (
	"cmp"
	"maps"
	"slices"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/field"
	"fairlead.dev/fairlead/plan/record"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// Build gives the desired objects of a valid description. A site that does not
// listen owns linkAccess "none", so that access switched on by hand is drift.
func Build(n network.Network) plan.Desired {
	out := plan.Desired{Network: n.Name, Clusters: clusters(n), UIDs: pins(n)}
	for _, s := range n.Sites {
		out.Sites = append(out.Sites, plan.DesiredSite{
			Name: s.Name, Cluster: s.Cluster, Namespace: s.Namespace,
			Fields: siteFields(s), Protect: s.Protect, Listens: s.Listens(), Object: cmp.Or(s.Object, string(s.Name)), DeclaredAt: s.DeclaredAt,
		})
	}
	for _, l := range n.Links {
		out.Links = append(out.Links, plan.DesiredLink{
			Name: l.Name, From: l.From, To: l.To, Cost: l.Cost, Via: l.Via, Proxy: l.Proxy,
			Rotation: l.Rotation, Object: cmp.Or(l.Object, string(l.Name)),
			DeclaredAt: l.DeclaredAt, CostAt: l.CostAt,
		})
	}
	out.Proxies = proxies(n)
	return sorted(out)
}

// LastApplied gives the objects as the inventories say that they were last
// applied; comparing these with the clusters shows drift and nothing else. Places
// of declaration are taken from declared where the name is still there. Clusters
// that were not read in full contribute nothing.
func LastApplied(o world.Observation, declared plan.Desired) plan.Desired {
	out := plan.Desired{Network: declared.Network, Clusters: declared.Clusters, UIDs: declared.UIDs}
	o = world.Settled(o, declared.Network)
	for _, c := range o.Clusters {
		if c.State != plan.StateOK {
			continue
		}
		for _, inv := range c.Inventories {
			if inv.Broken == "" && inv.Content.Network == declared.Network {
				addRecorded(&out, c.Name, inv)
			}
		}
	}
	out.Proxies = recordedProxies(o, declared)
	locate(&out, declared)
	return sorted(dropDangling(out))
}

func addRecorded(out *plan.Desired, cluster network.ClusterName, inv world.InventoryView) {
	if inv.Content.Fields == nil {
		return
	}
	out.Sites = append(out.Sites, plan.DesiredSite{
		Name: inv.Content.Site, Cluster: cluster, Namespace: inv.Namespace,
		Fields: known(inv.Content.Fields), Protect: inv.Content.Protect,
		Listens: field.SiteListens(inv.Content.Fields), Object: cmp.Or(inv.Content.Object, string(inv.Content.Site)),
	})
	for name, l := range inv.Content.Links {
		if l.State == record.LinkApplied {
			out.Links = append(out.Links, plan.DesiredLink{
				Name: name, From: inv.Content.Site, To: l.To, Cost: l.Cost, Object: string(name),
				Via: cmp.Or(l.Via, network.ViaToken), Proxy: l.Proxy, ProxySecret: l.ProxySecret, Rotation: l.Rotation,
			})
		}
	}
	for _, o := range inv.Content.Objects {
		if o.Fields != nil { // else it was never applied
			out.Objects = append(out.Objects, plan.DesiredObject{
				Site: inv.Content.Site, Cluster: cluster, Namespace: inv.Namespace,
				APIVersion: o.APIVersion, Kind: o.Kind, Name: o.Name, Fields: known(o.Fields),
			})
		}
	}
}

// known leaves out the fields of which the value that was applied is not known.
func known(fields map[string]any) map[string]any {
	fields = maps.Clone(fields)
	maps.DeleteFunc(fields, func(_ string, v any) bool { return v == nil })
	return fields
}

func locate(out *plan.Desired, declared plan.Desired) {
	sites := map[network.SiteName]plan.DesiredSite{}
	for _, d := range declared.Sites {
		sites[d.Name] = d
	}
	links := map[network.LinkName]plan.DesiredLink{}
	for _, d := range declared.Links {
		links[d.Name] = d
	}
	objects := map[string]plan.DesiredObject{}
	for _, d := range declared.Objects {
		objects[string(d.Site)+"/"+d.Key()] = d
	}
	for i, o := range out.Objects {
		was := objects[string(o.Site)+"/"+o.Key()]
		out.Objects[i].DeclaredAt, out.Objects[i].Source = was.DeclaredAt, was.Source
	}
	for i, s := range out.Sites {
		out.Sites[i].DeclaredAt = sites[s.Name].DeclaredAt
	}
	for i, l := range out.Links {
		out.Links[i].DeclaredAt, out.Links[i].CostAt = links[l.Name].DeclaredAt, links[l.Name].CostAt
	}
}

// dropDangling removes links whose listening site is recorded nowhere, which is
// so when its cluster could not be read.
func dropDangling(d plan.Desired) plan.Desired {
	known := map[network.SiteName]bool{}
	for _, s := range d.Sites {
		known[s.Name] = true
	}
	d.Links = slices.DeleteFunc(d.Links, func(l plan.DesiredLink) bool { return !known[l.To] })
	return d
}

func clusters(n network.Network) []network.ClusterName {
	names := make([]network.ClusterName, 0, len(n.Clusters))
	for _, c := range n.Clusters {
		names = append(names, c.Name)
	}
	slices.Sort(names)
	return names
}

// pins are the UIDs that the description demands of clusters.
func pins(n network.Network) map[network.ClusterName]string {
	out := map[network.ClusterName]string{}
	for _, c := range n.Clusters {
		if c.UID != "" {
			out[c.Name] = c.UID
		}
	}
	return out
}

func siteFields(s network.Site) map[string]any {
	fields := map[string]any{"linkAccess": cmp.Or(s.LinkAccess, "none"), "ha": s.HA, "edge": s.Edge}
	if s.DefaultIssuer != "" {
		fields["defaultIssuer"] = s.DefaultIssuer
	}
	if s.ServiceAccount != "" {
		fields["serviceAccount"] = s.ServiceAccount
	}
	for k, v := range s.Settings {
		fields["settings."+k] = v
	}
	return fields
}

func sorted(d plan.Desired) plan.Desired {
	slices.SortFunc(d.Sites, func(a, b plan.DesiredSite) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(d.Links, func(a, b plan.DesiredLink) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(d.Objects, func(a, b plan.DesiredObject) int {
		return cmp.Or(cmp.Compare(a.Site, b.Site), cmp.Compare(a.Key(), b.Key()))
	})
	return d
}

// AsNetwork gives the graph of desired objects as a network: names, ends, costs, and
// which sites are edge sites or listen, which is all that topology looks at.
func AsNetwork(d plan.Desired) network.Network {
	n := network.Network{Name: d.Network}
	for _, s := range d.Sites {
		edge, _ := s.Fields["edge"].(bool)
		access, _ := s.Fields["linkAccess"].(string)
		n.Sites = append(n.Sites, network.Site{Name: s.Name, Cluster: s.Cluster, Namespace: s.Namespace, LinkAccess: access, Edge: edge})
	}
	for _, l := range d.Links {
		n.Links = append(n.Links, network.Link{Name: l.Name, From: l.From, To: l.To, Cost: l.Cost, Via: l.Via})
	}
	return n
}
