package schema

import (
	"fmt"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/errors"

	"fairlead.dev/fairlead/schema/diag"
)

// A value is shown only in a field that is known and holds no secret: what stands where a
// reference to a secret belongs, in an unknown field or in a helper may be the secret
// itself. Neither it nor CUE's words about it get into a finding.

// fixInClear is what to do about a secret that is written out.
const fixInClear = `say where the secret is kept, such as env: "VARIABLE" or file: "PATH"; ` +
	"if it was committed, change the secret itself: git keeps what it was"

// inClear reports a secret where its reference should be.
func (d *decoder) inClear(f field, w want, kind cue.Kind, related ...diag.Position) {
	how := ""
	if kind != cue.BottomKind {
		how = ", as " + noun(kind)
	}
	d.add(f, "secret-in-clear", fmt.Sprintf("%s is written in clear%s, want %s", f.label(), how, w.text), fixInClear, related...)
}

// mayBeSecret tells whether a field of f that is not known may hold a secret: it is part
// of a reference to one, or its name is nearly that of a field for one.
func (d *decoder) mayBeSecret(f field, name string) bool {
	partOfReference := f.hidden && f.path != ""
	return partOfReference || d.root.withinSecret([]string{name})
}

// shown is a value in a message, or else what may be said instead.
func (f field) shown(value any, instead string) string {
	if f.hidden {
		return instead
	}
	return clip(fmt.Sprint(value))
}

// reason adds CUE's words to a message. Those about a hidden value are left out, unless
// they are the same for every value.
func (f field) reason(err error) string {
	text := cueText(err)
	if f.hidden {
		format, args := errors.Errors(err)[0].Msg()
		if text = strings.TrimSpace(format); len(args) > 0 {
			return ""
		}
	}
	return ": " + text
}

// isScalar tells kinds of values that have no parts.
func isScalar(kind cue.Kind) bool {
	return kind != cue.BottomKind && kind&(cue.StructKind|cue.ListKind) == 0
}

// noun names a kind in a message.
func noun(kind cue.Kind) string {
	switch kind {
	case cue.StructKind:
		return "a struct"
	case cue.ListKind:
		return "a list"
	case cue.IntKind, cue.FloatKind, cue.NumberKind:
		return "a number"
	case cue.BoolKind:
		return "a bool"
	case cue.StringKind:
		return "a string"
	}
	return kind.String()
}

// kindOf is the kind among the arguments of an error of CUE.
func kindOf(arg any) cue.Kind {
	kind, _ := arg.(cue.Kind)
	return kind
}
