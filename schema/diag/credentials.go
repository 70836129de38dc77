package diag

import "regexp"

var credentials = regexp.MustCompile(`(://)[^\s"'/]+@`)

// WithoutCredentials gives a text with "…" in place of the user and password, or token, of
// each URL in it.
func WithoutCredentials(text string) string {
	return credentials.ReplaceAllString(text, "$1…@")
}
