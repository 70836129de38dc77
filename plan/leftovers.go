package plan

import "slices"

// stale are Links of earlier attempts with their Secrets, and leftovers.
func (m *maker) stale(c linkCase) []ObjectRef {
	var out []ObjectRef
	for _, v := range c.own {
		if !slices.ContainsFunc(c.current, func(k LinkView) bool { return k.UID == v.UID }) {
			out = append(out, m.linkRefs(c.at, v, c.own)...)
		}
	}
	return append(out, m.leftovers(c, m.certificateOf(c, c.credentials()))...)
}

// leftovers are owned grants, tokens and Certificates of the link, wherever they are, and Secrets
// at its place that no Link uses, but for those that keep selects.
func (m *maker) leftovers(c linkCase, keep func(ObjectRef) bool) []ObjectRef {
	var out []ObjectRef
	for _, r := range m.index.leftovers[c.Name] {
		away := place{r.Cluster, r.Namespace} != c.at
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
func (m *maker) issued(certificate ObjectRef) []ObjectRef {
	s, ok := m.index.secrets[place{certificate.Cluster, certificate.Namespace}][certificate.Name]
	if !ok || s.OwnerUID != certificate.UID {
		return nil
	}
	return []ObjectRef{ref(certificate.Cluster, ObjectSecret, s.Meta)}
}

// used reports whether any Link of a place, ours or not, uses a Secret.
func (m *maker) used(at place, secret string) bool {
	return slices.ContainsFunc(m.index.liveLinks[at], func(v LinkView) bool { return v.TLSCredentials == secret })
}

// linkRefs are one of a link's own Links and the Secret it uses, where that is
// there, is ours or made by the same redemption, and nobody else's Link uses it.
func (m *maker) linkRefs(at place, v LinkView, own []LinkView) []ObjectRef {
	out := []ObjectRef{ref(at.cluster, ObjectLink, v.Meta)}
	shared := slices.ContainsFunc(m.index.liveLinks[at], func(o LinkView) bool {
		return o.TLSCredentials == v.TLSCredentials &&
			!slices.ContainsFunc(own, func(k LinkView) bool { return k.UID == o.UID })
	})
	s, ok := m.index.secrets[at][v.TLSCredentials]
	ours := s.Owned(m.network()) || s.OwnerUID != "" && s.OwnerUID == v.OwnerUID
	if ok && ours && !shared {
		out = append(out, ref(at.cluster, ObjectSecret, s.Meta))
	}
	return out
}
