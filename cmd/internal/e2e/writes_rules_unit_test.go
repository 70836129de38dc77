package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// fable is a cluster that a test makes up: its objects by kind and name, at one
// place, and which Links the routers report up.
type fable struct {
	t       *testing.T
	check   *writeCheck
	objects map[string]*unstructured.Unstructured
	up      map[string]bool
	found   []string
}

var fablePlace = place{0, "shop"}

func newFable(t *testing.T) *fable {
	f := &fable{t: t, objects: map[string]*unstructured.Unstructured{}, up: map[string]bool{}}
	f.check = newWriteCheck(f, newRecord(), func(found finding) { f.found = append(f.found, found.rule.name) })
	f.there("sites", `{"metadata": {"name": "shop"}, "spec": {"linkAccess": "default"}, "status": {"controller": {"version": "2.2.1"}}}`)
	return f
}

func (f *fable) get(_ place, kind, name string) *unstructured.Unstructured {
	return f.objects[kind+"/"+name]
}

func (f *fable) list(_ place, kind string) (out []unstructured.Unstructured) {
	for _, key := range slices.Sorted(maps.Keys(f.objects)) {
		if strings.HasPrefix(key, kind+"/") {
			out = append(out, *f.objects[key])
		}
	}
	return out
}

func (f *fable) reportedUp(_ place, link, _ string) bool { return f.up[link] }

// object reads an object, whose UID is its name if it has none; numbers are as a client reads them.
func (f *fable) object(text string) *unstructured.Unstructured {
	f.t.Helper()
	o := &unstructured.Unstructured{}
	if err := json.Unmarshal([]byte(text), &o.Object); err != nil {
		f.t.Fatal(err)
	}
	o.SetAPIVersion("v1")
	o.SetKind("Any")
	data, err := json.Marshal(o.Object)
	if err != nil {
		f.t.Fatal(err)
	}
	if err := o.UnmarshalJSON(data); err != nil {
		f.t.Fatal(err)
	}
	if o.GetUID() == "" {
		o.SetUID(types.UID(o.GetName()))
	}
	return o
}

// there puts an object onto the cluster past the check, as a controller or a hand does.
func (f *fable) there(kind, text string) {
	o := f.object(text)
	f.objects[kind+"/"+o.GetName()] = o
}

// gone takes an object away past the check.
func (f *fable) gone(kind, name string) { delete(f.objects, kind+"/"+name) }

// writes makes a write of the command: a creation or update to what text says, a
// delete with "".
func (f *fable) writes(kind, name, text string) {
	f.t.Helper()
	key := kind + "/" + name
	c := change{place: fablePlace, kind: kind, name: name, path: "/" + key, before: f.objects[key]}
	switch {
	case text == "":
		c.method = http.MethodDelete
	case c.before == nil:
		c.method, c.after = http.MethodPost, f.object(text)
	default:
		c.method, c.after = http.MethodPatch, f.object(text)
		c.after.SetUID(c.before.GetUID())
	}
	found := f.check.judge(c)
	if c.after == nil {
		delete(f.objects, key)
	} else {
		f.objects[key] = c.after
	}
	f.check.accept(c, found)
}

func fableLink(name, more string) string {
	return fmt.Sprintf(`{"metadata": {"name": %q, "labels": {"fairlead.dev/link": "x"}}, "spec": {"cost": 1, "tlsCredentials": %q%s}}`, name, name, more)
}

// upLink is a Link that is operational.
func upLink(name string) string {
	return fmt.Sprintf(`{"metadata": {"name": %q, "generation": 1, "labels": {"fairlead.dev/link": "x"}}, "spec": {"tlsCredentials": %q},
		"status": {"conditions": [{"type": "Configured", "status": "True", "observedGeneration": 1},
			{"type": "Operational", "status": "True", "observedGeneration": 1}]}}`, name, name)
}

const proxied = `, "settings": {"proxy-configuration": "corp"}`

func fableSecret(name, data string) string {
	return fmt.Sprintf(`{"metadata": {"name": %q}, "type": "kubernetes.io/basic-auth", "data": {%s}}`, name, data)
}

const fableGrantWrite = `{"metadata": {"name": "g", "labels": {"fairlead.dev/link": "x"}}, "spec": {"redemptionsAllowed": 1}}`

func fableGrant(ready string, redemptions int) string {
	return fmt.Sprintf(`{"metadata": {"name": "g", "generation": 1, "labels": {"fairlead.dev/link": "x"}}, "spec": {"redemptionsAllowed": 1},
		"status": {"url": "https://grants/1", "redemptions": %d, "conditions": [{"type": "Ready", "status": %q, "observedGeneration": 1}]}}`, redemptions, ready)
}

func fableToken(name string) string {
	return fmt.Sprintf(`{"metadata": {"name": %q, "labels": {"fairlead.dev/link": "x"}}, "spec": {"url": "https://grants/1"}}`, name)
}

// redeems makes a token of a good grant, and its Link.
func (f *fable) redeems(name string) {
	f.writes("accessgrants", "g", fableGrantWrite)
	f.there("accessgrants", fableGrant("True", 0))
	f.writes("accesstokens", name, fableToken(name))
	f.there("links", fmt.Sprintf(`{"metadata": {"name": %q}, "spec": {"tlsCredentials": %q}}`, name, name))
	f.gone("accessgrants", "g")
}

// Each rule catches a sequence of writes that breaks it, and passes one that does
// not and looks like it.
func TestRulesOnWrites(t *testing.T) {
	t.Parallel()
	tried := map[string]bool{}
	for _, c := range []struct {
		rule, name string
		do         func(f *fable)
		want       int
	}{
		{"proxy Secret first", "no Secret", func(f *fable) { f.writes("links", "x", fableLink("x", proxied)) }, 1},
		{"proxy Secret first", "Secret first", func(f *fable) {
			f.writes("secrets", "corp", fableSecret("corp", `"username": ""`))
			f.writes("links", "x", fableLink("x", proxied))
		}, 0},
		{"proxy setting fixed", "added", func(f *fable) {
			f.there("links", fableLink("x", ""))
			f.there("secrets", fableSecret("corp", ""))
			f.writes("links", "x", fableLink("x", proxied))
		}, 1},
		{"proxy setting fixed", "removed", func(f *fable) {
			f.there("links", fableLink("x", proxied))
			f.writes("links", "x", fableLink("x", ""))
		}, 1},
		{"proxy setting fixed", "renamed", func(f *fable) {
			f.there("links", fableLink("x", proxied))
			f.writes("links", "x", fableLink("x", strings.ReplaceAll(proxied, "corp", "other")))
		}, 1},
		{"proxy setting fixed", "kept", func(f *fable) {
			f.there("links", fableLink("x", proxied))
			f.writes("links", "x", fableLink("x", proxied+`, "endpoints": []`))
		}, 0},
		{"proxy Secret fixed", "changed", func(f *fable) {
			f.there("links", fableLink("x", proxied))
			f.there("secrets", fableSecret("corp", `"username": "", "host": "YQ=="`))
			f.writes("secrets", "corp", fableSecret("corp", `"username": "", "host": "Yg=="`))
		}, 1},
		{"proxy Secret fixed", "deleted while used", func(f *fable) {
			f.there("links", fableLink("x", proxied))
			f.there("secrets", fableSecret("corp", `"username": ""`))
			f.writes("secrets", "corp", "")
		}, 1},
		{"proxy Secret fixed", "labelled, and deleted when unused", func(f *fable) {
			f.there("links", fableLink("x", proxied))
			f.there("secrets", fableSecret("corp", `"username": ""`))
			f.writes("secrets", "corp", fableSecret("corp", `"username": ""`))
			f.gone("links", "x")
			f.writes("secrets", "corp", "")
		}, 0},
		{"proxy username", "none", func(f *fable) { f.writes("secrets", "corp", fableSecret("corp", `"host": "YQ=="`)) }, 1},
		{"proxy username", "empty", func(f *fable) { f.writes("secrets", "corp", fableSecret("corp", `"username": ""`)) }, 0},
		{"name once", "deleted by the command", func(f *fable) {
			f.redeems("x")
			f.writes("links", "x", "")
			f.writes("links", "x", fableLink("x", ""))
		}, 1},
		{"name once", "deleted by hand, a token", func(f *fable) {
			f.redeems("x")
			f.writes("links", "x", fableLink("x", ""))
			f.gone("links", "x")
			f.gone("accesstokens", "x")
			f.redeems("x")
		}, 1},
		{"name once", "a fresh name, and a fresh Site", func(f *fable) {
			f.redeems("x")
			f.writes("links", "x", "")
			f.redeems("x-r2")
			f.there("sites", `{"metadata": {"name": "shop", "uid": "another"}}`)
			f.redeems("x")
		}, 0},
		{"touch", "a Link that was made", func(f *fable) {
			f.writes("links", "x", fableLink("x", ""))
			f.check.end(true)
		}, 1},
		{"touch", "a Link of a token, changed but for its metadata", func(f *fable) {
			f.redeems("x")
			f.writes("links", "x", `{"metadata": {"name": "x"}, "spec": {"tlsCredentials": "x", "cost": 2}}`)
			f.check.end(true)
		}, 1},
		{"touch", "one of an HA pair", func(f *fable) {
			f.redeems("x")
			f.gone("links", "x")
			f.there("links", `{"metadata": {"name": "x-1"}, "spec": {"tlsCredentials": "x"}}`)
			f.there("links", `{"metadata": {"name": "x-2"}, "spec": {"tlsCredentials": "x"}}`)
			f.writes("links", "x-2", `{"metadata": {"name": "x-2", "annotations": {"a": "b"}}, "spec": {"tlsCredentials": "x"}}`)
			f.check.end(true)
		}, 1},
		{"touch", "touched, or not done", func(f *fable) {
			f.redeems("x")
			f.check.end(false)
			f.check.begin()
			f.writes("links", "x", fableLink("x", ""))
			f.check.end(true)
		}, 0},
		{"touched no more than it takes", "the eleventh", func(f *fable) {
			f.there("links", `{"metadata": {"name": "x"}, "spec": {}}`)
			f.writes("links", "x", `{"metadata": {"name": "x", "annotations": {"fairlead.dev/touch": "11"}}, "spec": {}}`)
		}, 1},
		{"touched no more than it takes", "configured", func(f *fable) {
			f.there("links", `{"metadata": {"name": "x"}, "status": {"conditions": [{"type": "Configured", "status": "True"}]}}`)
			f.writes("links", "x", `{"metadata": {"name": "x", "annotations": {"fairlead.dev/touch": "1"}}, "spec": {}}`)
		}, 1},
		{"touched no more than it takes", "the tenth", func(f *fable) {
			f.there("links", `{"metadata": {"name": "x"}, "spec": {}}`)
			f.writes("links", "x", `{"metadata": {"name": "x", "annotations": {"fairlead.dev/touch": "10"}}, "spec": {}}`)
		}, 0},
		{"good grant", "none", func(f *fable) { f.writes("accesstokens", "x", fableToken("x")) }, 1},
		{"good grant", "not Ready", func(f *fable) {
			f.writes("accessgrants", "g", fableGrantWrite)
			f.there("accessgrants", fableGrant("False", 0))
			f.writes("accesstokens", "x", fableToken("x"))
		}, 1},
		{"good grant", "spent", func(f *fable) {
			f.writes("accessgrants", "g", fableGrantWrite)
			f.there("accessgrants", fableGrant("True", 1))
			f.writes("accesstokens", "x", fableToken("x"))
		}, 1},
		{"good grant", "good", func(f *fable) { f.redeems("x") }, 0},
		{ruleNamesFree, "Secret", func(f *fable) {
			f.there("secrets", fableSecret("x", ""))
			f.redeems("x")
		}, 1},
		{ruleNamesFree, "Link", func(f *fable) {
			f.there("links", fableLink("x", ""))
			f.redeems("x")
		}, 1},
		{ruleNamesFree, "Link of an HA site", func(f *fable) {
			f.there("sites", `{"metadata": {"name": "shop"}, "spec": {"ha": true}}`)
			f.there("links", fableLink("x-2", ""))
			f.redeems("x")
		}, 1},
		{ruleNamesFree, "Link like that of an HA site", func(f *fable) {
			f.there("links", fableLink("x-2", ""))
			f.redeems("x")
		}, 0},
		{"credentials fixed", "token", func(f *fable) {
			f.redeems("x")
			f.writes("accesstokens", "x", fableToken("x"))
		}, 1},
		{"credentials fixed", "grant", func(f *fable) {
			f.there("accessgrants", fableGrant("True", 0))
			f.writes("accessgrants", "g", fableGrant("True", 0))
			f.writes("accessgrants", "g", "")
		}, 1},
		{"no status", "of a Link", func(f *fable) {
			c := change{place: fablePlace, method: http.MethodPatch, kind: "links", name: "x", sub: "status"}
			f.check.accept(c, f.check.judge(c))
		}, 1},
		{"reserved names", "Secret", func(f *fable) { f.writes("secrets", "skupper-router-1", `{"metadata": {"name": "skupper-router-1"}}`) }, 1},
		{"reserved names", "Link", func(f *fable) {
			f.there("links", fableLink("auto-mesh-x", ""))
			f.writes("links", "auto-mesh-x", "")
		}, 1},
		{"live edits", "cost, old", func(f *fable) {
			f.there("sites", `{"metadata": {"name": "shop"}, "status": {"controller": {"version": "2.1.3"}}}`)
			f.there("links", fableLink("x", ""))
			f.writes("links", "x", strings.Replace(fableLink("x", ""), `"cost": 1`, `"cost": 2`, 1))
		}, 1},
		{"live edits", "endpoints, old", func(f *fable) {
			f.there("sites", `{"metadata": {"name": "shop"}, "status": {"controller": {"version": "v1.9"}}}`)
			f.there("links", fableLink("x", ""))
			f.writes("links", "x", fableLink("x", `, "endpoints": [{"host": "a"}]`))
		}, 1},
		{"live edits", "cost, new and unknown; label, old", func(f *fable) {
			f.there("links", fableLink("x", ""))
			f.writes("links", "x", strings.Replace(fableLink("x", ""), `"cost": 1`, `"cost": 2`, 1))
			f.there("sites", `{"metadata": {"name": "shop"}}`)
			f.writes("links", "x", fableLink("x", ""))
			f.there("sites", `{"metadata": {"name": "shop"}, "status": {"controller": {"version": "2.1.3"}}}`)
			f.writes("links", "x", strings.Replace(fableLink("x", ""), `"name"`, `"annotations": {"a": "b"}, "name"`, 1))
		}, 0},
		{"edge", "while it listens", func(f *fable) {
			f.writes("sites", "shop", `{"metadata": {"name": "shop"}, "spec": {"edge": true}}`)
		}, 1},
		{"edge", "with ha", func(f *fable) {
			f.there("sites", `{"metadata": {"name": "shop"}, "spec": {"linkAccess": "none"}}`)
			f.writes("sites", "shop", `{"metadata": {"name": "shop"}, "spec": {"edge": true, "ha": true}}`)
		}, 1},
		{"edge", "of one that only connects, and back", func(f *fable) {
			f.there("sites", `{"metadata": {"name": "shop"}, "spec": {"linkAccess": "none"}}`)
			f.writes("sites", "shop", `{"metadata": {"name": "shop"}, "spec": {"edge": true}}`)
			f.writes("sites", "shop", `{"metadata": {"name": "shop"}, "spec": {"linkAccess": "default"}}`)
		}, 0},
		{ruleMakeBeforeBreak, "the new one is not operational", func(f *fable) {
			f.there("links", upLink("x"))
			f.redeems("x-r2")
			f.writes("links", "x-r2", fableLink("x-r2", ""))
			f.writes("links", "x", "")
		}, 1},
		{ruleMakeBeforeBreak, "the routers do not report the new one", func(f *fable) {
			f.there("links", upLink("x"))
			f.redeems("x-r2")
			f.there("links", upLink("x-r2"))
			f.writes("links", "x", "")
		}, 1},
		{ruleMakeBeforeBreak, "the new one carries", func(f *fable) {
			f.there("links", upLink("x"))
			f.redeems("x-r2")
			f.there("links", upLink("x-r2"))
			f.up["x-r2"] = true
			f.writes("links", "x", "")
		}, 0},
		{ruleMakeBeforeBreak, "the new one is of an apply that was killed", func(f *fable) {
			f.there("links", upLink("x"))
			f.redeems("x-r2")
			f.writes("links", "x-r2", fableLink("x-r2", ""))
			f.check.begin()
			f.writes("links", "x", "")
			f.check.end(true)
		}, 1},
		{ruleMakeBeforeBreak, "all of the link goes", func(f *fable) {
			f.there("links", upLink("x-1"))
			f.there("links", upLink("x-2"))
			f.writes("links", "x-1", "")
			f.writes("links", "x-2", "")
			f.check.end(true)
		}, 0},
		{ruleMakeBeforeBreak, "what failed goes", func(f *fable) {
			f.redeems("x")
			f.writes("links", "x", "")
			f.redeems("x-r2")
		}, 0},
		{ruleMakeBeforeBreak, "the old path was not operational", func(f *fable) {
			f.there("links", fableLink("x", ""))
			f.redeems("x-r2")
			f.writes("links", "x", "")
		}, 1},
		{ruleMakeBeforeBreak, "the test killed the old path", func(f *fable) {
			f.check.oldPathsAreDead(true)
			f.there("links", fableLink("x", ""))
			f.redeems("x-r2")
			f.writes("links", "x", "")
		}, 0},
		{ruleMakeBeforeBreak, "the test killed another path", func(f *fable) {
			f.check.oldPathsAreDead(true)
			f.there("links", upLink("x"))
			f.redeems("x-r2")
			f.writes("links", "x", "")
		}, 1},
	} {
		tried[c.rule] = tried[c.rule] || c.want > 0
		t.Run(c.rule+": "+c.name, func(t *testing.T) {
			t.Parallel()
			f := newFable(t)
			c.do(f)
			got := 0
			for _, name := range f.found {
				if name == c.rule {
					got++
				}
			}
			if got != c.want {
				t.Errorf("found %q, want %d times %q", f.found, c.want, c.rule)
			}
		})
	}
	for _, r := range rules {
		if !tried[r.name] {
			t.Errorf("nothing shows that the rule %q catches anything", r.name)
		}
	}
}

// A rule that a test allows to be broken is not reported.
func TestAllowedRule(t *testing.T) {
	t.Parallel()
	f := newFable(t)
	f.check.allow("reserved names")
	f.writes("secrets", "auto-mesh", `{"metadata": {"name": "auto-mesh"}}`)
	if len(f.found) > 0 {
		t.Errorf("found %q", f.found)
	}
}

// What the rules go by is read from the request as it is sent.
func TestChangeOf(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/api/v1/namespaces":                                               "- - -",
		"/api/v1/namespaces/a":                                             "- - -",
		"/api/v1/namespaces/a/secrets":                                     "a secrets  ",
		"/api/v1/namespaces/a/secrets/b":                                   "a secrets b ",
		"/apis/skupper.io/v2alpha1/namespaces/a/links/b/status":            "a links b status",
		"/apis/skupper.io/v2alpha1/namespaces/a/accesstokens":              "a accesstokens  ",
		"/apis/authorization.k8s.io/v1/selfsubjectaccessreviews":           "- - -",
		"/apis/coordination.k8s.io/v1/namespaces/a/leases/fairlead-retail": "a leases fairlead-retail ",
	} {
		c, ok := changeOf(0, http.MethodPost, path)
		got := "- - -"
		if ok {
			got = strings.Join([]string{c.namespace, c.kind, c.name, c.sub}, " ")
		}
		if got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
	if _, ok := changeOf(0, http.MethodGet, "/api/v1/namespaces/a/secrets/b"); ok {
		t.Error("a read is taken for a write")
	}
}
