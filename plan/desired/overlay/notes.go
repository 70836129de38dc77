package overlay

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"

	"go.yaml.in/yaml/v3"

	"fairlead.dev/fairlead/schema/diag"
)

// The codes of findings that have a place in a file of an overlay.
const (
	codeRepeatedKey = "repeated-key"
	codeEmptyFile   = "overlay-empty"
	codeDeprecated  = "overlay-deprecated"
	codeNoTarget    = "overlay-no-target"
	codeDocuments   = "overlay-documents"
	codeAliases     = "overlay-aliases"
)

// errNoted is why a kustomization is not run whose mistakes are noted with their places.
var errNoted = mistake{message: "has mistakes that are told with their places"}

// note adds a finding in a file of the tree. A node of nil stands for its beginning.
func (c *checker) note(severity diag.Severity, code, file string, at *node, message, fix string) {
	place := diag.Position{File: c.show(file), Line: 1, Column: 1}
	if at != nil {
		place.Line, place.Column = at.Line, at.Column
	}
	c.notes = append(c.notes, diag.Finding{Severity: severity, Code: code, At: place, Message: message, Fix: fix})
}

// texts notes what is wrong in the files of a kustomization, and in the patches within it.
func (c *checker) texts(k kustomization, dir string) error {
	c.repeats(k.file, k.root, true)
	c.deprecated(k)
	c.inline(k)
	for _, list := range []field{{"resources", k.Resources}, {"crds", k.Crds}, {"configurations", k.Configurations}, {"openapi", []string{k.OpenAPI["path"]}}} {
		if err := c.yamlFiles(dir, list, "object"); err != nil {
			return err
		}
	}
	for _, list := range []field{patchFiles(k), replacementFiles(k)} {
		if err := c.yamlFiles(dir, list, "content"); err != nil {
			return err
		}
	}
	for _, entry := range generated(k) {
		if _, err := c.text(path.Join(dir, entry)); err != nil {
			return err
		}
	}
	return nil
}

// whole notes a kustomization without content, and one that goes on where kustomize does
// not read it.
func (c *checker) whole(file string, documents []*node) {
	if !hasContent(documents) {
		c.note(diag.Warning, codeEmptyFile, file, nil, "has no content", "bring back what was here, or take the overlay out of what names it")
		return
	}
	for _, d := range documents[1:] {
		if hasContent([]*node{d}) {
			c.note(diag.Error, codeDocuments, file, d, "has more than one document, and kustomize reads the first alone", "put all into one document")
			return
		}
	}
}

// yamlFiles reads the files of a field, and notes repeated keys and those that have nothing
// of what they are for.
func (c *checker) yamlFiles(dir string, list field, what string) error {
	for _, entry := range list.entries {
		file := path.Join(dir, entry)
		if info, err := fs.Stat(c.tree, file); entry == "" || err != nil || info.IsDir() {
			continue // told with its entry
		}
		text, err := c.text(file)
		if err != nil {
			return err
		}
		documents, whole := syntax(text)
		for _, d := range documents {
			c.repeats(file, d, false)
		}
		if whole && !hasContent(documents) {
			c.note(diag.Warning, codeEmptyFile, file, nil, "has no "+what,
				fmt.Sprintf("bring back what was here, or take it out of %s of the kustomization", list.field))
		}
	}
	return nil
}

// text reads a file, which has to be the file itself.
func (c *checker) text(file string) ([]byte, error) {
	text, err := fs.ReadFile(c.tree, file)
	if err != nil {
		return nil, c.unreadable(file, err)
	}
	if message, fix, is := diag.NotContent(text); is {
		return nil, mistake{c.show(file), message, fix}
	}
	return text, nil
}

func (c *checker) repeats(file string, n *node, fold bool) {
	if n == nil {
		return
	}
	for _, r := range repeated(n, fold) {
		c.note(diag.Error, codeRepeatedKey, file, r.node, r.message(), "keep one of them, or join what they have")
	}
	c.aliases(file, multiplying(n))
}

// aliases notes an alias that makes a text too large; nil for none.
func (c *checker) aliases(file string, alias *node) {
	if alias != nil {
		c.note(diag.Error, codeAliases, file, alias, fmt.Sprintf("the alias *%s makes the text stand for more than %d values", alias.Value, mostAliased),
			"write out what is meant, with fewer aliases of aliases")
	}
}

// inline notes repeated keys in patches that stand in the kustomization itself. Their
// columns are not known: a block may be indented in any way.
func (c *checker) inline(k kustomization) {
	for _, name := range []string{"patches", "patchesJson6902", "patchesStrategicMerge"} {
		list := target(entry(k.root, name))
		if list == nil {
			continue
		}
		for _, one := range list.Content {
			text := target(cmp.Or(entry(one, "patch"), one))
			if text.Kind != yaml.ScalarNode {
				continue
			}
			from := text.Line - 1
			if text.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
				from++
			}
			documents, _ := syntax([]byte(text.Value))
			for _, d := range documents {
				if alias := multiplying(d); alias != nil {
					c.aliases(k.file, &node{Line: alias.Line + from, Value: alias.Value})
				}
				for _, r := range repeated(d, false) {
					r.first += from
					c.note(diag.Error, codeRepeatedKey, k.file, &node{Line: r.Line + from}, r.message(), "keep one of them, or join what they have")
				}
			}
		}
	}
}

// modernFields are kustomize's deprecated fields, and what took their place.
var modernFields = [][2]string{
	{"bases", "resources"}, {"commonLabels", "labels with includeSelectors: true"}, {"imageTags", "images"},
	{"patchesJson6902", "patches"}, {"patchesStrategicMerge", "patches"}, {"vars", "replacements"},
}

func (c *checker) deprecated(k kustomization) {
	for _, f := range modernFields {
		if at, _ := pair(k.root, f[0]); at != nil {
			c.note(diag.Warning, codeDeprecated, k.file, at, f[0]+" is deprecated by kustomize", "use "+f[1]+"; kustomize edit fix writes it")
		}
	}
}
