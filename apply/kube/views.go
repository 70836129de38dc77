package kube

import (
	"fmt"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fairlead.dev/fairlead/apply"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/record"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
	"fairlead.dev/fairlead/secrets"
)

// meta copies what planning needs of an object's metadata.
func meta(m metav1.Object) world.Meta {
	o := fromMeta(plan.ObjectRef{}, m)
	return world.Meta{
		Namespace: m.GetNamespace(), Name: m.GetName(), UID: o.UID, ResourceVersion: o.ResourceVersion,
		Generation: o.Generation, Labels: o.Labels, OwnerUID: o.OwnerUID, Deleting: o.Deleting,
		Finalizers: o.Finalizers, Created: created(m), Marked: plan.Marked(o.Annotations),
	}
}

func created(m metav1.Object) int64 {
	at := m.GetCreationTimestamp()
	if at.IsZero() {
		return 0
	}
	return at.Unix()
}

func siteView(u *unstructured.Unstructured) world.SiteView {
	o := object(plan.ObjectRef{Kind: plan.ObjectSite}, u)
	version, _, _ := unstructured.NestedString(o.Status, "controller", "version")
	sites, _, _ := unstructured.NestedInt64(o.Status, "sitesInNetwork")
	return world.SiteView{
		Meta: meta(u), Fields: apply.FieldsOf(o), Version: version,
		Ready: apply.Holds(o, "Ready"), WasReady: apply.LastHeld(o, "Ready"), Message: apply.Reason(o, "Configured", "Running", "Resolved", "Ready"),
		Unanswered: plan.Unanswered(o.Annotations),
		Endpoints:  endpoints(o.Status), Protected: o.Annotations[plan.AnnotationProtect] == "true", SitesInNetwork: int(sites),
	}
}

// seenSites reads the sites of the network as a Site's status has them.
func seenSites(u *unstructured.Unstructured) []world.SeenSite {
	list, _, _ := unstructured.NestedSlice(u.Object, "status", "network")
	out := make([]world.SeenSite, 0, len(list))
	for _, item := range list {
		site, _ := item.(map[string]any)
		text := func(m map[string]any, key string) string {
			s, _ := m[key].(string)
			return s
		}
		seen := world.SeenSite{ID: text(site, "id"), Name: text(site, "name"), Namespace: text(site, "namespace"), Platform: text(site, "platform")}
		links, _ := site["links"].([]any)
		for _, item := range links {
			l, _ := item.(map[string]any)
			seen.Links = append(seen.Links, world.SeenLink{Name: text(l, "name"), To: text(l, "remoteSiteId")})
		}
		out = append(out, seen)
	}
	return out
}

func linkView(u *unstructured.Unstructured) world.LinkView {
	o := object(plan.ObjectRef{Kind: plan.ObjectLink}, u)
	cost, _, _ := unstructured.NestedInt64(o.Spec, "cost")
	tls, _, _ := unstructured.NestedString(o.Spec, "tlsCredentials")
	proxy, _, _ := unstructured.NestedString(o.Spec, "settings", "proxy-configuration")
	noted, _ := strconv.ParseInt(o.Annotations[plan.AnnotationCost], 10, 32) // 0 where nothing good is noted
	v := apply.LinkOf(o)
	v.Meta, v.Cost, v.TLSCredentials = meta(u), int32(min(max(cost, -1<<31), 1<<31-1)), tls
	v.Endpoints, v.Proxy = endpoints(o.Spec), proxy
	v.Noted = world.Note{
		Via: network.Via(o.Annotations[plan.AnnotationVia]), Rotation: o.Annotations[plan.AnnotationRotation],
		Adopted: o.Annotations[plan.AnnotationAdopted] == "true",
		Cost:    int32(noted), Endpoints: o.Annotations[plan.AnnotationEndpoints],
	}
	v.RemoteSiteID, _, _ = unstructured.NestedString(o.Status, "remoteSiteId")
	v.RemoteSiteName, _, _ = unstructured.NestedString(o.Status, "remoteSiteName")
	return v
}

// endpoints reads a list of endpoints; a port may be a number or text.
func endpoints(m map[string]any) []world.Endpoint {
	list, _, _ := unstructured.NestedSlice(m, "endpoints")
	out := make([]world.Endpoint, 0, len(list))
	for _, item := range list {
		if e, ok := item.(map[string]any); ok {
			text := func(key string) string {
				if e[key] == nil {
					return ""
				}
				return fmt.Sprint(e[key])
			}
			out = append(out, world.Endpoint{Name: text("name"), Host: text("host"), Port: text("port"), Group: text("group")})
		}
	}
	return out
}

// proxyView reads the settings of a proxy. Its credentials are digested and go no
// further.
func proxyView(u *unstructured.Unstructured, digester *secrets.Digester) world.ProxyView {
	data := secretData(u)
	found := apply.Credentials{Username: data["username"], Password: data["password"]}
	return world.ProxyView{
		Meta: meta(u), Host: data["host"].Reveal(), Port: data["port"].Reveal(),
		HasUsername: !found.Username.IsZero(), HasPassword: !found.Password.IsZero(), Digest: found.Sum(digester),
	}
}

func isInventory(u *unstructured.Unstructured, name string) bool {
	return u.GetName() == network.InventoryName(name)
}

func inventoryView(u *unstructured.Unstructured, network string) world.InventoryView {
	o := object(plan.ObjectRef{Kind: plan.ObjectConfigMap}, u)
	v := world.InventoryView{Meta: meta(u)}
	content, err := record.Decode(o.Data[record.Key])
	switch {
	case err != nil:
		v.Broken = err.Error()
		v.Content.Network = network
	case content.Network != network:
		v.Broken = "it belongs to network " + content.Network
		v.Content.Network = network
	default:
		v.Content = content
	}
	return v
}
