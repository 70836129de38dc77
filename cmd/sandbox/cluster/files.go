package cluster

import (
	"fmt"
	"os"
	"path/filepath"

	"fairlead.dev/fairlead/cmd/sandbox/pki"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// material is the key material of one API server.
type material struct {
	dir       string
	ca, admin *pki.Pair
}

// newMaterial makes the keys and writes those that the API server reads.
func newMaterial(dir string) (*material, error) {
	ca, err := pki.NewCA("sandbox")
	if err != nil {
		return nil, err
	}
	server, err := pki.Issue(ca, pki.Request{Subject: "kube-apiserver", Server: true, Hosts: []string{"127.0.0.1", "localhost"}})
	if err != nil {
		return nil, err
	}
	admin, err := pki.Issue(ca, pki.Request{Subject: "sandbox-admin", Groups: []string{"system:masters"}, Client: true})
	if err != nil {
		return nil, err
	}
	m := &material{dir: dir, ca: ca, admin: admin}
	return m, m.write(map[string][]byte{
		"ca.crt": ca.Cert, "ca.key": ca.Key, "server.crt": server.Cert, "server.key": server.Key,
	})
}

func (m *material) write(files map[string][]byte) error {
	for name, content := range files {
		if err := os.WriteFile(m.path(name), content, 0o600); err != nil {
			return fmt.Errorf("key material: %w", err)
		}
	}
	return nil
}

func (m *material) path(name string) string { return filepath.Join(m.dir, name) }

// rest gives the administrator's client configuration, without client-side
// throttling.
func (m *material) rest(address string) *rest.Config {
	return &rest.Config{
		Host:            "https://" + address,
		TLSClientConfig: rest.TLSClientConfig{CAData: m.ca.Cert, CertData: m.admin.Cert, KeyData: m.admin.Key},
		QPS:             -1,
	}
}

// kubeconfig gives the administrator's kubeconfig with one context.
func (m *material) kubeconfig(name, address string) *api.Config {
	c := api.NewConfig()
	c.Clusters[name] = &api.Cluster{Server: "https://" + address, CertificateAuthorityData: m.ca.Cert}
	c.AuthInfos[name] = &api.AuthInfo{ClientCertificateData: m.admin.Cert, ClientKeyData: m.admin.Key}
	c.Contexts[name] = &api.Context{Cluster: name, AuthInfo: name}
	c.CurrentContext = name
	return c
}

func (m *material) writeKubeconfig(path, name, address string) error {
	return clientcmd.WriteToFile(*m.kubeconfig(name, address), path)
}
