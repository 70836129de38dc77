package e2e

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// A grant that was made by hand, and the site that somebody linked with it, are told by
// drift; the code of the grant is not.
func TestGrantAndSiteOfOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, links := hubAndSpoke()
	w.applied(sites, links)
	w.settled(sites, links)
	w.healthy()
	const code = "opensesame"
	w.create(0, "accessgrants", skupperObject("AccessGrant", w.ns("hub"), "by-hand",
		map[string]any{"redemptionsAllowed": 2, "expirationWindow": "720h", "code": code}))
	w.tells(0, "unmanaged-grant", "site/hub")
	var grant *unstructured.Unstructured
	w.eventually("the grant has its URL", func() bool {
		grant = w.get(0, w.ns("hub"), "accessgrants", "by-hand")
		return textOf(grant, "status", "url") != ""
	})
	if o := w.must(0, "drift"); !strings.Contains(o.out, "2 times") || strings.Contains(o.out+o.errOut, code) {
		t.Errorf("%s", o.out)
	}

	w.namespace(1, "stranger", nil)
	w.create(1, "sites", skupperObject("Site", w.ns("stranger"), "stranger", map[string]any{}))
	w.create(1, "accesstokens", skupperObject("AccessToken", w.ns("stranger"), "in", map[string]any{
		"url": textOf(grant, "status", "url"), "code": code, "ca": textOf(grant, "status", "ca"),
	}))
	w.eventually("the stranger has a Link", func() bool { return w.get(1, w.ns("stranger"), "links", "in") != nil })
	w.annotate(1, w.ns("stranger"), "links", "in", "example.com/touched", "true")
	w.tells(0, "unmanaged-site", "site/hub")
	if o := w.must(0, "drift"); !strings.Contains(o.out, w.ns("stranger")) || !strings.Contains(o.out, "once") {
		t.Errorf("%s", o.out)
	}
	w.remove(0, w.ns("hub"), "accessgrants", "by-hand")
	w.remove(1, w.ns("stranger"), "sites", "stranger")
	w.healthy()
}

func skupperObject(kind, namespace, name string, spec map[string]any) map[string]any {
	return map[string]any{
		"apiVersion": "skupper.io/v2alpha1", "kind": kind,
		"metadata": map[string]any{"namespace": namespace, "name": name}, "spec": spec,
	}
}
