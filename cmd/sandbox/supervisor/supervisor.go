// Package supervisor starts the processes of a sandbox, one for each cluster,
// and sees to it that none outlives it.
package supervisor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// Options says what to run.
type Options struct {
	Clusters       int
	Dir            string
	ReportInterval time.Duration
	Resync         time.Duration
	// Alarm takes crashes of a stand-in.
	Alarm io.Writer
}

// Description is what a user or a test needs to know of a running sandbox.
type Description struct {
	Ready       bool     `json:"ready"`
	Dir         string   `json:"dir"`
	Kubeconfig  string   `json:"kubeconfig"`
	Kubeconfigs []string `json:"kubeconfigs"`
	Contexts    []string `json:"contexts"`
}

// Describe tells where things are in dir.
func Describe(dir string, clusters int) Description {
	d := Description{Ready: true, Dir: dir, Kubeconfig: filepath.Join(dir, "kubeconfig")}
	for i := range clusters {
		name := fmt.Sprintf("sandbox-%d", i+1)
		d.Contexts = append(d.Contexts, name)
		d.Kubeconfigs = append(d.Kubeconfigs, filepath.Join(dir, name+".kubeconfig"))
	}
	return d
}

// Run runs all clusters until ctx ends or one fails; it calls ready once.
func Run(ctx context.Context, o Options, ready func(Description) error) error {
	d := Describe(o.Dir, o.Clusters)
	g, ctx := errgroup.WithContext(ctx)
	children := make([]*child, 0, o.Clusters)
	for i, name := range d.Contexts {
		c, err := newChild(o, name, d.Kubeconfigs[i])
		if err != nil {
			return err
		}
		children = append(children, c)
		g.Go(func() error { return c.run(ctx) })
	}
	g.Go(func() error {
		if !awaitAll(ctx, children) {
			return nil
		}
		return errors.Join(mergeKubeconfigs(d), ready(d))
	})
	return g.Wait()
}

func newChild(o Options, name, kubeconfig string) (*child, error) {
	dir := filepath.Join(o.Dir, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return &child{
		name: name, log: filepath.Join(dir, "log"), ready: make(chan struct{}), alarm: o.Alarm,
		args: []string{"cluster", "--name", name, "--dir", dir, "--kubeconfig", kubeconfig,
			"--report-interval", o.ReportInterval.String(), "--resync", o.Resync.String()},
	}, nil
}

func awaitAll(ctx context.Context, children []*child) bool {
	for _, c := range children {
		select {
		case <-c.ready:
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// mergeKubeconfigs writes the one file that has all contexts.
func mergeKubeconfigs(d Description) error {
	all := api.NewConfig()
	all.CurrentContext = d.Contexts[0]
	for i, path := range d.Kubeconfigs {
		one, err := clientcmd.LoadFromFile(path)
		if err != nil {
			return err
		}
		name := d.Contexts[i]
		all.Clusters[name], all.AuthInfos[name], all.Contexts[name] = one.Clusters[name], one.AuthInfos[name], one.Contexts[name]
	}
	return clientcmd.WriteToFile(*all, d.Kubeconfig)
}
