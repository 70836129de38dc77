// Package safety keeps a plan from harm: in what sequence its actions keep sites connected,
// and what it is refused for when it takes too much away.
package safety

import (
	"fmt"
	"slices"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/topology"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// InSequence lets what takes ways away wait for what makes ways, where sites would
// lose each other in between otherwise: sites that are connected now, and when all is
// done, stay connected in whatever order the actions are carried out, and whichever
// fail. A break that a make waits for goes first, as there is no other order:
//
//   - a site that is deleted to make room for another in its namespace,
//   - a site that listens otherwise (link access, issuer) or becomes an edge, and the
//     links that can be made only then.
//
// It gives the actions with what they wait for, and with removals of old Links as actions
// of their own.
func InSequence(w *world.World, actions []plan.Action) []plan.Action {
	if len(actions) < 2 {
		return actions
	}
	x := newSequence(w, actions)
	for _, e := range topology.Exchanges(x.nodes, x.strands) {
		breaks, makes := x.sides(e)
		x.exchange(breaks, makes)
	}
	return x.actions
}

// sequence is a plan as topology wants it: what each strand is, what takes it away and
// what makes it.
type sequence struct {
	world    *world.World
	actions  []plan.Action
	was      world.Present
	nodes    []topology.Node
	strands  []topology.Strand
	ways     []world.Way
	breakers [][]string
	makers   []string
	// making are all makers.
	making map[string]bool
	// turning are the actions of sites that begin or cease to be an edge.
	turning map[network.SiteName]turn
	orders  Orders
}

type turn struct {
	id     string
	toEdge bool
}

func newSequence(ix *world.World, actions []plan.Action) *sequence {
	x := &sequence{
		world: ix, actions: actions, was: ix.Now(), orders: NewOrders(actions),
		turning: map[network.SiteName]turn{}, making: map[string]bool{},
	}
	then, planned := x.was.Then(actions), world.ChangesOf(actions)
	x.addNodes(then)
	kept := map[world.Way]bool{}
	for _, w := range x.was.Ways {
		if w.Alive || w.Fixed {
			x.addWay(w, planned, kept)
		}
	}
	for _, a := range actions {
		if w, ok := world.MadeBy(a); ok && !kept[w] && then[w.At].Name != "" && then[w.To].Name != "" {
			x.add(w, topology.Strand{From: then[w.At].Name, To: then[w.To].Name, After: true}, nil, a.ID)
		}
		if a.Kind == plan.KindSite {
			x.addTurn(a)
		}
	}
	return x
}

func (x *sequence) add(w world.Way, s topology.Strand, breakers []string, maker string) {
	x.ways, x.strands = append(x.ways, w), append(x.strands, s)
	x.breakers, x.makers = append(x.breakers, breakers), append(x.makers, maker)
	x.making[maker] = true
}

// addNodes takes each site by its name; one that is in more than one place, now or when
// all is done, moves.
func (x *sequence) addNodes(then map[plan.Place]world.Site) {
	nodes, at := map[network.SiteName]topology.Node{}, map[network.SiteName]plan.Place{}
	for _, w := range world.SortedPlaces(x.was.Sites) {
		s := x.was.Sites[w]
		n, known := nodes[s.Name]
		n.EdgeBefore = s.Edge && (!known || n.EdgeBefore)
		n.Name, n.EdgeAfter, n.Moves = s.Name, n.EdgeBefore, n.Moves || known
		nodes[s.Name], at[s.Name] = n, w
	}
	for _, w := range world.SortedPlaces(then) {
		s := then[w]
		n, known := nodes[s.Name]
		if !known {
			n, at[s.Name] = topology.Node{Name: s.Name, EdgeBefore: s.Edge}, w
		}
		n.EdgeAfter, n.Moves = s.Edge, n.Moves || at[s.Name] != w
		nodes[s.Name] = n
	}
	for _, n := range nodes {
		x.nodes = append(x.nodes, n)
	}
}

// addWay adds a way that is there now. It stays when nothing takes it away, or when its
// own action makes it anew between the same Sites while it works.
func (x *sequence) addWay(w world.Way, planned world.Changes, kept map[world.Way]bool) {
	breakers := planned.Breakers(w)
	s := topology.Strand{From: x.was.Sites[w.At].Name, To: x.was.Sites[w.To].Name, Before: true}
	s.After = len(breakers) == 0
	for _, a := range planned.Links[world.LinkAt{Name: w.Link, At: w.At}] {
		if !x.same(w, a) {
			continue
		}
		breakers = slices.DeleteFunc(breakers, func(id string) bool { return id == a.ID })
		// One that is remade or led elsewhere since it drifted may be down, reported or not.
		remade := (a.Has(plan.StepGrant) || a.Has(plan.StepCertificate)) && (a.Cause != plan.CausePending || a.Link.Resume)
		s.After = w.Works && len(breakers) == 0 && !remade && !a.Link.Reconnect
	}
	if s.After {
		kept[world.Way{Link: w.Link, At: w.At, To: w.To}] = true
	}
	x.add(w, s, breakers, "")
}

// same reports whether a link's action makes or keeps a way between the Sites that w is
// between.
func (x *sequence) same(w world.Way, a plan.Action) bool {
	made, ok := world.MadeBy(a)
	return ok && made.At == w.At && made.To == w.To && a.Link.From.UID == x.was.Sites[w.At].UID && a.Link.To.UID == x.was.Sites[w.To].UID
}

// addTurn notes a living site that begins or ceases to do transit.
func (x *sequence) addTurn(a plan.Action) {
	s, there := x.was.Sites[a.Place()]
	if edge := a.Verb != plan.VerbDelete && a.Site.Fields["edge"] == true; there && a.Verb != plan.VerbDelete && edge != s.Edge {
		x.turning[network.SiteName(a.Name)] = turn{a.ID, edge}
	}
}

// sides are the actions of an exchange that break and those that make, as sorted IDs.
func (x *sequence) sides(e topology.Exchange) (breaks, makes []string) {
	for _, i := range e.Strands {
		breaks = append(breaks, x.breakers[i]...)
		if x.makers[i] != "" {
			makes = append(makes, x.makers[i])
		}
	}
	for _, site := range e.Sites {
		switch t := x.turning[site]; {
		case t.toEdge:
			breaks = append(breaks, t.id)
		case t.id != "":
			makes = append(makes, t.id)
		}
	}
	slices.Sort(breaks)
	slices.Sort(makes)
	return slices.Compact(breaks), slices.Compact(makes)
}

// mostOrders is how many orders one exchange may have before all but one of its breaks
// wait for that one, which waits for all that makes.
const mostOrders = 500

// exchange lets the breaks wait for the makes. A link that is replaced is both, here or
// in another exchange: where it would wait for others, its old Link goes in an action of
// its own, so that nothing that makes ever waits.
func (x *sequence) exchange(breaks, makes []string) {
	for i, id := range breaks {
		if len(makes) > 1 || len(makes) == 1 && makes[0] != id {
			breaks[i] = x.retireLater(id)
		}
	}
	first := ""
	for _, id := range breaks {
		waiting := x.orders.WaitingFor(id)
		blocked := slices.ContainsFunc(makes, func(other string) bool { return waiting[other] })
		switch {
		case first != "" && !waiting[first]:
			x.orders.Put(id, first)
		case len(breaks)*len(makes) > mostOrders && !blocked && !slices.Contains(makes, id):
			first = id
			fallthrough
		default:
			for _, other := range makes {
				if other != id && !waiting[other] {
					x.orders.Put(id, other)
				}
			}
		}
	}
	x.orders.Write(x.actions)
}

// retireLater takes the removal of old Links out of the action that makes or restores
// the link, and gives the ID of the action that has it now.
func (x *sequence) retireLater(id string) string {
	i := slices.IndexFunc(x.actions, func(a plan.Action) bool { return a.ID == id })
	j := slices.IndexFunc(x.ways, func(w world.Way) bool {
		return w.UID != "" && x.actions[i].Kind == plan.KindLink && world.RemovesWay(x.actions[i], w)
	})
	later := id + plan.OldSuffix
	switch {
	case x.orders.has(later):
		return later
	case j < 0 || !x.making[id] || x.actions[i].Verb == plan.VerbDelete:
		return id
	}
	x.actions = append(x.actions, x.splitOff(&x.actions[i], later, x.ways[j]))
	x.orders.add(x.actions[len(x.actions)-1])
	for _, a := range x.actions { // what the old Link needs goes after it
		needed := a.Kind == plan.KindProxy && slices.Contains(a.DependsOn, id) ||
			a.Kind == plan.KindSite && a.Place() == x.ways[j].To
		if needed && a.Verb == plan.VerbDelete && !x.orders.WaitingFor(a.ID)[later] {
			x.orders.Put(a.ID, later)
		}
	}
	return later
}

// splitOff moves what a replacement removes into an action of its own, but for grants
// and tokens, which should not outlive it.
func (x *sequence) splitOff(a *plan.Action, id string, w world.Way) plan.Action {
	work, all := *a.Link, a.Link.Remove
	old := plan.LinkWork{
		From: work.From, Via: work.Via, Attempt: work.Attempt,
		To: plan.End{Site: x.was.Sites[w.To].Name, Cluster: w.To.Cluster, Namespace: w.To.Namespace, UID: x.was.Sites[w.To].UID},
	}
	old.To.Object = x.world.ObjectOf(w.To, old.To.UID, old.To.Site)
	work.Remove = nil
	for _, r := range all {
		if r.Kind == plan.ObjectGrant || r.Kind == plan.ObjectToken {
			work.Remove = append(work.Remove, r)
		} else {
			old.Remove = append(old.Remove, r)
		}
	}
	a.Link = &work
	a.Steps = slices.DeleteFunc(slices.Clone(a.Steps), func(s plan.Step) bool {
		return s == plan.StepRetire || s == plan.StepClean && a.Verb != plan.VerbReplace && len(work.Remove) == 0
	})
	return plan.Action{
		ID: id, Kind: plan.KindLink, Verb: plan.VerbDelete, Cause: a.Cause,
		Cluster: a.Cluster, Namespace: a.Namespace, Name: a.Name, DeclaredAt: a.DeclaredAt,
		Disruption: plan.DisruptionReconnect, Steps: []plan.Step{plan.StepDelete}, DependsOn: []string{a.ID}, Link: &old,
		Why: fmt.Sprintf("its old Link, to site %s, which others still need until their new ones are up", old.To.Site),
	}
}
