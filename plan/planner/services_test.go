package planner_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/desired"
	"fairlead.dev/fairlead/plan/planner"
	"fairlead.dev/fairlead/schema/network"
)

// skuppers is an object of Skupper's for an overlay.
func skuppers(d plan.Desired, site network.SiteName, kind plan.ObjectKind, name string, spec map[string]any) plan.Desired {
	d = withObject(d, site, kind, name, spec)
	o := &d.Objects[len(d.Objects)-1]
	o.APIVersion, o.Manifest["apiVersion"] = "skupper.io/v2alpha1", "skupper.io/v2alpha1"
	return d
}

// between plans what leads from one description, taken as applied, to another.
func between(before, after plan.Desired) plan.Plan {
	return planner.Make(planner.Input{
		Desired: after, Observation: desired.AsApplied(before, after.Clusters...), Limits: &network.DefaultDeletes,
		Shape: true,
	})
}

func TestServiceEffects(t *testing.T) {
	t.Parallel()
	type object struct {
		site network.SiteName
		kind plan.ObjectKind
		name string
		spec map[string]any
	}
	spec := func(pairs ...any) map[string]any {
		out := map[string]any{}
		for i := 0; i < len(pairs); i += 2 {
			out[pairs[i].(string)] = pairs[i+1]
		}
		return out
	}
	web := spec("host", "web", "port", int64(80), "routingKey", "web")
	all := func(kind plan.ObjectKind, name string, s map[string]any) (out []object) {
		for _, site := range []network.SiteName{"hub", "shop00", "shop01", "shop02"} {
			out = append(out, object{site, kind, name, s})
		}
		return out
	}
	key := spec("host", "api", "port", int64(80), "routingKey", "api")
	for _, tt := range []struct {
		name          string
		before, after []object
		want          []string
	}{
		{"every Listener goes", all("Listener", "web", web), nil, []string{"high service-lost Nothing listens on port 80 of web any more at hub, shop00, shop01 and 1 more"}},
		{"one of another kind takes over", all("Listener", "web", web), all("MultiKeyListener", "web", spec("host", "web", "port", int64(80))), nil},
		{"one of another name takes over", all("Listener", "web", web), all("Listener", "www", web), nil},
		{"another port", all("Listener", "web", web)[:1], all("Listener", "web", spec("host", "web", "port", int64(81), "routingKey", "web"))[:1],
			[]string{"high service-lost Nothing listens on port 80 of web any more at hub"}},
		{"another key", all("Listener", "web", web)[:1], all("Listener", "web", spec("host", "web", "port", int64(80), "routingKey", "www"))[:1],
			[]string{"medium service-moved Port 80 of web leads to www, was web, at hub"}},
		{"another protocol", all("Listener", "web", web)[:1], all("Listener", "web", spec("host", "web", "port", int64(80), "routingKey", "web", "type", "tcp"))[:1], nil},
		{"a Listener comes", nil, all("Listener", "web", web), nil},
		{"one of several Connectors goes", all("Connector", "api", key)[:2], all("Connector", "api", key)[:1],
			[]string{"medium service-moved The routing key api is no longer offered at shop00; other sites offer it"}},
		{"the last Connector goes", all("Connector", "api", key)[:1], nil,
			[]string{"high service-lost The routing key api is no longer offered by any overlay; it was at hub"}},
		{"a binding goes", all("AttachedConnectorBinding", "api", spec("routingKey", "api"))[:1], nil,
			[]string{"high service-lost The routing key api is no longer offered by any overlay; it was at hub"}},
		{"an attached connector goes", all("AttachedConnector", "api", spec("port", int64(80)))[:1], nil,
			[]string{"high service-lost The attached connector api is gone at hub"}},
		{"the worst comes first", slices.Concat(all("Connector", "api", key)[:2], all("Listener", "web", web)[:1]), all("Connector", "api", key)[:1],
			[]string{
				"high service-lost Nothing listens on port 80 of web any more at hub",
				"medium service-moved The routing key api is no longer offered at shop00; other sites offer it",
			}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			build := func(objects []object) plan.Desired {
				d := desired.Build(star(3))
				for _, o := range objects {
					d = skuppers(d, o.site, o.kind, o.name, o.spec)
				}
				return d
			}
			var got []string
			for _, e := range between(build(tt.before), build(tt.after)).Topology.Effects {
				got = append(got, fmt.Sprintf("%s %s %s", e.Severity, e.Code, e.Message))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Objects of every kind count, but not those that go with their site, nor one that only gets
// another suffix for its content.
func TestObjectRails(t *testing.T) {
	t.Parallel()
	build := func(shops int, name string) plan.Desired {
		d := desired.Build(star(shops))
		for i := range shops {
			d = withObject(d, network.SiteName(fmt.Sprintf("shop%02d", i)), "Deployment", name, nil)
		}
		return d
	}
	for _, tt := range []struct {
		name          string
		before, after plan.Desired
		want          []string
	}{
		{"all", build(20, "web"), desired.Build(star(20)), []string{"deletes.objects:20"}},
		{"two are always free to go", build(2, "web"), desired.Build(star(2)), nil},
		{"three of three", build(3, "web"), desired.Build(star(3)), []string{"deletes.objects:3"}},
		{"with their sites", build(20, "web"), build(16, "web"), nil},
		{"another suffix", build(20, "conf-4h2mbtbbt6"), build(20, "conf-kkg72gdtf4"), nil},
		{"another name", build(20, "conf-4h2mbtbbt6"), build(20, "other-kkg72gdtf4"), []string{"deletes.objects:20"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, r := range between(tt.before, tt.after).Refusals {
				got = append(got, fmt.Sprintf("%s:%d", r.Code, r.Number))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
