package network_test

import (
	"regexp"
	"strings"
	"testing"

	"fairlead.dev/fairlead/schema/network"
)

func TestIgnorePaths(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		path        string
		site, link  string // "name field" that it covers
		object      string // "site groupKind name field"
		not, broken string
	}{
		{path: "link/shop1-hub/cost", link: "shop1-hub cost", not: "shop1-hub endpoints"},
		{path: "link/*-hub/*", link: "shop2-hub link-down", not: "shop2-hub routers"},
		{path: "site/hub/settings.*", site: "hub settings.router-data-connection-count", not: "hub serviceAccount"},
		{path: "site/*/metadata.annotations.example.com/owner", site: "x metadata.annotations.example.com/owner", not: "x owner"},
		{path: "site/hub/*", site: "hub serviceAccount", not: "hub linkAccess"},
		{path: "object/*/Deployment/web/spec.replicas", object: "hub Deployment.apps web spec.replicas", not: "hub Deployment.apps web spec"},
		{path: "object/hub/Deployment.apps/*/*", object: `hub Deployment.apps web metadata.annotations["a.b/c"]`, not: "hub Deployment.apps web "},
		{path: "object/hub/Job.batch/*", object: "hub Job.batch once ", not: "hub Job.other once spec.x"},
		{path: "object/h*b*/Job/a*b*c", object: "hub Job.batch abbc spec.x", not: "hub Job.batch acb spec.x"},
		{path: "", broken: "begin with"}, {path: "hub/x/y", broken: "begin with"}, {path: "proxy/corp/host", broken: "proxy"},
		{path: "site/hub", broken: "never ignored as a whole"}, {path: "link//cost", broken: "write link/NAME/FIELD"},
		{path: "link/x/via", broken: "cost, endpoints"}, {path: "link/x/foo*", broken: "cost, endpoints"},
		{path: "site/hub/*-count", site: "hub settings.router-data-connection-count", not: "hub serviceAccount"},
		{path: "site/hub/met*", site: "hub metadata.labels.team", not: "hub settings.x"},
		{path: "site/hub/site-*", site: "hub site-not-ready", not: "hub inventory-lost"},
		{path: "site/hub/nonsense", broken: "settings.KEY"}, {path: "site/hub/link-down", broken: "serviceAccount"},
		{path: "site/hub/settings", broken: "settings.KEY"}, {path: "site/hub/settings.", broken: "settings.KEY"},
		{path: "site/hub/metadata.*x", site: "hub metadata.labels.x", not: "hub metadata.labels.y"},
		{path: "site/hub/link*", broken: "links hang on it"}, {path: "site/hub/ha*", broken: "links hang on it"},
		{path: "site/hub/spec.settings.x", broken: "settings.KEY"},
		{path: "site/hub/edge", broken: "links hang on it"}, {path: "object/hub/Job", broken: "object/SITE/KIND/NAME"},
		{path: "object/hub/Job/x/", broken: "object/SITE/KIND/NAME"},
	} {
		p, err := network.ParseIgnorePath(c.path)
		if c.broken != "" {
			if err == nil || !strings.Contains(err.Error(), c.broken) {
				t.Errorf("%q: error %v, want %q", c.path, err, c.broken)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", c.path, err)
			continue
		}
		covers := func(text string) bool {
			w := strings.Split(text, " ")
			switch {
			case c.object != "":
				return p.CoversObject(network.SiteName(w[0]), w[1], w[2], w[3])
			case c.site != "":
				return p.CoversSite(network.SiteName(w[0]), w[1])
			}
			return p.CoversLink(network.LinkName(w[0]), w[1])
		}
		if !covers(c.site+c.link+c.object) || covers(c.not) {
			t.Errorf("%q: covers %q: %t, %q: %t", c.path, c.site+c.link+c.object, covers(c.site+c.link+c.object), c.not, covers(c.not))
		}
	}
}

// A pattern covers what the regular expression that it stands for does.
func FuzzIgnorePattern(f *testing.F) {
	f.Add("a*b", "axb")
	f.Add("*a*a", "a")
	f.Add("**", "")
	f.Add("a*bc*c", "abcc")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		p := network.IgnorePath{Kind: network.IgnoreObject, Site: "*", ObjectKind: "*", Name: pattern}
		re, err := regexp.Compile("(?s)^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + "$")
		if err != nil || strings.ToValidUTF8(pattern+text, "") != pattern+text {
			return
		}
		if got, want := p.CoversObject("s", "K", text, "f"), re.MatchString(text); got != want {
			t.Errorf("%q, %q: %t, want %t", pattern, text, got, want)
		}
	})
}
