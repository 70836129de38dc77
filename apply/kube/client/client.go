// Package client makes the HTTP client of a kubeconfig: its requests bear what the user there
// has, also what a credential plugin gives, which it runs itself, and end with their contexts.
package client

import (
	"net/http"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/transport"

	"fairlead.dev/fairlead/apply/kube/request"
)

// For gives the finished client of a configuration, whose requests end with their
// contexts whatever stands in between. A credential plugin is run by a plugin of ours.
func For(cfg *rest.Config) (*http.Client, error) {
	own := rest.CopyConfig(cfg)
	own.ExecProvider = nil
	conf, err := own.TransportConfig()
	if err != nil {
		return nil, err
	}
	if cfg.ExecProvider != nil {
		p, err := pluginFor(cfg)
		if err != nil {
			return nil, err
		}
		p.join(conf)
	}
	next, err := transport.New(conf)
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: request.Covered{Next: next}}, nil
}
