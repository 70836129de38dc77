package cluster

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/spf13/pflag"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
	"k8s.io/kubernetes/cmd/kube-apiserver/app/options"
)

// apiFlags are what differs from a stock API server: no node, no workload, no
// webhook traffic, so whatever serves only those is off.
func apiFlags(m *material, etcd string) []string {
	return []string{
		"--etcd-servers=" + etcd,
		"--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1",
		"--endpoint-reconciler-type=none",
		"--service-cluster-ip-range=10.0.0.0/16",
		"--tls-cert-file=" + m.path("server.crt"),
		"--tls-private-key-file=" + m.path("server.key"),
		"--client-ca-file=" + m.path("ca.crt"),
		"--service-account-issuer=https://sandbox.invalid",
		"--service-account-key-file=" + m.path("ca.crt"),
		"--service-account-signing-key-file=" + m.path("ca.key"),
		"--authorization-mode=RBAC",
		"--disable-admission-plugins=ServiceAccount,DefaultStorageClass,StorageObjectInUseProtection,TaintNodesByCondition,RuntimeClass,DefaultIngressClass,PodSecurity",
		"--enable-priority-and-fairness=false",
		"--profiling=false",
		"--shutdown-delay-duration=0s",
	}
}

// serveAPI starts the API server on listener and reports its end on the channel.
func serveAPI(ctx context.Context, listener net.Listener, flags []string) (<-chan error, error) {
	s := options.NewServerRunOptions()
	set := pflag.NewFlagSet("kube-apiserver", pflag.ContinueOnError)
	named := s.Flags()
	for _, f := range named.FlagSets {
		set.AddFlagSet(f)
	}
	if err := set.Parse(flags); err != nil {
		return nil, err
	}
	s.SecureServing.Listener = listener
	s.SecureServing.BindPort = listener.Addr().(*net.TCPAddr).Port
	if err := s.GenericServerRunOptions.ComponentGlobalsRegistry.Set(); err != nil {
		return nil, err
	}
	rest.SetDefaultWarningHandler(rest.NoWarnings{})
	completed, err := s.Complete(ctx)
	if err != nil {
		return nil, err
	}
	if errs := completed.Validate(); len(errs) > 0 {
		return nil, utilerrors.NewAggregate(errs)
	}
	ended := make(chan error, 1)
	go func() { ended <- app.Run(ctx, completed) }()
	return ended, nil
}

// awaitAPI waits until the API server can be written to.
func awaitAPI(ctx context.Context, client kubernetes.Interface, ended <-chan error) error {
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	for {
		_, err := client.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
		if err == nil {
			return nil
		}
		select {
		case end := <-ended:
			return fmt.Errorf("API server ended: %w", end)
		case <-ctx.Done():
			return fmt.Errorf("API server not ready: %w", err)
		case <-tick.C:
		}
	}
}
