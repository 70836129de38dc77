package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/clientcmd"
)

// ward is a world whose commands run as somebody with the Roles that rbac prints for
// one command, and no other rights.
type ward struct {
	*world
	scope string
	// round gives sites new namespaces where rights do not depend on them.
	round int
	// printed are the rights of the present user.
	printed []printed
	user    string
}

// printed is one verb on one resource of a rule: as little as can be taken away.
type printed struct {
	cluster               int
	kind, namespace, role string
	rule                  int
	group, resource, verb string
	names                 []string
}

func (p printed) String() string {
	where := "everywhere"
	if p.namespace != "" {
		where = "in " + p.namespace
	}
	return fmt.Sprintf("%s %s %v %s on %s", p.verb, p.resource, p.names, where, contextName(p.cluster))
}

// become gives a user of its own the Roles that rbac prints for the command, and lets
// the world's commands run as that user.
func (w *ward) become(command string) {
	w.t.Helper()
	w.user = w.name + "-" + w.scope + "-" + command
	delete(w.env, "KUBECONFIG")
	o := w.must(0, "rbac", "--for", command, "--scope", w.scope, "--user", w.user, "--format", "json")
	var list struct{ Items []unstructured.Unstructured }
	if err := json.Unmarshal([]byte(o.out), &list); err != nil {
		w.t.Fatal(err)
	}
	w.printed = nil
	for _, item := range list.Items {
		cluster := slices.Index([]string{"one", "two"}, item.GetAnnotations()["fairlead.dev/cluster"])
		w.put(cluster, &item)
		w.printed = append(w.printed, atoms(w.t, cluster, item)...)
	}
	w.impersonate()
	last := w.printed[len(w.printed)-1]
	w.eventually("the Roles are in force", func() bool { return w.allowed(last) })
}

// impersonate writes a kubeconfig of the user, and where the description looks for one
// in a Secret, that.
func (w *ward) impersonate() {
	w.t.Helper()
	kc, err := clientcmd.LoadFromFile(w.kubeconfig)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, who := range kc.AuthInfos {
		who.Impersonate = w.user
	}
	text, err := clientcmd.Write(*kc)
	if err != nil {
		w.t.Fatal(err)
	}
	file := filepath.Join(filepath.Dir(w.kubeconfig), "as-"+w.user)
	writeFile(w.t, file, string(text))
	w.env["KUBECONFIG"] = file
	w.secret("two", map[string]string{"kubeconfig": string(text)})
}

// secret writes a Secret of the vault on cluster one.
func (w *ward) secret(name string, data map[string]string) {
	w.t.Helper()
	object := map[string]any{}
	for k, v := range data {
		object[k] = v
	}
	w.put(0, &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Secret", "stringData": object,
		"metadata": map[string]any{"namespace": w.ns("vault"), "name": name},
	}})
}

// put makes or replaces an object, past the wires and with all rights.
func (w *world) put(cluster int, o *unstructured.Unstructured) {
	w.t.Helper()
	r := w.dyn[cluster].Resource(resourceOf(o)).Namespace(o.GetNamespace())
	o = o.DeepCopy()
	o.SetResourceVersion("")
	_, err := r.Create(context.Background(), o, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		var live *unstructured.Unstructured
		if live, err = r.Get(context.Background(), o.GetName(), metav1.GetOptions{}); err == nil {
			o.SetResourceVersion(live.GetResourceVersion()) // a Lease cannot be replaced without
			_, err = r.Update(context.Background(), o, metav1.UpdateOptions{})
		}
	}
	if err != nil {
		w.t.Fatal(err)
	}
	if o.GetNamespace() == "" {
		w.t.Cleanup(func() {
			_ = w.dyn[cluster].Resource(resourceOf(o)).Delete(context.Background(), o.GetName(), metav1.DeleteOptions{})
		})
	}
}

func resourceOf(o *unstructured.Unstructured) schema.GroupVersionResource {
	gv, err := schema.ParseGroupVersion(o.GetAPIVersion())
	if err != nil {
		return schema.GroupVersionResource{}
	}
	if kind, ok := strings.CutSuffix(strings.ToLower(o.GetKind()), "y"); ok {
		return gv.WithResource(kind + "ies")
	}
	return gv.WithResource(strings.ToLower(o.GetKind()) + "s")
}

// atoms takes the rules of a role apart; a binding has none.
func atoms(t testing.TB, cluster int, o unstructured.Unstructured) []printed {
	t.Helper()
	rules, _, _ := unstructured.NestedSlice(o.Object, "rules")
	var out []printed
	for i, r := range rules {
		text := func(key string) []string {
			list, _, err := unstructured.NestedStringSlice(r.(map[string]any), key)
			if err != nil {
				t.Fatal(err)
			}
			return list
		}
		for _, resource := range text("resources") {
			for _, verb := range text("verbs") {
				out = append(out, printed{
					cluster: cluster, kind: o.GetKind(), namespace: o.GetNamespace(), role: o.GetName(), rule: i,
					group: text("apiGroups")[0], resource: resource, verb: verb, names: text("resourceNames"),
				})
			}
		}
	}
	return out
}

// take takes one right away, or gives it back, and waits until that is in force.
func (w *ward) take(p printed, away bool) {
	w.t.Helper()
	rules := map[int][]any{}
	for _, other := range w.printed {
		same := other.cluster == p.cluster && other.namespace == p.namespace && other.kind == p.kind
		if !same || away && other.rule == p.rule && other.resource == p.resource && other.verb == p.verb {
			continue
		}
		rule := map[string]any{"apiGroups": []any{other.group}, "resources": []any{other.resource}, "verbs": []any{other.verb}}
		if len(other.names) > 0 {
			names := []any{}
			for _, n := range other.names {
				names = append(names, n)
			}
			rule["resourceNames"] = names
		}
		rules[0] = append(rules[0], rule)
	}
	r := w.dyn[p.cluster].Resource(schema.GroupVersionResource{
		Group: "rbac.authorization.k8s.io", Version: "v1", Resource: strings.ToLower(p.kind) + "s",
	}).Namespace(p.namespace)
	role, err := r.Get(context.Background(), p.role, metav1.GetOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	role.Object["rules"] = rules[0]
	if _, err := r.Update(context.Background(), role, metav1.UpdateOptions{}); err != nil {
		w.t.Fatal(err)
	}
	w.eventually(fmt.Sprintf("%s: away %t", p, away), func() bool { return w.allowed(p) != away })
}

// allowed asks the API server whether the user has the right.
func (w *ward) allowed(p printed) bool {
	w.t.Helper()
	attributes := map[string]any{"namespace": p.namespace, "verb": p.verb, "group": p.group, "resource": p.resource}
	if len(p.names) > 0 {
		attributes["name"] = p.names[0]
	}
	review := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
		"spec": map[string]any{"user": w.user, "groups": []any{"system:authenticated"}, "resourceAttributes": attributes},
	}}
	answer, err := w.dyn[p.cluster].Resource(resourceOf(review)).Create(context.Background(), review, metav1.CreateOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	allowed, _, _ := unstructured.NestedBool(answer.Object, "status", "allowed")
	return allowed
}

var requestPath = regexp.MustCompile(`^/(?:api|apis/([^/]+))/[^/]+(?:/namespaces/([^/]+))?/([^/]+)(?:/([^/]+))?$`)

// uses reports whether a request needs the right.
func (p printed) uses(r request) bool {
	m := requestPath.FindStringSubmatch(r.Path)
	if m == nil || m[1] != p.group || m[3] != p.resource || r.cluster != p.cluster {
		return false
	}
	namespace, name := m[2], m[4]
	if p.resource == "namespaces" {
		namespace = name
	}
	query, err := url.ParseQuery(r.Query)
	if err != nil {
		return false
	}
	if one, ok := strings.CutPrefix(query.Get("fieldSelector"), "metadata.name="); ok {
		name = one
	}
	created := r.Method == http.MethodPatch && r.Status == http.StatusCreated
	verb := map[string]string{
		http.MethodPost: "create", http.MethodPut: "update", http.MethodPatch: "patch", http.MethodDelete: "delete",
	}[r.Method]
	switch {
	case r.isWatch():
		verb = "watch"
	case r.Method == http.MethodGet && m[4] == "":
		verb = "list"
	case r.Method == http.MethodGet:
		verb = "get"
	}
	return (verb == p.verb || created && p.verb == "create") && (p.namespace == "" || p.namespace == namespace) &&
		(len(p.names) == 0 || slices.Contains(p.names, name))
}

// layout says which parts of the network that uses everything are described, and how.
type layout struct {
	hub, gate, shop, office     bool
	token, certificate, proxied bool
	// past and old are sites of either cluster that are only described at first.
	past, old bool
	// overlay is a text in a ConfigMap of shop's overlay; empty for no overlay.
	overlay                 string
	rotation, tokenRotation int
	cost                    int
	unprotected             bool
}

// everything is the layout that rights are printed for.
func everything() layout {
	return layout{hub: true, gate: true, shop: true, office: true, token: true, certificate: true, proxied: true, overlay: "one", cost: 2}
}

// draw writes the description of a layout: two listening sites on cluster one, of which
// the first has two routers and is protected, and two connecting ones on cluster two.
// Cluster two's kubeconfig and the proxy's user are in Secrets of cluster one.
func (w *ward) draw(l layout, p proxy) {
	w.t.Helper()
	site := func(there bool, name, cluster, extra string) string {
		if !there {
			return ""
		}
		return fmt.Sprintf("\t%s: {cluster: %q, namespace: %q%s}\n", name, cluster, w.at(name), extra)
	}
	link := func(there bool, name, from, to, extra string) string {
		if !there {
			return ""
		}
		return fmt.Sprintf("\t%q: {from: %q, to: %q, cost: %d%s}\n", name, from, to, max(l.cost, 1), extra)
	}
	overlay := ""
	if l.overlay != "" {
		overlay = `, overlay: "extra"`
		resources := "[conf.yaml, listener.yaml]"
		if l.overlay == "alone" {
			resources = "[conf.yaml]"
		}
		w.file("extra/kustomization.yaml", "resources: "+resources)
		w.file("extra/conf.yaml", fmt.Sprintf("{apiVersion: v1, kind: ConfigMap, metadata: {name: conf}, data: {which: %q}}", l.overlay))
		w.file("extra/listener.yaml", overlayListener)
	}
	text := fmt.Sprintf(`package test

network: %q
policy: deletes: {sites: 10, links: 10, percent: 100}
clusters: {
	one: context: %q
	two: {context: %q, kubeconfig: kubernetes: {cluster: "one", namespace: %q, name: "two", key: "kubeconfig"}}
}
`, w.name, contextName(0), contextName(1), w.ns("vault"))
	text += "sites: {\n" +
		site(l.hub, "hub", "one", fmt.Sprintf(`, linkAccess: "default", ha: true, protect: %t`, !l.unprotected)) +
		site(l.gate, "gate", "one", `, linkAccess: "default"`) +
		site(l.shop, "shop", "two", overlay) + site(l.office, "office", "two", "") + site(l.past, "past", "one", "") + site(l.old, "old", "two", "") +
		"}\nlinks: {\n" +
		link(l.token, "shop-gate", "shop", "gate", fmt.Sprintf(", rotation: %d", max(l.tokenRotation, 1))) +
		link(l.certificate, "office-hub", "office", "hub", fmt.Sprintf(`, via: "certificate", rotation: %d`, max(l.rotation, 1))) +
		link(l.proxied, "office-gate", "office", "gate", fmt.Sprintf(`, proxy: "corp", rotation: %d`, max(l.rotation, 1))) + "}\n"
	if l.proxied {
		ref := fmt.Sprintf("kubernetes: {cluster: \"one\", namespace: %q, name: \"corp\", key: ", w.ns("vault"))
		text += fmt.Sprintf("proxies: corp: {host: %q, port: %d, username: %s\"user\"}, password: %s\"password\"}}\n", p.host, p.port, ref, ref)
	}
	writeFile(w.t, filepath.Join(w.dir, "net.cue"), text)
}

// at is the namespace of a site.
func (w *ward) at(site string) string {
	if w.round > 0 && w.scope == "cluster" {
		return fmt.Sprintf("%s-%d", w.ns(site), w.round)
	}
	return w.ns(site)
}

// newWard is a world with a vault, and for rights in namespaces with all namespaces.
func newWard(t *testing.T, scope string) (*ward, proxy) {
	t.Helper()
	p := startProxy(t, "alice", "canary1")
	w := &ward{world: newWorld(t), scope: scope}
	w.env = map[string]string{}
	w.namespace(0, "vault", nil)
	if scope == "namespace" {
		for cluster, sites := range [][]string{{"hub", "gate", "past"}, {"shop", "office", "old"}} {
			for _, s := range sites {
				w.namespace(cluster, s, nil)
			}
		}
	}
	w.secret("corp", map[string]string{"user": "alice", "password": "canary1"})
	w.user = ""
	w.impersonate()
	return w, p
}

// bothScopes runs a test for rights across the cluster and in namespaces.
func bothScopes(t *testing.T, f func(t *testing.T, scope string)) {
	for _, scope := range []string{"cluster", "namespace"} {
		t.Run(scope, func(t *testing.T) {
			t.Parallel()
			f(t, scope)
		})
	}
}
