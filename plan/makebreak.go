package plan

import (
	"fmt"
	"slices"

	"fairlead.dev/fairlead/plan/topology"
	"fairlead.dev/fairlead/schema/network"
)

// inSequence lets what takes ways away wait for what makes ways, where sites would
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
func inSequence(w *index, actions []Action) []Action {
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
	world    *index
	actions  []Action
	was      present
	nodes    []topology.Node
	strands  []topology.Strand
	ways     []way
	breakers [][]string
	makers   []string
	// making are all makers.
	making map[string]bool
	// turning are the actions of sites that begin or cease to be an edge.
	turning map[network.SiteName]turn
	orders  orders
}

type turn struct {
	id     string
	toEdge bool
}

func newSequence(ix *index, actions []Action) *sequence {
	x := &sequence{
		world: ix, actions: actions, was: ix.now(), orders: newOrders(actions),
		turning: map[network.SiteName]turn{}, making: map[string]bool{},
	}
	then, planned := x.was.then(actions), changesOf(actions)
	x.addNodes(then)
	kept := map[way]bool{}
	for _, w := range x.was.ways {
		if w.alive || w.fixed {
			x.addWay(w, planned, kept)
		}
	}
	for _, a := range actions {
		if w, ok := madeBy(a); ok && !kept[w] && then[w.at].name != "" && then[w.to].name != "" {
			x.add(w, topology.Strand{From: then[w.at].name, To: then[w.to].name, After: true}, nil, a.ID)
		}
		if a.Kind == KindSite {
			x.addTurn(a)
		}
	}
	return x
}

func (x *sequence) add(w way, s topology.Strand, breakers []string, maker string) {
	x.ways, x.strands = append(x.ways, w), append(x.strands, s)
	x.breakers, x.makers = append(x.breakers, breakers), append(x.makers, maker)
	x.making[maker] = true
}

// addNodes takes each site by its name; one that is in more than one place, now or when
// all is done, moves.
func (x *sequence) addNodes(then map[place]standing) {
	nodes, at := map[network.SiteName]topology.Node{}, map[network.SiteName]place{}
	for _, w := range sortedPlaces(x.was.sites) {
		s := x.was.sites[w]
		n, known := nodes[s.name]
		n.EdgeBefore = s.edge && (!known || n.EdgeBefore)
		n.Name, n.EdgeAfter, n.Moves = s.name, n.EdgeBefore, n.Moves || known
		nodes[s.name], at[s.name] = n, w
	}
	for _, w := range sortedPlaces(then) {
		s := then[w]
		n, known := nodes[s.name]
		if !known {
			n, at[s.name] = topology.Node{Name: s.name, EdgeBefore: s.edge}, w
		}
		n.EdgeAfter, n.Moves = s.edge, n.Moves || at[s.name] != w
		nodes[s.name] = n
	}
	for _, n := range nodes {
		x.nodes = append(x.nodes, n)
	}
}

// addWay adds a way that is there now. It stays when nothing takes it away, or when its
// own action makes it anew between the same Sites while it works.
func (x *sequence) addWay(w way, planned changes, kept map[way]bool) {
	breakers := planned.breakers(w)
	s := topology.Strand{From: x.was.sites[w.at].name, To: x.was.sites[w.to].name, Before: true}
	s.After = len(breakers) == 0
	for _, a := range planned.links[linkAt{name: w.link, at: w.at}] {
		if !x.same(w, a) {
			continue
		}
		breakers = slices.DeleteFunc(breakers, func(id string) bool { return id == a.ID })
		// One that is remade or led elsewhere since it drifted may be down, reported or not.
		remade := (a.Has(StepGrant) || a.Has(StepCertificate)) && (a.Cause != CausePending || a.Link.Resume)
		s.After = w.works && len(breakers) == 0 && !remade && !a.Link.Reconnect
	}
	if s.After {
		kept[way{link: w.link, at: w.at, to: w.to}] = true
	}
	x.add(w, s, breakers, "")
}

// same reports whether a link's action makes or keeps a way between the Sites that w is
// between.
func (x *sequence) same(w way, a Action) bool {
	made, ok := madeBy(a)
	return ok && made.at == w.at && made.to == w.to && a.Link.From.UID == x.was.sites[w.at].uid && a.Link.To.UID == x.was.sites[w.to].uid
}

// addTurn notes a living site that begins or ceases to do transit.
func (x *sequence) addTurn(a Action) {
	s, there := x.was.sites[a.place()]
	if edge := a.Verb != VerbDelete && a.Site.Fields["edge"] == true; there && a.Verb != VerbDelete && edge != s.edge {
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
		waiting := x.orders.waitingFor(id)
		blocked := slices.ContainsFunc(makes, func(other string) bool { return waiting[other] })
		switch {
		case first != "" && !waiting[first]:
			x.orders.put(id, first)
		case len(breaks)*len(makes) > mostOrders && !blocked && !slices.Contains(makes, id):
			first = id
			fallthrough
		default:
			for _, other := range makes {
				if other != id && !waiting[other] {
					x.orders.put(id, other)
				}
			}
		}
	}
	x.orders.write(x.actions)
}

// retireLater takes the removal of old Links out of the action that makes or restores
// the link, and gives the ID of the action that has it now.
func (x *sequence) retireLater(id string) string {
	i := slices.IndexFunc(x.actions, func(a Action) bool { return a.ID == id })
	j := slices.IndexFunc(x.ways, func(w way) bool { return w.uid != "" && x.actions[i].Kind == KindLink && removesWay(x.actions[i], w) })
	later := id + oldSuffix
	switch {
	case x.orders.has(later):
		return later
	case j < 0 || !x.making[id] || x.actions[i].Verb == VerbDelete:
		return id
	}
	x.actions = append(x.actions, x.splitOff(&x.actions[i], later, x.ways[j]))
	x.orders.add(x.actions[len(x.actions)-1])
	for _, a := range x.actions { // what the old Link needs goes after it
		needed := a.Kind == KindProxy && slices.Contains(a.DependsOn, id) ||
			a.Kind == KindSite && a.place() == x.ways[j].to
		if needed && a.Verb == VerbDelete && !x.orders.waitingFor(a.ID)[later] {
			x.orders.put(a.ID, later)
		}
	}
	return later
}

// splitOff moves what a replacement removes into an action of its own, but for grants
// and tokens, which should not outlive it.
func (x *sequence) splitOff(a *Action, id string, w way) Action {
	work, all := *a.Link, a.Link.Remove
	old := LinkWork{
		From: work.From, Via: work.Via, Attempt: work.Attempt,
		To: End{Site: x.was.sites[w.to].name, Cluster: w.to.cluster, Namespace: w.to.namespace, UID: x.was.sites[w.to].uid},
	}
	old.To.Object = x.world.objectOf(w.to, old.To.UID, old.To.Site)
	work.Remove = nil
	for _, r := range all {
		if r.Kind == ObjectGrant || r.Kind == ObjectToken {
			work.Remove = append(work.Remove, r)
		} else {
			old.Remove = append(old.Remove, r)
		}
	}
	a.Link = &work
	a.Steps = slices.DeleteFunc(slices.Clone(a.Steps), func(s Step) bool {
		return s == StepRetire || s == StepClean && a.Verb != VerbReplace && len(work.Remove) == 0
	})
	return Action{
		ID: id, Kind: KindLink, Verb: VerbDelete, Cause: a.Cause,
		Cluster: a.Cluster, Namespace: a.Namespace, Name: a.Name, DeclaredAt: a.DeclaredAt,
		Disruption: DisruptionReconnect, Steps: []Step{StepDelete}, DependsOn: []string{a.ID}, Link: &old,
		Why: fmt.Sprintf("its old Link, to site %s, which others still need until their new ones are up", old.To.Site),
	}
}
