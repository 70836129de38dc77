package schema

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/errors"

	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// decoder walks the evaluated description once, along the table of its fields, and keeps
// whatever can be read.
type decoder struct{ reporter }

// field is one value on its way to Go. subject names the entry that it belongs
// to, path the fields that lead to it from there; both may be empty.
type field struct {
	name, subject, path string
	value               cue.Value
	// spec says what the field may hold; nil for an entry or an item.
	spec   *spec
	parent *field
	// section is the top-level field that this is an entry of.
	section string
	// at is a better place than that of the value, if one is known; see places.of.
	at diag.Position
	// hidden says that no finding shows the value, nor anything below it.
	hidden bool
}

func (f *field) child(name string, v cue.Value) *field {
	path := name
	if f.path != "" {
		path = f.path + "." + name
	}
	return &field{name: name, subject: f.subject, path: path, value: v, parent: f, hidden: f.hidden}
}

// item is the element of a list, whose path ends in its number.
func (f *field) item(i int, v cue.Value) *field {
	out := f.child(fmt.Sprintf("[%d]", i), v)
	out.path = f.path + out.name
	return out
}

// member is the field or item of f with a name, or nil.
func (f *field) member(name string) *field {
	if !f.value.Exists() {
		return nil
	}
	if it, err := f.value.Fields(); err == nil {
		for it.Next() {
			if it.Selector().Unquoted() == name {
				return f.child(name, it.Value())
			}
		}
		return nil
	}
	list, err := f.value.List()
	for i := 0; err == nil && list.Next(); i++ {
		if item := f.item(i, list.Value()); item.name == name {
			return item
		}
	}
	return nil
}

func (d *decoder) network(v cue.Value) declared {
	out := declared{unreadable: map[string]bool{}}
	out.policy.Policy = network.DefaultPolicy()
	out.origin, _ = d.object(&field{value: v, at: d.places.outermost(nil), hidden: true}, d.root, &out)
	return out
}

func (d *decoder) cluster(f *field, s *shape) clusterDecl {
	out := clusterDecl{Cluster: network.Cluster{Name: network.ClusterName(f.name), DeclaredAt: d.places.of(f)}}
	out.origin, _ = d.object(f, s, &out.Cluster)
	return out
}

func (d *decoder) site(f *field, s *shape) siteDecl {
	out := siteDecl{Site: network.Site{
		Name: network.SiteName(f.name), Object: f.name, Settings: map[string]string{}, DeclaredAt: d.places.of(f),
	}}
	out.origin, _ = d.object(f, s, &out.Site)
	return out
}

func (d *decoder) link(f *field, s *shape) linkDecl {
	at := d.places.of(f)
	out := linkDecl{Link: network.Link{
		Name: network.LinkName(f.name), Object: f.name, Cost: 1, DeclaredAt: at, CostAt: at,
	}}
	out.origin, _ = d.object(f, s, &out.Link)
	if out.Via == "" {
		out.Via = defaultVia(out.Proxy)
	}
	return out
}

func defaultVia(proxy network.ProxyName) network.Via {
	if proxy != "" {
		return network.ViaCertificate
	}
	return network.ViaToken
}

func (d *decoder) proxy(f *field, s *shape) proxyDecl {
	out := proxyDecl{Proxy: network.Proxy{Name: network.ProxyName(f.name), DeclaredAt: d.places.of(f)}}
	out.origin, _ = d.object(f, s, &out.Proxy)
	return out
}

// object reads the fields of f that its shape knows, and reports unknown and missing
// ones. It reports whether f is an object without such mistakes.
func (d *decoder) object(f *field, s *shape, into any) (out origin, clean bool) {
	out = origin{field: f, shape: s, places: d.places}
	before := len(d.findings)
	clean = d.fields(f, s, into, &out.given)
	out.broken = len(d.findings) > before
	return out, clean
}

func (d *decoder) fields(f *field, s *shape, into any, given *fieldSet) bool {
	it, err := f.value.Fields()
	if err != nil {
		d.mismatch(*f, want{kind: cue.StructKind, text: s.what, reference: s.reference})
		return false
	}
	var seen fieldSet
	clean := true
	for it.Next() {
		name, v := it.Selector().Unquoted(), it.Value()
		known, i := s.field(name)
		switch {
		case notPresent(v):
			if known == nil || !known.required { // demanded by the user, not by the schema
				d.missingField(*f, known, name)
				clean = false
			}
		case known == nil:
			d.unknownField(*f, s, name, v)
			clean = false
		default:
			seen.add(i)
			if d.read(f.child(name, v), known, into) {
				given.add(i)
			}
		}
	}
	return d.sound(f) && d.complete(f, s, seen) && clean
}

// read puts a known field where it belongs. It reports whether it could be read.
func (d *decoder) read(f *field, known *spec, into any) bool {
	f.spec, f.hidden = known, known.secret
	if !known.read(d, f, into) {
		return false
	}
	if known.place != nil {
		*known.place(into) = d.places.of(f)
	}
	return true
}

// notPresent tells a field that is demanded, as in `name!: string`, and missing.
func notPresent(v cue.Value) bool {
	if v.Kind() != cue.BottomKind {
		return false
	}
	var e errors.Error
	if !errors.As(v.Err(), &e) {
		return false
	}
	format, _ := e.Msg()
	return strings.HasPrefix(format, "field is required but not present")
}

// complete reports the required fields that are not in seen, if any.
func (d *decoder) complete(f *field, s *shape, seen fieldSet) bool {
	clean := true
	for i := range s.fields {
		if s.fields[i].required && !seen.has(i) {
			d.missingField(*f, &s.fields[i], s.fields[i].name)
			clean = false
		}
	}
	return clean
}

// section visits the entries of a top-level map, such as sites. It reports
// whether all of them are known.
func (d *decoder) section(f *field, kind string, visit func(*field)) bool {
	return d.entries(f, func(entry *field) {
		entry.subject, entry.path, entry.section = subject(kind, entry.name), "", f.name
		visit(entry)
	})
}

// subject names an entry in the user's words, such as `link "shop1-hub"`.
func subject(kind, name string) string { return kind + " " + strconv.Quote(name) }

// entries visits the fields of a map with free names. It reports whether the map
// itself is sound, whatever its entries are.
func (d *decoder) entries(f *field, visit func(*field)) bool {
	it, err := f.value.Fields()
	if err != nil {
		d.mismatch(*f, wantKind(cue.StructKind, "a struct of named entries"))
		return false
	}
	for it.Next() {
		name := it.Selector().Unquoted()
		if notPresent(it.Value()) {
			d.missingField(*f, nil, name)
			continue
		}
		visit(f.child(name, it.Value()))
	}
	return d.sound(f)
}

// sound reports errors of a struct itself, such as a comprehension over
// something that does not exist; those of its fields are met when visiting them.
func (d *decoder) sound(f *field) bool {
	if d.valid {
		return true
	}
	own := valueKey(f.value)
	ok := true
	for _, e := range errors.Errors(f.value.Err()) {
		if pathKey(e.Path()) == own && !d.reported[own] {
			d.cueError(*f, wantKind(cue.StructKind, "a struct"), e)
			ok = false
		}
	}
	return ok
}

// items visits the elements of a list until one cannot be read. It reports whether all
// could.
func (d *decoder) items(f *field, what string, visit func(item *field) bool) bool {
	list, err := f.value.List()
	if err != nil {
		d.mismatch(*f, wantKind(cue.ListKind, what))
		return false
	}
	for i := 0; list.Next(); i++ {
		if !visit(f.item(i, list.Value())) {
			return false
		}
	}
	return true
}

// texts reads a list of strings.
func (d *decoder) texts(f *field, what string) (out []string, ok bool) {
	ok = d.items(f, what, func(item *field) bool {
		s, ok := d.text(item)
		if ok {
			out = append(out, s)
		}
		return ok
	})
	return out, ok
}

// text reads a string; ok is false when it is not a good one, which is reported.
func (d *decoder) text(f *field) (s string, ok bool) {
	s, err := f.value.String()
	if err != nil {
		d.mismatch(*f, wantKind(cue.StringKind, "a string"))
		return "", false
	}
	if !d.goodString(*f, s) {
		return "", false
	}
	if s == "" && f.spec != nil && f.spec.filled != "" {
		d.add(*f, "secret-reference", fmt.Sprintf("%s is \"\"", f.label()), f.spec.filled)
	}
	return s, true
}

// goodString reports whether a field can hold a string, and adds a finding where it cannot.
func (d *reporter) goodString(f field, s string) bool {
	switch {
	case f.spec == nil:
	case f.spec.choices != nil && !slices.Contains(f.spec.choices, s):
		d.notAChoice(f, s, f.spec.choices)
		return false
	case f.spec.networkName && !network.ValidNetworkName(s):
		d.add(f, "network-name", fmt.Sprintf("network is %q, which is no DNS label of at most %d characters",
			clip(s), network.MaxNetworkName), fixDNSLabel)
		return false
	}
	return true
}

// notAChoice reports a string that is none of an enumerated field.
func (d *reporter) notAChoice(f field, value string, all []string) {
	fix := "use one of " + strings.Join(all, ", ")
	if near := network.Closest(value, all); near != "" {
		fix = fmt.Sprintf("did you mean %q? The choices are %s", near, strings.Join(all, ", "))
	}
	d.add(f, "not-a-choice", fmt.Sprintf("%s is %q, which is none of its choices", f.label(), clip(value)), fix)
}

// flag reads a bool, as text does a string.
func (d *decoder) flag(f *field) (b, ok bool) {
	b, err := f.value.Bool()
	if err != nil {
		d.mismatch(*f, wantKind(cue.BoolKind, "true or false"))
	}
	return b, err == nil
}

// number reads a whole number, as text does a string.
func (d *decoder) number(f *field) (n int64, ok bool) {
	if v, _ := f.value.Default(); v.Kind() != cue.IntKind {
		d.mismatch(*f, wantKind(cue.IntKind, "a whole number"))
		return 0, false
	}
	n, err := f.value.Int64()
	if err != nil { // does not fit, and so is out of any range
		n = -1
	}
	return n, d.goodNumber(*f, n)
}

// goodNumber reports whether a field can hold a number, and adds a finding where it cannot.
func (d *reporter) goodNumber(f field, n int64) bool {
	r := f.spec.numbers
	if r.least <= n && n <= r.most {
		return true
	}
	value := clip(fmt.Sprint(f.value))
	d.add(f, r.code, fmt.Sprintf("%s is %s, want %d to %d", f.label(), value, r.least, r.most), r.fix)
	return false
}

// reference reads where a secret is.
func (d *decoder) reference(f *field, s *shape) *network.SecretRef {
	var ref network.SecretRef
	if o, clean := d.object(f, s, &ref); clean && !o.broken {
		d.checkSecret(f, ref)
	}
	return &ref
}

// checkSecret demands exactly one way to find a secret, with a name.
func (d *decoder) checkSecret(f *field, ref network.SecretRef) {
	var named []*field
	for it, err := f.value.Fields(); err == nil && it.Next(); {
		named = append(named, f.child(it.Selector().Unquoted(), it.Value()))
	}
	bad := func(at *field, message, fix string, related ...diag.Position) {
		wrong := *f
		wrong.at = d.places.of(at)
		d.add(wrong, "secret-reference", f.path+message, fix, related...)
	}
	switch {
	case len(named) == 0:
		bad(f, " names no source of the secret",
			`add env: "VARIABLE", file: "PATH", or one of age, sops, kubernetes and command`)
	case len(named) > 1:
		bad(named[1], fmt.Sprintf(" has both %s and %s", named[0].name, named[1].name), "keep one of them",
			d.places.of(named[0]))
	case named[0].name == "env" && ref.Env == "":
		bad(named[0], `.env is "", which is no name of a variable`, "name the environment variable that holds the value")
	case named[0].name == "env" && strings.ContainsAny(ref.Env, "= \t\n"):
		bad(named[0], ".env is no name of a variable", "name the environment variable that holds the value, not the value")
	case named[0].name == "file" && ref.File == "":
		bad(named[0], `.file is ""`, "give the path of the file that holds the value")
	}
}
