// Package words counts, lists and shortens: what sentences do to numbers and names, whatever
// they are about.
package words

import (
	"fmt"
	"slices"
	"strings"
)

// Count gives a number with its noun: "1 site", "2 sites".
func Count(n int, what string) string {
	return Plural(n, what, what+"s")
}

// Strings are names without their type.
func Strings[T ~string](list []T) []string {
	out := make([]string, 0, len(list))
	for _, v := range list {
		out = append(out, string(v))
	}
	return out
}

// SortedSet sorts a list in place, and leaves out what is there twice.
func SortedSet[T ~string](list []T) []T {
	slices.Sort(list)
	return slices.Compact(list)
}

// MostNames is how many names one sentence spells out.
const MostNames = 10

// SomeNames lists names in order, MostNames of them at most, and counts the rest.
func SomeNames(names []string) string {
	return Some(slices.Sorted(slices.Values(names)), MostNames)
}

// Some joins up to so many names, and counts the rest.
func Some[N ~string](list []N, most int) string {
	text := strings.Join(Strings(list[:min(most, len(list))]), ", ")
	if rest := len(list) - most; rest > 0 {
		text += fmt.Sprintf(" and %d more", rest)
	}
	return text
}

// DescribeAgain is what to do about a cluster that was taken out of the description.
const DescribeAgain = "describe it again without its sites, apply, and take it out then"
