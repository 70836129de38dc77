package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const (
	// spokes is how many sites are linked to the hub.
	spokes = 40
	// byHand is how many of them are linked by hand in one run: they are linked one
	// after another, so the time of forty is that of one, forty times.
	byHand = 5
	// pollEvery is how often someone looks who waits by hand, as Skupper's own
	// command line does.
	pollEvery = time.Second
	// patience bounds one wait by hand.
	patience = 3 * time.Minute
)

// link measures linking sites that are up: with one apply, and by the documented
// commands.
func (b *bench) link() {
	stop := b.startSandbox()
	defer stop()
	ours := &series{name: fmt.Sprintf("fairlead apply, %d links", spokes)}
	ready := &series{name: fmt.Sprintf("by hand, one link until Ready, times %d", spokes)}
	redeemed := &series{name: fmt.Sprintf("by hand, one link until redeemed, times %d", spokes)}
	for i := range b.runs {
		ours.add(b.linkByApply(star(fmt.Sprintf("star%d", i), spokes)))
		r, up := b.linkByHand(star(fmt.Sprintf("hand%d", i), byHand))
		redeemed.samples, ready.samples = append(redeemed.samples, r...), append(ready.samples, up...)
	}
	table(fmt.Sprintf("Link %d sites on two clusters to one hub, all Links Ready (routers report each %s, resync %s)",
		spokes, reportInterval, resync), ours, ready, redeemed)
	fmt.Printf("By hand: %s, polling each second, one link after another; %d links measured, each taken %d times.\n",
		b.hand(), len(ready.samples), spokes)
	fmt.Println("\"Until redeemed\" does not wait until the Link works, which nobody should call linked.")
}

// linkByApply brings the sites up and measures the apply that adds the links.
func (b *bench) linkByApply(s shape) sample {
	b.Helper()
	unlinked := s
	unlinked.links = nil
	b.run(b.describe(unlinked), []int{0}, "fairlead", "apply", "--yes", ".")
	out := b.run(b.describe(s), []int{0}, "fairlead", "apply", "--yes", ".")
	for _, l := range s.links {
		if !b.holds(b.site(s, l.from).cluster, "links", s.namespace(l.from), l.name, "Ready") {
			b.Fatalf("fairlead apply: link %s is not ready", l.name)
		}
	}
	return out
}

func (b *bench) site(s shape, name string) siteOf {
	b.Helper()
	i := slices.IndexFunc(s.sites, func(v siteOf) bool { return v.name == name })
	if i < 0 {
		b.Fatalf("no site %s", name)
	}
	return s.sites[i]
}

// linkByHand brings the sites up and measures each link by the commands of Skupper's
// documentation: grant, wait, URL, code and CA, token, wait, wait for the Link.
func (b *bench) linkByHand(s shape) (redeemed, ready []sample) {
	b.Helper()
	all := s.objects()
	b.create(pick(all, "namespaces"))
	b.create(pick(all, "sites"))
	for _, v := range s.sites {
		b.poll(v.cluster, "sites", s.namespace(v.name), v.name, "Ready")
	}
	for _, l := range s.links {
		r, up := b.linkOne(s, l)
		redeemed = append(redeemed, sample{wall: spokes * r})
		ready = append(ready, sample{wall: spokes * up})
	}
	return redeemed, ready
}

func (b *bench) linkOne(s shape, l linkOf) (redeemed, ready time.Duration) {
	b.Helper()
	hub, spoke := b.site(s, l.to), b.site(s, l.from)
	hubSpace, spokeSpace := s.namespace(l.to), s.namespace(l.from)
	begin := time.Now()
	grant := body("skupper.io/v2alpha1", "AccessGrant", hubSpace, l.name, nil)
	grant["spec"] = map[string]any{"redemptionsAllowed": 1, "expirationWindow": "25m"}
	b.handApply(hub.cluster, "accessgrants", grant)
	b.poll(hub.cluster, "accessgrants", hubSpace, l.name, "Ready")
	token := body("skupper.io/v2alpha1", "AccessToken", spokeSpace, l.name, nil)
	spec := map[string]any{}
	for _, field := range []string{"url", "code", "ca"} {
		spec[field] = b.statusField(hub.cluster, hubSpace, l.name, field)
	}
	token["spec"] = spec
	b.handApply(spoke.cluster, "accesstokens", token)
	b.poll(spoke.cluster, "accesstokens", spokeSpace, l.name, "Redeemed")
	redeemed = time.Since(begin)
	b.poll(spoke.cluster, "links", spokeSpace, l.name, "Ready")
	return redeemed, time.Since(begin)
}

// hand says what the hand works with.
func (b *bench) hand() string {
	if b.kubectl() == "" {
		return "a Go imitation of kubectl, which is not installed"
	}
	return "kubectl"
}

func (b *bench) kubectl() string {
	path, err := exec.LookPath("kubectl")
	if err != nil {
		return ""
	}
	return path
}

// handApply is `kubectl apply -f FILE`.
func (b *bench) handApply(cluster int, kind string, o map[string]any) {
	b.Helper()
	kubectl := b.kubectl()
	if kubectl == "" {
		b.create([]object{{cluster, kind, o}})
		return
	}
	data, err := json.Marshal(o)
	b.must(err)
	file := filepath.Join(b.work, "by-hand.yaml")
	b.write(file, string(data))
	b.run(b.work, []int{0}, kubectl, "apply", "--context", b.contexts[cluster], "-f", file)
}

// get is `kubectl get KIND NAME -o json`; nil when there is none.
func (b *bench) get(cluster int, kind, namespace, name string) *unstructured.Unstructured {
	b.Helper()
	kubectl := b.kubectl()
	if kubectl == "" {
		u, err := b.clients[cluster].Resource(resource(kind)).Namespace(namespace).Get(context.Background(), name, metav1.GetOptions{})
		if err != nil {
			return nil
		}
		return u
	}
	s := b.run(b.work, []int{0, 1}, kubectl, "get", kind, name, "--context", b.contexts[cluster], "-n", namespace, "-o", "json")
	u := &unstructured.Unstructured{}
	if s.out == "" || json.Unmarshal([]byte(s.out), &u.Object) != nil {
		return nil
	}
	return u
}

// statusField is `kubectl get accessgrant NAME -o template`.
func (b *bench) statusField(cluster int, namespace, name, field string) string {
	b.Helper()
	u := b.get(cluster, "accessgrants", namespace, name)
	if u == nil {
		b.Fatalf("grant %s is gone", name)
	}
	text, _, _ := unstructured.NestedString(u.Object, "status", field)
	return text
}

// poll looks each second until the condition holds.
func (b *bench) poll(cluster int, kind, namespace, name, condition string) {
	b.Helper()
	what := fmt.Sprintf("%s %s/%s is %s", kind, namespace, name, condition)
	b.await(pollEvery, what, func() bool { return b.holds(cluster, kind, namespace, name, condition) })
}

// await looks again and again until it is so.
func (b *bench) await(every time.Duration, what string, is func() bool) {
	b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for !is() {
		select {
		case <-ctx.Done():
			b.Fatalf("not so after %s: %s", patience, what)
		case <-tick.C:
		}
	}
}

// holds says whether the object has the condition now.
func (b *bench) holds(cluster int, kind, namespace, name, condition string) bool {
	b.Helper()
	u := b.get(cluster, kind, namespace, name)
	return u != nil && isTrue(u, condition)
}

func isTrue(u *unstructured.Unstructured, condition string) bool {
	all, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	return slices.ContainsFunc(all, func(c any) bool {
		m, ok := c.(map[string]any)
		return ok && m["type"] == condition && m["status"] == "True"
	})
}
