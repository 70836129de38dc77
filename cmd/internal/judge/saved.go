package judge

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
)

// Saved is a saved plan that a command was given.
type Saved struct {
	Plan plan.Plan
	// File is where it was read from, as it was named.
	File string
	// Expected is the ID that it has to have, or its first digits; empty for any.
	Expected string
}

// clockSkew is how far the clocks of the machines that plan and apply may be apart.
const clockSkew = 10 * time.Minute

// fits refuses a plan that is not the expected one, not of this network and description, or
// too old.
func (s Saved) fits(c Case, now time.Time) error {
	want := strings.TrimPrefix(s.Expected, "sha256:")
	id := strings.TrimPrefix(s.Plan.ID, "sha256:")
	switch {
	case s.Expected != "" && (len(want) < plan.ShortDigits || !strings.HasPrefix(id, want)):
		return fail(Stale, "--expect-plan-id: the plan in %s is %s, not %s; review it and pass its id", s.File, s.Plan.ID, s.Expected)
	case s.Plan.Network != c.Network:
		return fail(Refused, "--plan: the plan is of network %q, and the description of %q", s.Plan.Network, c.Network)
	case s.Plan.Source.Digest != c.Source.Digest:
		return fail(Stale, "the plan in %s (%s) is stale: it was made of another description (commit %s, and this is %s); plan again",
			s.File, plan.Short(s.Plan.ID), named(s.Plan.Source), named(c.Source))
	}
	return s.fresh(c.Policy, now)
}

// fresh refuses a plan that is older than the description's policy allows.
func (s Saved) fresh(policy network.Policy, now time.Time) error {
	limit, err := time.ParseDuration(cmp.Or(policy.PlanExpiry, network.DefaultPlanExpiry))
	if err != nil {
		return fail(Invalid, "policy: planExpiry: %v", err)
	}
	made, err := time.Parse(time.RFC3339, s.Plan.Made)
	if err != nil {
		return fail(Invalid, "--plan %s: the plan does not say when it was made; save it with: fairlead plan -o FILE", s.File)
	}
	if made.Sub(now) > clockSkew {
		return fail(Stale, "--plan %s: the plan says that it was made at %s, which is not yet; are the clocks right?", s.File, s.Plan.Made)
	}
	if now.Sub(made) > limit {
		return fail(Stale, "the plan in %s (%s) expired: it was made at %s, more than %s ago; plan again",
			s.File, plan.Short(s.Plan.ID), s.Plan.Made, limit)
	}
	return nil
}

// trusted is the plan without what an older build wrote of where its description came from:
// that of the description which is applied counts.
func (s Saved) trusted() *plan.Plan {
	p := s.Plan
	p.Refusals = slices.DeleteFunc(slices.Clone(p.Refusals), plan.Refusal.OfProvenance)
	return &p
}

func named(s plan.Source) string { return cmp.Or(s.Commit, "unknown") }
