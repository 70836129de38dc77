// Package overlay runs the kustomizations of a description over the objects of its
// sites, in memory and confined to the description's tree. It is the only package
// that imports kustomize.
package overlay

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"fairlead.dev/fairlead/plan"
	planfield "fairlead.dev/fairlead/plan/field"
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// Source is the tree that a description and its overlays are read from.
type Source struct {
	FS fs.FS
	// Dir is the slash path of the description inside FS; what follows a colon, the
	// name of a package, is left aside.
	Dir string
	// Display maps a path inside FS to what the user sees; nil leaves it unchanged.
	Display func(string) string
}

// Run runs the network's overlay and then each site's own over the site's Site, and
// gives the desired objects with what they change and add. Mistakes in an overlay are
// findings with the code "overlay" where the description names it; the site is
// then left as it was. It never fails otherwise: a kustomization sees nothing but
// the tree.
func Run(src Source, n network.Network, d plan.Desired) (plan.Desired, diag.List) {
	r := newRunner(src, n, d)
	if !slices.ContainsFunc(n.Sites, r.has) {
		return d, diag.List{}
	}
	d.Sites = slices.Clone(d.Sites)
	for _, s := range n.Sites {
		if r.has(s) {
			r.site(&d, s)
		}
	}
	if !r.findings.HasErrors() {
		r.findings = append(r.findings, r.aims.missed(r.show)...)
		r.listeners(d)
	}
	slices.SortFunc(d.Objects, func(a, b plan.DesiredObject) int {
		return cmp.Or(cmp.Compare(a.Site, b.Site), cmp.Compare(a.Key(), b.Key()))
	})
	return d, r.findings.Sorted()
}

// runner carries what the runs for all sites share.
type runner struct {
	src      Source
	dir      string
	net      network.Network
	sites    map[network.SiteName]int
	checked  map[string]checked
	told     map[string]bool
	aims     *aims
	findings diag.List
}

func newRunner(src Source, n network.Network, d plan.Desired) *runner {
	dir, _, _ := strings.Cut(src.Dir, ":")
	sites := map[network.SiteName]int{}
	for i, s := range d.Sites {
		sites[s.Name] = i
	}
	src.FS = guarded{src.FS}
	return &runner{
		src: src, net: n, sites: sites, dir: strings.TrimPrefix(path.Clean("/"+dir), "/"),
		checked: map[string]checked{}, told: map[string]bool{}, aims: newAims(),
	}
}

func (r *runner) has(s network.Site) bool {
	_, known := r.sites[s.Name]
	return known && len(r.stages(s)) > 0
}

// stage is one overlay of a site.
type stage struct {
	overlay string
	at      diag.Position
	// shared is true for the network's, which every site has.
	shared bool
}

func (r *runner) stages(s network.Site) []stage {
	all := []stage{{r.net.Overlay, r.net.OverlayAt, true}, {s.Overlay, s.OverlayAt, false}}
	return slices.DeleteFunc(all, func(g stage) bool { return g.overlay == "" })
}

// site runs a site's overlays, one over the result of the other.
func (r *runner) site(d *plan.Desired, s network.Site) {
	i := r.sites[s.Name]
	docs := []document{{manifest: siteManifest(s, d.Sites[i].Fields)}}
	at := map[string]diag.Position{}
	var result accepted
	had := d.Sites[i].Fields
	for _, g := range r.stages(s) {
		next, err := r.stage(g, s, docs)
		if err == nil {
			result, err = r.accept(s, next, g)
		}
		if err != nil {
			r.fail(g, s, err)
			return
		}
		docs = next
		r.settings(g, s, had, result.fields)
		had = result.fields
		for _, o := range result.objects {
			if at[o.Key()].IsZero() {
				at[o.Key()] = g.at
			}
		}
	}
	for k, o := range result.objects {
		result.objects[k].DeclaredAt = at[o.Key()]
	}
	d.Sites[i].Fields, d.Sites[i].Listens = result.fields, planfield.SiteListens(result.fields)
	d.Objects = append(d.Objects, result.objects...)
}

// settings warns of the settings that an overlay gives a Site and Skupper does not heed,
// once for each overlay.
func (r *runner) settings(g stage, s network.Site, had, has map[string]any) {
	for _, path := range slices.Sorted(maps.Keys(has)) {
		key, is := strings.CutPrefix(path, "settings.")
		message, fix, odd := network.OddSetting(key)
		if _, before := had[path]; !is || !odd || before || r.told[g.at.String()+path] {
			continue
		}
		r.told[g.at.String()+path] = true
		r.findings = append(r.findings, diag.Finding{
			Severity: diag.Warning, Code: "site-setting", Subject: fmt.Sprintf("site %q", s.Name),
			Message: "with its overlay: " + message, Fix: fix, At: g.at,
		})
	}
}

func (r *runner) stage(g stage, s network.Site, docs []document) ([]document, error) {
	dir, err := r.directory(g.overlay)
	if err != nil {
		return nil, err
	}
	return r.build(dir, docs)
}

// siteManifest is a site's Site as the description has it.
func siteManifest(s network.Site, fields map[string]any) map[string]any {
	spec, _, _ := planfield.SiteManifest(fields)
	return map[string]any{
		"apiVersion": siteAPI, "kind": string(plan.ObjectSite),
		"metadata": map[string]any{"name": objectName(s), "namespace": s.Namespace},
		"spec":     spec,
	}
}

func objectName(s network.Site) string { return cmp.Or(s.Object, string(s.Name)) }

// fail reports a mistake. One in the network's overlay that shows at every site in
// the same words is told once.
func (r *runner) fail(g stage, s network.Site, err error) {
	var m mistake
	if !errors.As(err, &m) {
		m = mistake{message: err.Error(), fix: "mend the overlay"}
	}
	if m == errNoted || g.shared && r.told[m.Error()] {
		return
	}
	r.told[m.Error()] = true
	r.findings = append(r.findings, diag.Finding{
		Severity: diag.Error, Code: "overlay", Subject: fmt.Sprintf("site %q", s.Name),
		Message: m.Error(), Fix: m.fix, At: g.at,
	})
}

// listeners checks again what overlays can break: that a link leads to a site that
// listens.
func (r *runner) listeners(d plan.Desired) {
	for _, l := range r.net.Links {
		i, known := r.sites[l.To]
		if !known {
			continue
		}
		to, message := d.Sites[i], ""
		switch {
		case to.Fields["edge"] == true:
			message = fmt.Sprintf("to is %q, but with its overlay that site is an edge site and cannot listen", l.To)
		case !to.Listens:
			message = fmt.Sprintf("to is %q, but with its overlay that site does not listen", l.To)
		}
		if message != "" {
			r.findings = append(r.findings, diag.Finding{
				Severity: diag.Error, Code: "overlay", Subject: fmt.Sprintf("link %q", l.Name), Message: message,
				Fix: "leave linkAccess and edge of that site to the description", At: l.DeclaredAt, Related: r.overlaysOf(l.To),
			})
		}
	}
}

func (r *runner) overlaysOf(name network.SiteName) []diag.Position {
	out := []diag.Position{}
	for _, s := range r.net.Sites {
		if s.Name == name {
			for _, g := range r.stages(s) {
				out = append(out, g.at)
			}
		}
	}
	return out
}

func (r *runner) show(name string) string {
	if r.src.Display == nil {
		return name
	}
	return r.src.Display(name)
}
