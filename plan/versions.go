package plan

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"fairlead.dev/fairlead/schema/network"
)

// liveEdits is the first version of Skupper whose controller carries a changed cost
// or endpoint of a living Link to the router, and that knows proxies (shared facts:
// Link, "Live changes honoured since 2.2.0").
var liveEdits = version{2, 2, 0}

// version is the number of a release.
type version [3]int

// parseVersion reads "2.1.3" or "v2.1.3-rc1"; ok is false for anything else, such as
// a build from a branch.
func parseVersion(s string) (v version, ok bool) {
	s, _, _ = strings.Cut(strings.TrimPrefix(s, "v"), "-")
	parts := strings.Split(s, ".")
	if len(parts) != len(v) {
		return v, false
	}
	for i, p := range parts {
		n, err := strconv.Atoi(p)
		if err != nil || n < 0 {
			return v, false
		}
		v[i] = n
	}
	return v, true
}

func (v version) before(o version) bool {
	for i := range v {
		if v[i] != o[i] {
			return v[i] < o[i]
		}
	}
	return false
}

// newer gives the later of two versions as they are written; one that is no number
// is later than any.
func newer(a, b string) string {
	va, oka := parseVersion(a)
	vb, okb := parseVersion(b)
	switch {
	case a == "" || b != "" && oka && (!okb || va.before(vb)):
		return b
	case !oka && !okb:
		return max(a, b)
	}
	return a
}

// tooOld gives the controller's version at a place when it is known to be older
// than liveEdits.
func (ix *index) tooOld(at place, site network.SiteName) (string, bool) {
	object := ix.siteObject(at, site)
	for _, s := range ix.sites[at] {
		if v, ok := parseVersion(s.Version); s.Name == object && ok {
			return s.Version, v.before(liveEdits)
		}
	}
	return "", false
}

// supported refuses a link through a proxy where the controller knows no proxies.
func (m *maker) supported(c linkCase) bool {
	v, old := m.index.tooOld(c.at, c.From)
	if c.Proxy == "" || !old {
		return true
	}
	m.refuse(Refusal{
		Code: "unsupported-version", Subject: fmt.Sprintf("link %q", c.Name),
		Message:  fmt.Sprintf("goes through proxy %s, which Skupper %s at site %s does not know; it takes 2.2.0", c.Proxy, v, c.From),
		Override: fmt.Sprintf("upgrade Skupper on cluster %s, or link without a proxy", c.at.cluster),
	})
	return false
}

// editable refuses to change a living Link where the change would not reach the
// router.
func (m *maker) editable(c linkCase, fields []Field) bool {
	v, old := m.index.tooOld(c.at, c.From)
	edits := slices.DeleteFunc(slices.Clone(fields), func(f Field) bool { return f.Path != "cost" })
	if len(edits) == 0 || !old {
		return true
	}
	m.refuse(Refusal{
		Code: "unsupported-version", Subject: fmt.Sprintf("link %q", c.Name),
		Message:  fmt.Sprintf("a changed %s does not reach the router with Skupper %s at site %s; it takes 2.2.0", edits[0].Path, v, c.From),
		Override: fmt.Sprintf("upgrade Skupper on cluster %s, or replace the link by raising its rotation", c.at.cluster),
	})
	return false
}

// EditsLinks reports whether a controller of this version carries a changed cost of a
// living Link to the router; one of a build from a branch is taken to.
func EditsLinks(version string) bool {
	v, known := parseVersion(version)
	return !known || !v.before(liveEdits)
}
