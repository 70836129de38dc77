package cluster

import (
	"context"
	"fmt"

	"fairlead.dev/fairlead/cmd/sandbox/crds"
	"golang.org/x/sync/errgroup"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// installCRDs creates the definitions and waits with one watch until all are
// served.
func installCRDs(ctx context.Context, config *rest.Config) error {
	all, err := crds.All()
	if err != nil {
		return fmt.Errorf("resource definitions: %w", err)
	}
	client, err := clientset.NewForConfig(config)
	if err != nil {
		return err
	}
	api := client.ApiextensionsV1().CustomResourceDefinitions()
	g, gctx := errgroup.WithContext(ctx)
	waiting := map[string]bool{}
	for _, crd := range all {
		waiting[crd.Name] = true
		g.Go(func() error {
			_, err := api.Create(gctx, crd, metav1.CreateOptions{})
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("resource definitions: %w", err)
	}
	events, err := api.Watch(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("resource definitions: %w", err)
	}
	defer events.Stop()
	for len(waiting) > 0 {
		select {
		case event, open := <-events.ResultChan():
			if !open {
				return fmt.Errorf("resource definitions: watch ended")
			}
			if crd, ok := event.Object.(*apiextensionsv1.CustomResourceDefinition); ok && established(crd) {
				delete(waiting, crd.Name)
			}
		case <-ctx.Done():
			return fmt.Errorf("resource definitions: %w", ctx.Err())
		}
	}
	return nil
}

func established(crd *apiextensionsv1.CustomResourceDefinition) bool {
	for _, c := range crd.Status.Conditions {
		if c.Type == apiextensionsv1.Established && c.Status == apiextensionsv1.ConditionTrue {
			return true
		}
	}
	return false
}
