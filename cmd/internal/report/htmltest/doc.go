// Package htmltest holds no code: its tests look at the HTML report as a parser and as a
// real Chromium see it.
package htmltest
