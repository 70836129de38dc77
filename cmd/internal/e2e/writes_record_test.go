package e2e

import (
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"fairlead.dev/fairlead/schema/network"
)

// record is what is known of the Links of all places. Commands and worlds come
// and go; the record stays, because a name stays used while its Site lives.
type record struct {
	mu sync.Mutex
	// names are the Links that were seen, by place and Site.
	names map[siteAt]map[string]bool
	// makers are the writes that made Links: creations of Links and of tokens.
	makers map[place][]change
	// touched are the UIDs of Links whose metadata was written.
	touched map[place]map[types.UID]bool
	// grants are those that commands made.
	grants []change
}

type siteAt struct {
	place
	uid string
}

func newRecord() *record {
	return &record{names: map[siteAt]map[string]bool{}, makers: map[place][]change{}, touched: map[place]map[types.UID]bool{}}
}

// allWrites is the record that all worlds share.
var allWrites = newRecord()

// see notes the names of Links, and gives those that were seen before.
func (r *record) see(at siteAt, links ...string) (known []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	seen := r.names[at]
	if seen == nil {
		seen = map[string]bool{}
		r.names[at] = seen
	}
	for name := range seen {
		known = append(known, name)
	}
	for _, name := range links {
		seen[name] = true
	}
	return known
}

// made notes a write that makes Links.
func (r *record) made(c change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.makers[c.place] = append(r.makers[c.place], c)
}

func (r *record) touch(at place, link types.UID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.touched[at] == nil {
		r.touched[at] = map[types.UID]bool{}
	}
	r.touched[at][link] = true
}

// untouched gives the write that made a Link which nobody touched since.
func (r *record) untouched(at place, link *unstructured.Unstructured) (by change, found bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.touched[at][link.GetUID()] {
		return change{}, false
	}
	i := slices.IndexFunc(r.makers[at], func(c change) bool {
		return c.kind == "links" && c.name == link.GetName() ||
			c.kind == "accesstokens" && c.name == textOf(link, "spec", "tlsCredentials") &&
				slices.Contains(network.LinkObjectNames(c.name), link.GetName())
	})
	if i < 0 {
		return change{}, false
	}
	return r.makers[at][i], true
}
