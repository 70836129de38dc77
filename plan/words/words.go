// Package words counts and lists things in sentences.
package words

import (
	"fmt"
	"slices"
	"strings"
)

// Count gives a number with its noun: "1 site", "2 sites".
func Count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Texts gives names as strings.
func Texts[T ~string](list []T) []string {
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
	return Spelled(slices.Sorted(slices.Values(names)), MostNames)
}

// Spelled joins the first names of a list, and counts the rest.
func Spelled[N ~string](list []N, most int) string {
	var names []string
	for _, n := range list[:min(most, len(list))] {
		names = append(names, string(n))
	}
	text := strings.Join(names, ", ")
	if rest := len(list) - len(names); rest > 0 {
		text += fmt.Sprintf(" and %d more", rest)
	}
	return text
}

// DescribeAgain is what to do about a cluster that was taken out of the description.
const DescribeAgain = "describe it again without its sites, apply, and take it out then"
