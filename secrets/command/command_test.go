//go:build unix

package command_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"fairlead.dev/fairlead/secrets"
	"fairlead.dev/fairlead/secrets/command"
	"fairlead.dev/fairlead/secrets/secretstest"
)

func TestConformance(t *testing.T) {
	secretstest.Run(t, secretstest.Harness{
		TrimsLine: true,
		Store: func(t *testing.T, dir, content string) (secrets.Resolver, secrets.Ref) {
			write(t, filepath.Join(dir, "pw"), content)
			return command.Resolver{Dir: dir}, secrets.Ref{Command: []string{"cat", "pw"}}
		},
		Missing: func(_ *testing.T, dir string) (secrets.Resolver, secrets.Ref) {
			return command.Resolver{Dir: dir}, secrets.Ref{Command: []string{"fairlead-no-such-program"}}
		},
		Failures: []secretstest.Failure{
			{Name: "no such path", Want: secrets.ErrUnavailable, Make: argv("./none")},
			{Name: "not executable", Want: secrets.ErrDenied, Make: argv("./plain")},
			{Name: "no program", Want: secrets.ErrInvalid, Make: argv("", "x")},
			{Name: "prints the secret and fails", Want: secrets.ErrDenied, Make: shell("echo $PW; echo $PW >&2; exit 1")},
			{Name: "killed", Want: secrets.ErrDenied, Make: shell("echo $PW; kill -9 $$")},
			{Name: "prints only to stderr", Want: secrets.ErrInvalid, Make: shell("echo $PW >&2")},
			{Name: "prints without end", Want: secrets.ErrInvalid, Make: shell("trap '' PIPE; while :; do echo $PW$PW$PW$PW; done")},
			{Name: "leaves its output open", Want: secrets.ErrInvalid, Make: shell("echo $PW; sleep 10 &")},
		},
	})
}

func TestRunsWhereTheDescriptionIs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(shell, filepath.Join(dir, "get")); err != nil {
		t.Fatal(err)
	}
	const script = `printf '%s|%s|%s' "$1" "$PW" "$(cat)"`
	resolver := command.Resolver{Dir: dir, Env: append(os.Environ(), "PW="+secretstest.Canary)}
	value, err := resolver.Resolve(t.Context(), secrets.Ref{Command: []string{"./get", "-c", script, "get", "$PW; *"}})
	if want := "$PW; *|" + secretstest.Canary + "|"; err != nil || value.Reveal() != want {
		t.Errorf("got %q, %v, want %q", value.Reveal(), err, want)
	}
}

// TestCancelKillsAll cancels once the program says that it runs, which it does
// through a named pipe, and then sees the pipe close as its child dies too: it
// would write again otherwise.
func TestCancelKillsAll(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	result := make(chan error, 1)
	go func() {
		_, err := command.Resolver{Dir: dir}.Resolve(ctx, secrets.Ref{Command: []string{
			"sh", "-c", "exec >pipe; sh -c 'echo ready; sleep 15; echo alive' & wait"}})
		result <- err
	}()
	f, err := os.Open(pipe)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Read(make([]byte, len("ready\n"))); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-result; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if n, err := f.Read(make([]byte, 1)); err == nil {
		t.Errorf("read %d bytes, want the end of the pipe", n)
	}
}

func TestErrorNamesTheProgramAlone(t *testing.T) {
	t.Parallel()
	_, err := command.Resolver{}.Resolve(t.Context(), secrets.Ref{Command: []string{"false", secretstest.Canary}})
	if err == nil || strings.Contains(err.Error(), secretstest.Canary) || !strings.Contains(err.Error(), `command "false": ended with status 1`) {
		t.Errorf("got %v", err)
	}
}

func argv(args ...string) func(*testing.T, string) (secrets.Resolver, secrets.Ref) {
	return func(t *testing.T, dir string) (secrets.Resolver, secrets.Ref) {
		write(t, filepath.Join(dir, "plain"), secretstest.Canary)
		return command.Resolver{Dir: dir}, secrets.Ref{Command: args}
	}
}

func shell(script string) func(*testing.T, string) (secrets.Resolver, secrets.Ref) {
	return func(_ *testing.T, dir string) (secrets.Resolver, secrets.Ref) {
		env := append(os.Environ(), "PW="+secretstest.Canary)
		return command.Resolver{Dir: dir, Env: env}, secrets.Ref{Command: []string{"sh", "-c", script}}
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
