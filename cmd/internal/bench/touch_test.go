package bench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// touch measures how long new Links wait until they are configured: 20 links that one
// apply makes at 4 sites at once, on controllers that handle a Link at once, and on ones
// that take half a second, so that the first touches come too early.
func (b *bench) touch() {
	stop := b.startSandbox()
	defer stop()
	var rows []*series
	for _, delay := range []string{"0s", "500ms"} {
		row := &series{name: "largest wait, a new Link is handled after " + delay}
		for i := range b.runs {
			row.add(sample{wall: b.largestWait(mesh(fmt.Sprintf("mesh%d-%s", i, delay), 4, 5), delay)})
		}
		rows = append(rows, row)
	}
	table("From the redemption of a link until its Links are configured, 20 links at 4 sites", rows...)
}

// largestWait applies a network whose connecting sites' controllers take their time, and
// gives the largest wait.
func (b *bench) largestWait(s shape, delay string) time.Duration {
	b.Helper()
	spaces := pick(s.objects(), "namespaces")
	for _, o := range spaces {
		meta, _ := o.body["metadata"].(map[string]any)
		meta["annotations"] = map[string]any{"sandbox.fairlead.dev/queue-delay": delay}
	}
	b.create(spaces)
	events := filepath.Join(b.work, s.name+".jsonl")
	b.run(b.describe(s), []int{0}, "fairlead", "apply", "--yes", "--events", events, ".")
	return b.waits(events)
}

// waits reads from the events of an apply how long Links waited at most.
func (b *bench) waits(file string) (most time.Duration) {
	b.Helper()
	f, err := os.Open(file)
	b.must(err)
	defer func() { _ = f.Close() }()
	began := map[string]time.Time{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var e struct {
			Time                time.Time
			Action, Step, Phase string
		}
		b.must(json.Unmarshal(lines.Bytes(), &e))
		switch e.Step + " " + e.Phase {
		case "take-over started":
			began[e.Action] = e.Time
		case "configured done":
			most = max(most, e.Time.Sub(began[e.Action]))
		}
	}
	return most
}
