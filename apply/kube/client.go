package kube

import (
	"net/http"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/transport"
)

// clientFor gives the finished client of a configuration, whose requests end with their
// contexts whatever stands in between. A credential plugin is run by a plugin of ours.
func clientFor(cfg *rest.Config) (*http.Client, error) {
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
	return &http.Client{Transport: covered{next}}, nil
}
