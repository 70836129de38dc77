package schema

import (
	"strings"

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
	return &places{display: display, sections: map[string]token.Pos{}, named: map[[2]string]token.Pos{}}
}

// index remembers where the names in the files are written.
func (p *places) index(files []*ast.File) {
	p.files = files
	for _, f := range files {
		p.addSections(f.Decls)
	}
}

func (p *places) addSections(decls []ast.Decl) {
	for _, d := range decls {
		field, name := staticField(d)
		if field == nil {
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

// value is where v is written. CUE gives the place of the whole field for a value
// that is written once, and the last place for one that is written many times:
// one outside vendored packages is the user's own.
func (p *places) value(v cue.Value) diag.Position {
	at := p.position(valuePos(v))
	if !p.vendored(at) {
		return at
	}
	_, parts := v.Expr()
	for _, part := range parts {
		if own := p.position(valuePos(part)); !own.IsZero() && !p.vendored(own) {
			return own
		}
	}
	return at
}

// culprit is where the first definite part of a contradictory value is written,
// or else at: in a template's "string" and the user's 5 it is the 5.
func (p *places) culprit(v cue.Value, at diag.Position) diag.Position {
	op, parts := v.Expr()
	if op != cue.AndOp {
		return at
	}
	for _, part := range parts {
		own := p.position(valuePos(part))
		if part.IsConcrete() && !own.IsZero() && !p.vendored(own) {
			return own
		}
	}
	return at
}

func valuePos(v cue.Value) token.Pos {
	if f, ok := v.Source().(*ast.Field); ok {
		return f.Value.Pos()
	}
	return v.Pos()
}

// vendored tells a place in a package that was copied into the tree.
func (p *places) vendored(at diag.Position) bool {
	return strings.HasPrefix(at.File, "cue.mod/") || strings.Contains(at.File, "/cue.mod/")
}

// label is where the name of the field is written: the label itself, or the best
// that is known of a generated one.
func (p *places) label(section, key string, v cue.Value) diag.Position {
	if pos, ok := p.named[[2]string{section, key}]; ok {
		return p.position(pos)
	}
	if f, ok := v.Source().(*ast.Field); ok {
		return p.position(f.Label.Pos())
	}
	pos := v.Pos()
	if l, ok := p.labelIndex()[pos]; ok {
		pos = l
	}
	return p.position(pos)
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
		p.labels[at] = field.Label.Pos()
	}
}
