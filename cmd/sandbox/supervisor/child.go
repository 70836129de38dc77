package supervisor

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// stopTimeout is how long a child may take to stop before it is killed.
const stopTimeout = 10 * time.Second

// Event is one line that a cluster process writes on its standard output.
type Event struct {
	Ready bool   `json:"ready,omitempty"`
	Alarm string `json:"alarm,omitempty"`
}

// child is one cluster process.
type child struct {
	name string
	log  string
	args []string
	// ready is closed at the ready event.
	ready chan struct{}
	alarm io.Writer
}

// run starts the process and waits for its end. It ends the process when ctx
// does. The goroutine keeps its thread, because the kernel sends the
// parent-death signal when the thread that forked ends.
func (c *child) run(ctx context.Context) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	log, err := os.Create(c.log)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.CommandContext(ctx, "/proc/self/exe", c.args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopTimeout
	cmd.Stderr = log
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	c.listen(stdout)
	return c.verdict(ctx, cmd.Wait())
}

// listen reads events until the process closes its output.
func (c *child) listen(r io.Reader) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		var e Event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			continue
		}
		if e.Alarm != "" {
			fmt.Fprintf(c.alarm, "*** %s\n", strings.TrimSpace(e.Alarm))
		}
		if e.Ready {
			close(c.ready)
		}
	}
}

// verdict says whether the end was wanted; if not, it shows the log's tail.
func (c *child) verdict(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	if err == nil {
		err = errors.New("ended")
	}
	return fmt.Errorf("%s: %w; last of %s:\n%s", c.name, err, c.log, tail(c.log, 20))
}

func tail(path string, lines int) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
