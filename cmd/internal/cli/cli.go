// Package cli is the command line: it turns flags into calls and results into
// streams and exit codes. What is done is decided elsewhere. Each command has a file cmd_*.go
// with a struct of its flags; the other files are the parts that these structs are made of.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// System is what a command needs of the process around it. Tests give their own,
// so that commands can run side by side.
type System struct {
	In       io.Reader
	Out, Err io.Writer
	Getenv   func(string) string
	// Environ is the environment of programs that give secrets; nil means this
	// process's own.
	Environ func() []string
	// Dir is the working directory.
	Dir string
	// InTerminal and ErrTerminal say whether a person is at that stream.
	InTerminal, OutTerminal, ErrTerminal bool
	// Width is the terminal's, in columns; 0 when unknown.
	Width func() int
	// Signals are delivered here; nil means none.
	Signals <-chan os.Signal
	// Wrap goes around the way to each cluster, below logging and repetitions; nil means
	// nothing does. Tests let requests fail there.
	Wrap func(http.RoundTripper) http.RoundTripper
}

// OS is the real process.
func OS() System {
	dir, err := os.Getwd()
	if err != nil {
		dir = "."
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	return System{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv, Dir: dir, Signals: signals,
		InTerminal:  term.IsTerminal(int(os.Stdin.Fd())),
		OutTerminal: term.IsTerminal(int(os.Stdout.Fd())),
		ErrTerminal: term.IsTerminal(int(os.Stderr.Fd())),
		Width: func() int {
			w, _, err := term.GetSize(int(os.Stderr.Fd()))
			if err != nil {
				return 0
			}
			return w
		},
	}
}

// Main runs one command and returns its exit code.
func Main(args []string, sys System) (code int) {
	defer func() {
		if r := recover(); r != nil {
			fmt.Fprintf(sys.Err, "fairlead: internal error: %v\n%s", r, debug.Stack())
			code = exitError
		}
	}()
	sys.Err = &oneAtATime{w: sys.Err}
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	stop := watchSignals(sys, cancel)
	defer stop()
	root := newRoot(&sys)
	root.SetArgs(args)
	return exitOf(ctx, root.ExecuteContext(ctx), sys)
}

// oneAtATime lets the log, the progress and the rest write to one stream.
type oneAtATime struct {
	mu sync.Mutex
	w  io.Writer
}

func (o *oneAtATime) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.w.Write(p)
}

// interrupted is the cause of a cancelled context.
type interrupted struct{ signal os.Signal }

func (i interrupted) Error() string { return "interrupted by " + i.signal.String() }

// watchSignals cancels at the first signal and ends the process at the second. The
// goroutine ends with stop.
func watchSignals(sys System, cancel context.CancelCauseFunc) (stop func()) {
	done := make(chan struct{})
	go func() {
		select {
		case s := <-sys.Signals:
			fmt.Fprintln(sys.Err, "\nfairlead: stopping; a second signal stops at once")
			cancel(interrupted{s})
		case <-done:
			return
		}
		select {
		case s := <-sys.Signals:
			os.Exit(signalCode(s))
		case <-done:
		}
	}()
	return func() { close(done) }
}

// The exit codes of the contract.
const (
	exitOK          = 0
	exitError       = 1
	exitChanges     = 2
	exitInvalid     = 3
	exitPartial     = 4
	exitStale       = 5
	exitRefused     = 6
	exitUnreachable = 7
	exitTimeout     = 8
	exitLocked      = 9
)

func signalCode(s os.Signal) int {
	if s == syscall.SIGTERM {
		return 143
	}
	return 130
}

// failure is an error with its exit code. A silent one was shown already.
type failure struct {
	code   int
	err    error
	silent bool
}

func (f failure) Error() string {
	if f.err == nil {
		return fmt.Sprintf("exit code %d", f.code)
	}
	return f.err.Error()
}

func (f failure) Unwrap() error { return f.err }

// quit ends a command with a code; everything was said already.
func quit(code int) error {
	if code == exitOK {
		return nil
	}
	return failure{code: code, silent: true}
}

func fail(code int, format string, args ...any) error {
	return failure{code: code, err: fmt.Errorf(format, args...)}
}

// coded gives an error its exit code; nil stays nil.
func coded(code int, err error) error {
	if err == nil {
		return nil
	}
	return failure{code: code, err: err}
}

// about says what an error is about; nil stays nil.
func about(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

// oneOf refuses a value that is none of the choices.
func oneOf(flag, value string, choices ...string) error {
	if slices.Contains(choices, value) {
		return nil
	}
	return fail(exitInvalid, "%s %q is not known; use %s", flag, value, alternatives(choices))
}

// alternatives words a choice: "text or json", "mermaid, dot or svg".
func alternatives(list []string) string {
	last := len(list) - 1
	return strings.Join(list[:last], ", ") + " or " + list[last]
}

func exitOf(ctx context.Context, err error, sys System) int {
	var f failure
	if err != nil && !(errors.As(err, &f) && f.silent) {
		fmt.Fprintf(sys.Err, "fairlead: %v\n", err)
	}
	return codeOfError(ctx, err)
}

// codeOfError is the exit code of a command that ended with err; that of a signal goes
// before any other.
func codeOfError(ctx context.Context, err error) int {
	var f failure
	var sig interrupted
	switch {
	case err == nil:
		return exitOK
	case errors.As(context.Cause(ctx), &sig):
		return signalCode(sig.signal)
	case errors.As(err, &f):
		return f.code
	}
	return exitError
}

func newRoot(sys *System) *cobra.Command {
	root := &cobra.Command{
		Use:           "fairlead",
		Short:         "Keep a Skupper network as described in git",
		Long:          rootLong,
		SilenceErrors: true, SilenceUsage: true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: false},
	}
	root.SetIn(sys.In)
	root.SetOut(sys.Out)
	root.SetErr(sys.Err)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return fail(exitInvalid, "%v; see: %s --help", err, c.CommandPath())
	})
	root.AddCommand(newInit(sys), newImport(sys), newVet(sys), newRender(sys), newGraph(sys), newSimulate(sys), newDiff(sys), newPlan(sys),
		newApply(sys), newDrift(sys), newStatus(sys), newUnlock(sys), newRBAC(sys), newCI(sys), newSchema(sys), newVersion(sys))
	root.RunE = func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			return fail(exitInvalid, "unknown command %q; see: fairlead --help", args[0])
		}
		return c.Help()
	}
	root.Args = cobra.ArbitraryArgs
	return root
}

const rootLong = `Fairlead keeps a Skupper network as described in git: sites, links and costs in
CUE files are validated, compared with the live clusters, shown as a plan, and
applied, credentials included.

Exit codes: 0 success; 1 error; 2 changes or drift (when asked for); 3 invalid
description or flags; 4 applied in part; 5 stale plan; 6 refused by a rule;
7 cluster unreachable or refusing; 8 timed out; 9 locked by another run; 130, 143
interrupted.`
