package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fairlead.dev/fairlead/plan"
)

// place is one namespace of one cluster; it has room for one Site.
type place struct {
	cluster   int
	namespace string
}

// change is one write, and what it does to its object.
type change struct {
	place
	method, path string
	// kind is the resource, such as links; sub is a subresource, such as status.
	kind, name, sub string
	// before is the object as it is, after as the write leaves it; nil where there
	// is none. Only the kinds of judged have them, and no subresource has.
	before, after *unstructured.Unstructured
}

func (c change) creates() bool { return c.before == nil && c.after != nil }
func (c change) updates() bool { return c.before != nil && c.after != nil }
func (c change) deletes() bool { return c.before != nil && c.method == http.MethodDelete }

// String shows no body: it may hold a secret.
func (c change) String() string { return c.method + " " + contextName(c.cluster) + c.path }

// judged are the kinds that the rules look into.
var judged = []string{"sites", "links", "accessgrants", "accesstokens", "secrets"}

// eyes see what is on the clusters, past the wires.
type eyes interface {
	// get gives nil when the object is not there.
	get(at place, kind, name string) *unstructured.Unstructured
	list(at place, kind string) []unstructured.Unstructured
	// reportedUp says whether the routers report the Site's own Link as up.
	reportedUp(at place, link, siteID string) bool
}

// finding is a rule that a write broke.
type finding struct {
	rule   *rule
	change change
	detail string
	// ifLeft are Links, by name, with their UIDs: the rule is broken only if one of
	// them is there when the command ends.
	ifLeft map[string]string
}

func (f finding) String() string {
	return fmt.Sprintf("%s broke the rule %q: %s: %s", f.change, f.rule.name, f.rule.sentence, f.detail)
}

// writeCheck judges the writes of one world's commands by the rules, before they
// are forwarded. A write that the API server refuses has no effect and breaks
// nothing, so what was found counts only once the write was answered.
type writeCheck struct {
	eyes    eyes
	record  *record
	report  func(finding)
	mu      sync.Mutex
	allowed map[string]bool
	dead    bool
	run     *commandRun
}

// commandRun is what one command did so far.
type commandRun struct {
	// made has, by place and link, the objects whose creation makes Links: tokens
	// and Links themselves.
	made map[linkAt][]string
	// wrote are the places that it wrote to.
	wrote map[place]bool
	// pending are findings that its end decides about.
	pending []finding
}

type linkAt struct {
	place
	link string
}

func newRun() *commandRun {
	return &commandRun{made: map[linkAt][]string{}, wrote: map[place]bool{}}
}

func newWriteCheck(e eyes, rec *record, report func(finding)) *writeCheck {
	return &writeCheck{eyes: e, record: rec, report: report, allowed: map[string]bool{}, run: newRun()}
}

// allow takes one rule out for a test that breaks it on the command's behalf, by
// changing something between the command's look and its write.
func (k *writeCheck) allow(rules ...string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, name := range rules {
		k.allowed[name] = true
	}
}

// oldPathsAreDead is for a test that kills the old path itself: then a Link may be
// deleted that was not operational before.
func (k *writeCheck) oldPathsAreDead(dead bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.dead = dead
}

// begin starts the record of a command.
func (k *writeCheck) begin() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.run = newRun()
}

// judge tells which rules a write would break.
func (k *writeCheck) judge(c change) []finding {
	var out []finding
	for i := range rules {
		r := &rules[i]
		if r.breaks == nil {
			continue
		}
		if detail, ifLeft := r.breaks(k, c); detail != "" {
			out = append(out, finding{r, c, detail, ifLeft})
		}
	}
	return out
}

// accept notes a write that was made, and reports what it broke.
func (k *writeCheck) accept(c change, found []finding) {
	for _, f := range found {
		if f.ifLeft == nil {
			k.tell(f)
			continue
		}
		k.mu.Lock()
		k.run.pending = append(k.run.pending, f)
		k.mu.Unlock()
	}
	k.note(c)
}

func (k *writeCheck) tell(f finding) {
	k.mu.Lock()
	allowed := k.allowed[f.rule.name]
	k.mu.Unlock()
	if !allowed {
		k.report(f)
	}
}

// end closes the record of a command. What must be so when it ends is demanded of
// success alone: a command that failed says itself that it is not done.
func (k *writeCheck) end(success bool) {
	k.mu.Lock()
	run := k.run
	k.run = newRun()
	k.mu.Unlock()
	if !success {
		return
	}
	for _, f := range run.pending {
		if k.anyLeft(f) {
			k.tell(f)
		}
	}
	for at := range run.wrote {
		for _, f := range k.untouched(at) {
			k.tell(f)
		}
	}
}

// anyLeft says whether a Link that a finding depends on is still there.
func (k *writeCheck) anyLeft(f finding) bool {
	for name, uid := range f.ifLeft {
		if o := k.eyes.get(f.change.place, "links", name); o != nil && string(o.GetUID()) == uid {
			return true
		}
	}
	return false
}

// note keeps what later rules want to know of a write that was made.
func (k *writeCheck) note(c change) {
	k.mu.Lock()
	k.run.wrote[c.place] = true
	run := k.run
	k.mu.Unlock()
	switch {
	case c.sub != "":
	case c.kind == "accessgrants" && c.creates():
		k.record.mu.Lock()
		k.record.grants = append(k.record.grants, c)
		k.record.mu.Unlock()
	case (c.kind == "accesstokens" || c.kind == "links") && c.creates():
		k.record.made(c)
		at := linkAt{c.place, c.after.GetLabels()[plan.LabelLink]}
		k.mu.Lock()
		run.made[at] = append(run.made[at], c.name)
		k.mu.Unlock()
		k.seeLinks(c.place)
	case c.kind == "links" && c.deletes():
		k.record.see(siteAt{c.place, k.siteID(c.place)}, c.name)
	case c.kind == "links" && c.updates():
		k.seeLinks(c.place)
		if metadataDiffers(c.before, c.after) {
			k.record.touch(c.place, c.before.GetUID())
		}
	}
}

// seeLinks notes the Links of a place, and gives names that were seen before.
func (k *writeCheck) seeLinks(at place) (live []unstructured.Unstructured, known []string) {
	live = k.eyes.list(at, "links")
	names := make([]string, 0, len(live))
	for _, o := range live {
		names = append(names, o.GetName())
	}
	return live, k.record.see(siteAt{at, k.siteID(at)}, names...)
}

// siteID is the UID of the place's Site; the oldest is the active one.
func (k *writeCheck) siteID(at place) string {
	sites := k.eyes.list(at, "sites")
	if len(sites) == 0 {
		return ""
	}
	oldest := slices.MinFunc(sites, func(a, b unstructured.Unstructured) int {
		return a.GetCreationTimestamp().Compare(b.GetCreationTimestamp().Time)
	})
	return string(oldest.GetUID())
}
