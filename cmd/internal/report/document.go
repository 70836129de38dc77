package report

import (
	"fmt"
	"slices"
	"strings"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/origin"
	"fairlead.dev/fairlead/plan/topology"
	"fairlead.dev/fairlead/plan/words"
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// What a plan says in words already is laid out as it is.
type (
	Cluster = plan.Cluster
	Effect  = plan.Effect
	Fact    = plan.Live
	Finding = diag.Finding
	Ignored = plan.Ignored
	Refusal = plan.Refusal
	Spared  = plan.Spared
	Verb    = plan.Verb
)

// Document is what a plan or drift has to say. It is made once, and each format lays out as
// much of it as its readers need.
type Document struct {
	// Drift is set for drift, Based for a plan with a base revision, Alone where two revisions
	// were compared and no cluster was read, Narrowed where a part of the network was asked for.
	Drift, Based, Alone, Narrowed bool
	Network, ID                   string
	// Run is the page of the run, or empty.
	Run string
	// Source is the description, Base the one that it was compared with.
	Source, Base Source
	// Verdict is what to know where nothing else is read; Danger deserves to be read first.
	Verdict Verdict
	Danger  Danger
	Effects Effects
	// Actions are those of the plan, or the differences of drift, Behind what git asks for beside
	// those, Spared what the change makes needless.
	Actions, Behind []Action
	Spared          []Spared
	// Live is how the network runs, Ignored what rules of the description leave out.
	Live      []Fact
	Ignored   []Ignored
	Findings  []Finding
	Unmanaged []string
	Clusters  []Cluster
	// Totals count the actions by verb, and what is unknown.
	Totals plan.Summary
	// Before and After are the networks; nil where they are not known.
	Before, After *network.Network

	applied []plan.Applied
	shapes  plan.Topology
}

// DocumentOf makes the document of a plan or drift; not ok for any other report.
func DocumentOf(r Report) (d Document, ok bool) {
	p := r.Planned()
	if p == nil {
		return Document{}, false
	}
	d = Document{
		Drift: r.Plan == nil, Based: p.Base != nil, Narrowed: p.Narrowed, Network: p.Network, ID: p.ID, Run: r.Run,
		Source: sourceOf(p.Source), Live: p.Live, Ignored: p.Ignored, Findings: p.Diagnostics, Clusters: p.Clusters,
		Totals: p.Summary,
		Before: r.Before, After: r.After, applied: p.Applied, shapes: p.Topology,
	}
	if p.Base != nil {
		d.Alone, d.Base, d.Spared = p.Base.Alone, sourceOf(p.Base.Source), p.Base.Spared
	}
	for _, u := range p.Unmanaged {
		d.Unmanaged = append(d.Unmanaged, u.String())
	}
	at := sitesAt(r)
	d.Actions, d.Behind = actionsOf(*p, p.Actions, at), actionsOf(*p, p.Behind, at)
	d.Danger = dangerOf(*p, d.Actions)
	d.Effects = d.effectsOf(p.Topology)
	d.Verdict = d.verdict()
	return d, true
}

// Only gives the elements that a test holds for, in a list of their own.
func Only[T any](list []T, test func(T) bool) []T {
	return slices.DeleteFunc(slices.Clone(list), func(v T) bool { return !test(v) })
}

// Pending reports whether there is anything to do, or different.
func (d Document) Pending() bool { return len(d.Actions) > 0 }

// Whole reports whether all that the document is made of could be read.
func (d Document) Whole() bool { return plan.AllRead(d.Clusters) && d.Totals.Unknown == 0 }

// Unread are the clusters that could not be read.
func (d Document) Unread() []Cluster { return Unread(d.Clusters) }

// Unread are those of the clusters that could not be read.
func Unread(clusters []Cluster) []Cluster {
	return Only(clusters, func(c Cluster) bool { return c.State != plan.StateOK })
}

// Parted divides the actions: those of the change, and those that have nothing to do with it:
// without a base, what is drift alone.
func (d Document) Parted() (own, others []Action) {
	isOwn := func(a Action) bool { return a.Part == OfChange || d.Based && !a.Anyway }
	return Only(d.Actions, isOwn), Only(d.Actions, func(a Action) bool { return !isOwn(a) })
}

// Settings are the findings about what a change does that no action shows.
func (d Document) Settings() []Finding {
	return Only(d.Findings, func(f Finding) bool {
		return f.Code == origin.CodePolicyChanged || f.Code == origin.CodeClusterChanged
	})
}

// LiveOf are the facts of one severity about how the network runs; errors say that something
// is broken.
func (d Document) LiveOf(s diag.Severity) []Fact {
	return Only(d.Live, func(l Fact) bool { return l.Severity == s })
}

// About is what a finding says, with its subject.
func About(f Finding) string {
	if f.Subject == "" {
		return f.Message
	}
	return f.Subject + ": " + f.Message
}

// Source says where a description is from.
type Source struct {
	// Commit is abbreviated; empty where there is none, and then Otherwise says why.
	Ref, Commit, Otherwise string
	Dirty                  bool
	leftOut                int
}

func sourceOf(s plan.Source) Source {
	out := Source{Ref: s.Ref, Commit: abbreviated(s.Commit), Otherwise: "not in git", Dirty: s.Dirty,
		leftOut: len(s.LeftOut)}
	if s.Unread {
		out.Otherwise = "commit not known"
	}
	return out
}

// abbreviated is a commit's ID as people write it.
func abbreviated(commit string) string { return commit[:min(len(commit), 12)] }

// Words are "main at 0a1b2c3d4e5f, with uncommitted changes, 1 file left out"; name is how the
// format writes names.
func (s Source) Words(name func(string) string) string {
	text := s.Otherwise
	if s.Commit != "" {
		text = name(s.Commit)
		if s.Ref != "" {
			text = name(s.Ref) + " at " + text
		}
		if s.Dirty {
			text += ", with uncommitted changes"
		}
	}
	if s.leftOut > 0 {
		text += fmt.Sprintf(", %s left out", words.CountOrNone(s.leftOut, "file"))
	}
	return text
}

func (s Source) String() string { return s.Words(AsItIs) }

// AsItIs is how a format writes names that need no care.
func AsItIs(name string) string { return name }

// LastApplied names the commits that the sites were applied at, and which sites where there are
// several. Both come from records that somebody may have changed; the format says how it writes
// them. Empty where nothing was applied.
func (d Document) LastApplied(commit, names func(string) string) string {
	const most = 10
	var parts []string
	for i, a := range d.applied {
		if i == most {
			parts = append(parts, words.CountOrNone(len(d.applied)-most, "other commit"))
			break
		}
		text := "no known commit"
		if a.Commit != "" {
			text = commit(abbreviated(a.Commit))
		}
		if a.Dirty {
			text += " with uncommitted changes"
		}
		if len(d.applied) > 1 {
			text += " (" + names(fewSites(a.Sites)) + ")"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

// fewSites names a few sites, or counts many.
func fewSites(list []network.SiteName) string {
	const most = 3
	if len(list) > most {
		return words.CountOrNone(len(list), "site")
	}
	return strings.Join(words.Strings(list), ", ")
}

// InGit reports whether the description, or what was applied, is of a commit.
func (d Document) InGit() bool {
	return d.Source.Commit != "" || slices.ContainsFunc(d.applied, func(a plan.Applied) bool { return a.Commit != "" })
}

// Danger is all that takes something away, or stands in the way.
type Danger struct {
	// Refusals are all, Refused those that stand, and Overridden those that a flag lifts.
	Refusals, Refused, Overridden []Refusal
	// AllowAll is the flag that lifts several of them; empty where there is none.
	AllowAll string
	// Lost are the consequences by which sites lose their last path to others, CutOff those sites,
	// sorted.
	Lost   []Effect
	CutOff []string
	// Deletes are the actions that delete, sites first.
	Deletes []Action
}

func dangerOf(p plan.Plan, actions []Action) Danger {
	out := Danger{
		Refusals: p.Refusals, Refused: p.Refused(),
		Overridden: Only(p.Refusals, func(r Refusal) bool { return r.Overridden }),
		AllowAll:   p.AllowAll(), Lost: Only(p.Topology.Effects, Lost), Deletes: Only(actions, Action.Deletes),
	}
	for _, e := range out.Lost {
		out.CutOff = append(out.CutOff, words.Strings(e.Sites)...)
	}
	slices.Sort(out.CutOff)
	out.CutOff = slices.Compact(out.CutOff)
	SortByKind(out.Deletes)
	return out
}

// Lost reports whether a consequence is that sites lose their last path to others.
func Lost(e Effect) bool { return e.Code == topology.ConnectionLost }
