package network_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/schema/network"
)

func TestListens(t *testing.T) {
	t.Parallel()
	for access, want := range map[string]bool{"": false, "none": false, "default": true, "route": true} {
		if got := (network.Site{LinkAccess: access}).Listens(); got != want {
			t.Errorf("linkAccess %q listens: %t, want %t", access, got, want)
		}
	}
}

func TestObjectName(t *testing.T) {
	t.Parallel()
	for attempt, want := range map[int]string{0: "l", 1: "l", 2: "l-r2", 9999: "l-r9999"} {
		if got := network.ObjectName("l", attempt); got != want {
			t.Errorf("attempt %d: %q, want %q", attempt, got, want)
		}
	}
}

// TestLongestNamesFit checks that whatever is made of the longest allowed names
// still fits a label.
func TestLongestNamesFit(t *testing.T) {
	t.Parallel()
	link := network.LinkName(strings.Repeat("l", network.MaxLinkName))
	for _, name := range network.LinkObjectNames(network.ObjectName(link, 9999)) {
		if len(name) > 63 {
			t.Errorf("%q has %d characters", name, len(name))
		}
	}
	if name := network.InventoryName(strings.Repeat("n", network.MaxNetworkName)); len(name) != 63 {
		t.Errorf("the longest inventory name has %d characters, want 63", len(name))
	}
}

func TestLinkObjectNames(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff([]string{"l", "l-1", "l-2"}, network.LinkObjectNames("l")); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}
