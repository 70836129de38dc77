// Package rules holds no code: its tests keep the project's own rules, such as
// which package may import which.
package rules
