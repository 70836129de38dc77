package e2e

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fairlead.dev/fairlead/plan"
	planworld "fairlead.dev/fairlead/plan/world"
)

// stage is one change of the network, and what somebody else does to it before.
type stage struct {
	name string
	next func(l *layout)
	// meddle and after are done once, with all rights, before and after it.
	meddle, after func(w *ward)
	// held names objects by site, kind and how their names begin, "shop configmaps conf",
	// which finalizers keep while they are waited for. NAME stands for the network's.
	held []string
	// args are further flags of the apply.
	args []string
}

// quietStage is one after which all sites and links are there.
const quietStage = "certificate re-keyed"

// lockStage waits for the lock of a run that died.
const lockStage = "locked by a dead run"

// stages are a life of the network: each part of it comes up by itself, changes in all
// ways that take other rights, and goes.
var stages = []stage{
	{name: "hub", next: func(l *layout) { *l = layout{hub: true} }},
	{name: "gate", held: []string{"gate namespaces"}, meddle: func(w *ward) { w.goingNamespace("gate") }, next: func(l *layout) { l.gate = true }},
	{name: "shop", next: func(l *layout) { l.shop = true }},
	{name: "office", held: []string{"office namespaces"}, meddle: func(w *ward) { w.goingNamespace("office") }, next: func(l *layout) { l.office = true }},
	{name: "overlay", next: func(l *layout) { l.overlay = "one" }},
	{name: "overlay changed", next: func(l *layout) { l.overlay = "two" }},
	{name: "link by token", next: func(l *layout) { l.token = true }},
	{name: "link by certificate", next: func(l *layout) { l.certificate = true }},
	{name: "link through a proxy", next: func(l *layout) { l.proxied = true }},
	{name: "interrupted", next: func(l *layout) { l.rotation = 2 }, meddle: interruptedCertificate},
	{name: lockStage, meddle: func(w *ward) {
		w.heldLock(0, 5)
		w.heldLock(1, 10) // longer: the time that passes for one counts for all
	}, args: []string{"--lock-timeout", "2m"}},
	{name: "cost", next: func(l *layout) { l.cost = 5 }},
	{name: "token re-keyed", next: func(l *layout) { l.tokenRotation = 2 }},
	{name: quietStage, next: func(l *layout) { l.rotation = 3 }},
	{name: "Link of one router lost", meddle: func(w *ward) {
		links := w.list(1, w.at("office"), "links", plan.LabelLink+"=office-hub")
		w.remove(1, w.at("office"), "links", links[0].GetName())
	}},
	{name: "labels of credentials lost", meddle: func(w *ward) {
		for _, s := range w.list(1, w.at("office"), "secrets", plan.LabelLink+"=office-hub") {
			w.patch(1, w.at("office"), "secrets", s.GetName(), unlabelled)
		}
	}},
	{name: "access switched on at shop", meddle: func(w *ward) { w.openAccess("shop") }},
	{name: "access switched on at office", meddle: func(w *ward) { w.openAccess("office") }},
	{name: "overlay without its Listener", held: []string{"shop listeners backend"}, next: func(l *layout) { l.overlay = "alone" }},
	{name: "no overlay", held: []string{"shop configmaps conf"}, next: func(l *layout) { l.overlay = "" }},
	{name: "no link by token", next: func(l *layout) { l.token = false }},
	{name: "no other links", next: func(l *layout) { l.certificate, l.proxied = false, false },
		held: []string{"hub secrets NAME-office-", "gate secrets NAME-office-"}}, // the garbage collector would be faster
	{name: "no shop", held: []string{"shop configmaps fairlead-NAME"}, next: func(l *layout) { l.shop = false }},
	{name: "no office", held: []string{"office configmaps fairlead-NAME"}, next: func(l *layout) { l.office = false }},
	{name: "no gate", held: []string{"gate configmaps fairlead-NAME"}, next: func(l *layout) { l.gate = false }},
}

// With the Roles that are printed for it, apply carries the network through its life;
// without any one right it fails where that is used. Rights are taken away stage by
// stage, as an apply that failed is finished by the next one.
func TestApplyRights(t *testing.T) {
	t.Parallel()
	bothScopes(t, func(t *testing.T, scope string) {
		w, p := newWard(t, scope)
		w.draw(everything(), p)
		w.become("apply")
		life := &life{ward: w, proxy: p, lost: map[string]bool{}, tries: map[string]int{}}
		life.live()
		life.choose()
		for round := 1; len(life.open) > 0; round++ {
			if round > 6 {
				for _, right := range life.open {
					t.Errorf("apply loses nothing without the right to %s", right)
				}
				break
			}
			life.reset()
			life.live()
		}
		t.Logf("took away %d of %d rights", len(life.lost), len(w.printed))
		w.unlocks(p)
	})
}

// life is a network that is led through the stages.
type life struct {
	*ward
	proxy proxy
	// used lists for each stage the rights that it uses, in the order of their first use.
	used map[string][]printed
	// open are rights of which it is not shown yet that something fails without them.
	open []printed
	lost map[string]bool
	// tries counts how often a right was taken away.
	tries map[string]int
}

// live goes through the stages once. The first time it notes which rights each uses;
// later it takes away those of a stage that are open.
func (l *life) live() {
	l.t.Helper()
	learning := l.used == nil
	if learning {
		l.used = map[string][]printed{}
	}
	if !l.locks() {
		l.leases() // an apply that holds locks writes them itself
	}
	var now layout
	for _, s := range stages {
		if s.name == lockStage && !l.locks() {
			continue
		}
		if s.next != nil {
			s.next(&now)
		}
		l.draw(now, l.proxy)
		if s.meddle != nil {
			s.meddle(l.ward)
		}
		for _, h := range l.heldBy(s) {
			l.finalizers(h, []string{"fairlead.dev/test"})
		}
		if !learning {
			l.stage(s)
		}
		before := len(l.requests())
		if o := l.apply(s); o.code != 0 {
			l.t.Fatalf("%s: exit %d with all printed rights\n%s\n%s", s.name, o.code, o.out, o.errOut)
		}
		if o := l.run("plan", "--detailed-exitcode"); o.code != 0 {
			l.t.Fatalf("%s: exit %d of a plan afterwards\n%s\n%s", s.name, o.code, o.out, o.errOut)
		}
		if s.after != nil {
			s.after(l.ward)
		}
		if s.name == quietStage && !learning {
			l.quiet()
		}
		if learning {
			l.refusals(l.requests()[before:])
			l.learn(s.name, l.requests()[before:])
		}
	}
}

// learn notes the rights that a stage's requests used.
func (l *life) learn(stage string, seen []request) {
	for _, r := range seen {
		for _, right := range l.printed {
			if right.uses(r) && !slices.ContainsFunc(l.used[stage], func(o printed) bool { return o.String() == right.String() }) {
				l.used[stage] = append(l.used[stage], right)
			}
		}
	}
}

// choose picks the rights that are taken away: all, or a sample. One that no stage used
// is too much.
func (l *life) choose() {
	l.t.Helper()
	for i, right := range l.printed {
		used := false
		if right.resource == "leases" && !l.locks() {
			continue
		}
		for _, list := range l.used {
			used = used || slices.ContainsFunc(list, func(o printed) bool { return o.String() == right.String() })
		}
		if !used {
			l.t.Errorf("nothing uses the right to %s", right)
		} else if sampled(i, len(l.printed), 12) {
			l.open = append(l.open, right)
		}
	}
}

// quiet takes away, while there is nothing to do, what is only for looking: without the
// right to list something nothing can be planned, and without the one to look at a
// namespace the plan does not say which cluster it is for.
func (l *life) quiet() {
	l.t.Helper()
	l.open = slices.DeleteFunc(l.open, func(right printed) bool {
		namespace := right.resource == "namespaces"
		if right.resource == "leases" || !(right.verb == "list" || namespace && right.verb == "get") {
			return false
		}
		l.take(right, true)
		o := l.run("apply", "--yes", "--format", "json")
		l.take(right, false)
		var p plan.Plan
		if err := json.Unmarshal([]byte(o.out), &p); err != nil && o.code == 0 {
			l.t.Error(err)
		}
		lost := o.code != 0 && !namespace || o.code == 0 && namespace && p.Clusters[right.cluster].UID == ""
		if !lost {
			l.t.Errorf("without the right to %s: exit %d\n%s", right, o.code, o.errOut)
		}
		l.lost[right.String()] = true
		return true
	})
}

// stage takes away each open right that the stage uses, in the order of use: what comes
// before it is done then, and it is what the apply fails at.
func (l *life) stage(s stage) {
	l.t.Helper()
	list := slices.Clone(l.used[s.name])
	slices.SortStableFunc(list, func(a, b printed) int { return cmp.Compare(l.tries[a.String()], l.tries[b.String()]) })
	for _, right := range list {
		i := slices.IndexFunc(l.open, func(o printed) bool { return o.String() == right.String() })
		if i < 0 || right.verb == "list" && right.resource != "leases" || right.resource == "namespaces" && right.verb == "get" {
			continue
		}
		l.tries[right.String()]++
		before := len(l.requests())
		l.take(right, true)
		o := l.apply(s)
		l.take(right, false)
		if right.resource == "leases" {
			l.freeLocks() // who may not change a lock cannot free it either
		}
		if o.code == 0 {
			break // what it is for was done before it was taken away; another round shows it
		}
		if !slices.ContainsFunc(l.requests()[before:], func(r request) bool { return r.Status == http.StatusForbidden && r.isOf(right) }) {
			l.t.Errorf("%s without the right to %s: exit %d, but nothing was refused\n%s", s.name, right, o.code, o.errOut)
		}
		l.lost[right.String()] = true
		l.open = slices.Delete(l.open, i, i+1)
	}
}

// isOf reports whether a refused request is of the resource that the right is about: a
// server-side apply that would create is refused as such.
func (r request) isOf(p printed) bool {
	m := requestPath.FindStringSubmatch(r.Path)
	return m != nil && m[1] == p.group && m[3] == p.resource && r.cluster == p.cluster
}

// apply runs one; a finalizer that holds an object is taken off once somebody watches,
// and in the end where the object is on its way out.
func (l *life) apply(s stage) outcome {
	l.late.start()
	defer l.late.stop()
	args := append([]string{"apply", "--yes", "--timeout", "3m"}, s.args...)
	if len(s.held) == 0 {
		return l.run(args...)
	}
	held, before := l.heldBy(s), len(l.requests())
	ended := make(chan outcome, 1)
	go func() { ended <- l.run(args...) }()
	l.eventually(fmt.Sprintf("somebody watches %q", s.held), func() bool {
		seen := l.requests()[before:]
		held = slices.DeleteFunc(held, func(h heldObject) bool {
			watched := slices.ContainsFunc(seen, h.watchedBy)
			if watched {
				l.finalizers(h, nil)
			}
			return watched
		})
		return len(ended) > 0 || len(held) == 0
	})
	o := <-ended
	for _, h := range l.heldBy(s) {
		l.finalizers(h, nil)
	}
	return o
}

// watchedBy reports whether a request watches such an object.
func (h heldObject) watchedBy(r request) bool {
	there := h.namespace == "" || strings.Contains(r.Path, "/namespaces/"+h.namespace+"/")
	return there && r.isWatch() && r.resource() == h.kind && strings.Contains(r.Query, h.name)
}

// heldObject is where objects are that finalizers keep.
type heldObject struct {
	cluster               int
	namespace, kind, name string
}

func (l *life) heldBy(s stage) (out []heldObject) {
	for _, text := range s.held {
		parts := append(strings.Fields(strings.ReplaceAll(text, "NAME", l.name)), "")
		h := heldObject{namespace: l.at(parts[0]), kind: parts[1], name: parts[2]}
		if parts[0] == "shop" || parts[0] == "office" {
			h.cluster = 1
		}
		if h.kind == "namespaces" {
			h.namespace, h.name = "", h.namespace
		}
		out = append(out, h)
	}
	return out
}

// finalizers sets those of what a stage holds and is there; of a namespace, and to let it
// go, if it is being deleted.
func (l *life) finalizers(h heldObject, list []string) {
	l.t.Helper()
	for _, o := range l.list(h.cluster, h.namespace, h.kind, "") {
		going := o.GetDeletionTimestamp() != nil
		if strings.HasPrefix(o.GetName(), h.name) && (going || h.namespace != "" && list != nil) {
			l.patch(h.cluster, h.namespace, h.kind, o.GetName(), map[string]any{"metadata": map[string]any{"finalizers": list}})
		}
	}
}

// goingNamespace makes the namespace of a site and deletes it, where an apply may make it
// again. A finalizer keeps it.
func (w *ward) goingNamespace(site string) {
	w.t.Helper()
	cluster := slices.Index([]string{"gate", "office"}, site)
	if w.scope != "cluster" || w.get(cluster, "", "namespaces", w.at(site)) != nil {
		return
	}
	w.create(cluster, "namespaces", map[string]any{
		"apiVersion": "v1", "kind": "Namespace",
		"metadata": map[string]any{"name": w.at(site), "finalizers": []any{"fairlead.dev/test"}},
	})
	w.goes(cluster, "", "namespaces", w.at(site))
}

// reset removes what the stages leave: the protected site, which nobody with the printed
// rights can remove, and its namespace's inventory.
func (l *life) reset() {
	l.t.Helper()
	_ = l.dyn[0].Resource(resource("sites")).Namespace(l.at("hub")).Delete(context.Background(), "hub", metav1.DeleteOptions{})
	_ = l.dyn[0].Resource(resource("configmaps")).Namespace(l.at("hub")).Delete(context.Background(), "fairlead-"+l.name, metav1.DeleteOptions{})
	l.eventually("the hub is gone", func() bool {
		return l.get(0, l.at("hub"), "sites", "hub") == nil && l.get(0, l.at("hub"), "configmaps", "fairlead-"+l.name) == nil
	})
	l.freeLocks()
	l.round++
}

// freeLocks removes the locks.
func (w *ward) freeLocks() {
	for i := range w.dyn {
		_ = w.dyn[i].Resource(leaseResource).Namespace("default").Delete(context.Background(), "fairlead-"+w.name, metav1.DeleteOptions{})
	}
}

// interruptedCertificate leaves a re-keying of office-hub half done: its certificate is
// there, and its Links are not.
func interruptedCertificate(w *ward) {
	w.t.Helper()
	i := slices.IndexFunc(w.printed, func(p printed) bool {
		return p.cluster == 1 && p.resource == "links" && p.verb == "create"
	})
	w.take(w.printed[i], true)
	o := w.run("apply", "--yes", "--timeout", "3m")
	w.take(w.printed[i], false)
	if o.code == 0 {
		w.t.Fatalf("an apply that may not create Links is done:\n%s", o.out)
	}
}

// openAccess switches link access on at a site that should not listen.
func (w *ward) openAccess(site string) {
	w.t.Helper()
	w.patch(1, w.at(site), "sites", site, map[string]any{"spec": map[string]any{"linkAccess": "default"}})
	w.eventually("the site listens", func() bool { return w.get(1, w.at(site), "routeraccesses", planworld.RouterAccess) != nil })
}

// locks reports whether applies hold locks.
func (w *ward) locks() bool { return strings.Contains(w.run("unlock", "--help").out, "HOLDER_ID") }

// unlocks frees locks with the rights for that, and not without any of them.
func (w *ward) unlocks(p proxy) {
	w.t.Helper()
	if !w.locks() {
		return
	}
	w.draw(everything(), p)
	w.become("unlock")
	for _, right := range w.printed {
		cluster := right.cluster
		if right.resource == "secrets" { // the other cluster's kubeconfig
			cluster = 1
		}
		name := []string{"one", "two"}[cluster]
		w.heldLock(cluster, 3600)
		w.take(right, true)
		if o := w.run("unlock", "--cluster", name, "somebody"); o.code == 0 {
			w.t.Errorf("unlock loses nothing without the right to %s", right)
		}
		w.take(right, false)
		w.must(0, "unlock", "--cluster", name, "somebody")
	}
	w.t.Logf("unlock: took away all of %d rights", len(w.printed))
}

// heldLock makes a lock that somebody else holds, for seconds.
func (w *ward) heldLock(cluster int, seconds int64) {
	w.t.Helper()
	w.put(cluster, &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
		"metadata": map[string]any{
			"namespace": "default", "name": "fairlead-" + w.name,
			"labels": map[string]any{plan.LabelManagedBy: plan.ManagedBy, plan.LabelNetwork: w.name},
		},
		"spec": map[string]any{"holderIdentity": "somebody", "leaseDurationSeconds": seconds},
	}})
}

var leaseResource = resourceOf(&unstructured.Unstructured{Object: map[string]any{"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"}})
