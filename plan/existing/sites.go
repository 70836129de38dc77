package existing

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// site is a living Site, in a chosen namespace or not.
type site struct {
	world.SiteView
	at place
	// taken is true when the network gets it; then described is how.
	taken     bool
	described network.Site
}

// findSites finds all Sites and takes those that can be taken.
func (m *importer) findSites() {
	at := map[place][]*site{}
	for _, v := range m.views {
		for _, s := range v.Sites {
			switch {
			case !s.Deleting:
				here := place{v.Name, s.Namespace}
				at[here] = append(at[here], &site{SiteView: s, at: here})
			case m.chosen(s.Namespace):
				m.leaveOut(subject(v.Name, plan.ObjectSite, s.Meta), "it is being deleted")
			}
		}
	}
	for _, list := range at {
		m.sites = append(m.sites, list...)
	}
	slices.SortFunc(m.sites, func(a, b *site) int {
		return cmp.Or(cmp.Compare(a.at.cluster, b.at.cluster), cmp.Compare(a.at.namespace, b.at.namespace), cmp.Compare(a.Name, b.Name))
	})
	for _, s := range m.sites {
		m.index.addSite(s)
	}
	for here, list := range at {
		if m.chosen(here.namespace) {
			m.takeOne(here, list)
		}
	}
	m.nameSites()
}

// takeOne takes the active one of a namespace's Sites: Skupper runs no second one.
func (m *importer) takeOne(here place, list []*site) {
	slices.SortFunc(list, func(a, b *site) int {
		return cmp.Or(-compareBool(a.Ready, b.Ready), -compareBool(len(a.Endpoints) > 0, len(b.Endpoints) > 0), cmp.Compare(a.Name, b.Name))
	})
	active := list[0]
	for _, s := range list[1:] {
		m.leaveOut(s.subject(), fmt.Sprintf("a namespace has one active Site, and that is %s", active.Name))
	}
	access, _ := active.Fields["linkAccess"].(string)
	owner, others := m.others(active.Meta)
	switch {
	case others:
		m.leaveOut(active.subject(), fmt.Sprintf("it belongs to network %q, and so do its Links", owner))
	case access != "" && !slices.Contains(network.LinkAccesses, access):
		m.leaveOut(active.subject(), fmt.Sprintf("its linkAccess %q is none that a description can have", access))
	default:
		active.taken = true
		active.described = m.describeSite(active)
		m.taken[here] = active
	}
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

func (s *site) subject() string { return subject(s.at.cluster, plan.ObjectSite, s.Meta) }

// describeSite gives everything but the name.
func (m *importer) describeSite(s *site) network.Site {
	out := network.Site{Cluster: s.at.cluster, Namespace: s.at.namespace, Object: s.Name, Settings: map[string]string{}}
	out.HA, _ = s.Fields["ha"].(bool)
	out.Edge, _ = s.Fields["edge"].(bool)
	out.DefaultIssuer, _ = s.Fields["defaultIssuer"].(string)
	out.ServiceAccount, _ = s.Fields["serviceAccount"].(string)
	if access, _ := s.Fields["linkAccess"].(string); access != "none" {
		out.LinkAccess = access
	}
	for path, value := range s.Fields {
		if key, ok := strings.CutPrefix(path, "settings."); ok {
			out.Settings[key] = fmt.Sprint(value)
		}
	}
	if out.Edge && out.Listens() {
		m.alter(s.subject(), fmt.Sprintf("its linkAccess %q is dropped, because an edge site does not listen", out.LinkAccess))
		out.LinkAccess = ""
	}
	if out.Edge && out.HA {
		m.alter(s.subject(), "its ha is dropped, because an edge site has one router")
		out.HA = false
	}
	return out
}

// nameSites gives each site its key: the one that Fairlead knows it by, or the Site's
// name where it is a label that no other has, or one made from its namespace.
func (m *importer) nameSites() {
	used := map[string]bool{}
	for _, own := range []bool{true, false} {
		wanted := map[string]int{}
		for _, s := range m.sites {
			if s.taken && s.Owned(m.Network) == own {
				wanted[m.siteWish(s)]++
			}
		}
		for _, s := range m.sites {
			wish := m.siteWish(s)
			if s.taken && s.Owned(m.Network) == own && wanted[wish] == 1 && network.ValidSiteName(wish) && !used[wish] {
				s.described.Name = network.SiteName(wish)
				used[wish] = true
			}
		}
	}
	for _, s := range m.sites {
		if s.taken && s.described.Name == "" {
			both := s.at.namespace + "-" + string(s.at.cluster)
			key := freeKey(maxLabel, func(key string) bool { return network.ValidSiteName(key) && !used[key] }, s.at.namespace, both)
			s.described.Name = network.SiteName(key)
			used[key] = true
		}
	}
	for _, s := range m.taken {
		m.recall(s)
	}
}

func (m *importer) siteWish(s *site) string {
	if s.Owned(m.Network) {
		return cmp.Or(s.Labels[plan.LabelSite], s.Name)
	}
	return s.Name
}

// recall takes over what an inventory of this network says of the site.
func (m *importer) recall(s *site) {
	inv, found := m.index.inventories[s.at]
	m.out.Managed = m.out.Managed || found || s.Owned(m.Network)
	if found && inv.Site == s.described.Name {
		s.described.Protect = inv.Protect
	}
}
