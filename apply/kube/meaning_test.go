package kube

import "testing"

// What an API server writes otherwise is told from what it changes.
func TestSameMeaning(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		path       string
		sent, kept any
		same       bool
	}{
		{"spec.cpu", "1000m", "1", true},
		{"spec.cpu", "0.5", "500m", true},
		{"spec.cpu", "1", int64(1), true},
		{"spec.pods", "0010", "10", true},
		{"spec.memory", "1Gi", "1024Mi", true},
		{"spec.memory", "1G", "1Gi", false},
		{"spec.port", int64(80), float64(80), true},
		{"spec.port", int64(80), int64(81), false},
		{"spec.port", int64(80), "http", false},
		{"spec.timeout", "60s", "1m0s", true},
		{"spec.timeout", "60s", "1m", true},
		{"spec.timeout", "60s", "2m", false},
		{"spec.since", "2026-01-01T00:00:00+00:00", "2026-01-01T00:00:00Z", true},
		{"spec.level", "info", "error", false},
		{"spec.level", "info", nil, false},
		{"spec.level", "", nil, true},
		{"spec.on", false, nil, true},
		{"spec.on", true, nil, false},
		{"spec.on", "true", true, false},
		{"spec.map", "{}", nil, true},
		{"spec.list", `["a","b"]`, `["b","a","c"]`, true},
		{"spec.list", `["a","b"]`, `["a"]`, false},
		{"spec.list", `["a","a"]`, `["a","b"]`, false},
		{"spec.list", "[]", nil, true},
		{"spec.tolerations[#]", int64(1), int64(3), true},
		{"spec.tolerations[#]", int64(3), int64(1), false},
		{"status.ready", true, nil, true},
		{"data.page", "600 bytes, sha256:a", "600 bytes, sha256:b", false},
	} {
		if got := (*Cluster)(nil).SameMeaning(tt.path, tt.sent, tt.kept); got != tt.same {
			t.Errorf("%s: sent %v, kept %v: same %t", tt.path, tt.sent, tt.kept, got)
		}
	}
}
