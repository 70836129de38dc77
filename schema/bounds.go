package schema

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"fairlead.dev/fairlead/schema/network"
)

// choices are the values of an enumerated field, or nil. schema.cue holds the
// same as a regular expression; a test keeps the two in step.
func choices(name string) []string {
	switch name {
	case "linkAccess":
		return network.LinkAccesses
	case "via":
		return []string{"token", "certificate"}
	case "unreachableSites":
		return []string{"warn", "error"}
	}
	return nil
}

// goodString reports a string that its field cannot hold.
func (d *decoder) goodString(f field, s string) bool {
	if all := choices(f.name); all != nil && !slices.Contains(all, s) {
		d.notAChoice(f, s, all)
		return false
	}
	if f.name == "network" && f.subject == "" && !network.ValidNetworkName(s) {
		d.add(f, "network-name", fmt.Sprintf("network is %q, which is no DNS label of at most %d characters",
			clip(s), network.MaxNetworkName), fixDNSLabel)
		return false
	}
	return true
}

// numberRange is what a field of numbers may hold, both ends included, and what to do
// about a number beyond it.
type numberRange struct {
	least, most int64
	code, fix   string
}

func rangeOf(name string) numberRange {
	switch name {
	case "port":
		return numberRange{1, 65535, "port-range", "give the port that the proxy listens on"}
	case "rotation":
		return numberRange{1, math.MaxInt32, "rotation-range", "count the re-keyings from 1"}
	case "sites", "links":
		return numberRange{0, math.MaxInt32, "deletes-range", "say how many one plan may delete; 0 for none"}
	case "percent":
		return numberRange{0, 100, "deletes-range", "say what share one plan may delete; 100 for no limit"}
	}
	return numberRange{1, math.MaxInt32, "cost-range", `give a whole number in that range; 99999 means "backup only"`}
}

// goodNumber reports a number that its field cannot hold.
func (d *decoder) goodNumber(f field, n int64) bool {
	if r := rangeOf(f.name); r.least <= n && n <= r.most {
		return true
	}
	d.badNumber(f, clip(fmt.Sprint(f.value)))
	return false
}

// outOfBounds words CUE's refusal of a value, by a schema that the user imports.
func (d *decoder) outOfBounds(f field, value, bound string) {
	switch f.name {
	case "linkAccess", "via", "unreachableSites":
		d.notAChoice(f, strings.Trim(value, `"`), choices(f.name))
	case "cost", "port", "rotation", "sites", "links", "percent":
		d.badNumber(f, value)
	default:
		d.add(f, "out-of-bounds", fmt.Sprintf("%s is %s, but must be %s", f.label(), value, bound), "give a value within the bound")
	}
}

func (d *decoder) badNumber(f field, value string) {
	r := rangeOf(f.name)
	d.add(f, r.code, fmt.Sprintf("%s is %s, want %d to %d", f.label(), value, r.least, r.most), r.fix)
}

func (d *decoder) notAChoice(f field, value string, all []string) {
	fix := "use one of " + strings.Join(all, ", ")
	if near := closest(value, all); near != "" {
		fix = fmt.Sprintf("did you mean %q? The choices are %s", near, strings.Join(all, ", "))
	}
	d.add(f, "not-a-choice", fmt.Sprintf("%s is %q, which is none of its choices", f.label(), clip(value)), fix)
}

const fixDNSLabel = "use lower-case letters, digits and hyphens, with a letter or digit at both ends"

// closest is the candidate that a misspelt word was most likely meant to be, or
// "" when none is near.
func closest(word string, candidates []string) string {
	best, least := "", 1+len(word)/3
	for _, c := range candidates {
		if n := distance(strings.ToLower(word), strings.ToLower(c)); n < least {
			best, least = c, n
		}
	}
	return best
}

// distance counts the edits (insert, delete, replace, swap of neighbours) that
// turn a into b. Words longer than 64 bytes are far from everything.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return len(a) + len(b)
	}
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row := rows[(i+2)%3], rows[i%3], rows[(i+1)%3]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+differ(a[i-1], b[j-1]))
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return rows[(len(a)+1)%3][len(b)]
}

func differ(a, b byte) int {
	if a == b {
		return 0
	}
	return 1
}
