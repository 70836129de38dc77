package plan

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Allowance lifts one refusal of one plan: its code, the number that it counted, and
// the plan that it stands in.
type Allowance struct {
	Code   string
	Number int
	// Plan are the first digits of the plan's ID, twelve or more, in hexadecimal.
	Plan string
}

// String gives the allowance as it is written after --allow: "deletes.sites:12@0a1b2c3d4e5f".
func (a Allowance) String() string { return fmt.Sprintf("%s:%d@%s", a.Code, a.Number, a.Plan) }

// shortID is how many digits of a plan's ID tell it from others.
const shortID = 12

var allowance = regexp.MustCompile(`^(.+):([1-9][0-9]*)@(?:sha256:)?([0-9a-f]{12,64})$`)

// ParseAllowance reads what String writes. Anything else is an error that shows how it
// is written.
func ParseAllowance(text string) (Allowance, error) {
	found := allowance.FindStringSubmatch(text)
	if found == nil {
		return Allowance{}, fmt.Errorf("--allow %q is not CODE:NUMBER@PLAN, as in deletes.sites:12@0a1b2c3d4e5f; the plan shows what to pass", text)
	}
	number, err := strconv.Atoi(found[2])
	if err != nil {
		return Allowance{}, fmt.Errorf("--allow %q: %s is no number of sites or links", text, found[2])
	}
	return Allowance{Code: found[1], Number: number, Plan: found[3]}, nil
}

// Lift marks the refusals of a plan that the allowances fit, all of code, number and
// plan. An allowance that fits none is an error that says what the plan has: it was
// meant for another plan, or for something that no flag lifts.
func Lift(p Plan, allowances []Allowance) (Plan, error) {
	p.Refusals = slices.Clone(p.Refusals)
	for _, a := range allowances {
		i := slices.IndexFunc(p.Refusals, func(r Refusal) bool { return r.Number > 0 && r.Code == a.Code && r.Number == a.Number })
		if i < 0 || !strings.HasPrefix(digits(p), a.Plan) {
			return Plan{}, fmt.Errorf("--allow %s does not fit: %s", a, p.refusedFor())
		}
		p.Refusals[i].Overridden = true
	}
	return p, nil
}

// Refused lists the refusals that stand.
func (p Plan) Refused() []Refusal {
	return slices.DeleteFunc(slices.Clone(p.Refusals), func(r Refusal) bool { return r.Overridden })
}

// refusedFor says which allowances would fit.
func (p Plan) refusedFor() string {
	var flags, others []string
	for _, r := range p.Refusals {
		if r.Number > 0 {
			flags = append(flags, r.Override)
		} else {
			others = append(others, r.Code+" of "+r.Subject)
		}
	}
	id := digits(p)
	said := fmt.Sprintf("this is plan %s, and nothing that it is refused for can be allowed", id[:min(shortID, len(id))])
	if len(flags) > 0 {
		said = "this plan is refused for what these allow: " + strings.Join(flags, " ")
	}
	if len(others) > 0 {
		said += "; no flag lifts " + strings.Join(others, ", ")
	}
	return said + "; look at the plan again"
}

func digits(p Plan) string { return strings.TrimPrefix(p.ID, "sha256:") }

// flagged gives the refusals with the exact flags that lift them in this plan.
func flagged(p Plan) []Refusal {
	out := slices.Clone(p.Refusals)
	id := digits(p)
	for i, r := range out {
		out[i].Overridden = false
		if r.Number > 0 {
			out[i].Override = "--allow " + Allowance{Code: r.Code, Number: r.Number, Plan: id[:min(shortID, len(id))]}.String()
		}
	}
	return out
}

// unflagged takes away again what depends on the plan's ID and on who applies it.
func unflagged(list []Refusal) []Refusal {
	out := slices.Clone(list)
	for i, r := range out {
		out[i].Overridden = false
		if r.Number > 0 {
			out[i].Override = ""
		}
	}
	return out
}
