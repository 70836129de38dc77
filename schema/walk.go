package schema

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/errors"

	"fairlead.dev/fairlead/schema/diag"
)

// object visits the fields of f that its shape knows, and reports unknown and
// missing ones. It reports whether f is an object without such mistakes.
func (d *decoder) object(f field, s shape, visit func(field)) bool {
	it, err := f.value.Fields()
	if err != nil {
		d.mismatch(f, want{kind: cue.StructKind, text: s.what, reference: s.reference})
		return false
	}
	var seen fieldSet
	clean := true
	for it.Next() {
		name := it.Selector().Unquoted()
		i := slices.Index(s.fields, name)
		if notPresent(it.Value()) {
			if i < 0 || i >= s.required { // demanded by the user, not by the schema
				d.missingField(f, name)
				clean = false
			}
			continue
		}
		if i < 0 {
			d.unknownField(f, s, name, it.Value())
			clean = false
			continue
		}
		seen.add(i)
		member := d.child(f, name, it.Value())
		member.hidden = s.hides(name)
		visit(member)
	}
	return d.sound(f) && d.complete(f, s, seen) && clean
}

// notPresent tells a field that is demanded, as in `name!: string`, and missing.
func notPresent(v cue.Value) bool {
	if v.Kind() != cue.BottomKind {
		return false
	}
	var e errors.Error
	if !errors.As(v.Err(), &e) {
		return false
	}
	format, _ := e.Msg()
	return strings.HasPrefix(format, "field is required but not present")
}

// complete reports the required fields that are not in seen, if any.
func (d *decoder) complete(f field, s shape, seen fieldSet) bool {
	clean := true
	for i, name := range s.fields[:s.required] {
		if !seen.has(i) {
			d.missingField(f, name)
			clean = false
		}
	}
	return clean
}

// field is one value on its way to Go. subject names the entry that it belongs
// to, path the fields that lead to it from there; both may be empty.
type field struct {
	name, subject, path string
	value               cue.Value
	at                  diag.Position
	// hidden says that no finding shows the value, nor anything below it.
	hidden bool
}

func (d *decoder) child(parent field, name string, v cue.Value) field {
	pos := d.places.nearest(v, valuePos)
	at := d.places.position(pos)
	if far := d.places.distance(pos); far == nowhere || far == inVendored && !parent.at.IsZero() {
		at = parent.at
	}
	path := name
	if parent.path != "" {
		path = parent.path + "." + name
	}
	return field{name: name, subject: parent.subject, path: path, value: v, at: at, hidden: parent.hidden}
}

// item is the element of a list, whose path ends in its number.
func (d *decoder) item(list field, i int, v cue.Value) field {
	out := d.child(list, fmt.Sprintf("[%d]", i), v)
	out.path = list.path + out.name
	return out
}

// section visits the entries of a top-level map, such as sites. It reports
// whether all of them are known.
func (d *decoder) section(f field, kind string, visit func(field)) bool {
	return d.entries(f, func(entry field) {
		entry.subject, entry.path = subject(kind, entry.name), ""
		if at := d.places.label(f.name, entry.name, entry.value); !at.IsZero() {
			entry.at = at
		}
		visit(entry)
	})
}

// subject names an entry in the user's words, such as `link "shop1-hub"`.
func subject(kind, name string) string { return kind + " " + strconv.Quote(name) }

// entries visits the fields of a map with free names. It reports whether the map
// itself is sound, whatever its entries are.
func (d *decoder) entries(f field, visit func(field)) bool {
	it, err := f.value.Fields()
	if err != nil {
		d.mismatch(f, wantKind(cue.StructKind, "a struct of named entries"))
		return false
	}
	for it.Next() {
		name := it.Selector().Unquoted()
		if notPresent(it.Value()) {
			d.missingField(f, name)
			continue
		}
		visit(d.child(f, name, it.Value()))
	}
	return d.sound(f)
}

// sound reports errors of a struct itself, such as a comprehension over
// something that does not exist; those of its fields are met when visiting them.
func (d *decoder) sound(f field) bool {
	if d.valid {
		return true
	}
	own := valueKey(f.value)
	ok := true
	for _, e := range errors.Errors(f.value.Err()) {
		if pathKey(e.Path()) == own && !d.reported[own] {
			d.cueError(f, wantKind(cue.StructKind, "a struct"), e)
			ok = false
		}
	}
	return ok
}

// str reads a string; into and at stay zero when it is not a good one, which is
// reported.
func (d *decoder) str(f field, into *string, at *diag.Position) {
	s, err := f.value.String()
	if err != nil {
		d.mismatch(f, wantKind(cue.StringKind, "a string"))
		return
	}
	if d.goodString(f, s) {
		*into, *at = s, f.at
	}
}

// boolean is str for a bool.
func (d *decoder) boolean(f field, into *bool, at *diag.Position) {
	b, err := f.value.Bool()
	if err != nil {
		d.mismatch(f, wantKind(cue.BoolKind, "true or false"))
		return
	}
	*into, *at = b, f.at
}

// integer is str for a whole number.
func (d *decoder) integer(f field, into *int64, at *diag.Position) {
	if v, _ := f.value.Default(); v.Kind() != cue.IntKind {
		d.mismatch(f, wantKind(cue.IntKind, "a whole number"))
		return
	}
	n, err := f.value.Int64()
	if err != nil { // does not fit, and so is out of any range
		n = -1
	}
	if d.goodNumber(f, n) {
		*into, *at = n, f.at
	}
}
