package schema

import (
	"bytes"
	"fmt"
	"io/fs"
	"unicode/utf8"

	"fairlead.dev/fairlead/schema/diag"
)

// notText reports the first place of each file that is no UTF-8. CUE's loader puts
// another character there and goes on (cuelang.org: source text is UTF-8), so that
// something else would be applied than was written.
func notText(src Source, files []string) (out diag.List) {
	for _, name := range files {
		text, err := fs.ReadFile(src.FS, name)
		if err != nil {
			continue // it was read by CUE a moment ago, or is not of the tree
		}
		if at := firstBad(text); at >= 0 {
			line := bytes.Count(text[:at], []byte("\n")) + 1
			column := at - bytes.LastIndexByte(text[:at], '\n')
			out = append(out, diag.Finding{
				Severity: diag.Error, Code: "encoding", At: diag.Position{File: display(src, name), Line: line, Column: column},
				Message: fmt.Sprintf("the byte 0x%02x is no UTF-8 text", text[at]), Fix: "save the file as UTF-8",
			})
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
