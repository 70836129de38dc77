package schema

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/parser"

	"fairlead.dev/fairlead/schema/diag"
)

// LeftOut is a file beside those of a description that no evaluation reads.
type LeftOut struct {
	// File is its path inside the tree.
	File string
	// Why says why it is not read.
	Why string
}

// passedOver is a file that CUE passed over, and what is said of it.
type passedOver struct {
	name    string
	finding diag.Finding
	why     string
	// clauseless says that the file has no package clause.
	clauseless bool
}

// survey finds the files with names like CUE's that are no part of the description: all
// of those in its directory, and of those in the directories that it takes other files
// from the ones that are not meant to be of another package.
type survey struct {
	src     Source
	places  *places
	inst    *build.Instance
	taken   map[string]bool
	ignored map[string]*build.File
	dir     string
}

func newSurvey(src Source, places *places, inst *build.Instance) *survey {
	s := &survey{src: src, places: places, inst: inst, taken: map[string]bool{}, ignored: map[string]*build.File{}}
	s.dir, _ = packagePath(src.Dir)
	for _, i := range instances(inst) {
		for _, f := range append(i.BuildFiles, i.InvalidFiles...) {
			s.taken[treePath(f.Filename)] = true
		}
		for _, f := range i.IgnoredFiles {
			s.ignored[treePath(f.Filename)] = f
		}
	}
	return s
}

func (s *survey) files() (out []passedOver) {
	dirs := map[string]bool{s.dir: true}
	for name := range s.taken {
		if dir := path.Dir(name); !inCUEMod(dir) {
			dirs[dir] = true
		}
	}
	for _, dir := range sortedKeys(dirs) {
		entries, err := fs.ReadDir(s.src.FS, dir)
		if err != nil {
			continue // the loader says so
		}
		for _, entry := range entries {
			name := path.Join(dir, entry.Name())
			if !strings.EqualFold(path.Ext(name), ".cue") || s.taken[name] {
				continue
			}
			if p := s.judge(name, entry); p.finding.Severity != "" {
				out = append(out, p)
			}
		}
	}
	return out
}

// inCUEMod tells directories of what others wrote.
func inCUEMod(dir string) bool {
	return strings.HasPrefix(dir+"/", "cue.mod/") || strings.Contains(dir, "/cue.mod/")
}

// judge says why CUE passes a file over. What is no file of the package on purpose, and is
// not in the description's own directory, gets no finding.
func (s *survey) judge(name string, entry fs.DirEntry) passedOver {
	base, own := path.Base(name), path.Dir(name) == s.dir
	at := diag.Position{File: display(s.src, name)}
	switch {
	case entry.IsDir() && own:
		return passedOver{name: name, why: "a directory", finding: diag.Finding{Severity: diag.Warning, Code: codeLeftOut, At: at,
			Message: `the directory is no part of the description, though its name ends in ".cue"`, Fix: "rename it"}}
	case entry.IsDir():
		return passedOver{}
	case path.Ext(name) != ".cue":
		return leftOut(name, at, fmt.Sprintf("its name ends in %q", path.Ext(name)), fixRename)
	case base[0] == '.' || base[0] == '_':
		return leftOut(name, at, fmt.Sprintf("its name begins with %q", base[:1]), fixRename)
	case dangling(s.src.FS, name, entry):
		return passedOver{name: name, finding: diag.Finding{Severity: diag.Error, Code: codeLeftOut, At: at,
			Message: "the link leads to no file that can be read", Fix: "correct or remove it"}}
	case !own && strings.HasSuffix(base, "_test.cue"), strings.HasSuffix(base, "_tool.cue") && (!own || s.onlyCommands(name)):
		return passedOver{}
	case strings.HasSuffix(base, "_test.cue"), strings.HasSuffix(base, "_tool.cue"):
		return leftOut(name, at, fmt.Sprintf("its name ends in %q", base[strings.LastIndexByte(base, '_'):]), fixRename)
	}
	return s.judgeText(name, own, at)
}

const (
	codeLeftOut = "file-left-out"
	fixRename   = "rename it to have it read"
)

func leftOut(name string, at diag.Position, why, fix string) passedOver {
	return passedOver{name: name, why: why, finding: diag.Finding{
		Severity: diag.Warning, Code: codeLeftOut, At: at, Message: "the file is left out: " + why, Fix: fix,
	}}
}

// judgeText is judge for what a file says at its beginning.
func (s *survey) judgeText(name string, own bool, at diag.Position) passedOver {
	text, err := fs.ReadFile(s.src.FS, name)
	if err != nil {
		return passedOver{} // the loader says so
	}
	pkg := ""
	if file, err := parser.ParseFile(name, text, parser.ImportsOnly); err == nil {
		pkg = file.PackageName()
	}
	switch wanted := s.packageIn(path.Dir(name)); {
	case pkg == "":
		return passedOver{name: name, clauseless: true, finding: diag.Finding{Severity: diag.Error, Code: "no-package", At: at,
			Message: "the file has no package clause", Fix: "start it with a line such as: package " + wanted}}
	case pkg != wanted && !own:
		return passedOver{}
	case pkg != wanted:
		return leftOut(name, at, fmt.Sprintf("it is of package %q, and package %q is read", pkg, wanted),
			"correct its package clause, or move it to another directory")
	}
	return s.attributed(name, at)
}

// onlyCommands tells a file that has commands of "cue cmd", and nothing that a description
// could have.
func (s *survey) onlyCommands(name string) bool {
	text, err := fs.ReadFile(s.src.FS, name)
	if err != nil {
		return false
	}
	file, err := parser.ParseFile(name, text)
	if err != nil {
		return false
	}
	return !slices.ContainsFunc(file.Decls, func(d ast.Decl) bool {
		switch d.(type) {
		case *ast.Package, *ast.ImportDecl, *ast.LetClause, *ast.Attribute, *ast.CommentGroup:
			return false
		}
		_, name := staticField(d)
		return name != "command" && !strings.HasPrefix(name, "_") && !strings.HasPrefix(name, "#")
	})
}

// attributed reports a file that an attribute before its package clause excludes.
func (s *survey) attributed(name string, at diag.Position) passedOver {
	f, ok := s.ignored[name]
	if !ok || f.ExcludeReason == nil {
		return leftOut(name, at, "CUE does not say why", fixRename)
	}
	if place := s.places.position(f.ExcludeReason.Position()); !place.IsZero() {
		at = place
	}
	return leftOut(name, at, cueText(f.ExcludeReason), "give the tag that includes it, with -t, or take the attribute off")
}

// packageIn is the name of the package that is read of a directory.
func (s *survey) packageIn(dir string) string {
	for _, i := range instances(s.inst) {
		for _, f := range i.BuildFiles {
			if path.Dir(treePath(f.Filename)) == dir && ast.IsValidIdent(i.PkgName) {
				return i.PkgName
			}
		}
	}
	if ast.IsValidIdent(s.inst.PkgName) && s.inst.PkgName != "_" {
		return s.inst.PkgName
	}
	return packageName(dir)
}

// dangling tells a symbolic link that leads to no file: to nothing, or to a directory.
func dangling(tree fs.FS, name string, entry fs.DirEntry) bool {
	if entry.Type() != fs.ModeSymlink {
		return false
	}
	info, err := fs.Stat(tree, name)
	return errors.Is(err, fs.ErrNotExist) || err == nil && info.IsDir()
}

// readable is a tree without symbolic links to CUE files that are none: CUE's loader
// stops at them, whatever their names are.
type readable struct{ fs.FS }

func (r readable) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(r.FS, name)
	kept := make([]fs.DirEntry, 0, len(entries))
	for _, entry := range entries {
		if file := path.Join(name, entry.Name()); path.Ext(file) != ".cue" || !dangling(r.FS, file, entry) {
			kept = append(kept, entry)
		}
	}
	return kept, err
}

func (r readable) ReadFile(name string) ([]byte, error) { return fs.ReadFile(r.FS, name) }

func (r readable) Stat(name string) (fs.FileInfo, error) { return fs.Stat(r.FS, name) }

// notText reports each file that is not the text that was written: the first place that is
// no UTF-8, and what Git LFS left in place of a file. CUE's loader puts another character
// there and goes on (cuelang.org: source text is UTF-8), so that something else would be
// applied than was written; or it finds no package clause, and leaves the file out.
func notText(src Source, names []string) (out diag.List) {
	for _, name := range names {
		text, err := fs.ReadFile(src.FS, name)
		if err != nil {
			continue // it was read by CUE a moment ago, or is not of the tree
		}
		if message, fix, is := diag.NotContent(text); is {
			out = append(out, diag.Finding{
				Severity: diag.Error, Code: "not-content", At: diag.Position{File: display(src, name), Line: 1, Column: 1}, Message: message, Fix: fix,
			})
			continue
		}
		at := firstBad(text)
		if at < 0 {
			continue
		}
		line := bytes.Count(text[:at], []byte("\n")) + 1
		column := at - bytes.LastIndexByte(text[:at], '\n')
		out = append(out, diag.Finding{
			Severity: diag.Error, Code: "encoding", At: diag.Position{File: display(src, name), Line: line, Column: column},
			Message: fmt.Sprintf("the byte 0x%02x is no UTF-8 text", text[at]), Fix: "save the file as UTF-8",
		})
	}
	return out
}

// misread reports files without which the description is another one: those that are
// no text, and those that would be left out by mistake.
func (s *survey) misread(passed []passedOver) diag.List {
	names := maps.Clone(s.taken)
	for _, p := range passed {
		if p.clauseless {
			names[p.name] = true
		}
	}
	out := notText(s.src, sortedKeys(names))
	bad := map[string]bool{}
	for _, f := range out {
		bad[f.At.File] = true
	}
	for _, p := range passed {
		if p.finding.Severity == diag.Error && !bad[p.finding.At.File] {
			out = append(out, p.finding)
		}
	}
	return out
}

// firstBad is where a text ceases to be UTF-8; -1 where it does not.
func firstBad(text []byte) int {
	for at := 0; at < len(text); {
		r, size := utf8.DecodeRune(text[at:])
		if r == utf8.RuneError && size == 1 {
			return at
		}
		at += size
	}
	return -1
}
