package e2e

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fairlead.dev/fairlead/plan"
)

// Names of rules that a test may have to allow.
const (
	ruleNamesFree       = "names are free"
	ruleMakeBeforeBreak = "make before break"
)

// rule is one thing that a command never does, because a real controller would
// crash at it or not hear of it.
type rule struct {
	name, sentence string
	// breaks says how a write breaks the rule, empty when it does not, and what
	// that depends on at the command's end. It is nil for a rule of the end alone.
	breaks func(*writeCheck, change) (detail string, ifLeft map[string]string)
}

// atOnce is for rules that depend on nothing later.
func atOnce(breaks func(*writeCheck, change) string) func(*writeCheck, change) (string, map[string]string) {
	return func(k *writeCheck, c change) (string, map[string]string) { return breaks(k, c), nil }
}

// rules are all of them. What they say of Skupper is what its controller and
// router were seen to do, of version 2.2.
var rules []rule

// touchRule is judged at a command's end.
const touchRule = "touch"

func init() { // the rules refer to the check, and the check to the rules
	rules = []rule{
		{"proxy Secret first", "a Link is not created before the Secret of its proxy-configuration is there, which crashes the controller", atOnce(proxySecretFirst)},
		{"proxy setting fixed", "an existing Link never gets, loses or changes proxy-configuration, which crashes the controller or is ignored", atOnce(proxySettingFixed)},
		{"proxy Secret fixed", "the Secret that a Link names as proxy-configuration is neither changed, which is ignored, nor deleted", atOnce(proxySecretFixed)},
		{"proxy username", "a basic-auth Secret has a username, if an empty one, or Kubernetes refuses the anonymous ones", atOnce(proxyUsername)},
		{"name once", "a Link's name is not used again while its Site lives, because the new Link can stay Not Operational", atOnce(nameOnce)},
		{touchRule, "a new Link is touched before the command ends well, or it is not configured until the resync", nil},
		{"touched no more than it takes", "a Link is touched again only until it is configured, and ten times at most", atOnce(touchedEnough)},
		{"good grant", "a token is made only of a grant that is Ready and unspent, or its redemption fails for ever", atOnce(goodGrant)},
		{ruleNamesFree, "a token is made only when the names of its Secret and Links are free, or it burns its grant", atOnce(namesFree)},
		{"credentials fixed", "no AccessToken and no AccessGrant is ever updated, because they are fixed when first processed", atOnce(credentialsFixed)},
		{"no status", "nobody but the controller writes a status", atOnce(noStatus)},
		{"reserved names", "Secrets and Links whose names start with skupper-router or auto-mesh are the router's own", atOnce(reservedNames)},
		{"live edits", "a Link's cost, endpoints and credentials change only where the controller is of 2.2.0 or later, as routers before that do not hear of it", atOnce(liveEdits)},
		{"edge", "no Site becomes an edge while it listens or has ha, because an edge can do neither", atOnce(edgeSwitch)},
		{ruleMakeBeforeBreak, "the old Link of a replaced link goes only when another is operational and the routers report it up", makeBeforeBreak},
	}
}

func ruleNamed(name string) *rule {
	return &rules[slices.IndexFunc(rules, func(r rule) bool { return r.name == name })]
}

func field(o *unstructured.Unstructured, path ...string) any {
	if o == nil {
		return nil
	}
	v, _, _ := unstructured.NestedFieldNoCopy(o.Object, path...)
	return v
}

func textOf(o *unstructured.Unstructured, path ...string) string {
	s, _ := field(o, path...).(string)
	return s
}

func proxyOf(o *unstructured.Unstructured) string {
	return textOf(o, "spec", "settings", "proxy-configuration")
}

func proxySecretFirst(k *writeCheck, c change) string {
	secret := proxyOf(c.after)
	if c.kind != "links" || !c.creates() || secret == "" || k.eyes.get(c.place, "secrets", secret) != nil {
		return ""
	}
	return "there is no Secret " + secret
}

func proxySettingFixed(_ *writeCheck, c change) string {
	before, after := proxyOf(c.before), proxyOf(c.after)
	if c.kind != "links" || !c.updates() || before == after {
		return ""
	}
	return fmt.Sprintf("from %q to %q", before, after)
}

func proxySecretFixed(k *writeCheck, c change) string {
	if c.kind != "secrets" || c.before == nil || c.updates() && reflect.DeepEqual(contentOf(c.before), contentOf(c.after)) {
		return ""
	}
	for _, l := range k.eyes.list(c.place, "links") {
		if proxyOf(&l) == c.name {
			return "Link " + l.GetName() + " names it"
		}
	}
	return ""
}

// contentOf gives a Secret's keys, with text given in the clear.
func contentOf(o *unstructured.Unstructured) map[string]any {
	out := map[string]any{}
	for _, part := range []string{"data", "stringData"} {
		m, _ := field(o, part).(map[string]any)
		maps.Copy(out, m)
	}
	return out
}

func proxyUsername(_ *writeCheck, c change) string {
	if c.kind != "secrets" || c.after == nil || textOf(c.after, "type") != "kubernetes.io/basic-auth" {
		return ""
	}
	if _, ok := contentOf(c.after)["username"]; ok {
		return ""
	}
	return "it has no key username"
}

// makes names the Links that a write brings about.
func (k *writeCheck) makes(c change) []string {
	switch {
	case !c.creates():
		return nil
	case c.kind == "links":
		return []string{c.name}
	case c.kind == "accesstokens" && k.listensHA(c):
		return []string{c.name, c.name + "-1", c.name + "-2"}
	case c.kind == "accesstokens":
		return []string{c.name}
	}
	return nil
}

// listensHA says whether the site that a token leads to is HA.
func (k *writeCheck) listensHA(token change) bool {
	grant, at := k.grantOf(token)
	if grant == nil {
		return false
	}
	return slices.ContainsFunc(k.eyes.list(at, "sites"), func(o unstructured.Unstructured) bool {
		return field(&o, "spec", "ha") == true && field(&o, "spec", "edge") != true
	})
}

func nameOnce(k *writeCheck, c change) string {
	makes := k.makes(c)
	if len(makes) == 0 {
		return ""
	}
	live, known := k.seeLinks(c.place)
	for _, name := range makes {
		there := slices.ContainsFunc(live, func(o unstructured.Unstructured) bool { return o.GetName() == name })
		if slices.Contains(known, name) && !there {
			return "there was a Link " + name
		}
	}
	return ""
}

// touchedEnough judges a touch that is not the first.
func touchedEnough(_ *writeCheck, c change) string {
	before, after := textOf(c.before, "metadata", "annotations", plan.AnnotationTouch), textOf(c.after, "metadata", "annotations", plan.AnnotationTouch)
	n, err := strconv.Atoi(after)
	switch {
	case c.kind != "links" || after == "" || after == before:
		return ""
	case err != nil || n > 10:
		return "touch " + after
	case wasTrue(c.before, "Configured"):
		return "it is configured"
	}
	return ""
}

// grantOf finds the grant that a token was made of, by its URL.
func (k *writeCheck) grantOf(token change) (*unstructured.Unstructured, place) {
	k.record.mu.Lock()
	grants := slices.Clone(k.record.grants)
	k.record.mu.Unlock()
	url := textOf(token.after, "spec", "url")
	for _, g := range slices.Backward(grants) {
		if !sameLabels(g.after, token.after, plan.LabelNetwork, plan.LabelLink) {
			continue
		}
		if o := k.eyes.get(g.place, "accessgrants", g.name); o != nil && url != "" && textOf(o, "status", "url") == url {
			return o, g.place
		}
	}
	return nil, place{}
}

func sameLabels(a, b *unstructured.Unstructured, keys ...string) bool {
	return !slices.ContainsFunc(keys, func(k string) bool { return a.GetLabels()[k] != b.GetLabels()[k] })
}

func goodGrant(k *writeCheck, c change) string {
	if c.kind != "accesstokens" || !c.creates() {
		return ""
	}
	grant, _ := k.grantOf(c)
	switch {
	case grant == nil:
		return "no grant that was made for its link has its URL"
	case !holdsTrue(grant, "Ready"):
		return "grant " + grant.GetName() + " is not Ready"
	case number(grant, "status", "redemptions") >= max(number(grant, "spec", "redemptionsAllowed"), 1):
		return "grant " + grant.GetName() + " is spent"
	}
	return ""
}

func number(o *unstructured.Unstructured, path ...string) int64 {
	n, _ := field(o, path...).(int64)
	return n
}

// holdsTrue reports a condition that is true of the current generation.
func holdsTrue(o *unstructured.Unstructured, kind string) bool {
	list, _ := field(o, "status", "conditions").([]any)
	return slices.ContainsFunc(list, func(item any) bool {
		c, _ := item.(map[string]any)
		return c["type"] == kind && c["status"] == "True" && c["observedGeneration"] == o.GetGeneration()
	})
}

// wasTrue reports a condition that is true of whatever generation: Operational stays so
// when a living Link is changed.
func wasTrue(o *unstructured.Unstructured, kind string) bool {
	list, _ := field(o, "status", "conditions").([]any)
	return slices.ContainsFunc(list, func(item any) bool {
		c, _ := item.(map[string]any)
		return c["type"] == kind && c["status"] == "True"
	})
}

func namesFree(k *writeCheck, c change) string {
	if c.kind != "accesstokens" || !c.creates() {
		return ""
	}
	if k.eyes.get(c.place, "secrets", c.name) != nil {
		return "there is a Secret " + c.name
	}
	for _, name := range k.makes(c) {
		if k.eyes.get(c.place, "links", name) != nil {
			return "there is a Link " + name
		}
	}
	return ""
}

func credentialsFixed(_ *writeCheck, c change) string {
	if c.updates() && (c.kind == "accesstokens" || c.kind == "accessgrants") {
		return "it is an update"
	}
	return ""
}

func noStatus(_ *writeCheck, c change) string {
	if c.sub == "status" {
		return "it is a write to a status"
	}
	return ""
}

func reservedNames(_ *writeCheck, c change) string {
	if c.kind != "links" && c.kind != "secrets" {
		return ""
	}
	for _, prefix := range []string{"skupper-router", "auto-mesh"} {
		if strings.HasPrefix(c.name, prefix) {
			return "the name starts with " + prefix
		}
	}
	return ""
}

func liveEdits(k *writeCheck, c change) string {
	if c.kind != "links" || !c.updates() {
		return ""
	}
	for _, name := range []string{"cost", "endpoints", "tlsCredentials"} {
		if reflect.DeepEqual(field(c.before, "spec", name), field(c.after, "spec", name)) {
			continue
		}
		for _, s := range k.eyes.list(c.place, "sites") {
			if v := textOf(&s, "status", "controller", "version"); isOld(v) {
				return fmt.Sprintf("%s changes, and the controller is of %s", name, v)
			}
		}
	}
	return ""
}

// isOld says whether a controller is of a version before 2.2.0; one that cannot be
// read counts as new.
func isOld(version string) bool {
	parts := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
	if len(parts) < 2 {
		return false
	}
	major, err1 := strconv.Atoi(parts[0])
	minor, err2 := strconv.Atoi(parts[1])
	return err1 == nil && err2 == nil && (major < 2 || major == 2 && minor < 2)
}

func edgeSwitch(_ *writeCheck, c change) string {
	if c.kind != "sites" || !c.updates() || field(c.before, "spec", "edge") == true || field(c.after, "spec", "edge") != true {
		return ""
	}
	for _, o := range []*unstructured.Unstructured{c.before, c.after} {
		if access := textOf(o, "spec", "linkAccess"); access != "" && access != "none" {
			return "it listens: linkAccess is " + access
		}
		if field(o, "spec", "ha") == true {
			return "it has ha"
		}
	}
	return ""
}

func metadataDiffers(a, b *unstructured.Unstructured) bool {
	return !reflect.DeepEqual(a.GetLabels(), b.GetLabels()) || !reflect.DeepEqual(a.GetAnnotations(), b.GetAnnotations())
}

// untouched gives the Links of a place that were made and never touched.
func (k *writeCheck) untouched(at place) (out []finding) {
	for _, o := range k.eyes.list(at, "links") {
		if by, found := k.record.untouched(at, &o); found {
			out = append(out, finding{ruleNamed(touchRule), by, "Link " + o.GetName() + " was left untouched", nil})
		}
	}
	return out
}

// makeBeforeBreak judges the delete of a Link. Where the command itself made a
// replacement, the demand is made at once; otherwise, as after an apply that was
// killed, at the command's end, when it shows whether the whole link was to go.
func makeBeforeBreak(k *writeCheck, c change) (string, map[string]string) {
	if c.kind != "links" || !c.deletes() || c.before.GetLabels()[plan.LabelLink] == "" {
		return "", nil
	}
	k.mu.Lock()
	made := slices.Clone(k.run.made[linkAt{c.place, c.before.GetLabels()[plan.LabelLink]}])
	dead := k.dead
	k.mu.Unlock()
	own := slices.Contains(made, c.name) || slices.Contains(made, textOf(c.before, "spec", "tlsCredentials"))
	if !wasTrue(c.before, "Operational") && (dead || own) {
		return "", nil // what a failed attempt of this command left never carried anything
	}
	others, carried := k.othersOf(c)
	switch {
	case carried:
		return "", nil
	case len(made) > 0:
		others = nil
	case len(others) == 0:
		return "", nil // the whole link goes
	}
	return "no other Link of it is operational and reported up", others
}

// othersOf gives the other Links of a Link's link, by name with their UIDs, and
// whether one of them carries traffic.
func (k *writeCheck) othersOf(c change) (others map[string]string, carried bool) {
	others = map[string]string{}
	for _, o := range k.eyes.list(c.place, "links") {
		if o.GetUID() == c.before.GetUID() || !sameLabels(&o, c.before, plan.LabelNetwork, plan.LabelLink) {
			continue
		}
		others[o.GetName()] = string(o.GetUID())
		if holdsTrue(&o, "Configured") && wasTrue(&o, "Operational") && k.eyes.reportedUp(c.place, o.GetName(), k.siteID(c.place)) {
			return others, true
		}
	}
	return others, false
}
