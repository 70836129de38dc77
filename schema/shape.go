package schema

import (
	"math"
	"slices"
	"strconv"

	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// shape is the table of the fields of an object: it drives what is read, where it goes,
// what a field may hold, and which fields are missing or unknown. schema.cue says the
// same, for `cue vet` and editors. Unifying each of some thousand sites and links with a
// closed definition takes CUE half as long again, and it leaves out unknown and missing
// fields as soon as there is an error of another kind. A test keeps the two in step.
type shape struct {
	// what completes "want ...".
	what   string
	fields []spec
	// reference says that the object is a reference to a secret: what stands in its
	// place instead may be the secret.
	reference bool
	// flat says that nothing is shown that stands below a field that is no object.
	flat bool
}

// spec is one field of an object.
type spec struct {
	name     string
	required bool
	// secret says that no value of the field is shown.
	secret bool
	// add completes "add NAME: ..." where the field is missing.
	add string
	// choices are the values of an enumerated text, or nil.
	choices []string
	// networkName says that a text is the name of a network.
	networkName bool
	// filled is what to do about an empty text, if it has to have content.
	filled string
	// numbers is the range of a number.
	numbers numberRange
	// inner is the shape of an object, or of each entry or item.
	inner         *shape
	entries, list bool
	// read puts the value where it belongs, or reports it; it tells whether it is there.
	read func(d *decoder, f *field, into any) bool
	// write gives the value as CUE, as far as it differs from that of an object with the
	// defaults; it is empty where nothing does. Without such an object it gives all.
	write func(from, defaults any) string
	// place is where the field's place goes, if a network keeps it.
	place func(into any) *diag.Position
}

// numberRange is what a field of numbers may hold, both ends included, and what to do
// about a number beyond it.
type numberRange struct {
	least, most int64
	code, fix   string
}

// field gives the spec of a field and its index, or nil for one that is not known.
func (s *shape) field(name string) (*spec, int) {
	for i := range s.fields {
		if s.fields[i].name == name {
			return &s.fields[i], i
		}
	}
	return nil, -1
}

// names are those of the fields.
func (s *shape) names() (out []string) {
	for _, f := range s.fields {
		out = append(out, f.name)
	}
	return out
}

// fieldSet holds the indexes of some fields of a shape.
type fieldSet uint16

func (s *fieldSet) add(i int)     { *s |= 1 << i }
func (s fieldSet) has(i int) bool { return s&(1<<i) != 0 }

// open tells whether values at a path of an object may be shown. What lies outside of the
// known fields, such as a helper, may hold a secret.
func (s *shape) open(path []string) bool {
	if len(path) == 0 {
		return false
	}
	f, _ := s.field(path[0])
	if f == nil {
		return false
	}
	below := path[1:]
	if f.entries && len(below) > 0 {
		below = below[1:]
	}
	if f.inner != nil && !f.list && len(below) > 0 {
		return f.inner.open(below)
	}
	return !f.secret && (len(below) == 0 || !s.flat)
}

// withinSecret tells whether one of the names is, nearly, that of a field for a secret.
func (s *shape) withinSecret(names []string) bool {
	references := s.references()
	return slices.ContainsFunc(names, func(name string) bool { return network.Closest(name, references) != "" })
}

// write gives the fields of an object that differ from the defaults, and all that are
// required.
func (s *shape) write(from, defaults any) (out written) {
	for _, f := range s.fields {
		other := defaults
		if f.required {
			other = nil
		}
		if value := f.write(from, other); value != "" {
			out.add(f.name, value)
		}
	}
	return out
}

// references are the names of the fields that refer to secrets, here and below.
func (s *shape) references() (out []string) {
	for _, f := range s.fields {
		switch {
		case f.inner == nil:
		case f.inner.reference:
			out = append(out, f.name)
		default:
			out = append(out, f.inner.references()...)
		}
	}
	return out
}

// The columns of a spec that few fields have.

func (s spec) demanded() spec           { s.required = true; return s }
func (s spec) adding(words string) spec { s.add = words; return s }
func (s spec) hidden() spec             { s.secret = true; return s }
func (s spec) oneOf(all ...string) spec { s.choices = all; return s }

func (s spec) nonempty(fix string) spec { s.filled = fix; return s }

func (s spec) within(least, most int64, code, fix string) spec {
	s.numbers = numberRange{least, most, code, fix}
	return s
}

// placed keeps the place of a field beside its value.
func placed[T any](s spec, to func(*T) *diag.Position) spec {
	s.place = func(into any) *diag.Position { return to(into.(*T)) }
	return s
}

// scalar is a field with a value that has no parts.
func scalar[T any, V comparable](
	name string, to func(*T) *V, read func(*decoder, *field) (V, bool), show func(V) string,
) spec {
	return spec{
		name: name,
		read: func(d *decoder, f *field, into any) bool {
			v, ok := read(d, f)
			if ok {
				*to(into.(*T)) = v
			}
			return ok
		},
		write: func(from, defaults any) string {
			v := *to(from.(*T))
			if defaults != nil && (v == *to(defaults.(*T)) || show(v) == `""`) {
				return ""
			}
			return show(v)
		},
	}
}

// text is a field that holds a string.
func text[T any, S ~string](name string, to func(*T) *S) spec {
	read := func(d *decoder, f *field) (S, bool) {
		s, ok := d.text(f)
		return S(s), ok
	}
	return scalar(name, to, read, func(s S) string { return quote(string(s)) })
}

// flag is a field that is true or false.
func flag[T any](name string, to func(*T) *bool) spec {
	return scalar(name, to, (*decoder).flag, strconv.FormatBool)
}

// number is a field that holds a whole number.
func number[T any, N ~int | ~int32](name string, to func(*T) *N) spec {
	read := func(d *decoder, f *field) (N, bool) {
		n, ok := d.number(f)
		return N(n), ok
	}
	return scalar(name, to, read, func(n N) string { return strconv.Itoa(int(n)) })
}

// texts is a field that holds a list of strings.
func texts[T any](name, what string, to func(*T) *[]string) spec {
	write := func(from, _ any) string { return writtenList(*to(from.(*T)), quote) }
	return spec{name: name, list: true, write: write, read: func(d *decoder, f *field, into any) bool {
		all, ok := d.texts(f, what)
		*to(into.(*T)) = all
		return ok
	}}
}

// settings is a field that holds texts by free names.
func settings[T any](name string, of func(*T) map[string]string) spec {
	write := func(from, _ any) string { return writtenTexts(of(from.(*T))) }
	return spec{name: name, write: write, read: func(d *decoder, f *field, into any) bool {
		d.entries(f, func(entry *field) {
			if s, ok := d.text(entry); ok {
				of(into.(*T))[entry.name] = s
			}
		})
		return true
	}}
}

// object is a field with fields of its own.
func object[T, U any](name string, inner *shape, to func(*T) *U) spec {
	write := func(from, defaults any) string {
		fields := inner.write(to(from.(*T)), to(defaults.(*T)))
		if len(fields) == 0 {
			return ""
		}
		return fields.String()
	}
	return spec{name: name, inner: inner, write: write, read: func(d *decoder, f *field, into any) bool {
		d.object(f, inner, to(into.(*T)))
		return true
	}}
}

// optional is an object that is nil where it is not given.
func optional[T, U any](name string, inner *shape, to func(*T) **U) spec {
	s := object(name, inner, func(into *T) *U {
		out := new(U)
		*to(into) = out
		return out
	})
	s.write = func(from, _ any) string {
		value := *to(from.(*T))
		if value == nil {
			return ""
		}
		return inner.write(value, new(U)).String()
	}
	return s
}

// reference is a field that names a secret.
func reference[T any](name string, inner *shape, to func(*T) **network.SecretRef) spec {
	s := optional(name, inner, to).hidden()
	s.read = func(d *decoder, f *field, into any) bool {
		*to(into.(*T)) = d.reference(f, inner)
		return true
	}
	return s
}

// entries is a field with an entry for each thing of a kind, by name.
func entries(name, kind string, inner *shape, read func(d *decoder, entry *field, into *declared)) spec {
	return spec{name: name, inner: inner, entries: true, read: func(d *decoder, f *field, into any) bool {
		out := into.(*declared)
		out.unreadable[name] = !d.section(f, kind, func(entry *field) { read(d, entry, out) })
		return true
	}}
}

// description is the shape of a whole description.
func description() *shape {
	secret := secretShape()
	cluster, site, link, proxy := clusterShape(secret), siteShape(), linkShape(), proxyShape(secret)
	return &shape{what: "a description", fields: []spec{
		networkName(),
		entries("clusters", "cluster", cluster, func(d *decoder, f *field, into *declared) {
			into.clusters = append(into.clusters, d.cluster(f, cluster))
		}).hidden(),
		entries("sites", "site", site, func(d *decoder, f *field, into *declared) {
			into.sites = append(into.sites, d.site(f, site))
		}),
		entries("links", "link", link, func(d *decoder, f *field, into *declared) {
			into.links = append(into.links, d.link(f, link))
		}),
		entries("proxies", "proxy", proxy, func(d *decoder, f *field, into *declared) {
			into.proxies = append(into.proxies, d.proxy(f, proxy))
		}).hidden(),
		policySpec(),
		placed(text("overlay", func(n *declared) *string { return &n.Overlay }),
			func(n *declared) *diag.Position { return &n.OverlayAt }),
	}}
}

// networkName keeps the place of the field itself, not of its value.
func networkName() spec {
	s := text("network", func(n *declared) *string { return &n.Name }).demanded().adding(`"NAME" at the top level`)
	s.networkName = true
	read := s.read
	s.read = func(d *decoder, f *field, into any) bool {
		into.(*declared).DeclaredAt = d.places.label("network", "", f.value)
		return read(d, f, into)
	}
	return s
}

func clusterShape(secret *shape) *shape {
	type T = network.Cluster
	return &shape{what: "a struct that says how to reach the cluster", fields: []spec{
		text("context", func(c *T) *string { return &c.Context }),
		reference("kubeconfig", secret, func(c *T) **network.SecretRef { return &c.Kubeconfig }),
		flag("inCluster", func(c *T) *bool { return &c.InCluster }),
		text("lockNamespace", func(c *T) *string { return &c.LockNamespace }),
		text("uid", func(c *T) *string { return &c.UID }),
	}}
}

func siteShape() *shape {
	type T = network.Site
	return &shape{what: "a struct with cluster and namespace", fields: []spec{
		text("cluster", func(s *T) *network.ClusterName { return &s.Cluster }).demanded().adding(nameOfCluster),
		text("namespace", func(s *T) *string { return &s.Namespace }).demanded(),
		text("linkAccess", func(s *T) *string { return &s.LinkAccess }).oneOf(network.LinkAccesses...),
		flag("ha", func(s *T) *bool { return &s.HA }),
		flag("edge", func(s *T) *bool { return &s.Edge }),
		flag("protect", func(s *T) *bool { return &s.Protect }),
		text("defaultIssuer", func(s *T) *string { return &s.DefaultIssuer }),
		text("serviceAccount", func(s *T) *string { return &s.ServiceAccount }),
		text("object", func(s *T) *string { return &s.Object }),
		placed(text("overlay", func(s *T) *string { return &s.Overlay }), func(s *T) *diag.Position { return &s.OverlayAt }),
		settings("settings", func(s *T) map[string]string { return s.Settings }),
	}}
}

func linkShape() *shape {
	type T = network.Link
	return &shape{what: "a struct with from and to", fields: []spec{
		text("from", func(l *T) *network.SiteName { return &l.From }).demanded().adding(`"NAME" with the site that connects`),
		text("to", func(l *T) *network.SiteName { return &l.To }).demanded().adding(`"NAME" with the site that listens`),
		placed(number("cost", func(l *T) *int32 { return &l.Cost }), func(l *T) *diag.Position { return &l.CostAt }).
			within(1, math.MaxInt32, "cost-range", `give a whole number in that range; 99999 means "backup only"`),
		text("via", func(l *T) *network.Via { return &l.Via }).
			oneOf(string(network.ViaToken), string(network.ViaCertificate)),
		text("proxy", func(l *T) *network.ProxyName { return &l.Proxy }),
		number("rotation", func(l *T) *int32 { return &l.Rotation }).
			within(1, math.MaxInt32, "rotation-range", "count the re-keyings from 1"),
		text("object", func(l *T) *string { return &l.Object }),
	}}
}

func proxyShape(secret *shape) *shape {
	type T = network.Proxy
	return &shape{what: "a struct with host and port", fields: []spec{
		text("host", func(p *T) *string { return &p.Host }).demanded(),
		number("port", func(p *T) *int { return &p.Port }).demanded().adding("NUMBER").
			within(1, 65535, "port-range", "give the port that the proxy listens on"),
		reference("username", secret, func(p *T) **network.SecretRef { return &p.Username }),
		reference("password", secret, func(p *T) **network.SecretRef { return &p.Password }),
	}}
}

// nameOfCluster completes what to do where a cluster is missing.
const nameOfCluster = `"NAME" with the name of one of clusters`

func secretShape() *shape {
	type T = network.SecretRef
	type file = network.EncryptedFile
	type key = network.SecretKey
	encrypted := &shape{what: "a struct with file", fields: []spec{
		text("file", func(e *file) *string { return &e.File }).demanded().adding(`"PATH"`).
			nonempty("give the path of the encrypted file"),
		text("key", func(e *file) *string { return &e.Key }),
	}}
	kubernetes := &shape{what: "a struct with cluster, namespace, name and key", fields: []spec{
		text("cluster", func(k *key) *network.ClusterName { return &k.Cluster }).demanded().adding(nameOfCluster).
			nonempty("name one of clusters"),
		text("namespace", func(k *key) *string { return &k.Namespace }).demanded().nonempty("name the Secret's namespace"),
		text("name", func(k *key) *string { return &k.Name }).demanded().nonempty("name the Secret"),
		text("key", func(k *key) *string { return &k.Key }).demanded().nonempty("name one of the keys of the Secret's data"),
	}}
	s := &shape{what: "a struct with one of env, file, age, sops, kubernetes or command", reference: true, fields: []spec{
		text("env", func(r *T) *string { return &r.Env }),
		text("file", func(r *T) *string { return &r.File }).adding(`"PATH"`),
		optional("age", encrypted, func(r *T) **file { return &r.Age }),
		optional("sops", encrypted, func(r *T) **file { return &r.SOPS }),
		optional("kubernetes", kubernetes, func(r *T) **key { return &r.Kubernetes }),
		command(func(r *T) *[]string { return &r.Command }),
	}}
	for _, part := range []*shape{encrypted, kubernetes, s} {
		for i := range part.fields {
			part.fields[i].secret = true
		}
	}
	return s
}

// command is a program with its arguments.
func command(to func(*network.SecretRef) *[]string) spec {
	s := texts("command", "a list: the program and its arguments", to)
	read := s.read
	s.read = func(d *decoder, f *field, into any) bool {
		ok := read(d, f, into)
		if words := *to(into.(*network.SecretRef)); ok && (len(words) == 0 || words[0] == "") {
			d.add(*f, "secret-reference", f.path+" names no program", `write command: ["PROGRAM", "ARGUMENT"]`)
		}
		return ok
	}
	return s
}

// fixDeletes is what to do about a limit of deletions beyond its range.
const fixDeletes = "say how many one plan may delete; 0 for none"

func policySpec() spec {
	type T = policyDecl
	type limits = network.DeleteLimits
	deletes := &shape{what: "a struct of limits", fields: []spec{
		number("sites", func(d *limits) *int { return &d.Sites }).within(0, math.MaxInt32, "deletes-range", fixDeletes),
		number("links", func(d *limits) *int { return &d.Links }).within(0, math.MaxInt32, "deletes-range", fixDeletes),
		number("objects", func(d *limits) *int { return &d.Objects }).within(0, math.MaxInt32, "deletes-range", fixDeletes),
		number("percent", func(d *limits) *int { return &d.Percent }).
			within(0, 100, "deletes-range", "say what share one plan may delete; 100 for no limit"),
	}}
	policy := &shape{what: "a struct of rules", flat: true, fields: []spec{
		text("unreachableSites", func(p *T) *network.Level { return &p.UnreachableSites }).
			oneOf(string(network.LevelWarn), string(network.LevelError)),
		object("deletes", deletes, func(p *T) *limits { return &p.Deletes }),
		placed(flag("clean", func(p *T) *bool { return &p.Clean }), func(p *T) *diag.Position { return &p.CleanAt }),
		placed(texts("signers", "a list of files with keys", func(p *T) *[]string { return &p.Signers }),
			func(p *T) *diag.Position { return &p.SignersAt }),
		text("planExpiry", func(p *T) *string { return &p.PlanExpiry }),
		ignored(),
	}}
	return spec{name: "policy", inner: policy, read: func(d *decoder, f *field, into any) bool {
		decl := &into.(*declared).policy
		decl.origin, _ = d.object(f, policy, decl)
		return true
	}}
}

// ignored is the list of what drift leaves out.
func ignored() spec {
	inner := &shape{what: "a struct with path and reason", fields: []spec{
		text("path", func(r *network.Ignore) *string { return &r.Path }).demanded(),
		text("reason", func(r *network.Ignore) *string { return &r.Reason }).demanded(),
	}}
	write := func(from, _ any) string {
		return writtenList(from.(*policyDecl).Ignore, func(r network.Ignore) string {
			return inner.write(&r, &network.Ignore{}).String()
		})
	}
	return spec{name: "ignore", inner: inner, list: true, write: write, read: func(d *decoder, f *field, into any) bool {
		policy := into.(*policyDecl)
		return d.items(f, "a list of rules", func(item *field) bool {
			rule := ignoreDecl{Ignore: network.Ignore{DeclaredAt: d.places.of(item)}}
			rule.origin, _ = d.object(item, inner, &rule.Ignore)
			policy.Ignore, policy.ignores = append(policy.Ignore, rule.Ignore), append(policy.ignores, rule)
			return true
		})
	}}
}
