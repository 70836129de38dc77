package schema

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/token"

	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// reporter words the mistakes of structure that a walk meets.
type reporter struct {
	places *places
	root   *shape
	// valid says that CUE found no mistake, and nothing unfinished.
	valid    bool
	findings diag.List
	// reported holds the paths that have a finding, so that what CUE says of the
	// same path is not said twice.
	reported map[string]bool
}

// want is what a field should hold: the kind, and the words for it.
type want struct {
	kind cue.Kind
	text string
	// reference says that it is a reference to a secret.
	reference bool
}

func wantKind(kind cue.Kind, text string) want { return want{kind: kind, text: text} }

// add records a finding about f and that its path needs no other.
func (d *reporter) add(f field, code, message, fix string, related ...diag.Position) {
	d.reported[valueKey(f.value)] = true
	d.findings = append(d.findings, diag.Finding{
		Severity: diag.Error, Code: code, Subject: f.subject,
		Message: message, Fix: fix, At: d.places.of(&f), Related: related,
	})
}

func (d *reporter) unknownField(f field, s *shape, name string, v cue.Value) {
	fix := "known here: " + strings.Join(s.names(), ", ")
	if near := network.Closest(name, s.names()); near != "" {
		fix = fmt.Sprintf("did you mean %q?", near)
	} else if f.path == "" && f.subject == "" {
		fix += "; start the name of a helper with _ or #"
	}
	if isScalar(v.IncompleteKind()) && d.mayBeSecret(f, name) {
		fix = strings.Replace(fix+"; "+fixInClear, "?; s", "? S", 1)
	}
	at := field{subject: f.subject, value: v, at: d.fieldLabel(f, name, v)}
	d.add(at, "unknown-field", "unknown field "+fmt.Sprintf("%q", inside(f, name)), fix)
}

// fieldLabel is the place of a field's name, or the best known instead.
func (d *reporter) fieldLabel(f field, name string, v cue.Value) diag.Position {
	section := ""
	if f.subject == "" && f.path == "" {
		section = name
	}
	if at := d.places.label(section, "", v); !at.IsZero() {
		return at
	}
	return d.places.of(&f)
}

// inside is the name of a field as seen from the entry that f is part of.
func inside(f field, name string) string {
	if f.path == "" {
		return name
	}
	return f.path + "." + name
}

// missingField reports a field that is demanded; known is nil for an entry, and for a
// field that only the description demands.
func (d *reporter) missingField(f field, known *spec, name string) {
	value := `"NAME"`
	if known != nil && known.add != "" {
		value = known.add
	}
	d.add(f, "missing-field", inside(f, name)+" is missing", fmt.Sprintf("add %s: %s", name, value))
}

// mismatch reports why f does not hold what is wanted.
func (d *reporter) mismatch(f field, w want) {
	err := f.value.Err()
	if err == nil {
		err = f.value.Validate(cue.Concrete(true))
	}
	if err == nil || isIncomplete(f.value) {
		d.unfinished(f, w, err)
		return
	}
	d.reported[valueKey(f.value)] = true
	f.at = d.places.culprit(f.value, d.places.of(&f))
	if d.constrained(f, w) {
		return
	}
	for _, e := range errors.Errors(err) {
		if !elsewhere(f, e) {
			d.cueError(f, w, e)
		}
	}
}

// isIncomplete tells a value that lacks information from one that is wrong.
func isIncomplete(v cue.Value) bool { return v.Validate() == nil }

// unfinished reports a value of another kind, or one that is not there yet.
func (d *reporter) unfinished(f field, w want, err error) {
	kind := f.value.IncompleteKind()
	text := f.shown(f.value, kind.String())
	switch {
	case kind != cue.BottomKind && kind&w.kind == 0:
		d.wrongType(f, w, f.value, kind)
	case err != nil && kind == cue.BottomKind:
		d.incomplete(f, err)
	default:
		d.add(f, "incomplete", fmt.Sprintf("%s has no definite value, only %s", f.label(), text),
			"give it one, in the files or as a tag with -t key=value")
	}
}

// incomplete reports a value that waits for another one.
func (d *reporter) incomplete(f field, err error) {
	for _, e := range errors.Errors(err) {
		if format, _ := e.Msg(); strings.HasPrefix(format, "undefined field") {
			d.evaluation(f, e, format)
			return
		}
	}
	d.add(f, "incomplete", f.label()+" cannot be worked out"+f.reason(err), "give every value that it needs")
}

// label names the field for a message.
func (f field) label() string {
	if f.path == "" {
		return "it"
	}
	return f.path
}

func (d *reporter) wrongType(f field, w want, value any, kind cue.Kind) {
	if w.reference && isScalar(kind) {
		d.inClear(f, w, kind)
		return
	}
	text := noun(kind)
	if isScalar(kind) && !f.hidden {
		text = fmt.Sprintf("%s (%s)", clip(fmt.Sprint(value)), text)
	}
	d.add(f, "wrong-type", fmt.Sprintf("%s is %s, want %s", f.label(), text, w.text), typeFix(w, kind))
}

func typeFix(w want, kind cue.Kind) string {
	switch {
	case w.kind == cue.StringKind && kind != cue.StructKind && kind != cue.ListKind:
		return "put it in quotes"
	case kind == cue.StringKind && (w.kind == cue.IntKind || w.kind == cue.BoolKind):
		return "write it without quotes"
	}
	if kind == cue.ListKind {
		return "write NAME: VALUE for each entry, in braces"
	}
	if w.kind == cue.StructKind {
		return "put its fields in braces"
	}
	return "write " + w.text
}

// elsewhere tells an error that f only passes on: it is reported at its own path.
func elsewhere(f field, e errors.Error) bool {
	path, own := pathKey(e.Path()), valueKey(f.value)
	return path != "" && path != own && !strings.HasPrefix(path, own+"\x00")
}

// cueError turns one error of CUE about f into a finding.
func (d *reporter) cueError(f field, w want, e errors.Error) {
	format, args := e.Msg()
	switch {
	case strings.HasPrefix(format, "conflicting values") && len(args) == 4 && w.kind != 0:
		offender, kind := args[0], kindOf(args[2])
		if kind == w.kind {
			offender, kind = args[1], kindOf(args[3])
		}
		d.wrongType(f, w, offender, kind)
	case strings.HasPrefix(format, "conflicting values"):
		d.conflict(f, w, e, args)
	case strings.HasPrefix(format, "invalid value %v (out of bound") && len(args) == 2:
		d.outOfBounds(f, args[0], args[1])
	default:
		d.evaluation(f, e, format)
	}
}

// evaluation reports an error for which there are no better words than CUE's.
func (d *reporter) evaluation(f field, e errors.Error, format string) {
	if d.places.distance(e.Position()) < inVendored || d.places.of(&f).IsZero() {
		f.at = d.places.position(e.Position())
	}
	text := cueText(e)
	switch {
	case strings.HasPrefix(format, "undefined field"):
		what := "a field"
		if _, name, _ := strings.Cut(text, ": "); !f.hidden {
			what = strconv.Quote(name)
		}
		d.add(f, "unresolved-reference", fmt.Sprintf("%s refers to %s, which is not there", f.label(), what), "correct the name, or declare it")
	case format == "%s":
		d.add(f, "evaluation", f.label()+" is refused by the description itself"+f.reason(e), "", d.positions(f, e)...)
	default:
		d.add(f, "evaluation", f.label()+" cannot be evaluated"+f.reason(e), evaluationFix(text), d.positions(f, e)...)
	}
}

// conflict reports values that exclude each other; args are two of them, and their kinds
// where those differ.
func (d *reporter) conflict(f field, w want, e errors.Error, args []any) {
	if w.reference {
		d.inClear(f, w, f.value.IncompleteKind(), d.positions(f, e)...)
		return
	}
	message := f.label() + " has more than one value"
	switch {
	case !f.hidden:
		message += fmt.Sprintf(", %s and %s", clip(fmt.Sprint(args[0])), clip(fmt.Sprint(args[1])))
	case len(args) == 4:
		message += fmt.Sprintf(", %s and %s", noun(kindOf(args[2])), noun(kindOf(args[3])))
	}
	d.add(f, "conflicting-values", message, "keep one of them", d.positions(f, e)...)
}

// positions are the places that an error names, other than that of f.
func (d *reporter) positions(f field, e errors.Error) []diag.Position {
	var out []diag.Position
	own := d.places.of(&f)
	for _, pos := range errors.Positions(e) {
		if at := d.places.position(pos); !at.IsZero() && at != own {
			out = append(out, at)
		}
	}
	return out
}

// clip shortens a value for a message. What it cuts off may be what ends a password.
func clip(s string) string {
	const most = 60
	s = diag.WithoutCredentials(strings.Join(strings.Fields(s), " "))
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return s
}

// cueText is the text of a CUE error on one line, without its path.
func cueText(err error) string {
	text := err.Error()
	var e errors.Error
	if errors.As(err, &e) && len(e.Path()) > 0 {
		text = strings.TrimPrefix(text, strings.Join(e.Path(), ".")+": ")
	}
	return strings.TrimSuffix(strings.Join(strings.Fields(text), " "), ":")
}

func evaluationFix(text string) string {
	switch {
	case strings.Contains(text, "structural cycle"), strings.Contains(text, "cycle error"):
		return "break the cycle: give one of the values without the other"
	case strings.Contains(text, "division by zero"):
		return "check the divisor"
	case strings.Contains(text, "disjunction"):
		return "choose one of the alternatives"
	case strings.Contains(text, "field not allowed"):
		return "remove the field, or add it to the definition"
	}
	return "correct the expression"
}

// leftovers reports what CUE finds wrong outside the fields of a description,
// such as in helpers, and whatever the walk did not meet.
func (d *reporter) leftovers(v cue.Value) {
	if d.valid {
		return
	}
	all := errors.Errors(v.Validate())
	for i, e := range all {
		path := e.Path()
		last := i == len(all)-1 && len(d.findings) == 0 // an invalid value has a finding
		if d.covered(path) && !last {
			continue
		}
		d.reported[pathKey(path)] = true
		d.cueError(field{path: strings.Join(path, "."), at: d.errorPlace(e), hidden: !d.root.open(path)}, want{}, e)
	}
}

// covered tells whether the path, or what holds it, has a finding.
func (d *reporter) covered(path []string) bool {
	for n := range path {
		if d.reported[pathKey(path[:n+1])] {
			return true
		}
	}
	return false
}

func pathKey(path []string) string { return strings.Join(path, "\x00") }

func valueKey(v cue.Value) string {
	var parts []string
	for _, s := range v.Path().Selectors() {
		parts = append(parts, s.String())
	}
	return pathKey(parts)
}

// errorPlace is the place nearest to the description that an error names, or else that
// of the outermost name on its path.
func (d *reporter) errorPlace(e errors.Error) diag.Position {
	var best token.Pos
	for _, pos := range errors.Positions(e) {
		if d.places.distance(pos) < d.places.distance(best) {
			best = pos
		}
	}
	if best.IsValid() {
		return d.places.position(best)
	}
	return d.places.outermost(e.Path())
}

// outOfBounds words CUE's refusal of a value that stands in no known field.
func (d *reporter) outOfBounds(f field, value, bound any) {
	message := fmt.Sprintf("%s is %s, but must be %s", f.label(), clip(fmt.Sprint(value)), clip(fmt.Sprint(bound)))
	if f.hidden {
		message = f.label() + " is out of the bound that the description gives it"
	}
	d.add(f, "out-of-bounds", message, "give a value within the bound")
}

const fixDNSLabel = "use lower-case letters, digits and hyphens, with a letter or digit at both ends"

// constrained reports a value that is good, but for constraints that the description
// itself, or a package that it uses, puts on its field. One that the field can never hold
// is reported as such.
func (d *reporter) constrained(f field, w want) bool {
	value, constraints := broken(f.value)
	if f.hidden || len(constraints) == 0 || value.Kind()&w.kind == 0 {
		return false
	}
	if !d.holds(f, value) {
		return true
	}
	for _, c := range constraints {
		at := d.places.position(valuePos(c))
		message := fmt.Sprintf("%s is %s, but %s demands %s", f.label(), clip(fmt.Sprint(value)),
			cmp.Or(at.String(), "the description"), clip(fmt.Sprint(c)))
		d.add(f, "out-of-bounds", message, "give a value that it allows, or change it there", at)
	}
	return true
}

// holds reports whether the field can hold a value, whatever the description demands, and
// adds a finding where it cannot.
func (d *reporter) holds(f field, v cue.Value) bool {
	f.value = v
	if s, err := v.String(); err == nil {
		return d.goodString(f, s)
	}
	if n, err := v.Int64(); err == nil {
		return d.goodNumber(f, n)
	}
	return true
}

// broken takes a contradiction apart: into the definite value in it, and the constraints
// that refuse that value.
func broken(v cue.Value) (value cue.Value, constraints []cue.Value) {
	parts := conjuncts(v)
	for _, p := range parts {
		if p.Err() == nil && p.IsConcrete() && !value.Exists() {
			value = p
		}
	}
	for _, p := range parts {
		if p.Err() == nil && !p.IsConcrete() && value.Exists() && value.Kind()&p.IncompleteKind() != 0 && value.Unify(p).Validate() != nil {
			constraints = append(constraints, p)
		}
	}
	return value, constraints
}

// conjuncts are the parts of v that have to hold together.
func conjuncts(v cue.Value) (out []cue.Value) {
	op, parts := v.Expr()
	if op != cue.AndOp {
		return []cue.Value{v}
	}
	for _, p := range parts {
		out = append(out, conjuncts(p)...)
	}
	return out
}

// A value is shown only in a field that is known and holds no secret: what stands where a
// reference to a secret belongs, in an unknown field or in a helper may be the secret
// itself. Neither it nor CUE's words about it get into a finding.

// fixInClear is what to do about a secret that is written out.
const fixInClear = `say where the secret is kept, such as env: "VARIABLE" or file: "PATH"; ` +
	"if it was committed, change the secret itself: git keeps what it was"

// inClear reports a secret where its reference should be.
func (d *reporter) inClear(f field, w want, kind cue.Kind, related ...diag.Position) {
	how := ""
	if kind != cue.BottomKind {
		how = ", as " + noun(kind)
	}
	d.add(f, "secret-in-clear", fmt.Sprintf("%s is written in clear%s, want %s", f.label(), how, w.text), fixInClear, related...)
}

// mayBeSecret tells whether a field of f that is not known may hold a secret: it is part
// of a reference to one, or its name is nearly that of a field for one.
func (d *reporter) mayBeSecret(f field, name string) bool {
	partOfReference := f.hidden && f.path != ""
	return partOfReference || d.root.withinSecret([]string{name})
}

// shown is a value in a message, or else what may be said instead.
func (f field) shown(value any, instead string) string {
	if f.hidden {
		return instead
	}
	return clip(fmt.Sprint(value))
}

// reason adds CUE's words to a message. Those about a hidden value are left out, unless
// they are the same for every value.
func (f field) reason(err error) string {
	text := cueText(err)
	if f.hidden {
		format, args := errors.Errors(err)[0].Msg()
		if text = strings.TrimSpace(format); len(args) > 0 {
			return ""
		}
	}
	return ": " + text
}

// isScalar tells kinds of values that have no parts.
func isScalar(kind cue.Kind) bool {
	return kind != cue.BottomKind && kind&(cue.StructKind|cue.ListKind) == 0
}

// noun names a kind in a message.
func noun(kind cue.Kind) string {
	switch kind {
	case cue.StructKind:
		return "a struct"
	case cue.ListKind:
		return "a list"
	case cue.IntKind, cue.FloatKind, cue.NumberKind:
		return "a number"
	case cue.BoolKind:
		return "a bool"
	case cue.StringKind:
		return "a string"
	}
	return kind.String()
}

// kindOf is the kind among the arguments of an error of CUE.
func kindOf(arg any) cue.Kind {
	kind, _ := arg.(cue.Kind)
	return kind
}
