package planner

import (
	"slices"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/record"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// resume plans to finish an interrupted apply, with the same attempt where its
// ends are still the wanted ones.
func (m linkPlanner) resume(c linkCase) plan.Action {
	a := c.action
	a.Steps, a.Why = creation(c.Via), "an earlier apply was interrupted; this finishes it"
	if c.Recorded.Refused != "" {
		a.Why = "an earlier apply did not end; this finishes it" + record.RefusedBefore(c.Recorded.Refused)
	}
	a.Link.Attempt, a.Link.UnderWay = c.Recorded.Attempt, true
	if !c.Recorded.Adopted {
		c.current = c.attempted()
	}
	moved := c.ends() != "" || c.rekeyed() != "" || c.dead() || c.astray() || c.goes()
	if c.Recorded.Adopted && !moved && len(c.current) > 0 {
		return m.adopt(c, c.current)
	}
	a.Link.Resume = !moved
	if moved {
		a.Link.Attempt = m.freeAttempt(c)
	}
	current := network.LinkObjectNames(network.ObjectName(c.Name, a.Link.Attempt))
	var going []world.LinkView
	for _, v := range c.own {
		if slices.Contains(current, v.Name) {
			a.Link.Live = append(a.Link.Live, liveLink(v))
			continue
		}
		a.Verb = plan.VerbReplace
		going = append(going, v)
	}
	a.Link.Remove = m.remains.removal(c, going)
	keep := func(r plan.ObjectRef) bool { return !moved && c.between(r) && c.ofAttempt(a.Link.Attempt, r) }
	a.Link.Remove = append(a.Link.Remove, m.remains.leftovers(c, keep)...)
	if a.Verb == plan.VerbReplace {
		a.Steps, a.Disruption = replacement(c.Via), plan.DisruptionReplace
	}
	return a
}

// heedIntent decides about a link that an apply did not finish making anew: where that is
// what the description wants it goes on, and otherwise from what was last applied.
func (m linkPlanner) heedIntent(c *linkCase) {
	if !c.Known || len(c.Recorded.Making(c.Name)) == 0 {
		return
	}
	u := *c
	u.Recorded = c.Recorded.UnderWay()
	u.current = u.attempted()
	if u.ends() == "" && u.rekeyed() == "" && u.Recorded.Rotation == c.Rotation {
		c.Recorded = u.Recorded
		return
	}
	c.back = true
	c.current = slices.DeleteFunc(c.current, func(v world.LinkView) bool { return !slices.Contains(c.Recorded.Objects, v.Name) })
}

// attempted are the Links of the recorded attempt alone.
func (c linkCase) attempted() (out []world.LinkView) {
	names := network.LinkObjectNames(network.ObjectName(c.Name, c.Recorded.Attempt))
	for _, v := range c.own {
		if slices.Contains(names, v.Name) {
			out = append(out, v)
		}
	}
	return out
}

// astray reports whether what a token made leads, or will lead, to no address of the
// listening site; the Links of a certificate get its endpoints anew.
func (c linkCase) astray() bool {
	why, _ := c.readdressed()
	return c.Via == network.ViaToken && len(c.current) > 0 && why != ""
}

// between reports whether an object may be of the link as it is made: it is at the end where
// its kind belongs, and of the link's way. Else it is of one of that name from before.
func (c linkCase) between(r plan.ObjectRef) bool {
	at, to := r.Place(), c.action.Link.To
	switch r.Kind {
	case plan.ObjectCertificate:
		return c.Via == network.ViaCertificate && at == to.Place()
	case plan.ObjectGrant:
		return at == to.Place()
	}
	return at == c.At
}

// goes reports whether something that bears the name of the attempt is being deleted.
func (c linkCase) goes() bool {
	object := network.ObjectName(c.Name, c.Recorded.Attempt)
	to := c.action.Link.To.Place()
	return c.m.world.Secrets[c.At][object].Deleting || c.m.world.Tokens[c.At][object].Deleting ||
		c.m.world.Certificates[to][plan.GrantName(c.m.network(), c.Name, c.Recorded.Attempt)].Deleting ||
		slices.ContainsFunc(c.m.world.LiveLinks[c.At], func(v world.LinkView) bool {
			return v.Deleting && slices.Contains(network.LinkObjectNames(object), v.Name)
		})
}

// dead reports whether what an interrupted attempt made can never work: its CA or
// Secret is gone, or one Link of a pair and the token that would make it.
func (c linkCase) dead() bool {
	if c.Recorded.ToUID != "" && c.Recorded.ToUID != c.action.Link.To.UID || c.m.world.SecretGone(c.At, c.current) != "" {
		return true
	}
	if c.Via == network.ViaCertificate {
		return false // what is missing is made
	}
	_, coming := c.m.world.Tokens[c.At][network.ObjectName(c.Name, c.Recorded.Attempt)]
	return !coming && len(c.current) > 0 && len(c.current) < c.m.endpoints.groups(c.To)
}

// replacement are the steps of a link that is made anew before the old one goes.
func replacement(via network.Via) []plan.Step {
	steps := creation(via)
	return slices.Insert(steps, slices.Index(steps, plan.StepClean), plan.StepRetire)
}

// ofAttempt reports whether a grant, token, Certificate or Secret belongs to the attempt.
func (c linkCase) ofAttempt(attempt int, r plan.ObjectRef) bool {
	if r.Kind != plan.ObjectGrant && r.Kind != plan.ObjectCertificate {
		return r.Name == network.ObjectName(c.Name, attempt)
	}
	return r.Name == plan.GrantName(c.m.network(), c.Name, attempt)
}
