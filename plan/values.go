package plan

import "strings"

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

func isZero(v any) bool {
	return v == nil || v == "" || v == false || v == "none"
}
