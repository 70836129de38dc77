package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
)

// lateness lets every wait of an apply see the world as it was when the apply last
// changed the network, so that it has to watch for what comes, however fast the
// controllers are. Its own records do not count: it writes them, and renews its locks,
// while it waits. API servers keep old versions for some minutes (Kubernetes API
// concepts: resourceVersionMatch=Exact), longer than one apply takes.
type lateness struct {
	mu   sync.Mutex
	on   bool
	last map[int]string
}

// start switches it on for one apply.
func (l *lateness) start() { l.set(true) }

// stop switches it off.
func (l *lateness) stop() { l.set(false) }

func (l *lateness) set(on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.on, l.last = on, map[int]string{}
}

// isRecord reports whether an object is a lock or an inventory.
func isRecord(path, name string) bool {
	return strings.Contains(path, "/leases") || strings.Contains(path, "/configmaps") && strings.HasPrefix(name, "fairlead-")
}

// ask makes a list of one name one of the past.
func (l *lateness) ask(cluster int, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	query := r.URL.Query()
	name, one := strings.CutPrefix(query.Get("fieldSelector"), "metadata.name=")
	if !l.on || l.last[cluster] == "" || !one || isRecord(r.URL.Path, name) || r.Method != http.MethodGet || query.Get("watch") != "" {
		return
	}
	query.Set("resourceVersion", l.last[cluster])
	query.Set("resourceVersionMatch", "Exact")
	r.URL.RawQuery = query.Encode()
}

// note keeps the version that a write made.
func (l *lateness) note(cluster int, r *http.Request, resp *http.Response) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.on || r.Method == http.MethodGet || resp.StatusCode >= 300 {
		return nil
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(body))
	var o struct {
		Metadata struct{ Name, ResourceVersion string }
	}
	if json.Unmarshal(body, &o) == nil && o.Metadata.ResourceVersion != "" && !isRecord(r.URL.Path, o.Metadata.Name) {
		l.last[cluster] = o.Metadata.ResourceVersion
	}
	return err
}
