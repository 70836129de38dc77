package kube

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/world"
)

// asTable asks for what kubectl shows: the metadata of each object, and the columns that its
// resource definition names. Of a grant these tell what can still be redeemed, and the code
// is not among them.
const asTable = "application/json;as=Table;v=v1;g=meta.k8s.io"

// The columns of an AccessGrant (Skupper: skupper_access_grant_crd.yaml).
const (
	columnAllowed = "Redemptions Allowed"
	columnMade    = "Redemptions Made"
	columnExpires = "Expiration"
)

// grants lists AccessGrants, as whole does, without their codes.
func (s *survey) grants(opts metav1.ListOptions, read func(world.GrantView) func()) listing {
	resource := kinds[plan.ObjectGrant]
	return func(ctx context.Context, namespace string) error {
		list := func(ctx context.Context, opts metav1.ListOptions) (runtime.Object, error) {
			return s.tablePage(ctx, resource, namespace, opts)
		}
		found, err := pages(ctx, s.Cluster, resource, namespace, opts, list, func(u *unstructured.Unstructured) func() {
			return read(grantView(u))
		})
		return s.take(found, err)
	}
}

// tablePage reads one page of a table. Each row becomes an object of its metadata, with its
// cells in "columns".
func (c *Cluster) tablePage(ctx context.Context, resource schema.GroupVersionResource, namespace string, opts metav1.ListOptions) (*unstructured.UnstructuredList, error) {
	at := path.Join("/apis", resource.Group, resource.Version)
	if namespace != "" {
		at = path.Join(at, "namespaces", namespace)
	}
	data, err := c.extra.client.Get().AbsPath(at, resource.Resource).SetHeader("Accept", asTable).
		SpecificallyVersionedParams(&opts, metav1.ParameterCodec, schema.GroupVersion{Version: "v1"}).Do(ctx).Raw()
	if err != nil {
		return nil, err
	}
	var table struct {
		metav1.Table `json:",inline"`
		Items        []struct{} `json:"items"`
	}
	if err := json.Unmarshal(data, &table); err != nil || len(table.Items) > 0 {
		return nil, errors.New("the answer is not a table")
	}
	out := &unstructured.UnstructuredList{Object: map[string]any{}}
	out.SetResourceVersion(table.ResourceVersion)
	out.SetContinue(table.Continue)
	for _, row := range table.Rows {
		var object map[string]any
		if err := json.Unmarshal(row.Object.Raw, &object); err != nil {
			return nil, errors.New("a row of the table has no metadata")
		}
		columns := map[string]any{}
		for i, cell := range row.Cells {
			if i < len(table.ColumnDefinitions) && cell != nil {
				columns[table.ColumnDefinitions[i].Name] = fmt.Sprint(cell)
			}
		}
		out.Items = append(out.Items, unstructured.Unstructured{Object: map[string]any{"metadata": object["metadata"], "columns": columns}})
	}
	return out, nil
}

func grantView(u *unstructured.Unstructured) world.GrantView {
	columns, _, _ := unstructured.NestedStringMap(u.Object, "columns")
	v := world.GrantView{Meta: meta(u), Expires: u.GetAnnotations()[plan.AnnotationExpires], By: madeBy(u)}
	if at := u.GetCreationTimestamp(); !at.IsZero() {
		v.Made = at.UTC().Format(time.RFC3339)
	}
	if at, err := time.Parse(time.RFC3339, columns[columnExpires]); err == nil {
		v.Expires = at.UTC().Format(time.RFC3339)
	}
	if allowed, err := strconv.Atoi(columns[columnAllowed]); err == nil {
		made, _ := strconv.Atoi(columns[columnMade]) // none as long as nothing was redeemed
		v.Left = max(max(allowed, 1)-made, 0)
		v.Spent = v.Left == 0
	}
	return v
}

// madeBy is the field manager that wrote the object first.
func madeBy(u *unstructured.Unstructured) string {
	fields := slices.DeleteFunc(u.GetManagedFields(), func(f metav1.ManagedFieldsEntry) bool { return f.Subresource != "" || f.Time == nil })
	if len(fields) == 0 {
		return ""
	}
	first := slices.MinFunc(fields, func(a, b metav1.ManagedFieldsEntry) int {
		return cmp.Or(a.Time.Compare(b.Time.Time), strings.Compare(a.Manager, b.Manager))
	})
	return first.Manager
}
