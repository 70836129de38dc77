package htmltest

import (
	"cmp"
	"fmt"
	"slices"

	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// sizes are those of the networks that people look at.
var sizes = []int{5, 50, 200}

// retail is a network of so many sites: hubs that know each other, a backup for all, and
// shops with a link to the hub of their region and, most of them, one to the backup.
func retail(sites int) network.Network {
	n := network.Network{Name: "retail"}
	hubs := []string{"hub"}
	switch {
	case sites > 100:
		hubs = []string{"hub-east", "hub-north", "hub-south", "hub-west"}
	case sites > 20:
		hubs = []string{"hub-north", "hub-south"}
	}
	for i, hub := range hubs {
		addSite(&n, hub, "hubs", "default")
		addLink(&n, "backup", hub, 10)
		for _, other := range hubs[:i] {
			addLink(&n, hub, other, 5)
		}
	}
	addSite(&n, "backup", "hubs", "default")
	for i := range sites - len(hubs) - 1 {
		region := i % len(hubs)
		shop := fmt.Sprintf("shop%d", i+1)
		addSite(&n, shop, "shops"+hubs[region][len("hub"):], "none")
		n.Sites[len(n.Sites)-1].Edge = sites > 5 && i%11 == 7
		addLink(&n, shop, hubs[region], 1)
		if i < sites-len(hubs)-3 {
			addLink(&n, shop, "backup", 99999)
		}
	}
	return sorted(n)
}

func addSite(n *network.Network, name, cluster, access string) {
	n.Sites = append(n.Sites, network.Site{
		Name: network.SiteName(name), Cluster: network.ClusterName(cluster), Namespace: "retail-" + name, LinkAccess: access,
		DeclaredAt: diag.Position{File: "retail.cue", Line: 10 + len(n.Sites), Column: 2},
	})
}

func addLink(n *network.Network, from, to string, cost int32) {
	n.Links = append(n.Links, network.Link{
		Name: network.LinkName(from + "-" + to), From: network.SiteName(from), To: network.SiteName(to), Cost: cost, Via: network.ViaToken,
		DeclaredAt: diag.Position{File: "links.cue", Line: 4 + len(n.Links), Column: 2},
	})
}

func sorted(n network.Network) network.Network {
	slices.SortFunc(n.Sites, func(x, y network.Site) int { return cmp.Compare(x.Name, y.Name) })
	slices.SortFunc(n.Links, func(x, y network.Link) int { return cmp.Compare(x.Name, y.Name) })
	return n
}

// changed is the network without its last hub, with another cost of the first shop's way
// to the backup, and with a link to the backup for the last shop.
func changed(n network.Network) network.Network {
	last := network.SiteName("hub")
	for _, s := range n.Sites {
		if s.Cluster == "hubs" && s.Name != "backup" {
			last = s.Name
		}
	}
	out := network.Network{Name: n.Name}
	for _, s := range n.Sites {
		if s.Name != last {
			out.Sites = append(out.Sites, s)
		}
	}
	for _, l := range n.Links {
		if l.Name == "shop1-backup" {
			l.Cost = 20
		}
		if l.From != last && l.To != last {
			out.Links = append(out.Links, l)
		}
	}
	addLink(&out, lastShop(n), "backup", 50)
	return sorted(out)
}

func lastShop(n network.Network) string {
	count := 0
	for _, s := range n.Sites {
		if s.Cluster != "hubs" {
			count++
		}
	}
	return fmt.Sprintf("shop%d", count)
}
