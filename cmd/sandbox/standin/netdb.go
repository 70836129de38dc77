package standin

import (
	"reflect"
	"sort"
	"sync"
	"time"
)

// record is what one site tells the network of itself.
type record struct {
	Site siteInfo `json:"site"`
	// Seq grows with each change, and is larger for a younger router.
	Seq   int64           `json:"seq"`
	Links []recordLink    `json:"links,omitempty"`
	Peers map[string]bool `json:"peers,omitempty"`

	Services []recordService `json:"services,omitempty"`

	local int // when we learned it, in our own count
}

type recordLink struct {
	Name string `json:"name"`
	linkReport
}

// netdb is one router's picture of the network: its own record and those that
// its peers passed on.
type netdb struct {
	mu      sync.Mutex
	self    string
	records map[string]record
	count   int
	changed chan struct{} // closed and replaced at each change
}

func newNetdb(self siteInfo) *netdb {
	db := &netdb{self: self.ID, records: map[string]record{}, changed: make(chan struct{})}
	db.store(record{Site: self, Seq: time.Now().UnixNano()})
	return db
}

func (db *netdb) store(r record) {
	db.count++
	r.local = db.count
	db.records[r.Site.ID] = r
	close(db.changed)
	db.changed = make(chan struct{})
}

// setOwn replaces the router's own record, if it is new.
func (db *netdb) setOwn(r record) {
	sort.Slice(r.Links, func(i, j int) bool { return r.Links[i].Name < r.Links[j].Name })
	db.mu.Lock()
	defer db.mu.Unlock()
	old := db.records[db.self]
	if len(old.Peers) == len(r.Peers) && reflect.DeepEqual(old.Links, r.Links) && reflect.DeepEqual(old.Services, r.Services) && (len(r.Peers) == 0 || reflect.DeepEqual(old.Peers, r.Peers)) {
		return
	}
	r.Seq = max(old.Seq+1, time.Now().UnixNano())
	db.store(r)
}

// merge takes in what a peer passed on.
func (db *netdb) merge(records []record) {
	db.mu.Lock()
	defer db.mu.Unlock()
	for _, r := range records {
		if r.Site.ID != db.self && r.Seq > db.records[r.Site.ID].Seq {
			db.store(r)
		}
	}
}

// since gives what changed after a count, the count now, and a channel that is
// closed at the next change.
func (db *netdb) since(count int) ([]record, int, <-chan struct{}) {
	db.mu.Lock()
	defer db.mu.Unlock()
	var out []record
	for _, r := range db.records {
		if r.local > count {
			out = append(out, r)
		}
	}
	return out, db.count, db.changed
}

// version is the count of changes.
func (db *netdb) version() int {
	db.mu.Lock()
	defer db.mu.Unlock()
	return db.count
}

// reachable gives the records of all sites that are connected with ours, ours
// first. A connection counts when both ends tell of it.
func (db *netdb) reachable() []record {
	db.mu.Lock()
	defer db.mu.Unlock()
	seen := map[string]bool{db.self: true}
	out := []record{db.records[db.self]}
	for i := 0; i < len(out); i++ {
		for _, peer := range sortedPeers(out[i]) {
			r, known := db.records[peer]
			if known && !seen[peer] && r.Peers[out[i].Site.ID] {
				seen[peer] = true
				out = append(out, r)
			}
		}
	}
	return out
}

func sortedPeers(r record) []string {
	peers := make([]string, 0, len(r.Peers))
	for p := range r.Peers {
		peers = append(peers, p)
	}
	sort.Strings(peers)
	return peers
}

// size is how many sites are known.
func (db *netdb) size() int {
	db.mu.Lock()
	defer db.mu.Unlock()
	return len(db.records)
}
