package schema

import (
	stderrors "errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/load"
	"cuelang.org/go/cue/token"
	"cuelang.org/go/mod/modfile"

	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// CodeNoFiles is the code of a finding that there is no description.
const CodeNoFiles = "no-files"

// loadFindings words what keeps a package from being loaded at all.
func loadFindings(src Source, places *places, inst *build.Instance) diag.List {
	var out diag.List
	for _, e := range errors.Errors(inst.Err) {
		f := loadFinding(src, inst, e)
		f.Severity = diag.Error
		if inner := innermost(e); f.Code == "import" && inner != nil {
			if !aboutImports(inner.Error()) {
				f.Code, f.Message, f.Fix = "syntax", syntaxText(inner), syntaxFix(inner.Error())
			}
			e = inner
		}
		if at := firstPosition(places, e); !at.IsZero() {
			f.At = at
		}
		if f.Code == "syntax" && strings.Contains(f.Message, endOfFile) && hasSyntax(out, f.At.File) {
			continue // where the file ends says nothing after an earlier mistake
		}
		out = append(out, f)
	}
	return out
}

// innermost is the mistake in an imported file that keeps it from being imported,
// or nil when the import itself is the mistake.
func innermost(e errors.Error) errors.Error {
	var found errors.Error
	for err := stderrors.Unwrap(e); err != nil; err = stderrors.Unwrap(err) {
		for _, one := range errors.Errors(err) {
			if pos := one.Position(); pos.IsValid() && pos.Filename() != e.Position().Filename() {
				found = one
			}
		}
	}
	return found
}

func aboutImports(text string) bool {
	for _, part := range []string{"import", "cannot find", errOffline.Error()} {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}

func hasSyntax(findings diag.List, file string) bool {
	return slices.ContainsFunc(findings, func(f diag.Finding) bool {
		return f.Code == "syntax" && f.At.File == file
	})
}

func firstPosition(places *places, e errors.Error) diag.Position {
	for _, pos := range errors.Positions(e) {
		if at := places.position(pos); !at.IsZero() {
			return at
		}
	}
	return diag.Position{}
}

func loadFinding(src Source, inst *build.Instance, e errors.Error) diag.Finding {
	dir, _ := packagePath(src.Dir)
	here := diag.Position{File: display(src, dir)}
	var none *load.NoFilesError
	var several *load.MultiplePackageError
	format, args := e.Msg()
	text := e.Error()
	switch {
	case errors.As(e, &several):
		return diag.Finding{Code: "several-packages", At: here,
			Message: fmt.Sprintf("holds package %q (%s) and package %q (%s)",
				several.Packages[0], several.Files[0], several.Packages[1], several.Files[1]),
			Fix: fmt.Sprintf("name one of them, as in %s:%s", here.File, several.Packages[0])}
	case errors.As(e, &none):
		return noFiles(src, here, dir, text)
	case strings.HasPrefix(text, "cannot find package"):
		return diag.Finding{Code: CodeNoFiles, Message: "there is no such directory", Fix: "give the directory that holds the description", At: here}
	case strings.Contains(text, "is a file and not a package directory"):
		return diag.Finding{Code: CodeNoFiles, Message: "this is a file", Fix: "give the directory that holds it", At: here}
	case strings.HasPrefix(format, "no tag for"):
		return unknownTag(here, fmt.Sprint(args[0]), inst)
	case strings.Contains(format, "injection tag") && len(args) > 0:
		return diag.Finding{Code: "tag-value", At: here, Fix: "give a value of that type, with -t key=value",
			Message: fmt.Sprintf("the value of the tag %q is not of the type that its field takes", args[len(args)-1])}
	case strings.HasPrefix(text, "import failed"):
		return importFinding(text)
	case strings.Contains(text, "module.cue"):
		return diag.Finding{Code: "module-file", Message: text, Fix: moduleFix(e), At: moduleFile(src, dir)}
	}
	return diag.Finding{Code: "syntax", Message: syntaxText(e), Fix: syntaxFix(format), At: here}
}

// noFiles words that a directory has no description that is read.
func noFiles(src Source, here diag.Position, dir, text string) diag.Finding {
	f := diag.Finding{Code: CodeNoFiles, At: here,
		Message: "no CUE files here", Fix: "give the directory that holds the description"}
	_, rest, ok := strings.Cut(text, "\n")
	if !ok {
		return f
	}
	file, why, _ := strings.Cut(strings.TrimSpace(rest), ": ")
	f.At = diag.Position{File: display(src, treePath(file))}
	switch {
	case strings.HasPrefix(why, "package is "):
		found, wanted, _ := strings.Cut(strings.TrimPrefix(why, "package is "), ", want ")
		f.Code, f.Message = "no-package", fmt.Sprintf("the file is of package %q, and none is of package %q", found, wanted)
		f.Fix = fmt.Sprintf("ask for :%s, or leave the package out", found)
	default:
		f.Message, f.Fix = "left out, as is every other CUE file here: "+why, "give the tag that includes it, with -t"
	}
	return f
}

// packageName proposes a name for the package in dir.
func packageName(dir string) string {
	if base := path.Base(dir); ast.IsValidIdent(base) && base != "." {
		return base
	}
	return "network"
}

func unknownTag(at diag.Position, name string, inst *build.Instance) diag.Finding {
	known := tags(inst)
	f := diag.Finding{Code: "unknown-tag", At: at, Message: fmt.Sprintf("no field takes the tag %q", name)}
	switch near := network.Closest(name, known); {
	case near != "":
		f.Fix = fmt.Sprintf("did you mean %q?", near)
	case len(known) == 0:
		f.Fix = fmt.Sprintf("leave it out, or add @tag(%s) to a field", name)
	default:
		f.Fix = "the description takes: " + strings.Join(known, ", ")
	}
	return f
}

// tags are the names in the @tag attributes of the package.
func tags(inst *build.Instance) []string {
	names := map[string]bool{}
	for _, f := range inst.Files {
		ast.Walk(f, func(n ast.Node) bool {
			if a, ok := n.(*ast.Attribute); ok {
				if key, body := a.Split(); key == "tag" {
					name, _, _ := strings.Cut(body, ",")
					names[strings.TrimSpace(name)] = true
				}
			}
			return true
		}, nil)
	}
	return sortedKeys(names)
}

func importFinding(text string) diag.Finding {
	for strings.HasPrefix(text, "import failed: ") {
		text = strings.TrimPrefix(text, "import failed: ")
	}
	if place, rest, ok := strings.Cut(text, ": "); ok && strings.HasPrefix(place, "/") {
		text = rest
	}
	f := diag.Finding{Code: "import", Message: "cannot import: " + text,
		Fix: "vendor the package under cue.mod/pkg, or correct the path; nothing is downloaded"}
	switch {
	case strings.Contains(text, "imports are unavailable"):
		f.Message = "cannot import: there is no cue.mod/module.cue"
		f.Fix = "make the tree a module with `cue mod init`, and vendor the package under cue.mod/pkg; nothing is downloaded"
	case strings.Contains(text, errOffline.Error()):
		f.Message = fmt.Sprintf("cannot import: module %s, a dependency in cue.mod/module.cue, is not in the tree", unvendored(text))
		f.Fix = "copy its packages to cue.mod/pkg and remove it from deps; nothing is downloaded"
	case strings.Contains(text, "cannot find module providing package"):
		_, name, _ := strings.Cut(text, "cannot find module providing package ")
		f.Message = fmt.Sprintf("cannot import %q: it is neither in this module nor under cue.mod/pkg", name)
		f.Fix = "correct the path, or copy the package to cue.mod/pkg; nothing is downloaded"
	case strings.Contains(text, "import cycle"):
		f.Message, f.Fix = "packages import each other in a circle", "move what both need to a third package"
	}
	return f
}

// unvendored is the module that an error about the empty registry names.
func unvendored(text string) string {
	words := strings.Fields(strings.TrimSuffix(text, ": "+errOffline.Error()))
	return words[len(words)-1]
}

func moduleFix(e errors.Error) string {
	switch {
	case errors.Is(e, modfile.ErrNoLanguageVersion):
		return fmt.Sprintf("add language: version: %q", cue.LanguageVersion())
	case strings.Contains(e.Error(), "too new"):
		return fmt.Sprintf("lower language: version to at most %q, or use a newer fairlead", cue.LanguageVersion())
	}
	return "correct the file, or make a new one with `cue mod init`"
}

// moduleFile is the module file that governs dir.
func moduleFile(src Source, dir string) diag.Position {
	for d := dir; ; d = path.Dir(d) {
		name := path.Join(d, "cue.mod", "module.cue")
		if _, err := fs.Stat(src.FS, name); !stderrors.Is(err, fs.ErrNotExist) {
			return diag.Position{File: display(src, name)}
		}
		if d == "." {
			return diag.Position{File: display(src, dir)}
		}
	}
}

func display(src Source, name string) string {
	if src.Display != nil {
		return src.Display(name)
	}
	return name
}

const endOfFile = "the end of the file"

// syntaxText is the parser's message without its names of tokens, and without any text
// of the file, which may be a secret.
func syntaxText(e errors.Error) string {
	_, args := e.Msg()
	for i, arg := range args {
		found, ok := arg.(token.Token)
		if word := tokenWords[found]; ok && i > 0 && word != "" {
			return fmt.Sprintf("expected %v, found %s", args[i-1], word)
		}
	}
	return cueText(e)
}

var tokenWords = map[token.Token]string{
	token.EOF: endOfFile, token.IDENT: "a name", token.INT: "a number", token.FLOAT: "a number",
	token.STRING: "a text", token.INTERPOLATION: "a text",
}

func syntaxFix(format string) string {
	if strings.Contains(format, "not terminated") {
		return "close it"
	}
	return "look for a missing colon, comma, quote or bracket at this place or just before"
}
