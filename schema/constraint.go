package schema

import (
	"cmp"
	"fmt"

	"cuelang.org/go/cue"
)

// constrained reports a value that is good, but for constraints that the description
// itself, or a package that it uses, puts on its field. One that the field can never hold
// is reported as such.
func (d *decoder) constrained(f field, w want) bool {
	value, constraints := broken(f.value)
	if f.hidden || len(constraints) == 0 || value.Kind()&w.kind == 0 {
		return false
	}
	if !d.holds(f, value) {
		return true
	}
	for _, c := range constraints {
		at := d.places.position(valuePos(c))
		message := fmt.Sprintf("%s is %s, but %s demands %s", f.label(), clip(fmt.Sprint(value)),
			cmp.Or(at.String(), "the description"), clip(fmt.Sprint(c)))
		d.add(f, "out-of-bounds", message, "give a value that it allows, or change it there", at)
	}
	return true
}

// holds reports a value that the field cannot hold, whatever the description demands.
func (d *decoder) holds(f field, v cue.Value) bool {
	f.value = v
	if s, err := v.String(); err == nil {
		return d.goodString(f, s)
	}
	if n, err := v.Int64(); err == nil {
		return d.goodNumber(f, n)
	}
	return true
}

// broken takes a contradiction apart: into the definite value in it, and the constraints
// that refuse that value.
func broken(v cue.Value) (value cue.Value, constraints []cue.Value) {
	parts := conjuncts(v)
	for _, p := range parts {
		if p.Err() == nil && p.IsConcrete() && !value.Exists() {
			value = p
		}
	}
	for _, p := range parts {
		if p.Err() == nil && !p.IsConcrete() && value.Exists() && value.Kind()&p.IncompleteKind() != 0 && value.Unify(p).Validate() != nil {
			constraints = append(constraints, p)
		}
	}
	return value, constraints
}

// conjuncts are the parts of v that have to hold together.
func conjuncts(v cue.Value) (out []cue.Value) {
	op, parts := v.Expr()
	if op != cue.AndOp {
		return []cue.Value{v}
	}
	for _, p := range parts {
		out = append(out, conjuncts(p)...)
	}
	return out
}
