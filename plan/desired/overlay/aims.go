package overlay

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"

	"fairlead.dev/fairlead/schema/diag"
)

// kustomize passes over a patch or replacement whose target fits no object. Whether that is
// so cannot be seen from what it builds: so it builds once more, with a mark in front of
// each that puts a field on the objects that its target fits, beside their metadata: most
// patches leave that alone. What is built so is looked through for marks, and is used for
// nothing else.

// aim is a target of a patch or replacement of one file.
type aim struct {
	file string
	// path leads to it in the file, as in "patches[0]" or "replacements[1].targets[0]".
	path string
}

// shot is what is known of an aim: where it stands, what it selects, the field that marks
// it, and whether an object of any site was found for it.
type shot struct {
	at   *node
	want *types.Selector
	mark string
	hit  bool
}

// aims are those of all overlays.
type aims struct {
	shots map[aim]*shot
	marks map[string]*shot
}

func newAims() *aims { return &aims{shots: map[aim]*shot{}, marks: map[string]*shot{}} }

// markPrefix begins the names of marks.
const markPrefix = "fairlead-overlay-aim-"

// open tells that no object was found for an aim yet, and gives what is known of it.
func (a *aims) open(at aim, n *node, want *types.Selector) (*shot, bool) {
	s, known := a.shots[at]
	if !known {
		s = &shot{at: n, want: want, mark: fmt.Sprintf("%s%d", markPrefix, len(a.shots))}
		a.shots[at], a.marks[s.mark] = s, s
	}
	return s, !s.hit
}

// hits notes the marks in what was built. Where that failed nothing can be said of the
// aims that were open.
func (a *aims) hits(built resmap.ResMap, err error) {
	if err != nil {
		for _, s := range a.shots {
			s.hit = true
		}
		return
	}
	for _, res := range built.Resources() {
		fields, err := res.Fields()
		if err != nil {
			continue // it is no object, and no patch was for it
		}
		for _, name := range fields {
			if s, ok := a.marks[name]; ok {
				s.hit = true
			}
		}
	}
}

// obvious notes the aims of the outermost kustomization that what it built fits: all of it
// was there when its patches ran. Labels and annotations may have changed since.
func (a *aims) obvious(k kustomization, built resmap.ResMap) {
	for i, p := range k.Patches {
		if p.Target == nil || p.Target.LabelSelector != "" || p.Target.AnnotationSelector != "" {
			continue
		}
		if found, err := built.Select(*p.Target); err == nil && len(found) > 0 {
			at, n := patchAim(k, i)
			s, _ := a.open(at, n, p.Target)
			s.hit = true
		}
	}
}

// missed are findings about the aims for which no site has an object.
func (a *aims) missed(show func(string) string) (out diag.List) {
	for at, s := range a.shots {
		if s.hit {
			continue
		}
		place := diag.Position{File: show(at.file)}
		if s.at != nil {
			place.Line, place.Column = s.at.Line, s.at.Column
		}
		out = append(out, diag.Finding{
			Severity: diag.Warning, Code: codeNoTarget, At: place,
			Message: fmt.Sprintf("%s: no object of any site fits its target: %s", at.path, selection(s.want)),
			Fix:     "correct the target, or take it away: it changes nothing",
		})
	}
	return out
}

// selection shows a selector in one line: "kind: Site, name: hub".
func selection(want *types.Selector) string {
	text, err := yaml.Marshal(want)
	if err != nil {
		return want.String()
	}
	return strings.Join(strings.Split(strings.TrimSpace(string(text)), "\n"), ", ")
}

// marked gives a kustomization with a mark for each open aim, and how many there are.
func (c *checker) marked(k kustomization, a *aims) (types.Kustomization, int) {
	out, count := k.Kustomization, 0
	out.Patches = nil
	for i, p := range k.Patches {
		if p.Target != nil {
			at, n := patchAim(k, i)
			if s, open := a.open(at, n, p.Target); open {
				out.Patches = append(out.Patches, types.Patch{Target: p.Target, Patch: marking(s.mark)})
				count++
			}
		}
		if !c.deletes(k, p) {
			out.Patches = append(out.Patches, p)
		}
	}
	out.Replacements = nil
	//lint:ignore SA1019 kustomizations with deprecated fields are read too
	for i, p := range k.PatchesJson6902 {
		if p.Target == nil {
			continue
		}
		n := item(entry(k.root, "patchesJson6902"), i)
		if s, open := a.open(aim{k.file, fmt.Sprintf("patchesJson6902[%d]", i)}, n, p.Target); open {
			out.Replacements = append(out.Replacements, selecting(s.mark, &types.TargetSelector{Select: p.Target}))
			count++
		}
	}
	for i, r := range k.Replacements {
		marks := c.replacementMarks(k, i, r, a)
		count += len(marks)
		out.Replacements = append(append(out.Replacements, marks...), r)
	}
	return out, count
}

// patchAim names a patch by the field that it stands in.
func patchAim(k kustomization, i int) (aim, *node) {
	name := "patches"
	if i < k.merges {
		name = "patchesStrategicMerge"
	} else {
		i -= k.merges
	}
	return aim{k.file, fmt.Sprintf("%s[%d]", name, i)}, item(entry(k.root, name), i)
}

// replacementMarks are those of the targets of a replacement, which may stand in a file of
// its own, alone or in a list.
func (c *checker) replacementMarks(k kustomization, i int, r types.ReplacementField, a *aims) (out []types.ReplacementField) {
	file, where, n := k.file, fmt.Sprintf("replacements[%d]", i), item(entry(k.root, "replacements"), i)
	list := []types.Replacement{r.Replacement}
	if r.Path != "" {
		file, where = path.Join(path.Dir(k.file), r.Path), ""
		list, n = c.replacementsIn(file)
	}
	for j, one := range list {
		at := where
		from := n
		if r.Path != "" && item(n, j) != nil {
			at, from = fmt.Sprintf("[%d].", j), item(n, j)
		} else if where != "" {
			at += "."
		}
		for t, to := range one.Targets {
			if to == nil || to.Select == nil {
				continue
			}
			place := item(entry(from, "targets"), t)
			if s, open := a.open(aim{file, fmt.Sprintf("%stargets[%d]", at, t)}, place, to.Select); open {
				out = append(out, selecting(s.mark, to))
			}
		}
	}
	return out
}

// replacementsIn reads a file of one replacement, or of several. What is wrong with it is
// for kustomize to tell.
func (c *checker) replacementsIn(file string) (list []types.Replacement, root *node) {
	text, err := c.text(file)
	if err != nil {
		return nil, nil
	}
	if documents, _ := syntax(text); len(documents) > 0 {
		root = documents[0]
	}
	var one types.Replacement
	if err := yaml.Unmarshal(text, &list); err != nil && yaml.Unmarshal(text, &one) == nil {
		list = []types.Replacement{one}
	}
	return list, root
}

// marking is a patch that puts a mark on whatever its target selects.
func marking(mark string) string {
	return fmt.Sprintf(`{"apiVersion": "v1", "kind": "Any", "metadata": {"name": "any"}, %q: "x"}`, mark)
}

// selecting is a replacement that puts a mark on what another one's target selects.
func selecting(mark string, to *types.TargetSelector) types.ReplacementField {
	value := "x"
	return types.ReplacementField{Replacement: types.Replacement{SourceValue: &value, Targets: []*types.TargetSelector{{
		Select: to.Select, Reject: to.Reject, FieldPaths: []string{mark}, Options: &types.FieldOptions{Create: true},
	}}}}
}

var deletion = regexp.MustCompile(`\$patch["']?\s*:\s*["']?delete`)

// deletes reports whether a patch takes objects away, and their marks with them.
func (c *checker) deletes(k kustomization, p types.Patch) bool {
	text := p.Patch
	if p.Path != "" {
		content, err := c.text(path.Join(path.Dir(k.file), p.Path))
		if err != nil {
			return false
		}
		text = string(content)
	}
	return deletion.MatchString(text)
}
