package kube

import (
	"context"
	"fmt"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/world"
)

// GuessResource gives the resource that a kind most likely is served as, by the rules
// of English plurals; API servers may call it otherwise, see Resource.
func GuessResource(apiVersion string, kind plan.ObjectKind) string {
	plural, _ := apimeta.UnsafeGuessKindToResource(schema.FromAPIVersionAndKind(apiVersion, string(kind)))
	return plural.Resource
}

// Resource asks the cluster as which resource it serves a kind: one request for all
// kinds of a group's version. A kind that it does not have is an error.
func (c *Cluster) Resource(ctx context.Context, apiVersion string, kind plan.ObjectKind) (string, error) {
	if err := c.extra.learn(ctx, apiVersion); err != nil {
		return "", err
	}
	found := c.extra.lookup(extraKind{apiVersion, kind})
	if found.scope == world.ScopeNone {
		return "", fmt.Errorf("cluster %s has no kind %s in %s", c.name, kind, apiVersion)
	}
	return found.resource.Resource, nil
}
