package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"
)

// newPatch makes the command that plays the person who edits a cluster by hand,
// for demonstrations on machines without kubectl.
func newPatch() *cobra.Command {
	var dir, context string
	cmd := &cobra.Command{
		Use:     "patch RESOURCE NAMESPACE/NAME JSON",
		Short:   "Edit a Skupper object by hand, as kubectl patch --type merge would",
		Example: `  sandbox patch --context sandbox-1 links shop/shop-hub '{"spec":{"cost":5}}'`,
		Args:    cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			namespace, name, ok := strings.Cut(args[1], "/")
			if !ok {
				return fmt.Errorf("%q is not NAMESPACE/NAME", args[1])
			}
			cfg, err := clientcmd.BuildConfigFromFlags("", filepath.Join(dir, context+".kubeconfig"))
			if err != nil {
				return err
			}
			client, err := dynamic.NewForConfig(cfg)
			if err != nil {
				return err
			}
			kind := schema.GroupVersionResource{Group: "skupper.io", Version: "v2alpha1", Resource: args[0]}
			_, err = client.Resource(kind).Namespace(namespace).Patch(cmd.Context(), name, types.MergePatchType,
				[]byte(args[2]), metav1.PatchOptions{FieldManager: "someone"})
			if err != nil {
				return fmt.Errorf("%s %s: %w", args[0], args[1], err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s %s patched\n", args[0], args[1])
			return nil
		},
	}
	cmd.Flags().StringVar(&dir, "dir", defaultDir(), "the directory that up was given")
	cmd.Flags().StringVar(&context, "context", "sandbox-1", "the cluster")
	return cmd
}
