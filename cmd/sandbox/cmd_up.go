package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"fairlead.dev/fairlead/cmd/sandbox/supervisor"
	"github.com/spf13/cobra"
)

// defaultDir is the fixed place of up and down.
func defaultDir() string {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	return filepath.Join(cache, "fairlead-sandbox")
}

func newUp() *cobra.Command {
	var s settings
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Start a sandbox in the background",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.check(); err != nil {
				return err
			}
			d, err := up(s)
			if err != nil {
				return err
			}
			explain(cmd.OutOrStdout(), d)
			return nil
		},
	}
	s.bind(cmd.Flags(), defaultDir())
	return cmd
}

func newDown() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "down",
		Short: "Stop the sandbox that up started and remove its data",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			abs, err := filepath.Abs(dir)
			if err != nil {
				return err
			}
			return supervisor.Stop(abs, time.Minute)
		},
	}
	cmd.Flags().StringVar(&dir, "dir", defaultDir(), "the directory that up was given")
	return cmd
}

// up starts a supervisor of its own session and waits for its ready line.
func up(s settings) (*supervisor.Description, error) {
	dir, err := filepath.Abs(s.dir)
	if err != nil {
		return nil, err
	}
	live, err := supervisor.Live(dir)
	if err != nil {
		return nil, err
	}
	if live != nil {
		return nil, fmt.Errorf("%s: %w (process %d, %d clusters); stop it with: sandbox down --dir %s",
			dir, supervisor.ErrLive, live.PID, live.Clusters, dir)
	}
	// What the supervisor says before it is ready; later warnings go to its log.
	log, err := os.CreateTemp("", "sandbox-up-*.log")
	if err != nil {
		return nil, err
	}
	defer os.Remove(log.Name())
	defer log.Close()
	return launch(s, dir, log)
}

func launch(s settings, dir string, log *os.File) (*supervisor.Description, error) {
	cmd := exec.Command("/proc/self/exe", "run", "--detached", "--dir", dir, "--clusters", strconv.Itoa(s.clusters),
		"--report-interval", s.reportInterval.String(), "--resync", s.resync.String())
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Stderr = log
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		return nil, failure(cmd.Wait(), log.Name())
	}
	var d supervisor.Description
	if err := json.Unmarshal(line, &d); err != nil {
		return nil, errors.Join(err, cmd.Process.Kill())
	}
	return &d, cmd.Process.Release()
}

// failure is what the supervisor said before it ended.
func failure(err error, log string) error {
	text, readErr := os.ReadFile(log)
	if said := strings.TrimPrefix(strings.TrimSpace(string(text)), "sandbox: "); readErr == nil && said != "" {
		return errors.New(said)
	}
	return fmt.Errorf("supervisor: %w", errors.Join(err, readErr))
}

func explain(w io.Writer, d *supervisor.Description) {
	fmt.Fprintf(w, "Sandbox ready in %s\n\n", d.Dir)
	fmt.Fprintf(w, "  export KUBECONFIG=%s\n\n", d.Kubeconfig)
	for i, c := range d.Contexts {
		fmt.Fprintf(w, "  context %s   (alone in %s)\n", c, d.Kubeconfigs[i])
	}
	fmt.Fprintf(w, "\nStop it with: sandbox down --dir %s\n", d.Dir)
}
