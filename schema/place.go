package schema

import (
	"path"
	"slices"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/token"

	"fairlead.dev/fairlead/schema/diag"
)

// places finds where things stand in the user's files: values by their own
// positions, and names by an index of the syntax, because an evaluated value
// knows where it is written but not where its label is.
type places struct {
	files   []*ast.File
	own     map[string]bool // the names of the files
	display func(string) string
	// sections holds the labels of the first level that are written out, and named
	// those of the second, by section and key.
	sections map[string]token.Pos
	named    map[[2]string]token.Pos
	// labels maps the start of a field's value to its label; made when a label
	// is asked for that is not in named, such as one from a comprehension.
	labels map[token.Pos]token.Pos
}

func newPlaces(display func(string) string) *places {
	return &places{display: display, own: map[string]bool{}, sections: map[string]token.Pos{}, named: map[[2]string]token.Pos{}}
}

// index remembers where the names in the files are written.
func (p *places) index(files []*ast.File) {
	p.files = files
	for _, f := range files {
		p.own[treePath(f.Filename)] = true
		p.addSections(f.Decls)
	}
}

func (p *places) addSections(decls []ast.Decl) {
	for _, d := range decls {
		field, name := staticField(d)
		if field == nil || isTemplate(field.Value) {
			continue
		}
		addFirst(p.sections, name, field)
		body, ok := field.Value.(*ast.StructLit)
		if !ok {
			continue
		}
		for _, e := range body.Elts {
			if entry, key := staticField(e); entry != nil {
				addFirst(p.named, [2]string{name, key}, entry)
			}
		}
	}
}

// isTemplate tells a struct that holds nothing but templates, such as {[string]: #Link}.
func isTemplate(x ast.Expr) bool {
	body, ok := x.(*ast.StructLit)
	return ok && len(body.Elts) > 0 && !slices.ContainsFunc(body.Elts, func(d ast.Decl) bool {
		field, ok := d.(*ast.Field)
		return !ok || namePos(field).IsValid()
	})
}

// namePos is where a field's name is written; a template has none.
func namePos(field *ast.Field) (pos token.Pos) {
	label := ast.Node(field.Label)
	if alias, ok := label.(*ast.Alias); ok {
		label = alias.Expr
	}
	if _, ok := label.(*ast.ListLit); ok {
		return pos
	}
	return field.Label.Pos()
}

func addFirst[K comparable](labels map[K]token.Pos, key K, field *ast.Field) {
	if _, ok := labels[key]; !ok {
		labels[key] = field.Label.Pos()
	}
}

// staticField gives the field and its name, or nil for any other declaration.
func staticField(d ast.Decl) (*ast.Field, string) {
	field, ok := d.(*ast.Field)
	if !ok {
		return nil, ""
	}
	name, _, err := ast.LabelName(field.Label)
	if err != nil {
		return nil, ""
	}
	return field, name
}

// around are the names of the fields around a place in the files; "" stands for one that
// is not written out.
func (p *places) around(pos token.Pos) []string {
	var names, found []string
	for _, f := range p.files {
		ast.Walk(f, func(n ast.Node) bool {
			if field, ok := n.(*ast.Field); ok {
				name, _, _ := ast.LabelName(field.Label)
				names = append(names, name)
			}
			if id, ok := n.(*ast.Ident); ok && id.Pos() == pos {
				found = slices.Clone(names)
			}
			return found == nil
		}, func(n ast.Node) {
			if _, ok := n.(*ast.Field); ok {
				names = names[:len(names)-1]
			}
		})
	}
	return found
}

// of is the place of a field: that of its name for an entry of a section, else that of its
// value, or of what it is part of where that is nearer to the description. It is looked up
// when it is asked for: few fields have a finding.
func (p *places) of(f *field) diag.Position {
	if !f.at.IsZero() {
		return f.at
	}
	if f.section != "" {
		if at := p.label(f.section, f.name, f.value); !at.IsZero() {
			return at
		}
	}
	pos := p.nearest(f.value, valuePos)
	if far := p.distance(pos); f.parent != nil && far >= inVendored {
		if at := p.of(f.parent); far == nowhere || !at.IsZero() {
			return at
		}
	}
	return p.position(pos)
}

// position turns a CUE position into one for the user.
func (p *places) position(pos token.Pos) diag.Position {
	if !pos.IsValid() {
		return diag.Position{}
	}
	at := pos.Position()
	file := treePath(at.Filename)
	if p.display != nil {
		file = p.display(file)
	}
	return diag.Position{File: file, Line: at.Line, Column: at.Column}
}

// outermost is where the path begins, as far as it is written out; failing that
// it is the first file.
func (p *places) outermost(path []string) diag.Position {
	if len(path) > 1 {
		if pos, ok := p.named[[2]string{path[0], path[1]}]; ok {
			return p.position(pos)
		}
	}
	if len(path) > 0 {
		if pos, ok := p.sections[path[0]]; ok {
			return p.position(pos)
		}
	}
	if len(p.files) == 0 {
		return diag.Position{}
	}
	return p.position(p.files[0].Pos())
}

// nearest is the place of v or, where one is nearer to the description, of a part of it.
func (p *places) nearest(v cue.Value, place func(cue.Value) token.Pos) token.Pos {
	best := place(v)
	if p.distance(best) == inPackage {
		return best
	}
	_, parts := v.Expr()
	for _, part := range parts {
		if pos := place(part); p.distance(pos) < p.distance(best) {
			best = pos
		}
	}
	return best
}

// How far a place is from the description: in its own files, in others of the tree, or in
// a package that was copied into it.
const (
	inPackage = iota
	inTree
	inVendored
	nowhere
)

func (p *places) distance(pos token.Pos) int {
	switch name := treePath(pos.Filename()); {
	case !pos.IsValid():
		return nowhere
	case p.own[name]:
		return inPackage
	case inCUEMod(path.Dir(name)):
		return inVendored
	}
	return inTree
}

// culprit is where the first definite part of a contradictory value is written,
// or else at: in a template's "string" and the user's 5 it is the 5.
func (p *places) culprit(v cue.Value, at diag.Position) diag.Position {
	op, parts := v.Expr()
	if op != cue.AndOp {
		return at
	}
	least := inVendored
	for _, part := range parts {
		if pos := valuePos(part); part.IsConcrete() && p.distance(pos) < least {
			at, least = p.position(pos), p.distance(pos)
		}
	}
	return at
}

// valuePos is where CUE says that v is written: the place of the whole field for a value
// that is written once, and the last place for one that is written many times.
func valuePos(v cue.Value) token.Pos {
	if f, ok := v.Source().(*ast.Field); ok {
		return f.Value.Pos()
	}
	return v.Pos()
}

// label is where the name of the field is written: the label itself, or the best
// that is known of a generated one.
func (p *places) label(section, key string, v cue.Value) diag.Position {
	if pos, ok := p.named[[2]string{section, key}]; ok {
		return p.position(pos)
	}
	pos := p.nearest(v, p.labelPos)
	if whole, ok := p.sections[section]; ok && p.distance(pos) >= inVendored {
		pos = whole
	}
	return p.position(pos)
}

// labelPos is where the name of v is written, if v is one part of a value; a template of
// all entries of a section names none.
func (p *places) labelPos(v cue.Value) token.Pos {
	if f, ok := v.Source().(*ast.Field); ok {
		return namePos(f)
	}
	pos := v.Pos()
	if l, ok := p.labelIndex()[pos]; ok {
		return l
	}
	return pos
}

func (p *places) labelIndex() map[token.Pos]token.Pos {
	if p.labels != nil {
		return p.labels
	}
	p.labels = map[token.Pos]token.Pos{}
	for _, f := range p.files {
		ast.Walk(f, func(n ast.Node) bool {
			if field, ok := n.(*ast.Field); ok {
				p.addLabel(field)
			}
			return true
		}, nil)
	}
	return p.labels
}

func (p *places) addLabel(field *ast.Field) {
	at := field.Value.Pos()
	if _, ok := p.labels[at]; !ok && at.IsValid() {
		p.labels[at] = namePos(field)
	}
}
