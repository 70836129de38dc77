// Package words counts and lists things in sentences.
package words

import (
	"fmt"
	"slices"
	"strings"
)

func Count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func Texts[T ~string](list []T) []string {
	out := make([]string, 0, len(list))
	for _, v := range list {
		out = append(out, string(v))
	}
	return out
}

func SortedSet[T ~string](list []T) []T {
	slices.Sort(list)
	return slices.Compact(list)
}

// MostNames is how many names one sentence spells out.
const MostNames = 10

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

const DescribeAgain = "describe it again without its sites, apply, and take it out then"
