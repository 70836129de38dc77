package world

import (
	"slices"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/record"
	"fairlead.dev/fairlead/schema/network"
)

// RecordedLink is a link as the record at its connecting site's place has it.
type RecordedLink struct {
	Link     network.LinkName
	At       plan.Place
	Recorded record.Link
	// Known is true when the record has the link and it was not retired.
	Known bool
}

// RecordOf finds the record of a link at a place.
func (ix *World) RecordOf(at plan.Place, name network.LinkName) RecordedLink {
	l, known := ix.Recorded(at, name)
	return RecordedLink{Link: name, At: at, Recorded: l, Known: known && l.State != record.LinkRetired}
}

// OwnLinks are the Links of a link at its place that stay, of the Site with the UID or of none.
func (ix *World) OwnLinks(l RecordedLink, siteUID string) (own []LinkView) {
	for _, v := range ix.LiveLinks[l.At] {
		if ix.IsOwn(l, v) && (l.Known || v.Owned(ix.Network)) && !v.Deleting && (v.OwnerUID == "" || v.OwnerUID == siteUID) {
			own = append(own, v)
		}
	}
	return own
}

// Unwanted reports whether a link at a place is not described there, as far as its ends
// could be read.
func (ix *World) Unwanted(at plan.Place, name network.LinkName) bool {
	if !ix.Readable(at.Cluster) || ix.Inventories[at].Broken != "" {
		return false
	}
	l, described := ix.Links[name]
	if !described {
		return true
	}
	from, site := ix.Desired[l.From], ix.Inventories[at].Content.Site
	return ix.Readable(from.Cluster) && ix.Readable(ix.Desired[l.To].Cluster) && (from.Place() != at || site != "" && site != l.From)
}

// IsOwn reports whether the Link belongs to the link: by its label, or, where that was taken
// off or could not be given yet, as its record has it. A record alone proves nothing, as
// others may write it: the Link bears a mark of ours, our own token made it, or it may be
// taken over.
func (ix *World) IsOwn(l RecordedLink, v LinkView) bool {
	if v.Owned(ix.Network) && v.Labels[plan.LabelLink] != "" {
		return v.Labels[plan.LabelLink] == string(l.Link)
	}
	if v.Labels[plan.LabelManagedBy] == plan.ManagedBy && !v.Owned(ix.Network) {
		return false
	}
	named := l.Known && l.Names(v)
	redeemed := l.Recorded.Claims(l.Link, v.TLSCredentials) && slices.Contains(network.LinkObjectNames(v.TLSCredentials), v.Name)
	if ix.Made(l, v) {
		return named || redeemed
	}
	return named && ix.adoptable(v.Meta)
}

// Names reports whether the record of the link names a Link: as one of its own, or as one
// that it began to take over.
func (l RecordedLink) Names(v LinkView) bool {
	adopting := l.Recorded.Adopted && slices.Contains(network.LinkObjectNames(network.ObjectName(l.Link, l.Recorded.Attempt)), v.Name)
	return adopting || slices.Contains(l.Recorded.Objects, v.Name)
}

// Made reports whether we wrote a Link of a link's, or a redemption of its token made it.
func (ix *World) Made(l RecordedLink, v LinkView) bool {
	redeemed := v.OwnerUID != "" && l.Recorded.Claims(l.Link, v.TLSCredentials) && ix.awaited(l.At, v.TLSCredentials)
	return v.Owned(ix.Network) || v.Marked || redeemed
}
