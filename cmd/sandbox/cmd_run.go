package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"fairlead.dev/fairlead/cmd/sandbox/supervisor"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// settings are the flags that up and run share.
type settings struct {
	clusters       int
	dir            string
	reportInterval time.Duration
	resync         time.Duration
	// detached runs go on at the end of standard input and warn in a file.
	detached bool
}

func (s *settings) bind(f *pflag.FlagSet, dirDefault string) {
	f.IntVar(&s.clusters, "clusters", 2, "how many clusters")
	f.StringVar(&s.dir, "dir", dirDefault, "where to keep data, logs and kubeconfigs")
	f.DurationVar(&s.reportInterval, "report-interval", 200*time.Millisecond, "how often routers report (the real ones: 10s)")
	f.DurationVar(&s.resync, "resync", 30*time.Second, "the controller's resync")
}

func (s *settings) check() error {
	if s.clusters < 1 || s.clusters > 20 {
		return fmt.Errorf("--clusters %d: want 1 to 20", s.clusters)
	}
	if s.reportInterval <= 0 {
		return fmt.Errorf("--report-interval %s: want more than 0", s.reportInterval)
	}
	if s.resync < time.Second {
		return fmt.Errorf("--resync %s: want at least 1s", s.resync)
	}
	return nil
}

func newRun() *cobra.Command {
	var s settings
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run in the foreground until SIGTERM or the end of standard input",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.check(); err != nil {
				return err
			}
			ctx, cancel := context.WithCancel(cmd.Context())
			defer cancel()
			if !s.detached {
				go endWithInput(cmd.InOrStdin(), cancel)
			}
			return runSandbox(ctx, s, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	s.bind(cmd.Flags(), "")
	cmd.Flags().BoolVar(&s.detached, "detached", false, "go on at the end of standard input")
	_ = cmd.Flags().MarkHidden("detached")
	return cmd
}

// endWithInput cancels when the parent closes our standard input. The
// goroutine ends with the process: a read cannot be interrupted.
func endWithInput(r io.Reader, cancel func()) {
	_, _ = io.Copy(io.Discard, r)
	cancel()
}

// runSandbox runs the supervisor in the directory, or in one of its own that
// it removes in the end, unless the run failed.
func runSandbox(ctx context.Context, s settings, stdout, stderr io.Writer) (err error) {
	temporary := s.dir == ""
	if temporary {
		if s.dir, err = os.MkdirTemp("", "fairlead-sandbox-"); err != nil {
			return err
		}
	}
	dir, err := filepath.Abs(s.dir)
	if err != nil {
		return err
	}
	lock, err := supervisor.Claim(dir, s.clusters)
	if err != nil {
		return err
	}
	defer func() {
		if temporary && err == nil {
			err = os.RemoveAll(dir)
		}
		err = errors.Join(err, lock.Release())
	}()
	alarm := stderr
	if s.detached {
		log, err := os.Create(filepath.Join(dir, supervisor.LogName))
		if err != nil {
			return err
		}
		defer log.Close()
		alarm = log
	}
	return supervisor.Run(ctx, supervisor.Options{
		Clusters: s.clusters, Dir: dir, ReportInterval: s.reportInterval, Resync: s.resync, Alarm: alarm,
	}, func(d supervisor.Description) error {
		return json.NewEncoder(stdout).Encode(d)
	})
}
