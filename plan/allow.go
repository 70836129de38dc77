package plan

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// allowAll is the code of an allowance that lifts what a plan deletes and cuts off.
const allowAll = "all"

// The codes of refusals by where a description comes from. They are judged before a plan is
// made and are in none; older builds wrote them into plans.
const (
	Dirty    = "dirty"
	Unsigned = "unsigned"
)

func ofProvenance(code string) bool { return code == Dirty || code == Unsigned }

// OfProvenance reports whether a refusal is by where a description comes from.
func (r Refusal) OfProvenance() bool { return ofProvenance(r.Code) }

// OfProvenance reports whether an allowance lifts a refusal by where a description comes from.
func (a Allowance) OfProvenance() bool { return ofProvenance(a.Code) }

// Allowance lifts one refusal of one plan: its code, the number that it counted, and the
// plan that it stands in. With the code "all" and no number it lifts every refusal of that
// plan that has a number, but for Dirty and Unsigned.
type Allowance struct {
	Code   string
	Number int
	// Plan are the first digits of the plan's ID, twelve or more, in hexadecimal.
	Plan string
}

// String gives the allowance as it is written after --allow: "deletes.sites:12@0a1b2c3d4e5f"
// or "all@0a1b2c3d4e5f".
func (a Allowance) String() string {
	if a.Code == allowAll {
		return a.Code + "@" + a.Plan
	}
	return fmt.Sprintf("%s:%d@%s", a.Code, a.Number, a.Plan)
}

// ShortDigits is how many digits of a plan's ID tell it from others.
const ShortDigits = 12

var allowance = regexp.MustCompile(`^(?:all|(.+):([1-9][0-9]*))@(?:sha256:)?([0-9a-f]{12,64})$`)

// ParseAllowance reads what String writes. Anything else is an error that shows how it
// is written.
func ParseAllowance(text string) (Allowance, error) {
	found := allowance.FindStringSubmatch(text)
	switch {
	case found == nil || found[1] == allowAll:
		return Allowance{}, fmt.Errorf("--allow %q is not CODE:NUMBER@PLAN, as in deletes.sites:12@0a1b2c3d4e5f, or all@PLAN; the plan shows what to pass", text)
	case found[1] == "":
		return Allowance{Code: allowAll, Plan: found[3]}, nil
	}
	number, err := strconv.Atoi(found[2])
	if err != nil {
		return Allowance{}, fmt.Errorf("--allow %q: %s is no number of sites, links or objects", text, found[2])
	}
	return Allowance{Code: found[1], Number: number, Plan: found[3]}, nil
}

// Lift marks the refusals of a plan that the allowances fit. An allowance that fits none is an error that says what the plan has: it was
// meant for another plan, or for something that no flag lifts.
func Lift(p Plan, allowances []Allowance) (Plan, error) {
	p.Refusals = slices.Clone(p.Refusals)
	for _, a := range allowances {
		fits := 0
		for i, r := range p.Refusals {
			if a.lifts(r) && strings.HasPrefix(digits(p), a.Plan) {
				p.Refusals[i].Overridden = true
				fits++
			}
		}
		if fits == 0 {
			return Plan{}, fmt.Errorf("--allow %s does not fit: %s", a, p.refusedFor())
		}
	}
	return p, nil
}

func (a Allowance) lifts(r Refusal) bool {
	if a.Code == allowAll {
		return r.liftedByAll()
	}
	return r.Number > 0 && r.Code == a.Code && r.Number == a.Number
}

// liftedByAll reports whether a refusal is about what a plan takes away.
func (r Refusal) liftedByAll() bool { return r.Number > 0 && !r.OfProvenance() }

// AllowAll is the flag that lifts all refusals of a plan at once; empty where fewer than
// two that stand can be lifted so.
func (p Plan) AllowAll() string {
	n := 0
	for _, r := range p.Refused() {
		if r.liftedByAll() {
			n++
		}
	}
	if n < 2 {
		return ""
	}
	return "--allow " + Allowance{Code: allowAll, Plan: Short(p.ID)}.String()
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
	said := fmt.Sprintf("this is plan %s, and nothing that it is refused for can be allowed", Short(p.ID))
	if len(flags) > 0 {
		said = "this plan is refused for what these allow: " + strings.Join(flags, " ")
	}
	if all := p.AllowAll(); all != "" {
		said += ", or all at once: " + all
	}
	if len(others) > 0 {
		said += "; no flag lifts " + strings.Join(others, ", ")
	}
	return said + "; look at the plan again"
}

func digits(p Plan) string { return strings.TrimPrefix(p.ID, "sha256:") }

// Short are the first digits of an ID, with or without the name of its hash: what tells it from
// others.
func Short(id string) string {
	digits := strings.TrimPrefix(id, "sha256:")
	return digits[:min(ShortDigits, len(digits))]
}

// flagged gives the refusals with the exact flags that lift them in this plan.
func flagged(p Plan) []Refusal {
	out := slices.Clone(p.Refusals)
	for i, r := range out {
		out[i].Overridden = false
		if r.Number > 0 {
			out[i].Override = "--allow " + Allowance{Code: r.Code, Number: r.Number, Plan: Short(p.ID)}.String()
		}
	}
	return out
}

// Unflagged takes away again what depends on the plan's ID and on who applies it.
func Unflagged(list []Refusal) []Refusal {
	out := slices.Clone(list)
	for i, r := range out {
		out[i].Overridden = false
		if r.Number > 0 {
			out[i].Override = ""
		}
	}
	return out
}

// Same reports whether two refusals are by the same rule about the same thing.
func (r Refusal) Same(other Refusal) bool { return r.Code == other.Code && r.Subject == other.Subject }
