package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/words"
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// Action is an action of a plan, or a difference of drift, in words.
type Action struct {
	ID string
	// Sign stands for the verb.
	Sign string
	Verb plan.Verb
	Kind plan.Kind
	// Name is as people call it; an object's has its kind.
	Name string
	Why  string
	// IsLink is set for a link, and then From and To are its sites; Site is where anything else is,
	// if that is known.
	IsLink             bool
	From, To, Site     string
	Cluster, Namespace string
	// Cause is "drift" or "drift and pending"; empty for what git alone asks for.
	Cause string
	// Traffic is what traffic meets meanwhile; empty for nothing that is known of.
	Traffic string
	// LinksAlone is set where it is known of links alone that they are undisturbed: what an object
	// of an overlay is for is not.
	LinksAlone bool
	Fields     []Field
	// Source is the file of an overlay that it comes from; Steps is in words, and After are IDs.
	Source, Steps string
	After         []string
	// Removes are the objects that go, Takes the Links made by hand that a site takes along; a site
	// that takes none but could has an empty list.
	Removes, Takes []string
	Declared       diag.Position
	Part           Part
	// Anyway is set where the action is taken without the change under review too, Otherwise where
	// another one is.
	Anyway, Otherwise bool

	disruption plan.Disruption
}

// Part says what an action belongs to.
type Part string

// The parts: what the change asks for, what heals drift, and what is pending anyway.
const (
	OfChange Part = "change"
	OfDrift  Part = "drift"
	OfOthers Part = "anyway"
)

// Field is one field that changes; New and Gone say that there is nothing on one side.
type Field struct {
	Path, From, To string
	New, Gone      bool
}

var signs = map[plan.Verb]string{
	plan.VerbCreate: "+", plan.VerbUpdate: "~", plan.VerbReplace: "±", plan.VerbDelete: "-", plan.VerbAdopt: "=",
}

// causeWords are those of causes that deserve attention.
var causeWords = map[plan.Cause]string{plan.CauseDrift: "drift", plan.CauseBoth: "drift and pending"}

// actionsOf words actions of a plan.
func actionsOf(p plan.Plan, list []plan.Action, at map[location]string) []Action {
	out := make([]Action, 0, len(list))
	for _, a := range list {
		out = append(out, actionOf(p, a, at))
	}
	return out
}

func actionOf(p plan.Plan, a plan.Action, at map[location]string) Action {
	origin := p.OriginOf(a.ID)
	out := Action{
		ID: a.ID, Sign: signs[a.Verb], Verb: a.Verb, Kind: a.Kind, Name: NameOf(a), Why: a.Why,
		Cluster: string(a.Cluster), Namespace: a.Namespace, Cause: causeWords[a.Cause], Traffic: trafficOf(a),
		Steps: steps(a.Steps), After: a.DependsOn, Declared: a.DeclaredAt, Part: partOf(a, origin),
		Anyway: origin == plan.OriginAnyway, Otherwise: origin == plan.OriginBoth, disruption: a.Disruption,
	}
	out.LinksAlone = a.Kind == plan.KindObject && a.Verb != plan.VerbCreate && out.Traffic == ""
	for _, f := range a.Fields {
		out.Fields = append(out.Fields, fieldOf(f))
	}
	var removes []plan.ObjectRef
	switch {
	case a.Link != nil:
		out.IsLink = true
		out.From, out.To, removes = string(a.Link.From.Site), string(a.Link.To.Site), a.Link.Remove
	case a.Kind == plan.KindSite:
		out.Site = a.Name
	case a.Object != nil:
		out.Site, out.Source = string(a.Object.Site), a.Object.Source
	case a.Proxy != nil:
		out.Site = at[location{a.Cluster, a.Namespace}]
		if a.Verb == plan.VerbDelete {
			removes = []plan.ObjectRef{a.Proxy.Secret}
		}
	}
	if a.Site != nil {
		out.Takes = a.Site.Takes
	}
	for _, r := range removes {
		out.Removes = append(out.Removes, r.String())
	}
	return out
}

// location is where a site is.
type location struct {
	cluster   network.ClusterName
	namespace string
}

// sitesAt are the names of the sites of a report's networks, by where they are.
func sitesAt(r Report) map[location]string {
	out := map[location]string{}
	for _, n := range []*network.Network{r.Before, r.After} {
		if n == nil {
			continue
		}
		for _, s := range n.Sites {
			out[location{s.Cluster, s.Namespace}] = string(s.Name)
		}
	}
	return out
}

// NameOf is a name as people call it; an object's has its kind.
func NameOf(a plan.Action) string {
	if a.Object != nil {
		return string(a.Object.Kind) + "/" + a.Name
	}
	return a.Name
}

func partOf(a plan.Action, origin plan.Origin) Part {
	switch {
	case a.Cause == plan.CauseDrift && (origin == plan.OriginAnyway || origin == ""):
		return OfDrift
	case origin == plan.OriginAnyway:
		return OfOthers
	}
	return OfChange
}

func fieldOf(f plan.Field) Field {
	return Field{Path: f.Path, From: value(f.From), To: value(f.To), New: f.From == nil, Gone: f.To == nil}
}

// value is a field's value as JSON has it, or "nothing".
func value(v any) string {
	if v == nil {
		return "nothing"
	}
	if s, ok := v.(string); ok {
		return fmt.Sprintf("%q", s)
	}
	return fmt.Sprint(v)
}

// AsDrift says what is on the cluster, and what was.
func (f Field) AsDrift() string {
	return fmt.Sprintf("%s: %s on the cluster, %s when last applied", f.Path, f.From, f.To)
}

// IgnoredField is what differs and a rule leaves out.
func IgnoredField(i Ignored) Field { return fieldOf(plan.Field{Path: i.Field, From: i.From, To: i.To}) }

// Creates, Updates and Deletes report whether the action is of that verb.
func (a Action) Creates() bool { return a.Verb == plan.VerbCreate }
func (a Action) Updates() bool { return a.Verb == plan.VerbUpdate }
func (a Action) Deletes() bool { return a.Verb == plan.VerbDelete }

// Drifted reports whether drift is a cause.
func (a Action) Drifted() bool { return a.Cause != "" }

// Place is the cluster and the namespace.
func (a Action) Place() string { return a.Cluster + "/" + a.Namespace }

// Where says which sites a link joins, and of others where they are.
func (a Action) Where() string {
	if a.IsLink {
		return fmt.Sprintf("%s → %s", a.From, a.To)
	}
	return "in " + a.Place()
}

var disruptions = map[plan.Disruption]string{
	plan.DisruptionReconnect: "brief reconnect",
	plan.DisruptionRestart:   "router restarts",
	plan.DisruptionReplace:   "new link before the old one goes",
}

// What traffic meets beside disruptions.
const (
	goesAway     = "goes away"
	otherTargets = "changes what is reached"
)

// trafficOf says what traffic meets while an action is carried out; empty for nothing that
// is known of.
func trafficOf(a plan.Action) string {
	carries := a.Kind == plan.KindSite || a.Kind == plan.KindLink || a.CarriesTraffic()
	ofSpec := func(f plan.Field) bool { return strings.HasPrefix(f.Path, "spec.") } // not how it is labelled
	switch {
	case a.Verb == plan.VerbDelete && carries:
		return goesAway
	case a.Verb == plan.VerbUpdate && a.CarriesTraffic() && slices.ContainsFunc(a.Fields, ofSpec):
		return otherTargets
	case a.Verb == plan.VerbDelete:
		return ""
	}
	return disruptions[a.Disruption]
}

// Meanwhile says in words what traffic meets, also where it is nothing.
func (a Action) Meanwhile() string {
	switch {
	case a.Traffic != "":
		return a.Traffic
	case a.LinksAlone:
		return "links are undisturbed"
	}
	return "undisturbed"
}

// Disturbs is what traffic meets, but for what a deletion takes away.
func (a Action) Disturbs() string {
	if a.Deletes() {
		return ""
	}
	return a.Traffic
}

var stepWords = map[plan.Step]string{
	plan.StepNamespace: "create namespace", plan.StepRecord: "record", plan.StepSite: "write Site",
	plan.StepQuiet: "stop listening", plan.StepClose: "remove RouterAccess", plan.StepReady: "wait until ready",
	plan.StepGrant: "grant", plan.StepRedeem: "redeem token",
	plan.StepSecret: "write Secret", plan.StepCertificate: "issue certificate", plan.StepCarry: "carry Secret over",
	plan.StepLink: "create Link", plan.StepAdd: "add Links", plan.StepObject: "write object",
	plan.StepTakeOver: "take Link over", plan.StepConfigured: "wait until configured",
	plan.StepOperational: "wait until operational",
	plan.StepRetire:      "remove old Link", plan.StepClean: "clean up", plan.StepDelete: "delete",
	plan.StepConfirm: "confirm",
}

// StepWord gives a step's name for people.
func StepWord(s plan.Step) string { return stepWords[s] }

func steps(list []plan.Step) string {
	names := make([]string, 0, len(list))
	for _, s := range list {
		names = append(names, stepWords[s])
	}
	return strings.Join(names, " → ")
}

// Kinds are in the order in which their loss hurts.
var Kinds = []plan.Kind{plan.KindSite, plan.KindLink, plan.KindObject, plan.KindProxy}

// KindWord is what a comment calls one thing of a kind.
func KindWord(k plan.Kind) string {
	if k == plan.KindProxy {
		return "proxy setting"
	}
	return string(k)
}

// KindsOf counts actions by kind: "1 site and 51 links".
func KindsOf(actions []Action) string {
	return kindsIn(actions, Kinds, func(n int, k plan.Kind) string { return words.CountOrNone(n, KindWord(k)) })
}

// SortByKind puts actions in the order of Kinds, and leaves those of one kind in theirs.
func SortByKind(list []Action) {
	slices.SortStableFunc(list, func(a, b Action) int {
		return cmp.Compare(slices.Index(Kinds, a.Kind), slices.Index(Kinds, b.Kind))
	})
}

// PageKinds are in the order in which a page lists them.
var PageKinds = []plan.Kind{plan.KindSite, plan.KindLink, plan.KindProxy, plan.KindObject}

// CountOf words how many things of a kind a page lists: "54 links".
func CountOf(n int, k plan.Kind) string {
	if k == plan.KindProxy {
		return words.Plural(n, "proxy", "proxies")
	}
	return words.Count(n, string(k))
}

// kindsIn counts actions by kind, in an order and in words.
func kindsIn(actions []Action, order []plan.Kind, counted func(n int, k plan.Kind) string) string {
	var parts []string
	for _, k := range order {
		if n := len(Only(actions, func(a Action) bool { return a.Kind == k })); n > 0 {
			parts = append(parts, counted(n, k))
		}
	}
	return words.And(parts)
}
