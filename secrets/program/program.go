// Package program runs other people's programs: for the resolvers without a shell, with output
// in memory under a bound, and nothing of what they print in any error.
package program

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os/exec"
	"time"

	"fairlead.dev/fairlead/secrets"
)

// Afterlife is how long the output of a program that ended, or was killed, may be
// kept open by processes that it left behind.
const Afterlife = 2 * time.Second

// Call is a program to run. Its standard input is empty, and on Unix it has no
// terminal, so that a program that wants to ask someone ends instead of waiting.
type Call struct {
	// Argv is the program, looked up in PATH unless it holds a slash, and its
	// arguments.
	Argv []string
	// Dir is the working directory; "" is this process's own.
	Dir string
	// Env is the environment, as key=value; nil is this process's own.
	Env []string
	// Limit bounds the output, in bytes.
	Limit int
}

// ExitError tells that the program ran and ended with a status other than 0; -1 is
// a signal. It holds nothing of what the program printed.
type ExitError struct{ Code int }

// Error gives the status.
func (e ExitError) Error() string {
	if e.Code < 0 {
		return "ended by a signal"
	}
	return fmt.Sprintf("ended with status %d", e.Code)
}

// Output gives the standard output of call, for the secret ref. Standard error is
// thrown away: programs print secrets there, and there is no telling which part of
// it would be one. Errors are *secrets.Error, or an ExitError for the caller to
// explain. When ctx ends, the program and what it started in its group are killed.
func Output(ctx context.Context, ref secrets.Ref, call Call) ([]byte, error) {
	running, stop := context.WithCancel(ctx)
	defer stop()
	out := &bounded{limit: call.Limit, over: stop}
	err := command(running, call, out).Run()
	switch {
	case out.exceeded:
		return nil, secrets.Invalid(ref, fmt.Sprintf("gives more than %d bytes", call.Limit), "check that it is the right one")
	case err == nil:
		return out.buffer.Bytes(), nil
	case ctx.Err() != nil:
		return nil, secrets.Ended(ctx, ref)
	}
	return nil, explain(ref, call, err)
}

func command(ctx context.Context, call Call, out io.Writer) *exec.Cmd {
	cmd := exec.CommandContext(ctx, call.Argv[0], call.Argv[1:]...)
	cmd.Dir, cmd.Env = call.Dir, call.Env
	cmd.Stdout = out
	cmd.WaitDelay = Afterlife
	Detach(cmd)
	return cmd
}

func explain(ref secrets.Ref, call Call, err error) error {
	var exit *exec.ExitError
	name := call.Argv[0]
	switch {
	case errors.As(err, &exit):
		return ExitError{Code: exit.ExitCode()}
	case errors.Is(err, exec.ErrWaitDelay):
		return secrets.Invalid(ref, fmt.Sprintf("program %q left its output open", name), "let it wait for what it starts")
	case errors.Is(err, exec.ErrDot):
		return secrets.Unavailable(ref, fmt.Sprintf("program %q is only in the current directory", name), fmt.Sprintf("write %q", "./"+name))
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return secrets.Unavailable(ref, fmt.Sprintf("program %q is not here", name), "install it, or put its directory in PATH")
	case errors.Is(err, fs.ErrPermission):
		return secrets.Denied(ref, fmt.Sprintf("program %q may not be run", name), "make it executable")
	}
	return secrets.Unavailable(ref, fmt.Sprintf("program %q cannot be run", name), "run it by hand to see why")
}

// bounded keeps up to limit bytes and calls over when more come.
type bounded struct {
	buffer   bytes.Buffer
	limit    int
	over     func()
	exceeded bool
}

// Write implements io.Writer.
func (b *bounded) Write(p []byte) (int, error) {
	if b.buffer.Len()+len(p) > b.limit {
		b.exceeded = true
		b.over()
		return 0, io.ErrShortWrite
	}
	return b.buffer.Write(p)
}
