//go:build unix

package program

import (
	"os/exec"
	"syscall"
)

// Detach gives cmd a session of its own, without a terminal, and makes the end of
// its context kill the whole session's first process group.
func Detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
