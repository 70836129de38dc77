// Package cluster is one sandbox cluster in one process: an etcd, an API
// server, Kubernetes' garbage collector and namespace controller, the resource
// definitions of Skupper, and the stand-in for its controller.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"fairlead.dev/fairlead/cmd/sandbox/standin"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// Config says which cluster to run.
type Config struct {
	// Name is the name of the kubeconfig context.
	Name string
	// Dir holds keys, data and crashes.log; it exists.
	Dir string
	// Kubeconfig is the file to write when the API server answers.
	Kubeconfig     string
	ReportInterval time.Duration
	Resync         time.Duration
	// Alarm takes the loud messages: crashes of the stand-in.
	Alarm func(string)
}

// readyTimeout bounds the start of one cluster, on a busy machine.
const readyTimeout = 2 * time.Minute

// Run serves until ctx ends or a part fails; it calls ready once. It leaves
// etcd and the API server running: its process is to end with it, and nobody
// wants their data.
func Run(ctx context.Context, cfg Config, ready func()) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	m, err := newMaterial(cfg.Dir)
	if err != nil {
		return err
	}
	url, err := startEtcd(ctx, cfg.Dir)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	ended, err := serveAPI(context.WithoutCancel(ctx), listener, apiFlags(m, url))
	if err != nil {
		return fmt.Errorf("API server: %w", err)
	}
	var wg sync.WaitGroup
	err = populate(ctx, &wg, cfg, m, listener.Addr().String(), ended)
	if err == nil {
		ready()
		err = await(ctx, ended)
	}
	cancel()
	wg.Wait()
	return err
}

// await waits for the end; a wanted end is no error.
func await(ctx context.Context, ended <-chan error) error {
	select {
	case err := <-ended:
		return fmt.Errorf("API server ended: %w", errors.Join(err, ctx.Err()))
	case <-ctx.Done():
		return nil
	}
}

// populate fills the bare API server with everything that makes it a cluster.
func populate(ctx context.Context, wg *sync.WaitGroup, cfg Config, m *material, address string, ended <-chan error) error {
	config := m.rest(address)
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	within, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	if err := awaitAPI(within, client, ended); err != nil {
		return err
	}
	if err := installCRDs(within, config); err != nil {
		return err
	}
	if err := runControllers(ctx, wg, config); err != nil {
		return err
	}
	if err := startStandin(ctx, within, wg, cfg, config); err != nil {
		return err
	}
	return m.writeKubeconfig(cfg.Kubeconfig, cfg.Name, address)
}

// startStandin runs the stand-in and waits until it watches.
func startStandin(ctx, within context.Context, wg *sync.WaitGroup, cfg Config, config *rest.Config) error {
	s, err := standin.New(standin.Config{
		Rest:           config,
		Cluster:        cfg.Name,
		ReportInterval: cfg.ReportInterval,
		Resync:         cfg.Resync,
		Crash:          recordCrash(filepath.Join(cfg.Dir, "crashes.log"), cfg),
	})
	if err != nil {
		return fmt.Errorf("stand-in: %w", err)
	}
	failed := make(chan error, 1)
	wg.Go(func() { failed <- s.Run(ctx) })
	select {
	case <-s.Ready():
		return nil
	case err := <-failed:
		return fmt.Errorf("stand-in: %w", err)
	case <-within.Done():
		return fmt.Errorf("stand-in not ready: %w", within.Err())
	}
}

// recordCrash writes the line that tests read.
func recordCrash(path string, cfg Config) func(string) {
	return func(reason string) {
		line := fmt.Sprintf("%s %s: controller crashed: %s\n", time.Now().Format(time.RFC3339Nano), cfg.Name, reason)
		f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err == nil {
			_, err = io.WriteString(f, line)
			err = errors.Join(err, f.Close())
		}
		if err != nil {
			line += fmt.Sprintf("crash log: %v\n", err)
		}
		cfg.Alarm(line)
	}
}
