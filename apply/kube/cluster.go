// Package kube observes clusters, writes to them and watches them; it and the packages
// below it alone use client-go. It decides nothing; what it read it hands on as data,
// and secrets among it as secrets.Value.
package kube

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/klog/v2"

	"fairlead.dev/fairlead/apply/kube/client"
	"fairlead.dev/fairlead/apply/kube/request"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
	"fairlead.dev/fairlead/secrets"
)

// Config says how to reach a cluster.
type Config struct {
	Name network.ClusterName
	// Context is the kubeconfig's context; empty means its current one.
	Context string
	// Kubeconfig is the content of a kubeconfig; empty means that Files are read.
	Kubeconfig secrets.Value
	// Secret says that Files are a secret, too: errors do not repeat what they hold.
	Secret bool
	// Files are kubeconfig files, merged as kubectl merges those of KUBECONFIG.
	Files []string
	// InCluster uses the service account of the pod that we run in.
	InCluster bool
	// NoPrograms refuses a kubeconfig whose user's credentials come from a program, with an
	// error that wraps secrets.ErrProgram.
	NoPrograms bool
	// ReadOnly refuses every request that could write, before it is sent.
	ReadOnly bool
	// Log gets one debug line for each request; nil means none. Bodies are never logged.
	Log *slog.Logger
	// Timeout bounds how long one try of a request may wait for its answer, where that
	// is less than the usual half minute (a minute for a page of a list); 0 means usual.
	Timeout time.Duration
	// Wrap puts something between the client and the network, below logging and
	// repetitions: tests let requests fail there. Nil means nothing.
	Wrap func(http.RoundTripper) http.RoundTripper
}

// Cluster reaches one cluster. It implements apply.Cluster.
type Cluster struct {
	name     network.ClusterName
	dynamic  dynamic.Interface
	metadata metadata.Interface
	// extra are the kinds of overlays' objects, as far as they were looked for.
	extra extraKinds
}

// Connect prepares the clients of a cluster. It makes no request.
func Connect(c Config) (*Cluster, error) {
	silenceClientGo()
	cluster, err := connect(c)
	if err != nil {
		return nil, fmt.Errorf("cluster %s: %w", c.Name, c.shown(err))
	}
	return cluster, nil
}

// shown is an error about a kubeconfig as it may be shown: that of a secret one
// keeps its text only where it is our own.
func (c Config) shown(err error) error {
	var own ownError
	if c.Kubeconfig.IsZero() && !c.Secret || errors.As(err, &own) || errors.Is(err, secrets.ErrProgram) {
		return err
	}
	return ownError("kubeconfig: what its reference gives cannot be used: an address, a certificate or a file in it is wrong; its content is not shown here")
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// ownError is a text of ours, without anything that a kubeconfig holds.
type ownError string

func (e ownError) Error() string { return string(e) }

// programError says that a kubeconfig asks a program where none may run.
type programError struct{}

func (programError) Error() string {
	return "kubeconfig: its credentials come from a program, and none that the description names may run here; " +
		"read the cluster where programs are allowed, or use a kubeconfig with a token or a certificate"
}

func (programError) Unwrap() error { return secrets.ErrProgram }

func connect(c Config) (*Cluster, error) {
	cfg, err := restConfig(c)
	if err != nil {
		return nil, err
	}
	if c.NoPrograms && cfg.ExecProvider != nil {
		return nil, programError{}
	}
	cfg.QPS = -1 // the server's own fairness bounds us, and the apply's parallelism
	cfg.UserAgent = "fairlead"
	cfg.WarningHandler, cfg.WarningHandlerWithContext = nil, warningHandler{}
	cfg.Timeout = 0 // every call has a context; a watch must not be cut
	cfg.Wrap(c.wrap)
	if c.ReadOnly {
		cfg.Wrap(func(next http.RoundTripper) http.RoundTripper { return request.ReadOnly{Next: next} })
	}
	client, err := client.For(cfg)
	if err != nil {
		return nil, err
	}
	dyn, err := dynamic.NewForConfigAndClient(cfg, client)
	if err != nil {
		return nil, err
	}
	meta, err := metadata.NewForConfigAndClient(metadata.ConfigFor(cfg), client)
	if err != nil {
		return nil, err
	}
	disco, err := discovery.NewDiscoveryClientForConfigAndClient(cfg, client)
	if err != nil {
		return nil, err
	}
	return &Cluster{name: c.Name, dynamic: dyn, metadata: meta, extra: extraKinds{client: disco.RESTClient()}}, nil
}

// wrap puts our transports around the client's: each try is logged, and what the tries
// meet may be a test's.
func (c Config) wrap(next http.RoundTripper) http.RoundTripper {
	if c.Wrap != nil {
		next = c.Wrap(next)
	}
	var log *slog.Logger
	if c.Log != nil {
		log = c.Log.With("cluster", c.Name)
		next = &request.Logging{Next: next, Log: log}
	}
	return &request.Retry{Next: next, Limit: c.Timeout, Log: log}
}

func restConfig(c Config) (*rest.Config, error) {
	if c.InCluster {
		return rest.InClusterConfig()
	}
	overrides := &clientcmd.ConfigOverrides{CurrentContext: c.Context}
	load := (&clientcmd.ClientConfigLoadingRules{Precedence: c.Files}).Load
	if !c.Kubeconfig.IsZero() {
		load = func() (*clientcmdapi.Config, error) { return loadSecret(c.Kubeconfig) }
	}
	raw, err := load()
	if err != nil {
		return nil, fmt.Errorf("kubeconfig: %w", err)
	}
	if c.Secret || !c.Kubeconfig.IsZero() {
		if err := c.checkSecret(raw); err != nil {
			return nil, err
		}
	}
	if len(raw.Contexts) == 0 {
		return nil, fmt.Errorf("kubeconfig: there is none in %s; set KUBECONFIG or pass --kubeconfig", strings.Join(c.Files, ", "))
	}
	if _, ok := raw.Contexts[c.Context]; c.Context != "" && !ok {
		return nil, fmt.Errorf("kubeconfig: it has no context %q; it has: %s", c.Context,
			strings.Join(slices.Sorted(maps.Keys(raw.Contexts)), ", "))
	}
	return clientcmd.NewDefaultClientConfig(*raw, overrides).ClientConfig()
}

// checkSecret checks the contexts of a kubeconfig whose content is not shown.
func (c Config) checkSecret(raw *clientcmdapi.Config) error {
	_, known := raw.Contexts[c.Context]
	switch {
	case c.Secret && len(c.Files) == 1 && !exists(c.Files[0]):
		return ownError("kubeconfig: there is no file " + c.Files[0])
	case len(raw.Contexts) == 0:
		return ownError("kubeconfig: what its reference gives describes no cluster; its content is not shown here")
	case c.Context != "" && !known:
		return ownError(fmt.Sprintf("kubeconfig: what its reference gives has no context %q; its content is not shown here", c.Context))
	}
	return nil
}

// loadSecret reads a kubeconfig that is a secret. The parser's error may quote it
// and is not passed on.
func loadSecret(content secrets.Value) (*clientcmdapi.Config, error) {
	cfg, err := clientcmd.Load([]byte(content.Reveal()))
	if err != nil {
		return nil, ownError("what its reference gives is not one; its content is not shown here")
	}
	return cfg, nil
}

// Contexts lists the contexts of kubeconfig files, merged as kubectl merges those of
// KUBECONFIG, sorted, and says which is the current one, "" when none is. Files that
// do not exist count as empty, but some context there must be.
func Contexts(files []string) (all []string, current string, err error) {
	raw, err := (&clientcmd.ClientConfigLoadingRules{Precedence: files}).Load()
	if err != nil {
		return nil, "", fmt.Errorf("kubeconfig: %w", err)
	}
	if len(raw.Contexts) == 0 {
		return nil, "", fmt.Errorf("kubeconfig: there is none in %s; set KUBECONFIG or pass --kubeconfig", strings.Join(files, ", "))
	}
	return slices.Sorted(maps.Keys(raw.Contexts)), raw.CurrentContext, nil
}

// silenceClientGo keeps the library's own log off the user's terminal: its lines
// have our errors in other words, and at high levels bodies.
var silenceClientGo = sync.OnceFunc(func() {
	flags := flag.NewFlagSet("klog", flag.ContinueOnError)
	klog.InitFlags(flags)
	for name, value := range map[string]string{"logtostderr": "false", "stderrthreshold": "FATAL"} {
		_ = flags.Set(name, value) // both are klog's own, with values of theirs
	}
	klog.SetOutput(io.Discard)
})

// group and version: the only version of Skupper's API group that Fairlead speaks.
const group, version = "skupper.io", "v2alpha1"

// kinds tells the resource and API version of each kind.
var kinds = map[plan.ObjectKind]schema.GroupVersionResource{
	plan.ObjectSite:        {Group: group, Version: version, Resource: "sites"},
	plan.ObjectLink:        {Group: group, Version: version, Resource: "links"},
	plan.ObjectGrant:       {Group: group, Version: version, Resource: "accessgrants"},
	plan.ObjectToken:       {Group: group, Version: version, Resource: "accesstokens"},
	plan.ObjectAccess:      {Group: group, Version: version, Resource: "routeraccesses"},
	plan.ObjectCertificate: {Group: group, Version: version, Resource: "certificates"},
	plan.ObjectSecret:      {Version: "v1", Resource: "secrets"},
	plan.ObjectConfigMap:   {Version: "v1", Resource: "configmaps"},
	plan.ObjectNamespace:   {Version: "v1", Resource: "namespaces"},
	objectLease:            {Group: "coordination.k8s.io", Version: "v1", Resource: "leases"},
}

// resource gives the dynamic client of a reference's kind and namespace.
func (c *Cluster) resource(ref plan.ObjectRef) dynamic.ResourceInterface {
	r := c.dynamic.Resource(c.resourceOf(ref))
	if ref.Namespace == "" {
		return r
	}
	return r.Namespace(ref.Namespace)
}

// metadataOnly reports whether only the metadata of a kind is ever read: the data
// of Secrets stays on the cluster.
func metadataOnly(kind plan.ObjectKind) bool { return kind == plan.ObjectSecret }
