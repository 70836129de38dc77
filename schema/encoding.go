package schema

import (
	"bytes"
	"fmt"
	"io/fs"
	"unicode/utf8"

	"cuelang.org/go/cue/build"

	"fairlead.dev/fairlead/schema/diag"
)

// notText reports the first place of each file that is no UTF-8. CUE's loader puts
// another character there and goes on (cuelang.org: source text is UTF-8), so that
// something else would be applied than was written; or it finds no package clause, and
// leaves the file out.
func notText(src Source, inst *build.Instance) (out diag.List) {
	for name, passed := range sourceFiles(inst) {
		text, err := fs.ReadFile(src.FS, name)
		if err != nil {
			continue // it was read by CUE a moment ago, or is not of the tree
		}
		at := firstBad(text)
		if at < 0 || passed && at > 0 { // a text without a package clause is no part of the description
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

// sourceFiles are the CUE files of the instance and of all that it imports, those that do
// not parse included; of each whether CUE passed it over, as it found no package clause.
func sourceFiles(inst *build.Instance) map[string]bool {
	out := map[string]bool{}
	for _, i := range instances(inst) {
		for _, f := range i.IgnoredFiles {
			if f.ExcludeReason != nil && f.ExcludeReason.Error() == noPackage {
				out[treePath(f.Filename)] = true
			}
		}
		for _, f := range i.InvalidFiles {
			out[treePath(f.Filename)] = false
		}
	}
	for _, name := range files(inst) {
		out[name] = false
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
