//go:build unix

package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience ends a test that would otherwise hang; nothing is expected of it in time.
const patience = 2 * time.Minute

// pipe is a named pipe on which a test and what hangs meet.
func pipe(t *testing.T, file string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(file, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // whoever still waits at the other end goes on, and does not come back
		f, err := os.OpenFile(file, os.O_RDWR|syscall.O_NONBLOCK, 0)
		if err != nil {
			t.Error(err)
			return
		}
		_ = os.Remove(file)
		_ = f.Close()
	})
	return file
}

// met returns when do did, or fails the test.
func met[T any](t *testing.T, what string, do func() (T, error)) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	type outcome struct {
		value T
		err   error
	}
	done := make(chan outcome, 1)
	go func() {
		var out outcome
		out.value, out.err = do()
		done <- out
	}()
	select {
	case out := <-done:
		if out.err != nil {
			t.Fatalf("%s: %v", what, out.err)
		}
		return out.value
	case <-ctx.Done():
		t.Fatalf("%s: hangs", what)
	}
	panic("unreachable")
}

// ended is how a command in the background ended.
type ended struct {
	code   int
	errOut string
}

// begin runs a command in the background, with signals.
func begin(dir string, env map[string]string, args ...string) (signals chan os.Signal, end func() (ended, error)) {
	signals = make(chan os.Signal, 1)
	done := make(chan ended, 1)
	go func() { // ends with the command
		var out, errOut bytes.Buffer
		code := Main(args, System{
			In: strings.NewReader(""), Out: &out, Err: &errOut, Dir: dir, Signals: signals,
			Getenv: func(k string) string { return env[k] },
		})
		done <- ended{code, errOut.String()}
	}()
	return signals, func() (ended, error) { return <-done, nil }
}

// hangingPlugin is a kubeconfig whose credential plugin says that it runs, and what it
// started, on a pipe, and then waits for ever. Whoever reads the pipe to its end knows that
// both have ended.
func hangingPlugin(t *testing.T) (kubeconfig, says string) {
	t.Helper()
	dir := t.TempDir()
	says = pipe(t, filepath.Join(dir, "says"))
	never := pipe(t, filepath.Join(dir, "never"))
	script := fmt.Sprintf("exec 3>%s\necho runs >&3\n(read x <%s) &\nread x <%s\n", says, never, never)
	kubeconfig = filepath.Join(dir, "kubeconfig")
	text := fmt.Sprintf(`{"kind":"Config","apiVersion":"v1","clusters":[{"name":"c","cluster":{"server":"https://127.0.0.1:1"}}],
"users":[{"name":"u","user":{"exec":{"apiVersion":"client.authentication.k8s.io/v1","interactiveMode":"Never","command":"sh","args":["-c",%q]}}}],
"contexts":[{"name":"c","context":{"cluster":"c","user":"u"}}],"current-context":"c"}`, script)
	writeAt(t, kubeconfig, text)
	return kubeconfig, says
}

// A credential plugin that hangs holds up neither --timeout nor a signal, nor the taking of
// locks, and is ended with what it started.
func TestCredentialPluginHangs(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args   []string
		signal os.Signal
		code   int
	}{
		{[]string{"status", "--timeout", "5s"}, nil, exitUnreachable},
		{[]string{"status"}, syscall.SIGTERM, 143},
		{[]string{"plan"}, os.Interrupt, 130},
		{[]string{"apply", "--yes"}, os.Interrupt, 130},
	} {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			t.Parallel()
			kubeconfig, says := hangingPlugin(t)
			dir := t.TempDir()
			writeAt(t, filepath.Join(dir, "net.cue"), oneCluster)
			signals, end := begin(dir, map[string]string{"KUBECONFIG": kubeconfig}, tt.args...)
			f := met(t, "the plugin", func() (*os.File, error) { return os.Open(says) })
			defer f.Close()
			met(t, "what the plugin says", func() (int, error) { return f.Read(make([]byte, 5)) })
			if tt.signal != nil {
				signals <- tt.signal
			}
			if got := met(t, "the command", end); got.code != tt.code {
				t.Errorf("exit %d, want %d\n%s", got.code, tt.code, got.errOut)
			}
			met(t, "the end of the plugin", func() ([]byte, error) { return io.ReadAll(f) })
		})
	}
}

// hangingOverlay is a description whose overlay reads a pipe.
func hangingOverlay(t *testing.T) (dir, reads string) {
	t.Helper()
	dir = t.TempDir()
	writeAt(t, filepath.Join(dir, "net.cue"), oneCluster+"overlay: \"overlay\"\n")
	writeAt(t, filepath.Join(dir, "overlay", "kustomization.yaml"), "resources: [pipe.yaml]\n")
	return dir, pipe(t, filepath.Join(dir, "overlay", "pipe.yaml"))
}

// Reading a description ends at its limits and at a signal, whatever it does.
func TestLoadingIsBounded(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args   []string
		signal os.Signal
		code   int
		says   string
	}{
		{[]string{"vet", "--load-timeout", "100ms"}, nil, exitInvalid, "takes longer than 100ms to read, which is the limit (--load-timeout)"},
		{[]string{"apply", "--yes", "--load-timeout", "100ms"}, nil, exitInvalid, "(--load-timeout)"},
		{[]string{"vet", "--load-memory", "1"}, nil, exitInvalid, "takes more than 1 MiB of memory to read, which is the limit (--load-memory)"},
		{[]string{"render"}, syscall.SIGTERM, 143, "stopping"},
		{[]string{"apply", "--yes"}, os.Interrupt, 130, "stopping"},
	} {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			t.Parallel()
			dir, reads := hangingOverlay(t)
			signals, end := begin(dir, nil, tt.args...)
			if tt.signal != nil {
				f := met(t, "the reading", func() (*os.File, error) { return os.OpenFile(reads, os.O_WRONLY, 0) })
				defer f.Close()
				signals <- tt.signal
			}
			if got := met(t, "the command", end); got.code != tt.code || !strings.Contains(got.errOut, tt.says) {
				t.Errorf("exit %d, want %d and %q in\n%s", got.code, tt.code, tt.says, got.errOut)
			}
		})
	}
}

func TestLoadingFlags(t *testing.T) {
	t.Parallel()
	hello := filepath.Join(fixtures(t), "hello")
	for _, args := range []string{"vet --load-timeout 0s", "vet --load-memory 0", "apply --load-memory -1", "unlock --cluster hub x --load-timeout -1s"} {
		if code, _, errOut := runIn(hello, nil, strings.Fields(args)...); code != exitInvalid || !strings.Contains(errOut, "--load-") {
			t.Errorf("%s: exit %d\n%s", args, code, errOut)
		}
	}
}
