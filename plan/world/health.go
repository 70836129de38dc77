package world

import (
	"slices"

	"fairlead.dev/fairlead/schema/network"
)

// LinkHealth is how a Link fares.
type LinkHealth string

// The states of a Link.
const (
	// LinkUp is a Link that carries traffic.
	LinkUp LinkHealth = "up"
	// LinkChanging was up before a change that the controller has yet to see.
	LinkChanging LinkHealth = "changing"
	// LinkDown carries nothing: its own status or the routers of its site say so.
	LinkDown LinkHealth = "down"
	// LinkUnknown is one of which nothing that can be read says whether it is up.
	LinkUnknown LinkHealth = "unknown"
)

// SiteReport is what the routers of one site say of its links. Of other sites' links a
// report says nothing that can be relied on, old costs for minutes (seen of Skupper 2.2).
type SiteReport struct {
	// Site is the Site's UID; empty for a report that was not asked for.
	Site  string
	Links []LinkReport
	// Fault says why the report tells nothing of the site; empty when it does.
	Fault string
}

// LinkReport is one link as the router at its connecting end has it.
type LinkReport struct {
	// Name is that of the Link.
	Name string
	Up   bool
	// Cost is the cost in force; 0 when it is not reported.
	Cost int32
}

// Link is what the report says of a Link; of the routers of an HA site one that has it up
// counts.
func (r SiteReport) Link(name string) (LinkReport, bool) {
	best := -1
	for i, l := range r.Links {
		if l.Name == name && (best < 0 || l.Up && !r.Links[best].Up) {
			best = i
		}
	}
	if best < 0 {
		return LinkReport{}, false
	}
	return r.Links[best], true
}

// Health tells how a Link fares, and why it is not up, by its own status and, where that
// leaves a doubt, by the report of its own site, which may be zero: not asked for. The
// controller says Configured at once, and looks at Operational again only when the network
// that it sees is another one, of which costs are no part: after a change of the Link it
// stays True for the generation before. A status that it fails to write is not written again
// while the network stays as it is, so True may also be left of a link that went down: the
// report is what it writes from, and newer. Before the first report that has the Link there
// is no Operational at all. Routers report every link that they are configured with, up or
// down (seen of Skupper 2.2, and read from its source).
func (v LinkView) Health(own SiteReport) (LinkHealth, string) {
	reported, listed := own.Link(v.Name)
	switch {
	case !v.Configured && v.Operational:
		return LinkChanging, "the controller has yet to see its change"
	case v.Operational && listed && !reported.Up:
		return LinkDown, "the routers of its site report it down"
	case v.Operational:
		return LinkUp, ""
	case v.Configured && reported.Up:
		return LinkDown, v.Message + ", though the routers of its site report it up: Skupper's controller has missed it, or is late"
	case !v.Configured || !v.Unreported || listed || own.Site == "":
		return LinkDown, v.Message
	case own.Fault != "":
		return LinkUnknown, own.Fault
	}
	return LinkUnknown, "the routers' report does not have it, or not yet"
}

// Doubted are the network's own Sites, by cluster, of which the routers' report may settle a
// doubt: those with a Link that is not well by its own status, or whose other end is not
// seen to be ready, and those whose controller may not carry a changed cost to the routers.
func (o Observation) Doubted(net string) map[network.ClusterName][]SiteView {
	ready := map[string]bool{}
	for _, c := range o.Clusters {
		for _, v := range c.Sites {
			ready[v.UID] = v.Ready
		}
	}
	out := map[network.ClusterName][]SiteView{}
	for _, c := range o.Clusters {
		links := map[string][]LinkView{}
		for _, l := range c.Links {
			if l.Owned(net) {
				links[l.Namespace] = append(links[l.Namespace], l)
			}
		}
		for _, v := range c.Sites {
			doubt := func(l LinkView) bool {
				well := l.Configured && l.Operational && l.Current && ready[l.RemoteSiteID]
				return !well || !EditsLinks(v.Version)
			}
			if v.Owned(net) && slices.ContainsFunc(links[v.Namespace], doubt) {
				out[c.Name] = append(out[c.Name], v)
			}
		}
	}
	return out
}

// Works reports whether a Link carries traffic as far as its own status tells.
func (v LinkView) Works() bool {
	state, _ := v.Health(SiteReport{})
	return slices.Contains([]LinkHealth{LinkUp, LinkChanging}, state)
}
