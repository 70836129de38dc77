package network_test

import (
	"strings"
	"testing"

	"fairlead.dev/fairlead/schema/network"
)

func TestAttemptSuffix(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"a-r2": "-r2", "a-r": "", "a2": "", "r2": "", "a-r10": "-r10", "a-r2b": "", "-r2": "-r2"} {
		if got := network.AttemptSuffix(name); got != want {
			t.Errorf("%q ends in %q, want %q", name, got, want)
		}
	}
}

func TestValidNames(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 63)
	for _, c := range []struct {
		name                string
		network, site, link bool
	}{
		{"a", true, true, true},
		{"0-9", true, true, true},
		{"", false, false, false},
		{"-a", false, false, false},
		{"a-", false, false, false},
		{"A", false, false, false},
		{"a.b", false, false, false},
		{"a-r2", true, true, false},
		{"skupper-router-x", true, true, false},
		{"auto-mesh", true, true, false},
		{long[:54], true, true, true},
		{long[:55], false, true, true},
		{long[:network.MaxLinkName], false, true, true},
		{long[:network.MaxLinkName+1], false, true, false},
		{long, false, true, false},
		{long + "a", false, false, false},
	} {
		if got := network.ValidNetworkName(c.name); got != c.network {
			t.Errorf("network %q: %t", c.name, got)
		}
		if got := network.ValidSiteName(c.name); got != c.site {
			t.Errorf("site %q: %t", c.name, got)
		}
		if got := network.ValidLinkName(c.name); got != c.link {
			t.Errorf("link %q: %t", c.name, got)
		}
	}
}

func TestValidClusterName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"hub": true, "kind-hub": true, "admin@hub.example.com": true, "aws:eu_1:Prod": true, "größe": true, "0": true, "a..b": true,
		strings.Repeat("a", 253): true, strings.Repeat("a", 254): false,
		"": false, ".": false, "..": false, ".git": false, "a/b": false, "a/../b": false, `a\b`: false,
		"a b": false, "a\u00a0b": false, "a\nb": false, "a\x00": false, "a\x7f": false, "a\u200bb": false, "a\xff": false,
	} {
		if got := network.ValidClusterName(name); got != want {
			t.Errorf("%q: %t, want %t", name, got, want)
		}
	}
}

func TestSubdomain(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"a": true, "a.b-c.0": true, strings.Repeat("a", 253): true, strings.Repeat("a", 254): false,
		"": false, ".": false, "..": false, "a.": false, "a..b": false, "A": false, "a/b": false, "a:b": false,
	} {
		if got := network.IsSubdomain(name); got != want {
			t.Errorf("%q: %t, want %t", name, got, want)
		}
	}
}
