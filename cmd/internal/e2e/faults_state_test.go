package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"fairlead.dev/fairlead/plan"
)

// newDirectWorld is a world without wires: its commands reach the clusters themselves.
// Nothing judges their writes, and its namespaces stay until they are cleared.
func newDirectWorld(t testing.TB) *world {
	t.Helper()
	w := &world{
		dir: t.TempDir(), name: fmt.Sprintf("f%d-%x", serial.Add(1), os.Getpid()), configs: bed.configs[:clusters],
	}
	for _, cfg := range bed.configs[:clusters] {
		d, err := dynamic.NewForConfig(cfg)
		if err != nil {
			t.Fatal(err)
		}
		w.dyn = append(w.dyn, d)
	}
	w.wires = &wires{t: t, check: checkWrites(t, w.dyn), kubeconfig: filepath.Join(w.dir, "kubeconfig")}
	writeKubeconfig(t, w.kubeconfig)
	return w
}

// writeKubeconfig writes one with the clusters of the bed as they are.
func writeKubeconfig(t testing.TB, file string) {
	t.Helper()
	kc := clientcmdapi.NewConfig()
	for i, cfg := range bed.configs[:clusters] {
		name := contextName(i)
		kc.Clusters[name] = &clientcmdapi.Cluster{
			Server: cfg.Host, CertificateAuthority: cfg.CAFile, CertificateAuthorityData: cfg.CAData,
			InsecureSkipTLSVerify: cfg.Insecure, TLSServerName: cfg.ServerName,
		}
		kc.AuthInfos[name] = &clientcmdapi.AuthInfo{
			ClientCertificate: cfg.CertFile, ClientCertificateData: cfg.CertData,
			ClientKey: cfg.KeyFile, ClientKeyData: cfg.KeyData, Token: cfg.BearerToken, TokenFile: cfg.BearerTokenFile,
		}
		kc.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name}
	}
	if err := clientcmd.WriteToFile(*kc, file); err != nil {
		t.Fatal(err)
	}
}

// pictured are the kinds of which nothing may be stray.
var pictured = []string{"sites", "links", "accessgrants", "accesstokens", "certificates", "secrets", "configmaps", "routeraccesses"}

// Where a name has the number of an attempt: a later one is as good as the first.
var (
	linkAttempt = regexp.MustCompile(`-r\d+(-[12])?$`)
	ownAttempt  = regexp.MustCompile(`^(NET-.*|fairlead-proxy-.*)-\d+$`)
)

// picture lists all that is in the world's namespaces, as it is alike in each world:
// kinds and names, what they belong to, and of Links what they are for.
func (w *world) picture(sites []site) []string {
	w.t.Helper()
	var out []string
	for _, s := range sites {
		for _, kind := range pictured {
			selector := ""
			if kind == "configmaps" {
				selector = w.owned() // the controller's own come when they come
			}
			for _, o := range w.list(s.cluster, w.ns(s.name), kind, selector) {
				name := linkAttempt.ReplaceAllString(strings.ReplaceAll(o.GetName(), w.name, "NET"), "$1")
				name = ownAttempt.ReplaceAllString(name, "$1")
				line := fmt.Sprintf("%s: %s %s", s.name, kind, name)
				for _, label := range []string{plan.LabelSite, plan.LabelLink, plan.LabelProxy} {
					if v := o.GetLabels()[label]; v != "" {
						line += fmt.Sprintf(", %s %s", strings.TrimPrefix(label, "fairlead.dev/"), v)
					}
				}
				if kind == "links" {
					line += fmt.Sprintf(", cost %v, operational %t", field(&o, "spec", "cost"), wasTrue(&o, "Operational"))
				}
				out = append(out, line)
			}
		}
	}
	slices.Sort(out)
	return out
}

// difference shows what one list of lines has and the other has not.
func difference(want, got []string) string {
	var b strings.Builder
	left := slices.Clone(want)
	for _, line := range got {
		if i := slices.Index(left, line); i >= 0 {
			left = slices.Delete(left, i, i+1)
			continue
		}
		fmt.Fprintf(&b, "  stray: %s\n", line)
	}
	for _, line := range left {
		fmt.Fprintf(&b, "  missing: %s\n", line)
	}
	return b.String()
}
