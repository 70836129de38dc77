package plan

import (
	"maps"
	"slices"
	"strings"
)

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

// siteDisruption gives the worst class among changed fields of a living Site.
// Link access that was on moves or closes endpoints; edge, issuer, account and settings
// restart the router.
func siteDisruption(fields []Field) Disruption {
	worst := DisruptionNone
	for _, f := range fields {
		switch {
		case f.Path == "linkAccess" && !isZero(f.From):
			worst = DisruptionReconnect
		case f.Path == "edge", f.Path == "serviceAccount", f.Path == "defaultIssuer",
			strings.HasPrefix(f.Path, "settings."):
			return DisruptionRestart
		}
	}
	return worst
}
