// Package status says how the network is now: what is declared or owned, and how it fares.
package status

import (
	"cmp"
	"slices"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// Format names the version of the JSON of a status.
const Format = "fairlead.status/v1"

// Status is how the network is now: what is declared or owned, and how it fares.
// Lists are sorted by name and never nil.
type Status struct {
	Format   string         `json:"format"`
	Network  string         `json:"network"`
	Clusters []plan.Cluster `json:"clusters"`
	Sites    []Site         `json:"sites"`
	Links    []Link         `json:"links"`
	// Unmanaged are Sites and Links beside ours that we do not own.
	Unmanaged []plan.ObjectRef `json:"unmanaged"`
}

// Condition is how far a site or link is.
type Condition string

// The conditions, best first.
const (
	ConditionReady      Condition = "ready"
	ConditionConfigured Condition = "configured" // a link that the router has and that is not up
	ConditionPending    Condition = "pending"
	ConditionMissing    Condition = "missing"
	ConditionUnknown    Condition = "unknown"
)

// Site is one site.
type Site struct {
	Name      network.SiteName    `json:"name"`
	Cluster   network.ClusterName `json:"cluster"`
	Namespace string              `json:"namespace"`
	Declared  bool                `json:"declared"`
	State     Condition           `json:"state"`
	Listens   bool                `json:"listens"`
	Version   string              `json:"version"`
	// SitesInNetwork is what the site's own router sees.
	SitesInNetwork int `json:"sitesInNetwork"`
	// Reason says why State is not ready.
	Reason string `json:"reason"`
}

// Link is one Link object, or a declared link that has none.
type Link struct {
	Name     network.LinkName `json:"name"`
	From     network.SiteName `json:"from"`
	To       network.SiteName `json:"to"`
	Declared bool             `json:"declared"`
	// Object is the Link's name on the cluster, empty when it is missing.
	Object string `json:"object"`
	// Cost is the live Link's, the declared one when it is missing.
	Cost  int32       `json:"cost"`
	State Condition   `json:"state"`
	Via   network.Via `json:"via"`
	// Proxy is the declared proxy, empty for a direct link.
	Proxy network.ProxyName `json:"proxy"`
	// Expires is when the certificate ends, in RFC 3339 and UTC; empty when unknown.
	// Reason says so when that is near.
	Expires string `json:"expires"`
	// RemoteSite is the name that the router reports for the other end.
	RemoteSite string `json:"remoteSite"`
	Reason     string `json:"reason"`
}

// Ready reports whether everything declared is ready.
func (s Status) Ready() bool {
	return !slices.ContainsFunc(s.Sites, func(v Site) bool { return v.Declared && v.State != ConditionReady }) &&
		!slices.ContainsFunc(s.Links, func(v Link) bool { return v.Declared && v.State != ConditionReady })
}

// Of says how the desired network and what the network owns besides fare. Links
// whose certificate ends before expiringBefore (RFC 3339, UTC; empty for none) say so.
func Of(d plan.Desired, o world.Observation, expiringBefore string) Status {
	w := world.Of(d, o, world.TakesNothing)
	s := Status{Format: Format, Network: d.Network, Clusters: world.ClusterStates(w), Sites: []Site{}, Links: []Link{}}
	for _, site := range d.Sites {
		s.Sites = append(s.Sites, siteStatus(w, site))
	}
	for _, link := range d.Links {
		s.Links = append(s.Links, linkStatuses(w, link, expiringBefore)...)
	}
	s.Sites = append(s.Sites, straySites(w)...)
	s.Links = append(s.Links, strayLinks(w)...)
	slices.SortStableFunc(s.Sites, func(a, b Site) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortStableFunc(s.Links, func(a, b Link) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Object, b.Object))
	})
	s.Unmanaged = plan.NotNil(world.Unmanaged(w, nil))
	return s
}

func siteStatus(w *world.World, d plan.DesiredSite) Site {
	s := Site{
		Name: d.Name, Cluster: d.Cluster, Namespace: d.Namespace, Declared: true, Listens: d.Listens,
		State: ConditionMissing, Reason: "there is no such Site",
	}
	if view := w.Observed.Cluster(d.Cluster); view.State != plan.StateOK {
		s.State, s.Reason = ConditionUnknown, view.Reason
		return s
	}
	for _, v := range w.Sites[d.Place()] {
		if v.Name == d.Object {
			s.fill(v)
		}
	}
	return s
}

func (s *Site) fill(v world.SiteView) {
	s.State, s.Reason, s.Version, s.SitesInNetwork = ConditionReady, "", v.Version, v.SitesInNetwork
	switch {
	case v.Deleting:
		s.State, s.Reason = ConditionPending, v.Going()
	case !v.Ready:
		s.State, s.Reason = ConditionPending, v.Message
	}
}

func linkStatuses(w *world.World, l plan.DesiredLink, expiringBefore string) []Link {
	from := w.Desired[l.From]
	s := Link{
		Name: l.Name, From: l.From, To: l.To, Declared: true, Cost: l.Cost, Via: l.Via, Proxy: l.Proxy,
		State: ConditionMissing, Reason: "there is no such Link",
	}
	if view := w.Observed.Cluster(from.Cluster); view.State != plan.StateOK {
		s.State, s.Reason = ConditionUnknown, view.Reason
		return []Link{s}
	}
	at := from.Place()
	own := w.OwnLinks(w.RecordOf(at, l.Name), w.SiteUID(at, l.From))
	out := make([]Link, 0, max(len(own), 1))
	for _, v := range own {
		one := s
		one.fill(v, w.Report(at))
		one.Expires = w.Secrets[at][v.TLSCredentials].Expires
		if one.Reason == "" && one.Expires != "" && one.Expires < expiringBefore {
			one.Reason = "its certificate ends soon; raise its rotation"
		}
		out = append(out, one)
	}
	if len(out) == 0 {
		out = append(out, s)
	}
	return out
}

// fill lays out a Link; r is the report of its site.
func (s *Link) fill(v world.LinkView, r world.SiteReport) {
	s.Object, s.Cost, s.RemoteSite = v.Name, max(v.Cost, 1), v.RemoteSiteName
	state, reason := v.Health(r)
	s.Reason = reason
	switch {
	case state == world.LinkUp:
		s.State = ConditionReady
	case state == world.LinkUnknown:
		s.State = ConditionUnknown
	case v.Configured:
		s.State = ConditionConfigured
	default:
		s.State = ConditionPending
	}
}

// straySites are Sites that the network owns and the description does not have.
func straySites(w *world.World) []Site {
	var out []Site
	for _, at := range world.SortedPlaces(w.Sites) {
		for _, v := range w.Sites[at] {
			if v.Owned(w.Network) && w.DesiredAt[at].Object != v.Name {
				s := Site{Name: w.SiteOf(at, v), Cluster: at.Cluster, Namespace: at.Namespace}
				s.fill(v)
				out = append(out, s)
			}
		}
	}
	return out
}

// strayLinks are Links that the network owns and the description does not have.
func strayLinks(w *world.World) []Link {
	var out []Link
	for _, at := range world.SortedPlaces(w.LiveLinks) {
		for _, v := range w.LiveLinks[at] {
			name := network.LinkName(v.Labels[plan.LabelLink])
			if v.Owned(w.Network) && w.Unwanted(at, name) {
				s := Link{Name: name, From: w.Inventories[at].Content.Site}
				s.fill(v, w.Report(at))
				out = append(out, s)
			}
		}
	}
	return out
}
