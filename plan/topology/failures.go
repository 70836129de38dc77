package topology

import (
	"cmp"
	"slices"

	"fairlead.dev/fairlead/schema/network"
)

// Failure is what happens to the other sites when one site or one link fails.
type Failure struct {
	// Site or Link is the one that fails; the other is empty.
	Site network.SiteName `json:"site,omitempty"`
	Link network.LinkName `json:"link,omitempty"`
	// CutOff counts the pairs of sites that lose their last path.
	CutOff int `json:"cutOff"`
	// Rerouted counts the pairs whose cheapest path becomes dearer.
	Rerouted int `json:"rerouted"`
	// Worst is the reroute that adds the most cost, of equals the first by name; nil
	// when there is none.
	Worst *Detour `json:"worst,omitempty"`
}

// Detour is the cost of the cheapest path between two sites before and after something
// failed.
type Detour struct {
	From   network.SiteName `json:"from"`
	To     network.SiteName `json:"to"`
	Before int64            `json:"before"`
	After  int64            `json:"after"`
}

// Failures tells of each site and link what its failure does: all sites by name, then
// all links by name. All costs are exact. For each site it takes one search, and one
// more through just those sites that each failure takes a cheapest path from; how many
// those are grows with the length of paths. Who is cut off, and the new paths, are what
// Without tells.
func (a *Analysis) Failures() []Failure {
	w := a.web
	tallies := make([]*tally, workers())
	each(len(w.names), func(worker, i int) {
		if tallies[worker] == nil {
			tallies[worker] = newTally(w)
		}
		if w.present[i] {
			tallies[worker].from(int32(i))
		}
	})
	total := newTally(w)
	for _, t := range tallies {
		if t != nil {
			total.add(t)
		}
	}
	return total.failures()
}

// losses are those of one failure.
type losses struct {
	cutOff, rerouted int
	worst            Detour
	from, to         int32
}

func (l *losses) take(from, to int32, before, after int64) {
	if after == none {
		l.cutOff++
		return
	}
	if after == before {
		return
	}
	l.rerouted++
	l.worsen(losses{worst: Detour{Before: before, After: after}, from: from, to: to})
}

// worsen keeps the worse of two detours.
func (l *losses) worsen(o losses) {
	rise := cmp.Compare(o.worst.After-o.worst.Before, l.worst.After-l.worst.Before)
	if rise > 0 || rise == 0 && cmp.Or(cmp.Compare(o.from, l.from), cmp.Compare(o.to, l.to)) < 0 {
		l.worst, l.from, l.to = o.worst, o.from, o.to
	}
}

// tally gathers the losses of all failures, source by source. Each pair is counted from
// its first site.
type tally struct {
	*search
	sites, bonds []losses
	detour       *detour
	doom         *doom
}

func newTally(w *web) *tally {
	s := newSearch(w)
	t := &tally{search: s, sites: make([]losses, len(w.names)), bonds: make([]losses, len(w.bonds)), doom: newDoom(s)}
	t.detour = &detour{search: s, doom: t.doom, cost: make([]int64, len(w.names))}
	return t
}

func (t *tally) from(source int32) {
	t.search.from(source)
	t.doom.grow()
	for _, site := range t.order[1:] {
		hit := t.doom.behind(site)
		if slices.Max(hit) < source { // counted from the other end
			continue
		}
		if bond := t.doom.only[site]; bond >= 0 {
			t.detour.around(bondFails(bond), hit)
			t.count(&t.bonds[bond], hit)
		}
		if len(hit) > 1 {
			t.detour.around(siteFails(site), hit[1:])
			t.count(&t.sites[site], hit[1:])
		}
	}
}

// count takes what the last detour gave for each site that was hit.
func (t *tally) count(l *losses, hit []int32) {
	for _, to := range hit {
		if to > t.source {
			l.take(t.source, to, t.cost[to], t.detour.cost[to])
		}
	}
}

func (t *tally) add(o *tally) {
	for _, pair := range [][2][]losses{{t.sites, o.sites}, {t.bonds, o.bonds}} {
		for i, l := range pair[1] {
			pair[0][i].cutOff += l.cutOff
			if pair[0][i].rerouted == 0 {
				pair[0][i].worst, pair[0][i].from, pair[0][i].to = l.worst, l.from, l.to
			} else if l.rerouted > 0 {
				pair[0][i].worsen(l)
			}
			pair[0][i].rerouted += l.rerouted
		}
	}
}

func (t *tally) failures() []Failure {
	out := []Failure{}
	for i, l := range t.sites {
		if t.present[i] {
			out = append(out, t.failure(l, Failure{Site: t.names[i]}))
		}
	}
	sites := len(out)
	for i, b := range t.bonds {
		for j, l := range t.web.bonds[i].links {
			if j > 0 {
				b = losses{} // a standby carries nothing
			}
			out = append(out, t.failure(b, Failure{Link: l.name}))
		}
	}
	for _, name := range t.idle {
		out = append(out, Failure{Link: name})
	}
	slices.SortFunc(out[sites:], func(x, y Failure) int { return cmp.Compare(x.Link, y.Link) })
	return out
}

func (t *tally) failure(l losses, f Failure) Failure {
	f.CutOff, f.Rerouted = l.cutOff, l.rerouted
	if l.rerouted > 0 {
		l.worst.From, l.worst.To = t.names[l.from], t.names[l.to]
		f.Worst = &l.worst
	}
	return f
}
