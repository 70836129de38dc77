package kube

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/world"
)

const (
	grantColumns = `{"name": "Name"}, {"name": "Redemptions Allowed"}, {"name": "Redemptions Made"}, {"name": "Expiration"}`
	grantMeta    = `{"metadata": {"name": "g", "namespace": "n", "uid": "u", "creationTimestamp": "2026-01-02T03:04:05Z", "managedFields": [
		{"manager": "skupper", "operation": "Update", "subresource": "status", "time": "2026-01-02T03:04:05Z"},
		{"manager": "kubectl-edit", "operation": "Update", "time": "2026-01-03T00:00:00Z"},
		{"manager": "kubectl-create", "operation": "Update", "time": "2026-01-02T03:04:05Z"}]}}`
)

// Of grants the table is read, and nothing else is asked for or taken for one.
func TestGrantsAreReadAsTable(t *testing.T) {
	t.Parallel()
	made := world.GrantView{By: "kubectl-create", Made: "2026-01-02T03:04:05Z"}
	for _, tt := range []struct {
		name, answer string
		want         []world.GrantView
		fails        string
	}{
		{"with all columns", table(grantColumns, `"g", 3, 1, "2026-01-05T01:00:00+01:00"`),
			[]world.GrantView{{By: made.By, Made: made.Made, Left: 2, Expires: "2026-01-05T00:00:00Z"}}, ""},
		{"not redeemed yet", table(grantColumns, `"g", 1, null, null`), []world.GrantView{{By: made.By, Made: made.Made, Left: 1}}, ""},
		{"spent", table(grantColumns, `"g", 1, 1, "x"`), []world.GrantView{{By: made.By, Made: made.Made, Spent: true}}, ""},
		{"without the columns", table(`{"name": "Name"}, {"name": "Age"}`, `"g", "1d"`), []world.GrantView{made}, ""},
		{"no table", `{"kind": "AccessGrantList", "apiVersion": "skupper.io/v2alpha1", "metadata": {}, "items": [{"spec": {"code": "opensesame"}}]}`, nil, "not a table"},
		{"no JSON", `grants`, nil, "not a table"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := connected(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				if !strings.HasSuffix(r.URL.Path, "/accessgrants") {
					fmt.Fprint(w, `{"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": []}`)
					return
				}
				if r.Header.Get("Accept") != asTable {
					t.Errorf("asked for %s", r.Header.Get("Accept"))
				}
				fmt.Fprint(w, tt.answer)
			})
			v := c.observe(t.Context(), Reading{Network: "net", Reports: true})
			if tt.fails != "" {
				if v.State == plan.StateOK || !strings.Contains(v.Reason, tt.fails) || strings.Contains(v.Reason, "opensesame") {
					t.Errorf("%s: %s", v.State, v.Reason)
				}
				return
			}
			for i := range v.Grants {
				v.Grants[i].Meta = world.Meta{}
			}
			if diff := cmp.Diff(tt.want, v.Grants); diff != "" {
				t.Errorf("%s\n%s", v.Reason, diff)
			}
		})
	}
}

func table(columns, cells string) string {
	return fmt.Sprintf(`{"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {"resourceVersion": "1"},
		"columnDefinitions": [%s], "rows": [{"cells": [%s], "object": %s}]}`, columns, cells, grantMeta)
}
