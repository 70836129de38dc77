// Package bench holds no code: its tests, which `make bench` runs, measure the
// program beside the tools that people use otherwise, in one run, on one machine.
package bench
