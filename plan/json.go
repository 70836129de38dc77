package plan

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"fairlead.dev/fairlead/schema/network"
)

// NoTopology is that of a plan which was not asked for it.
func NoTopology() Topology {
	empty := Shape{Components: [][]network.SiteName{}}
	return Topology{Before: empty, After: empty, Effects: []Effect{}}
}

// Identified gives the plan its ID, and its refusals the flags that name it.
func Identified(p Plan) Plan {
	p.ID = Identify(p)
	p.Refusals = flagged(p)
	return p
}

// Identify gives the digest of what a plan would do. Its ID is left out, and what
// depends on the day, on who plans and on where git stands: when it was made, the base,
// warnings, how much could not be compared, what is ignored, how the network runs and what
// follows from that for its shape, and the commit. What the description says
// is in its own digest. The flags that lift refusals name the ID, and are left out with
// it, and so is the reason why a cluster could not be read, which is worded otherwise
// each time.
func Identify(p Plan) string {
	p.ID, p.Made, p.Diagnostics, p.Summary.Unknown, p.Refusals, p.Base = "", "", nil, 0, Unflagged(p.Refusals), nil
	p.Ignored, p.Live, p.Behind, p.Applied = nil, nil, nil, nil
	if p.Topology.Basis != "" { // older plans have none, and the shape in their ID
		p.Topology = NoTopology()
	}
	p.Source = Source{Digest: p.Source.Digest}
	p.Clusters = slices.Clone(p.Clusters)
	for i := range p.Clusters {
		p.Clusters[i].Reason = ""
	}
	data, err := json.Marshal(p)
	if err != nil { // every type in a plan can be marshalled; a new one that cannot is a bug
		panic(fmt.Sprintf("plan: %v", err))
	}
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// AllRead reports whether every cluster could be read in full.
func AllRead(clusters []Cluster) bool {
	return !slices.ContainsFunc(clusters, func(c Cluster) bool { return c.State != StateOK })
}

// Summarise counts actions.
func Summarise(actions []Action, unknown int) Summary {
	s := Summary{Unknown: unknown}
	for _, a := range actions {
		switch a.Verb {
		case VerbCreate:
			s.Create++
		case VerbUpdate:
			s.Update++
		case VerbReplace:
			s.Replace++
		case VerbDelete:
			s.Delete++
		case VerbAdopt:
			s.Adopt++
		}
		if a.Cause != CausePending {
			s.Drift++
		}
	}
	return s
}

// Normalise sorts what is a set and replaces nil lists.
func Normalise(p *Plan) {
	for i := range p.Actions {
		a := &p.Actions[i]
		slices.Sort(a.DependsOn)
		a.DependsOn = slices.Compact(a.DependsOn)
		a.DependsOn, a.Fields, a.Steps = NotNil(a.DependsOn), NotNil(a.Fields), NotNil(a.Steps)
		if a.Link != nil {
			a.Link.Live, a.Link.Remove = NotNil(a.Link.Live), NotNil(SortRefs(a.Link.Remove))
		}
	}
	p.Actions, p.Refusals, p.Unmanaged = NotNil(p.Actions), NotNil(p.Refusals), NotNil(p.Unmanaged)
}

// NotNil gives an empty list for none, as JSON tells them apart.
func NotNil[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// Keep narrows a plan to the actions that a rule keeps, with its counts and ID
// made anew.
func Keep(p Plan, keep func(Action) bool) Plan {
	p.Actions = NotNil(slices.DeleteFunc(slices.Clone(p.Actions), func(a Action) bool { return !keep(a) }))
	p.Summary = Summarise(p.Actions, p.Summary.Unknown)
	return Identified(p)
}

// Decode reads a plan's JSON. A format that is not Format, or an ID that does not
// fit the content, is an error. What was overridden when it was written is not so now:
// that is for whoever applies it to say again.
func Decode(data []byte) (Plan, error) {
	var p Plan
	if err := json.Unmarshal(data, &p); err != nil {
		return Plan{}, fmt.Errorf("plan: %w", err)
	}
	if p.Format != Format {
		return Plan{}, fmt.Errorf("plan: format %q is not %q; a newer Fairlead may have written it", p.Format, Format)
	}
	if id := Identify(p); id != p.ID {
		return Plan{}, fmt.Errorf("plan: the file was altered: its id is %s, its content's %s", p.ID, id)
	}
	p.Refusals = flagged(p)
	return p, nil
}

// SortRefs sorts references in the order in which objects are deleted, each once.
func SortRefs(refs []ObjectRef) []ObjectRef {
	rank := map[ObjectKind]int{
		ObjectGrant: 0, ObjectToken: 1, ObjectLink: 2, ObjectCertificate: 3, ObjectSecret: 4, ObjectSite: 5, ObjectConfigMap: 6,
	}
	slices.SortFunc(refs, func(a, b ObjectRef) int {
		return cmp.Or(cmp.Compare(rank[a.Kind], rank[b.Kind]), cmp.Compare(a.Cluster, b.Cluster),
			cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return slices.Compact(refs)
}
