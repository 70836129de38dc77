package plan

import (
	"fmt"
	"slices"
	"strings"
)

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func texts[T ~string](list []T) []string {
	out := make([]string, 0, len(list))
	for _, v := range list {
		out = append(out, string(v))
	}
	return out
}

func sortedSet[T ~string](list []T) []T {
	slices.Sort(list)
	return slices.Compact(list)
}

// mostNames is how many names one sentence spells out.
const mostNames = 10

func someNames(names []string) string {
	return spelled(slices.Sorted(slices.Values(names)), mostNames)
}

// spelled joins the first names of a list, and counts the rest.
func spelled[N ~string](list []N, most int) string {
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

const describeAgain = "describe it again without its sites, apply, and take it out then"
