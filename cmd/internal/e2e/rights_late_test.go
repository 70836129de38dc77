package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
)

// lateness lets every wait see the world as it was when the command wrote last, so that
// it has to watch for what comes, however fast the controllers are. API servers keep
// old versions for some minutes (Kubernetes API concepts: resourceVersionMatch=Exact).
type lateness struct {
	mu   sync.Mutex
	on   bool
	last map[int]string
}

// start switches it on.
func (l *lateness) start() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.on, l.last = true, map[int]string{}
}

// ask makes a list of one name one of the past.
func (l *lateness) ask(cluster int, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	query := r.URL.Query()
	one := strings.HasPrefix(query.Get("fieldSelector"), "metadata.name=")
	lock := strings.Contains(r.URL.Path, "/leases") // a lock changes by the hand of others
	if !l.on || l.last[cluster] == "" || !one || lock || r.Method != http.MethodGet || query.Get("watch") != "" {
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
		Metadata struct{ ResourceVersion string }
	}
	if json.Unmarshal(body, &o) == nil && o.Metadata.ResourceVersion != "" {
		l.last[cluster] = o.Metadata.ResourceVersion
	}
	return err
}
