// Package judge decides whether a description may be acted on. What a command runs, asks or
// writes it takes from the value that judging returns, and nothing else makes that value. It
// is pure.
package judge

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
)

// Case is what is judged of a description.
type Case struct {
	Network string
	Policy  network.Policy
	// From is where the description comes from.
	From Provenance
	// Source names it in a plan; its Digest covers the overlays too.
	Source plan.Source
}

// Subject is a description that can be judged.
type Subject interface{ Case() Case }

// Terms are what a command was given that bears on the judgement.
type Terms struct {
	// Saved is the plan to carry out; nil for none.
	Saved *Saved
	// Allowances are those of the command line. Judging takes those of provenance, and leaves
	// the others to plan.Lift.
	Allowances []plan.Allowance
	// Liftable is true where the command takes allowances at all.
	Liftable bool
	Now      time.Time
}

// Passed is a description that was judged and may be acted on. Only Description makes one.
type Passed[D Subject] struct {
	description *D
	saved       *plan.Plan
}

// Description gives the description. It panics on the zero value, which nobody judged.
func (p Passed[D]) Description() D {
	if p.description == nil {
		panic("judge: this description was not judged")
	}
	return *p.description
}

// Saved gives the saved plan that was judged with the description; nil for none.
func (p Passed[D]) Saved() *plan.Plan { return p.saved }

// Class says which kind of error a judgement ends with.
type Class int

// The classes of errors.
const (
	// Invalid is a mistake of the command line.
	Invalid Class = iota
	// Refused is a description or a saved plan that a rule keeps from being acted on.
	Refused
	// Stale is a saved plan that is not, or not any more, the one to apply.
	Stale
)

// Error says why a description may not be acted on.
type Error struct {
	Class Class
	Text  string
}

// Error gives the text.
func (e Error) Error() string { return e.Text }

func fail(class Class, format string, args ...any) error {
	return Error{class, fmt.Sprintf(format, args...)}
}

// Description judges where a description comes from, by its own policy and by what the
// command demands, and whether the saved plan is of it. Errors are of type Error.
func Description[D Subject](d D, t Terms) (Passed[D], error) {
	c := d.Case()
	if err := c.provenance(t); err != nil {
		return Passed[D]{}, err
	}
	if t.Saved == nil {
		return Passed[D]{description: &d}, nil
	}
	if err := t.Saved.fits(c, t.Now); err != nil {
		return Passed[D]{}, err
	}
	return Passed[D]{description: &d, saved: t.Saved.trusted()}, nil
}

// provenance is the error about refusals that stand, or about allowances that fit none.
func (c Case) provenance(t Terms) error {
	refusals := Refusals(c.Policy, c.From)
	for _, a := range t.Allowances {
		if !a.OfProvenance() {
			continue
		}
		if t.Saved != nil {
			return fail(Invalid, "--allow %s does not go with --plan: where the description comes from is always judged", a)
		}
		left := slices.DeleteFunc(slices.Clone(refusals), func(r plan.Refusal) bool {
			return r.Code == a.Code && r.Number == a.Number && strings.HasPrefix(c.mark(), a.Plan)
		})
		if len(left) == len(refusals) {
			return fail(Invalid, "--allow %s does not fit: %s", a, c.said(refusals, true))
		}
		refusals = left
	}
	if len(refusals) > 0 {
		return fail(Refused, "%s\nNothing was run, asked or written.", c.said(refusals, t.Liftable && t.Saved == nil))
	}
	return nil
}

// said are refusals in words, each with the flag that lifts it where there is one.
func (c Case) said(refusals []plan.Refusal, liftable bool) string {
	if len(refusals) == 0 {
		return "nothing is refused for where this description comes from"
	}
	var lines []string
	for _, r := range refusals {
		line := fmt.Sprintf("refused: %s: %s", r.Subject, r.Message)
		if liftable {
			line += fmt.Sprintf("\n  to go ahead all the same: --allow %s", plan.Allowance{Code: r.Code, Number: r.Number, Plan: plan.Short(c.mark())})
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// mark tells this description, of this commit, from all others: an allowance holds for
// nothing else.
func (c Case) mark() string {
	sum := sha256.Sum256([]byte(c.Source.Digest + "\n" + c.From.Commit))
	return hex.EncodeToString(sum[:])
}
