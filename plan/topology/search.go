package topology

import (
	"math"
	"runtime"
	"sync"
	"sync/atomic"
)

// none is the cost of what cannot be reached. Costs are sums of int32 in int64, which
// no network of fewer than four thousand million sites overflows.
const none = int64(math.MaxInt64)

// search finds the cheapest paths from one site to all others, by Dijkstra's algorithm.
// One search can be used again and again; it is not safe for concurrent use.
type search struct {
	*web
	source int32
	// cost of each site from the source; none for those out of reach.
	cost []int64
	// order are the sites within reach, the cheapest first.
	order []int32
	heap  heap
}

func newSearch(w *web) *search {
	return &search{web: w, cost: make([]int64, len(w.names))}
}

// passes reports whether a path from the source may go on through the site.
func (s *search) passes(site int32) bool { return !s.edge[site] || site == s.source }

func (s *search) from(source int32) {
	for i := range s.cost {
		s.cost[i] = none
	}
	s.source, s.order = source, s.order[:0]
	s.cost[source] = 0
	s.heap.push(entry{0, source})
	for len(s.heap) > 0 {
		top := s.heap.pop()
		if top.cost > s.cost[top.site] {
			continue // a cheaper path was found since
		}
		s.order = append(s.order, top.site)
		if s.passes(top.site) {
			s.relax(top)
		}
	}
}

func (s *search) relax(at entry) {
	for _, a := range s.arcsOf(at.site) {
		if c := at.cost + a.cost; c < s.cost[a.to] {
			s.cost[a.to] = c
			s.heap.push(entry{c, a.to})
		}
	}
}

// lastStep reports whether a cheapest path from the source to a site may end with the
// arc, seen from that site.
func (s *search) lastStep(a arc, site int32) bool {
	return s.passes(a.to) && s.cost[a.to] != none && s.cost[a.to]+a.cost == s.cost[site]
}

// tied marks, in order of cost, the sites that have several cheapest paths.
func (s *search) tied(marks bits) {
	for _, site := range s.order[1:] {
		ways := 0
		for _, a := range s.arcsOf(site) {
			if !s.lastStep(a, site) {
				continue
			}
			if ways++; ways > 1 || marks.has(a.to) {
				marks.set(site)
				break
			}
		}
	}
}

// entry is a site with the cost at which it may be reached.
type entry struct {
	cost int64
	site int32
}

// heap has the cheapest entry on top. Of equal costs any may come first: what is made
// of the order does not depend on it.
type heap []entry

func (h *heap) push(e entry) {
	*h = append(*h, e)
	list := *h
	at := len(list) - 1
	for at > 0 {
		parent := (at - 1) / 2
		if list[parent].cost <= e.cost {
			break
		}
		list[at] = list[parent]
		at = parent
	}
	list[at] = e
}

func (h *heap) pop() entry {
	list := *h
	top, last := list[0], list[len(list)-1]
	list = list[:len(list)-1]
	*h = list
	at := 0
	for child := 1; child < len(list); child = 2*at + 1 {
		if child+1 < len(list) && list[child+1].cost < list[child].cost {
			child++
		}
		if last.cost <= list[child].cost {
			break
		}
		list[at] = list[child]
		at = child
	}
	if len(list) > 0 {
		list[at] = last
	}
	return top
}

// bits is a set of small numbers.
type bits []uint64

func newBits(n int) bits { return make(bits, (n+63)/64) }

func (b bits) set(i int32)      { b[i/64] |= 1 << (i % 64) }
func (b bits) has(i int32) bool { return b[i/64]&(1<<(i%64)) != 0 }

// each calls f for every number below n, on one goroutine for each processor, and
// returns when all are done; worker numbers the goroutine, from 0 to workers()-1. A
// panic of f is the caller's.
func each(n int, f func(worker, i int)) {
	var next atomic.Int64
	var group sync.WaitGroup
	var once sync.Once
	var cause any
	for worker := range min(workers(), n) {
		group.Go(func() {
			defer func() {
				if r := recover(); r != nil {
					once.Do(func() { cause = r })
				}
			}()
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				f(worker, int(i))
			}
		})
	}
	group.Wait()
	if cause != nil {
		panic(cause)
	}
}

func workers() int { return runtime.GOMAXPROCS(0) }
