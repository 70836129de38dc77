package existing

import (
	"fmt"
	"strings"

	"fairlead.dev/fairlead/schema/network"
)

// maxLabel is the longest DNS-1123 label.
const maxLabel = 63

// ClusterKeys makes keys of a description from the names of kubeconfig contexts, one
// for each, all different: labels, so that they read well in CUE and in messages.
func ClusterKeys(contexts []string) []network.ClusterName {
	used := map[string]bool{}
	out := make([]network.ClusterName, 0, len(contexts))
	for _, c := range contexts {
		key := freeKey(maxLabel, func(key string) bool { return network.IsLabel(key) && !used[key] }, c, "cluster-"+c)
		used[key] = true
		out = append(out, network.ClusterName(key))
	}
	return out
}

// freeKey gives the first of the wishes, made into a label of at most the given
// length, that ok accepts; when there is none, the last of them with a number.
func freeKey(most int, ok func(key string) bool, wishes ...string) string {
	var last string
	for _, wish := range wishes {
		if last = asLabel(wish, most); ok(last) {
			return last
		}
	}
	for n := 2; ; n++ {
		number := fmt.Sprintf("-%d", n)
		if key := asLabel(last, most-len(number)) + number; ok(key) {
			return key
		}
	}
}

// asLabel makes a DNS-1123 label of any text; "x" when nothing of it is left.
func asLabel(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(text))
	text = strings.TrimLeft(text, "-")
	text = strings.TrimRight(text[:min(len(text), most)], "-")
	if text == "" {
		return "x"
	}
	return text
}
