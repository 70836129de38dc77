package existing

import (
	"fairlead.dev/fairlead/plan/record"
	"fairlead.dev/fairlead/plan/world"
)

// named is a name in one place.
type named struct {
	place
	name string
}

// index finds what was observed; it is built once, so that importing is linear in
// the number of objects.
type index struct {
	// inventories are those of the network that can be read.
	inventories map[place]record.Inventory
	// owners are the UIDs of the owners of Secrets.
	owners map[named]string
	// links are the names of all Links.
	links map[named]bool
	// proxies are the Secrets that Links name.
	proxies map[named]world.ProxyView
	// byUID and byAddress find Sites; an address is "host:port".
	byUID     map[string]*site
	byAddress map[string][]*site
}

func newIndex(in Input, views []world.ClusterView) index {
	ix := index{
		inventories: map[place]record.Inventory{}, owners: map[named]string{}, links: map[named]bool{},
		proxies: map[named]world.ProxyView{}, byUID: map[string]*site{}, byAddress: map[string][]*site{},
	}
	for _, v := range views {
		for _, inv := range v.Inventories {
			if inv.Broken == "" && inv.Content.Network == in.Network {
				ix.inventories[place{v.Name, inv.Namespace}] = inv.Content
			}
		}
		for _, s := range v.Secrets {
			ix.owners[named{place{v.Name, s.Namespace}, s.Name}] = s.OwnerUID
		}
		for _, l := range v.Links {
			ix.links[named{place{v.Name, l.Namespace}, l.Name}] = true
		}
		for _, p := range v.Proxies {
			ix.proxies[named{place{v.Name, p.Namespace}, p.Name}] = p
		}
	}
	return ix
}

// addSite makes a Site findable.
func (ix index) addSite(s *site) {
	if s.UID != "" {
		ix.byUID[s.UID] = s
	}
	known := map[string]bool{}
	for _, e := range s.Endpoints {
		if a := address(e); a != "" && !known[a] {
			known[a] = true
			ix.byAddress[a] = append(ix.byAddress[a], s)
		}
	}
}
