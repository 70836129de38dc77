package diag

import (
	"bytes"
	"regexp"
)

// lfsHeader begins the text that Git LFS keeps in place of a file
// (github.com/git-lfs/git-lfs: docs/spec.md).
const lfsHeader = "version https://git-lfs.github.com/spec/"

// NotContent says of a text that stands in place of a file's content what it is, and what
// to do; ok is false for every other text.
func NotContent(text []byte) (message, fix string, ok bool) {
	if !bytes.HasPrefix(text, []byte(lfsHeader)) {
		return "", "", false
	}
	return "is a pointer of Git LFS, not the file itself",
		"fetch the files with: git lfs pull; a revision has pointers alone, so commit what is read without Git LFS", true
}

var credentials = regexp.MustCompile(`(://)[^\s"'/]+@`)

// WithoutCredentials gives a text with "…" in place of the user and password, or token, of
// each URL in it.
func WithoutCredentials(text string) string {
	return credentials.ReplaceAllString(text, "$1…@")
}
