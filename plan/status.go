package plan

import (
	"cmp"
	"slices"

	"fairlead.dev/fairlead/schema/network"
)

// StatusFormat names the version of the JSON of a status.
const StatusFormat = "fairlead.status/v1"

// Status is how the network is now: what is declared or owned, and how it fares.
// Lists are sorted by name and never nil.
type Status struct {
	Format   string       `json:"format"`
	Network  string       `json:"network"`
	Clusters []Cluster    `json:"clusters"`
	Sites    []SiteStatus `json:"sites"`
	Links    []LinkStatus `json:"links"`
	// Unmanaged are Sites and Links beside ours that we do not own.
	Unmanaged []ObjectRef `json:"unmanaged"`
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

// SiteStatus is one site.
type SiteStatus struct {
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

// LinkStatus is one Link object, or a declared link that has none.
type LinkStatus struct {
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
	return !slices.ContainsFunc(s.Sites, func(v SiteStatus) bool { return v.Declared && v.State != ConditionReady }) &&
		!slices.ContainsFunc(s.Links, func(v LinkStatus) bool { return v.Declared && v.State != ConditionReady })
}

// StatusOf says how the desired network and what the network owns besides fare. Links
// whose certificate ends before expiringBefore (RFC 3339, UTC; empty for none) say so.
func StatusOf(d Desired, o Observation, expiringBefore string) Status {
	w := worldOf(d, o, takesNothing)
	s := Status{Format: StatusFormat, Network: d.Network, Clusters: clusterStates(w), Sites: []SiteStatus{}, Links: []LinkStatus{}}
	for _, site := range d.Sites {
		s.Sites = append(s.Sites, siteStatus(w, site))
	}
	for _, link := range d.Links {
		s.Links = append(s.Links, linkStatuses(w, link, expiringBefore)...)
	}
	s.Sites = append(s.Sites, straySites(w)...)
	s.Links = append(s.Links, strayLinks(w)...)
	slices.SortStableFunc(s.Sites, func(a, b SiteStatus) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortStableFunc(s.Links, func(a, b LinkStatus) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Object, b.Object))
	})
	s.Unmanaged = notNil(unmanaged(w, nil))
	return s
}

func siteStatus(w *index, d DesiredSite) SiteStatus {
	s := SiteStatus{
		Name: d.Name, Cluster: d.Cluster, Namespace: d.Namespace, Declared: true, Listens: d.Listens,
		State: ConditionMissing, Reason: "there is no such Site",
	}
	if view := w.observed.Cluster(d.Cluster); view.State != StateOK {
		s.State, s.Reason = ConditionUnknown, view.Reason
		return s
	}
	for _, v := range w.sites[d.place()] {
		if v.Name == d.Object {
			s.fill(v)
		}
	}
	return s
}

func (s *SiteStatus) fill(v SiteView) {
	s.State, s.Reason, s.Version, s.SitesInNetwork = ConditionReady, "", v.Version, v.SitesInNetwork
	switch {
	case v.Deleting:
		s.State, s.Reason = ConditionPending, v.going()
	case !v.Ready:
		s.State, s.Reason = ConditionPending, v.Message
	}
}

func linkStatuses(w *index, l DesiredLink, expiringBefore string) []LinkStatus {
	from := w.desired[l.From]
	s := LinkStatus{
		Name: l.Name, From: l.From, To: l.To, Declared: true, Cost: l.Cost, Via: l.Via, Proxy: l.Proxy,
		State: ConditionMissing, Reason: "there is no such Link",
	}
	if view := w.observed.Cluster(from.Cluster); view.State != StateOK {
		s.State, s.Reason = ConditionUnknown, view.Reason
		return []LinkStatus{s}
	}
	at := from.place()
	own := w.ownLinks(w.recordOf(at, l.Name), w.siteUID(at, l.From))
	out := make([]LinkStatus, 0, max(len(own), 1))
	for _, v := range own {
		one := s
		one.fill(v, w.report(at))
		one.Expires = w.secrets[at][v.TLSCredentials].Expires
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
func (s *LinkStatus) fill(v LinkView, r SiteReport) {
	s.Object, s.Cost, s.RemoteSite = v.Name, max(v.Cost, 1), v.RemoteSiteName
	state, reason := v.Health(r)
	s.Reason = reason
	switch {
	case state == LinkUp:
		s.State = ConditionReady
	case state == LinkUnknown:
		s.State = ConditionUnknown
	case v.Configured:
		s.State = ConditionConfigured
	default:
		s.State = ConditionPending
	}
}

// straySites are Sites that the network owns and the description does not have.
func straySites(w *index) []SiteStatus {
	var out []SiteStatus
	for _, at := range sortedPlaces(w.sites) {
		for _, v := range w.sites[at] {
			if v.Owned(w.network) && w.desiredAt[at].Object != v.Name {
				s := SiteStatus{Name: w.siteOf(at, v), Cluster: at.cluster, Namespace: at.namespace}
				s.fill(v)
				out = append(out, s)
			}
		}
	}
	return out
}

// strayLinks are Links that the network owns and the description does not have.
func strayLinks(w *index) []LinkStatus {
	var out []LinkStatus
	for _, at := range sortedPlaces(w.liveLinks) {
		for _, v := range w.liveLinks[at] {
			name := network.LinkName(v.Labels[LabelLink])
			if v.Owned(w.network) && w.unwanted(at, name) {
				s := LinkStatus{Name: name, From: w.inventories[at].Content.Site}
				s.fill(v, w.report(at))
				out = append(out, s)
			}
		}
	}
	return out
}
