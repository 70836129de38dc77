package revision

import (
	"cmp"
	"path"
	"slices"
	"strings"
)

// maxNear is how many names an error suggests.
const maxNear = 5

// near lists the short names of references that resemble name, the best first.
func (r *repository) near(name string) []string {
	refs, err := r.store.references()
	if err != nil {
		return nil
	}
	names := make([]string, 0, len(refs))
	for _, ref := range refs {
		if short := ref.Short(); short != "HEAD" {
			names = append(names, short)
		}
	}
	return nearest(name, names)
}

// nearest picks the names that differ from name in at most a third of its letters
// (two, so that swapped letters count, from four letters on),
// or that have it as last part, as origin/main has main.
func nearest(name string, names []string) []string {
	type candidate struct {
		name     string
		distance int
	}
	lower := strings.ToLower(name)
	limit := max(min(len(name)/2, 2), len(name)/3)
	var near []candidate
	for _, n := range names {
		have := strings.ToLower(n)
		d := min(distance(lower, have), distance(path.Base(lower), path.Base(have)))
		if d <= limit {
			near = append(near, candidate{n, d})
		}
	}
	slices.SortFunc(near, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(len(a.name), len(b.name)), cmp.Compare(a.name, b.name))
	})
	near = slices.CompactFunc(near, func(a, b candidate) bool { return a.name == b.name })
	out := []string{}
	for _, c := range near[:min(len(near), maxNear)] {
		out = append(out, c.name)
	}
	return out
}

// distance counts the letters to insert, delete or replace to turn a into b.
func distance(a, b string) int {
	if abs := max(len(a), len(b)) - min(len(a), len(b)); abs > len(a) {
		return abs
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
