package world

import (
	"strconv"
	"strings"
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

// EditsLinks reports whether a controller of this version carries a changed cost of a
// living Link to the router; one of a build from a branch is taken to.
func EditsLinks(version string) bool {
	v, known := parseVersion(version)
	return !known || !v.before(liveEdits)
}
