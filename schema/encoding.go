package schema

import (
	"bytes"
	"fmt"
	"io/fs"
	"unicode/utf8"

	"cuelang.org/go/cue/build"

	"fairlead.dev/fairlead/schema/diag"
)

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
func misread(src Source, inst *build.Instance, passed []passedOver) diag.List {
	names := map[string]bool{}
	for _, i := range instances(inst) {
		for _, f := range append(i.BuildFiles, i.InvalidFiles...) {
			names[treePath(f.Filename)] = true
		}
	}
	for _, p := range passed {
		if p.clauseless {
			names[p.name] = true
		}
	}
	out := notText(src, sortedKeys(names))
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
