package plan

import (
	"slices"

	"fairlead.dev/fairlead/schema/network"
)

// remains finds what is left of links.
type remains struct{ *index }

// stale are Links of earlier attempts with their Secrets, and leftovers.
func (m remains) stale(c linkCase) []ObjectRef {
	var going []LinkView
	for _, v := range c.own {
		if !slices.ContainsFunc(c.current, func(k LinkView) bool { return k.UID == v.UID }) {
			going = append(going, v)
		}
	}
	return append(m.removal(c, going), m.leftovers(c, c.certificateOf(c.credentials()))...)
}

// late are Links of a link that was removed, which a redemption made that had been given up.
func (m remains) late(c linkCase) (out []LinkView) {
	for _, v := range m.liveLinks[c.at] {
		if m.isOwn(c.recordedLink, v) && !v.Owned(m.network) && !v.Deleting {
			out = append(out, v)
		}
	}
	return out
}

// leftovers are owned grants, tokens and Certificates of the link, wherever they are, and Secrets
// at its place that no Link uses, but for those that keep selects.
func (m remains) leftovers(c linkCase, keep func(ObjectRef) bool) []ObjectRef {
	var out []ObjectRef
	for _, r := range m.index.leftovers[c.Name] {
		away := r.place() != c.at
		if r.Kind == ObjectSecret && (away || m.used(c.at, r.Name)) || keep != nil && keep(r) {
			continue
		}
		out = append(out, r)
		if r.Kind == ObjectCertificate {
			out = append(out, m.issued(r)...)
		}
	}
	return out
}

// issued is the Secret that a Certificate made, where it is there.
func (m remains) issued(certificate ObjectRef) []ObjectRef {
	s, ok := m.secrets[certificate.place()][certificate.Name]
	if !ok || s.OwnerUID != certificate.UID {
		return nil
	}
	return []ObjectRef{ref(certificate.Cluster, ObjectSecret, s.Meta)}
}

// removal are Links of a link that go, and the Secrets that they use, where those
// are there, are the link's, and no Link that stays uses them.
func (m remains) removal(c linkCase, going []LinkView) []ObjectRef {
	var out []ObjectRef
	for _, v := range going {
		if !m.made(c.recordedLink, v) {
			continue
		}
		out = append(out, ref(c.at.cluster, ObjectLink, v.Meta))
		stays := func(o LinkView) bool {
			return o.TLSCredentials == v.TLSCredentials &&
				!slices.ContainsFunc(going, func(g LinkView) bool { return g.UID == o.UID })
		}
		s, ok := m.secrets[c.at][v.TLSCredentials]
		if ok && m.ownSecret(c, v, s) && !slices.ContainsFunc(m.liveLinks[c.at], stays) {
			out = append(out, ref(c.at.cluster, ObjectSecret, s.Meta))
		}
	}
	return out
}

// ownSecret reports whether the Secret of one of the link's own Links is ours: by its
// labels, made by the same redemption, or, where somebody took the labels off,
// carried over by us under a name of the link's.
func (m remains) ownSecret(c linkCase, v LinkView, s SecretView) bool {
	switch {
	case s.Owned(m.network), s.OwnerUID != "" && s.OwnerUID == v.OwnerUID:
		return true
	case s.Labels[LabelManagedBy] == ManagedBy || c.recorded.via() != network.ViaCertificate || c.recorded.Adopted:
		return false
	}
	return s.Marked && network.IsObjectName(s.Name, c.Name, c.recorded.Attempt)
}
