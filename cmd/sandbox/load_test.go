package main

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"time"
)

// TestFortyLinksAtOnce makes many links of one hub at the same time.
func TestFortyLinksAtOnce(t *testing.T) {
	t.Parallel()
	const links = 40
	hub := shared.clusters[0].namespace(t)
	hub.create("sites", "hub", map[string]any{"linkAccess": "default"})
	hub.awaitTrue("sites", "hub", "Ready")
	begin := time.Now()
	var wg sync.WaitGroup
	for range links {
		shop := shared.clusters[1].namespace(t)
		shop.create("sites", "shop", map[string]any{})
		wg.Go(func() { linked(hub, shop, shop.name) })
	}
	wg.Wait()
	t.Logf("%d links in %s", links, time.Since(begin))
	hub.await("sites", "hub", "in a network of 41", func(u *obj) bool { return str(u, "status", "sitesInNetwork") == "41" })
	t.Logf("whole network known after %s", time.Since(begin))
}

// TestLoad makes 200 sites and 400 links in one cluster; it is for measuring.
func TestLoad(t *testing.T) {
	if os.Getenv("SANDBOX_LOAD") == "" {
		t.Skip("set SANDBOX_LOAD=1 to measure")
	}
	s, err := start("--clusters", "1")
	if err != nil {
		t.Fatal(err)
	}
	defer s.stop()
	hubs := [2]*ns{s.clusters[0].namespace(t), s.clusters[0].namespace(t)}
	for _, hub := range hubs {
		hub.create("sites", "hub", map[string]any{"linkAccess": "default"})
		hub.awaitTrue("sites", "hub", "Ready")
	}
	begin := time.Now()
	slots := make(chan struct{}, 16)
	var wg sync.WaitGroup
	for i := range 198 {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			shop := s.clusters[0].namespace(t)
			shop.create("sites", "shop", map[string]any{})
			for j, hub := range hubs {
				linked(hub, shop, fmt.Sprintf("link-%d-%d", i, j))
			}
		})
	}
	wg.Wait()
	t.Logf("396 links in %s", time.Since(begin))
	hubs[0].await("sites", "hub", "in a network of 200", func(u *obj) bool { return str(u, "status", "sitesInNetwork") == "200" })
	t.Logf("whole network known after %s", time.Since(begin))
}
