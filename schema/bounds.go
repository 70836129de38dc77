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
	all := choices(f.name)
	switch {
	case all != nil && !slices.Contains(all, s):
		d.notAChoice(f, s, all)
	case f.name == "network" && f.subject == "" && !network.ValidNetworkName(s):
		d.add(f, "network-name", fmt.Sprintf("network is %q, which is no DNS label of at most %d characters",
			clip(s), network.MaxNetworkName), fixDNSLabel)
	default:
		return true
	}
	return false
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
	case "sites", "links", "objects":
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

// outOfBounds words CUE's refusal of a value that stands in no known field.
func (d *decoder) outOfBounds(f field, value, bound any) {
	message := fmt.Sprintf("%s is %s, but must be %s", f.label(), clip(fmt.Sprint(value)), clip(fmt.Sprint(bound)))
	if f.hidden {
		message = f.label() + " is out of the bound that the description gives it"
	}
	d.add(f, "out-of-bounds", message, "give a value within the bound")
}

func (d *decoder) badNumber(f field, value string) {
	r := rangeOf(f.name)
	d.add(f, r.code, fmt.Sprintf("%s is %s, want %d to %d", f.label(), value, r.least, r.most), r.fix)
}

func (d *decoder) notAChoice(f field, value string, all []string) {
	fix := "use one of " + strings.Join(all, ", ")
	if near := network.Closest(value, all); near != "" {
		fix = fmt.Sprintf("did you mean %q? The choices are %s", near, strings.Join(all, ", "))
	}
	d.add(f, "not-a-choice", fmt.Sprintf("%s is %q, which is none of its choices", f.label(), clip(value)), fix)
}

const fixDNSLabel = "use lower-case letters, digits and hyphens, with a letter or digit at both ends"
