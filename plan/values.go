package plan

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// equality is how two values at a path of a Site are compared: labels and annotations
// to the letter, fields of the spec by what they mean.
func equality(path string) func(a, b any) bool {
	if strings.HasPrefix(path, "metadata.") {
		return sameValue
	}
	return equalField
}

// sameValue compares two values of JSON; a number may have been read as either type.
func sameValue(a, b any) bool {
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
	return sameValue(a, b) || (isZero(a) && isZero(b))
}

func exactly(string) func(a, b any) bool { return sameValue }

// diffFields compares owned fields three ways: desired, as last applied, and
// live. A field is owned when it is desired or was last applied. The result is
// sorted by path and holds only fields whose live value must change.
func diffFields(desired, applied, live map[string]any) []Field {
	return diffBy(equality, desired, applied, live)
}

// diffBy is diffFields with its own notion of what is equal at a path.
func diffBy(equality func(path string) func(a, b any) bool, desired, applied, live map[string]any) []Field {
	paths := map[string]bool{}
	for p := range desired {
		paths[p] = true
	}
	for p := range applied {
		paths[p] = true
	}
	out := []Field{}
	for _, p := range slices.Sorted(maps.Keys(paths)) {
		d, l := desired[p], live[p]
		same := equality(p)
		if same(d, l) {
			continue
		}
		out = append(out, Field{Path: p, From: l, To: d, Cause: causeBy(same, d, applied[p], l, applied != nil)})
	}
	return out
}

// sameFields reports whether two sets of owned fields mean the same.
func sameFields(a, b map[string]any) bool {
	return len(diffFields(a, b, b)) == 0
}

// causeOf judges a field whose desired and live values differ.
func causeOf(desired, applied, live any, known bool) Cause {
	return causeBy(equalField, desired, applied, live, known)
}

func causeBy(same func(a, b any) bool, desired, applied, live any, known bool) Cause {
	switch {
	case !known || same(applied, live):
		return CausePending
	case same(applied, desired):
		return CauseDrift
	}
	return CauseBoth
}

// mergeCauses gives the cause of an action from those of its fields.
func mergeCauses(fields []Field, otherwise Cause) Cause {
	merged := Cause("")
	for _, f := range fields {
		switch {
		case merged == "":
			merged = f.Cause
		case merged != f.Cause:
			return CauseBoth
		}
	}
	if merged == "" {
		return otherwise
	}
	return merged
}

func shown(v any) string {
	text, err := json.Marshal(v)
	if err != nil { // every value of a plan can be marshalled
		panic(fmt.Sprintf("plan: %v", err))
	}
	if string(text) == "null" {
		return "absent"
	}
	return string(text)
}
