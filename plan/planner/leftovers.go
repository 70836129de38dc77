package planner

import (
	"slices"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// remains finds what is left of links.
type remains struct{ *world.World }

// stale are Links of earlier attempts with their Secrets, and leftovers.
func (m remains) stale(c linkCase) []plan.ObjectRef {
	var going []world.LinkView
	for _, v := range c.own {
		if !slices.ContainsFunc(c.current, func(k world.LinkView) bool { return k.UID == v.UID }) {
			going = append(going, v)
		}
	}
	return append(m.removal(c, going), m.leftovers(c, c.certificateOf(c.credentials()))...)
}

// late are Links of a link that was removed, which a redemption made that had been given up.
func (m remains) late(c linkCase) (out []world.LinkView) {
	for _, v := range m.LiveLinks[c.At] {
		if m.IsOwn(c.RecordedLink, v) && !v.Owned(m.Network) && !v.Deleting {
			out = append(out, v)
		}
	}
	return out
}

// leftovers are owned grants, tokens and Certificates of the link, wherever they are, and Secrets
// at its place that no Link uses, but for those that keep selects.
func (m remains) leftovers(c linkCase, keep func(plan.ObjectRef) bool) []plan.ObjectRef {
	var out []plan.ObjectRef
	for _, r := range m.World.Leftovers[c.Name] {
		away := r.Place() != c.At
		if r.Kind == plan.ObjectSecret && (away || m.Used(c.At, r.Name)) || keep != nil && keep(r) {
			continue
		}
		out = append(out, r)
		if r.Kind == plan.ObjectCertificate {
			out = append(out, m.issued(r)...)
		}
	}
	return out
}

// issued is the Secret that a Certificate made, where it is there.
func (m remains) issued(certificate plan.ObjectRef) []plan.ObjectRef {
	s, ok := m.Secrets[certificate.Place()][certificate.Name]
	if !ok || s.OwnerUID != certificate.UID {
		return nil
	}
	return []plan.ObjectRef{world.Ref(certificate.Cluster, plan.ObjectSecret, s.Meta)}
}

// removal are Links of a link that go, and the Secrets that they use, where those
// are there, are the link's, and no Link that stays uses them.
func (m remains) removal(c linkCase, going []world.LinkView) []plan.ObjectRef {
	var out []plan.ObjectRef
	for _, v := range going {
		if !m.Made(c.RecordedLink, v) {
			continue
		}
		out = append(out, world.Ref(c.At.Cluster, plan.ObjectLink, v.Meta))
		stays := func(o world.LinkView) bool {
			return o.TLSCredentials == v.TLSCredentials &&
				!slices.ContainsFunc(going, func(g world.LinkView) bool { return g.UID == o.UID })
		}
		s, ok := m.Secrets[c.At][v.TLSCredentials]
		if ok && m.ownSecret(c, v, s) && !slices.ContainsFunc(m.LiveLinks[c.At], stays) {
			out = append(out, world.Ref(c.At.Cluster, plan.ObjectSecret, s.Meta))
		}
	}
	return out
}

// ownSecret reports whether the Secret of one of the link's own Links is ours: by its
// labels, made by the same redemption, or, where somebody took the labels off,
// carried over by us under a name of the link's.
func (m remains) ownSecret(c linkCase, v world.LinkView, s world.SecretView) bool {
	switch {
	case s.Owned(m.Network), s.OwnerUID != "" && s.OwnerUID == v.OwnerUID:
		return true
	case s.Labels[plan.LabelManagedBy] == plan.ManagedBy || c.Recorded.MadeVia() != network.ViaCertificate || c.Recorded.Adopted:
		return false
	}
	return s.Marked && network.IsObjectName(s.Name, c.Name, c.Recorded.Attempt)
}
