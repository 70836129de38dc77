// Package field names the fields of objects by path, reads them, and compares their values.
package field

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"fairlead.dev/fairlead/plan"
)

// Equality is how two values at a path of a Site are compared: labels and annotations
// to the letter, fields of the spec by what they mean.
func Equality(path string) func(a, b any) bool {
	if strings.HasPrefix(path, "metadata.") {
		return SameValue
	}
	return equalField
}

// SameValue compares two values of JSON; a number may have been read as either type.
func SameValue(a, b any) bool {
	return a == b || number(a) != nil && number(b) != nil && *number(a) == *number(b)
}

func number(v any) *float64 {
	switch n := v.(type) {
	case int64:
		f := float64(n)
		return &f
	case float64:
		return &n
	}
	return nil
}

// equalField compares two values of a Site or Link field; absent, empty, false
// and the link access "none" mean the same to Skupper.
func equalField(a, b any) bool {
	return SameValue(a, b) || (plan.IsZero(a) && plan.IsZero(b))
}

// Exactly compares the values at any path to the letter, see SameValue.
func Exactly(string) func(a, b any) bool { return SameValue }

// DiffFields compares owned fields three ways: desired, as last applied, and
// live. A field is owned when it is desired or was last applied. The result is
// sorted by path and holds only fields whose live value must change.
func DiffFields(desired, applied, live map[string]any) []plan.Field {
	return DiffBy(Equality, desired, applied, live)
}

// DiffBy is diffFields with its own notion of what is equal at a path.
func DiffBy(equality func(path string) func(a, b any) bool, desired, applied, live map[string]any) []plan.Field {
	paths := map[string]bool{}
	for p := range desired {
		paths[p] = true
	}
	for p := range applied {
		paths[p] = true
	}
	out := []plan.Field{}
	for _, p := range slices.Sorted(maps.Keys(paths)) {
		d, l := desired[p], live[p]
		same := equality(p)
		if same(d, l) {
			continue
		}
		out = append(out, plan.Field{Path: p, From: l, To: d, Cause: causeBy(same, d, applied[p], l, applied != nil)})
	}
	return out
}

// SameFields reports whether two sets of owned fields mean the same.
func SameFields(a, b map[string]any) bool {
	return len(DiffFields(a, b, b)) == 0
}

// CauseOf judges a field whose desired and live values differ.
func CauseOf(desired, applied, live any, known bool) plan.Cause {
	return causeBy(equalField, desired, applied, live, known)
}

func causeBy(same func(a, b any) bool, desired, applied, live any, known bool) plan.Cause {
	switch {
	case !known || same(applied, live):
		return plan.CausePending
	case same(applied, desired):
		return plan.CauseDrift
	}
	return plan.CauseBoth
}

// MergeCauses gives the cause of an action from those of its fields.
func MergeCauses(fields []plan.Field, otherwise plan.Cause) plan.Cause {
	merged := plan.Cause("")
	for _, f := range fields {
		switch {
		case merged == "":
			merged = f.Cause
		case merged != f.Cause:
			return plan.CauseBoth
		}
	}
	if merged == "" {
		return otherwise
	}
	return merged
}

// Shown words a value for people, cut where it is long.
func Shown(v any) string {
	text, err := json.Marshal(v)
	if err != nil { // every value of a plan can be marshalled
		panic(fmt.Sprintf("plan: %v", err))
	}
	if string(text) == "null" {
		return "absent"
	}
	return string(text)
}
