//go:build !unix

package program

import "os/exec"

// Detach does nothing where there are no process groups: the end of the context
// kills the program itself.
func Detach(*exec.Cmd) {}
