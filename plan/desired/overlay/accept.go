package overlay

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/resid"

	"fairlead.dev/fairlead/plan"
	planfield "fairlead.dev/fairlead/plan/field"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// siteAPI is the API version of a Site.
const siteAPI = "skupper.io/v2alpha1"

const skupperGroup = "skupper.io"

// accepted is what the overlays of one site come to.
type accepted struct {
	// fields are the Site's owned fields by path.
	fields  map[string]any
	objects []plan.DesiredObject
}

// accept judges what kustomize built for a site: its Site must still be there, and
// beside it only what an overlay may add.
func (r *runner) accept(s network.Site, docs []document, g stage) (accepted, error) {
	var out accepted
	seen := map[string]bool{}
	several := len(slices.DeleteFunc(slices.Clone(docs), func(d document) bool { return !d.isSite() })) > 1
	for _, d := range docs {
		o, err := r.object(s, d)
		if err != nil {
			return out, r.named(d, g, err)
		}
		if o.isSite() {
			if out.fields, err = siteFields(s, o, several); err != nil {
				return out, r.named(d, g, err)
			}
			continue
		}
		if seen[o.Key()] {
			return out, r.named(d, g, wrong(o, "is there twice", "keep one of them"))
		}
		seen[o.Key()] = true
		out.objects = append(out.objects, o.DesiredObject)
	}
	if out.fields == nil {
		return out, r.named(document{}, g, mistake{"", fmt.Sprintf("removes the Site %q", objectName(s)), "an overlay may change the Site but not remove it"})
	}
	return out, nil
}

// named adds the file that a mistake is in: the object's own, or the kustomization.
func (r *runner) named(d document, g stage, err error) error {
	m, ok := err.(mistake)
	if !ok || m.file != "" {
		return err
	}
	m.file = d.source
	if m.file == "" {
		dir, dirErr := r.directory(g.overlay)
		if dirErr != nil {
			return dirErr
		}
		k, _ := r.check(dir) // it was checked before it was run
		m.file = k.file
	}
	m.file = r.show(m.file)
	return m
}

func (d document) isSite() bool {
	group, _, kind := splitAPI(text(d.manifest, "apiVersion"), plan.ObjectKind(text(d.manifest, "kind")))
	return group == skupperGroup && kind == string(plan.ObjectSite)
}

// candidate is one built object under judgement.
type candidate struct {
	plan.DesiredObject
	group string
}

func (o candidate) isSite() bool {
	return o.group == skupperGroup && o.Kind == plan.ObjectSite
}

func wrong(o candidate, message, fix string) mistake {
	return mistake{"", fmt.Sprintf("%s %s %s", o.Kind, o.Name, message), fix}
}

// object reads and judges one document.
func (r *runner) object(s network.Site, d document) (candidate, error) {
	o := candidate{DesiredObject: plan.DesiredObject{
		Site: s.Name, Cluster: s.Cluster, Namespace: s.Namespace,
		APIVersion: text(d.manifest, "apiVersion"), Kind: plan.ObjectKind(text(d.manifest, "kind")),
		Manifest: d.manifest,
	}}
	if d.source != "" {
		o.Source = r.show(d.source)
	}
	if group, _, ok := strings.Cut(o.APIVersion, "/"); ok {
		o.group = group
	}
	meta, _ := d.manifest["metadata"].(map[string]any)
	o.Name = text(meta, "name")
	if err := wellFormed(o); err != nil {
		return o, err
	}
	if err := allowed(o, r.net.Name); err != nil {
		return o, err
	}
	if err := metadata(o, meta, s); err != nil {
		return o, err
	}
	delete(d.manifest, "status")
	delete(meta, "creationTimestamp")
	meta["namespace"] = s.Namespace
	o.Fields = planfield.Flatten(d.manifest)
	return o, nil
}

// allowed judges an object's kind and name.
func allowed(o candidate, net string) error {
	kind := plan.GroupKind(o.APIVersion, o.Kind)
	switch {
	case o.group == skupperGroup && slices.Contains([]plan.ObjectKind{plan.ObjectLink, plan.ObjectGrant, plan.ObjectToken}, o.Kind):
		return wrong(o, "cannot come from an overlay", "declare a link in the description; Fairlead makes what it needs")
	case o.group == skupperGroup && o.Kind == plan.ObjectAccess && o.Name == world.RouterAccess:
		return wrong(o, "is Skupper's own", "set linkAccess of the site in the description; Skupper makes it")
	case kind == string(plan.ObjectSecret):
		return wrong(o, "cannot come from an overlay: it would stand in git in the clear", "make the Secret with another tool")
	case clusterScoped(o):
		return wrong(o, "belongs to the whole cluster", "an overlay adds objects of the site's namespace; make it with another tool")
	case kind == string(plan.ObjectConfigMap) && o.Name == network.InventoryName(net):
		return wrong(o, "has the name of Fairlead's own inventory", "give it another name")
	case !o.isSite() && network.IsSkuppersOwn(o.Name):
		return wrong(o, "has a name that Skupper keeps for its own objects", "give it another name")
	}
	return nil
}

// clusterScoped knows the kinds of Kubernetes itself; of others the cluster tells when
// it is observed.
func clusterScoped(o candidate) bool {
	kustomizing.Lock()
	defer kustomizing.Unlock()
	return resid.NewGvk(splitAPI(o.APIVersion, o.Kind)).IsClusterScoped()
}

func splitAPI(apiVersion string, kind plan.ObjectKind) (group, version, name string) {
	group, version, found := strings.Cut(apiVersion, "/")
	if !found {
		group, version = "", apiVersion
	}
	return group, version, string(kind)
}

// metadata judges an object's metadata: names, labels and annotations are the
// overlay's, everything else is the cluster's.
func metadata(o candidate, meta map[string]any, s network.Site) error {
	for _, key := range slices.Sorted(maps.Keys(meta)) {
		switch key {
		case "name", "labels", "annotations", "creationTimestamp":
		case "namespace":
			if ns := text(meta, "namespace"); ns != s.Namespace && ns != "" {
				return misplaced(o, ns, s.Namespace)
			}
		case "generateName":
			return wrong(o, "has metadata.generateName", "give it a name, so that it can be found again")
		default:
			return wrong(o, "has metadata."+key, "remove it: that is for the cluster to set")
		}
	}
	if o.Name == "" {
		return wrong(o, "has no name", "give it a name")
	}
	return labels(o, meta)
}

func misplaced(o candidate, ns, want string) error {
	if o.isSite() {
		return wrong(o, "is moved to namespace "+ns, "change the site's namespace in the description instead")
	}
	return wrong(o, "is in namespace "+ns, "leave the namespace out: it gets the site's, "+want)
}

// labels keeps Fairlead's own labels and annotations out of overlays.
func labels(o candidate, meta map[string]any) error {
	for _, kind := range []string{"labels", "annotations"} {
		entries, _ := meta[kind].(map[string]any)
		for _, key := range slices.Sorted(maps.Keys(entries)) {
			if key == plan.LabelManagedBy && kind == "labels" || strings.HasPrefix(key, ownPrefix) {
				return wrong(o, fmt.Sprintf("sets metadata.%s %q, which is Fairlead's", kind, key), "remove it")
			}
			if _, ok := entries[key].(string); !ok {
				return wrong(o, fmt.Sprintf("has metadata.%s %q that is not text", kind, key), "put it in quotes")
			}
		}
	}
	return nil
}

// ownPrefix starts the names of Fairlead's labels and annotations.
const ownPrefix = "fairlead.dev/"

func text(m map[string]any, key string) string {
	s, _ := m[key].(string)
	return s
}

func texts(v any) map[string]string {
	entries, _ := v.(map[string]any)
	out := map[string]string{}
	for key := range entries {
		out[key] = text(entries, key)
	}
	return out
}

// identity tells documents apart while kustomize may still change them.
func identity(m map[string]any) string {
	meta, _ := m["metadata"].(map[string]any)
	return plan.ObjectKey(text(m, "apiVersion"), plan.ObjectKind(text(m, "kind")), text(meta, "name"))
}
