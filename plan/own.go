package plan

import (
	"slices"

	"fairlead.dev/fairlead/schema/network"
)

// recordedLink is a link as the record at its connecting site's place has it.
type recordedLink struct {
	link     network.LinkName
	at       place
	recorded InventoryLink
	// known is true when the record has the link and it was not retired.
	known bool
}

// recordOf finds the record of a link at a place.
func (ix *index) recordOf(at place, name network.LinkName) recordedLink {
	l, known := ix.recorded(at, name)
	return recordedLink{link: name, at: at, recorded: l, known: known && l.State != LinkRetired}
}

// ownLinks are the Links of a link at its place that stay, of the Site with the UID or of none.
func (ix *index) ownLinks(l recordedLink, siteUID string) (own []LinkView) {
	for _, v := range ix.liveLinks[l.at] {
		if ix.isOwn(l, v) && (l.known || v.Owned(ix.network)) && !v.Deleting && (v.OwnerUID == "" || v.OwnerUID == siteUID) {
			own = append(own, v)
		}
	}
	return own
}

// unwanted reports whether a link at a place is not described there, as far as its ends
// could be read.
func (ix *index) unwanted(at place, name network.LinkName) bool {
	if !ix.readable(at.cluster) || ix.inventories[at].Broken != "" {
		return false
	}
	l, described := ix.links[name]
	if !described {
		return true
	}
	from, site := ix.desired[l.From], ix.inventories[at].Content.Site
	return ix.readable(from.Cluster) && ix.readable(ix.desired[l.To].Cluster) && (from.place() != at || site != "" && site != l.From)
}

// isOwn reports whether the Link belongs to the link: by its label, or, where that was taken
// off or could not be given yet, as its record has it. A record alone proves nothing, as
// others may write it: the Link bears a mark of ours, our own token made it, or it may be
// taken over.
func (ix *index) isOwn(l recordedLink, v LinkView) bool {
	if v.Owned(ix.network) && v.Labels[LabelLink] != "" {
		return v.Labels[LabelLink] == string(l.link)
	}
	if v.Labels[LabelManagedBy] == ManagedBy && !v.Owned(ix.network) {
		return false
	}
	named := l.known && l.names(v)
	redeemed := l.recorded.claims(l.link, v.TLSCredentials) && slices.Contains(network.LinkObjectNames(v.TLSCredentials), v.Name)
	if ix.made(l, v) {
		return named || redeemed
	}
	return named && ix.adoptable(v.Meta)
}

// names reports whether the record of the link names a Link: as one of its own, or as one
// that it began to take over.
func (l recordedLink) names(v LinkView) bool {
	adopting := l.recorded.Adopted && slices.Contains(network.LinkObjectNames(network.ObjectName(l.link, l.recorded.Attempt)), v.Name)
	return adopting || slices.Contains(l.recorded.Objects, v.Name)
}

// made reports whether we wrote a Link of a link's, or a redemption of its token made it.
func (ix *index) made(l recordedLink, v LinkView) bool {
	redeemed := v.OwnerUID != "" && l.recorded.claims(l.link, v.TLSCredentials) && ix.awaited(l.at, ix.network, v.TLSCredentials)
	return v.Owned(ix.network) || v.Marked || redeemed
}
