package kube

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/client-go/tools/clientcmd"
)

// Contexts lists the contexts of kubeconfig files, merged as kubectl merges those of
// KUBECONFIG, sorted, and says which is the current one, "" when none is. Files that
// do not exist count as empty, but some context there must be.
func Contexts(files []string) (all []string, current string, err error) {
	raw, err := (&clientcmd.ClientConfigLoadingRules{Precedence: files}).Load()
	if err != nil {
		return nil, "", fmt.Errorf("kubeconfig: %w", err)
	}
	if len(raw.Contexts) == 0 {
		return nil, "", fmt.Errorf("kubeconfig: there is none in %s; set KUBECONFIG or pass --kubeconfig", strings.Join(files, ", "))
	}
	return slices.Sorted(maps.Keys(raw.Contexts)), raw.CurrentContext, nil
}
