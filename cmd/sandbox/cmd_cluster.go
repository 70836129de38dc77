package main

import (
	"context"
	"encoding/json"
	"os"
	"runtime/debug"
	"sync"

	"fairlead.dev/fairlead/cmd/sandbox/cluster"
	"fairlead.dev/fairlead/cmd/sandbox/supervisor"
	"github.com/spf13/cobra"
)

// newCluster is the command of the supervisor's children.
func newCluster() *cobra.Command {
	var cfg cluster.Config
	cmd := &cobra.Command{
		Use:    "cluster",
		Short:  "Run one cluster (started by run)",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			spareCollector()
			ctx, cancel := context.WithCancel(cmd.Context())
			defer cancel()
			go endWithInput(cmd.InOrStdin(), cancel)
			out := json.NewEncoder(cmd.OutOrStdout())
			var mu sync.Mutex
			tell := func(e supervisor.Event) {
				mu.Lock()
				defer mu.Unlock()
				_ = out.Encode(e)
			}
			cfg.Alarm = func(text string) { tell(supervisor.Event{Alarm: text}) }
			return cluster.Run(ctx, cfg, func() { tell(supervisor.Event{Ready: true}) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&cfg.Name, "name", "", "name of the context")
	f.StringVar(&cfg.Dir, "dir", "", "where to keep data")
	f.StringVar(&cfg.Kubeconfig, "kubeconfig", "", "file to write")
	f.DurationVar(&cfg.ReportInterval, "report-interval", 0, "how often routers report")
	f.DurationVar(&cfg.Resync, "resync", 0, "the controller's resync")
	return cmd
}

// heapGrowth is by how many per cent the heap may grow between two collections, and
// heapLimit the bytes above which that no longer counts.
const (
	heapGrowth = 400
	heapLimit  = 3 << 30
)

// spareCollector trades memory for time: it saves a busy cluster about a sixth of its
// processor time. GOGC and GOMEMLIMIT have precedence.
func spareCollector() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(heapGrowth)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(heapLimit)
	}
}
