package supervisor

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// marker is the file that tells a sandbox's directory from any other.
const marker = "sandbox.json"

// LogName is the file for the warnings of a sandbox without a terminal.
const LogName = "supervisor.log"

// ErrLive is the error of a directory whose sandbox runs.
var ErrLive = errors.New("a sandbox runs here already")

// State is what the marker holds.
type State struct {
	PID      int `json:"pid"`
	Clusters int `json:"clusters"`
}

// Lock is a claimed directory; the claim ends with the process.
type Lock struct {
	dir  string
	file *os.File
}

// Claim makes dir ready for a new sandbox: it wipes what an earlier one left,
// and refuses a directory that runs one, or holds anything else.
func Claim(dir string, clusters int) (*Lock, error) {
	if err := checkOurs(dir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	lock, err := open(dir)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(lock.wipe(), lock.write(State{PID: os.Getpid(), Clusters: clusters})); err != nil {
		return nil, errors.Join(err, lock.Release())
	}
	return lock, nil
}

// Live reports the state of the sandbox that runs in dir, nil if none does.
func Live(dir string) (*State, error) {
	text, err := os.ReadFile(filepath.Join(dir, marker))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	lock, err := open(dir)
	if err == nil {
		return nil, lock.Release()
	}
	if !errors.Is(err, ErrLive) {
		return nil, err
	}
	var s State
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, fmt.Errorf("%s: %w", marker, err)
	}
	return &s, nil
}

// Stop ends the sandbox in dir, waits until it is gone, and removes the data.
func Stop(dir string, timeout time.Duration) error {
	if err := checkOurs(dir); err != nil {
		return err
	}
	s, err := Live(dir)
	if err != nil {
		return err
	}
	if s != nil {
		if err := stop(dir, s.PID, timeout); err != nil {
			return err
		}
	}
	return os.RemoveAll(dir)
}

func stop(dir string, pid int, timeout time.Duration) error {
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		return fmt.Errorf("process %d: %w", pid, err)
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	late := time.NewTimer(timeout)
	defer late.Stop()
	for {
		s, err := Live(dir)
		if err != nil || s == nil && gone(pid) {
			return err
		}
		select {
		case <-late.C:
			return fmt.Errorf("process %d still runs after %s", pid, timeout)
		case <-tick.C:
		}
	}
}

// gone tells whether a process has ended, be it not reaped yet.
func gone(pid int) bool {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return err != nil || len(line) == 0
}

// Release ends the claim.
func (l *Lock) Release() error { return l.file.Close() }

func (l *Lock) write(s State) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(l.dir, marker), text, 0o600)
}

// wipe removes all but the files that a claim is made of.
func (l *Lock) wipe() error {
	entries, err := os.ReadDir(l.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == "lock" {
			continue
		}
		if err := os.RemoveAll(filepath.Join(l.dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

func open(dir string) (*Lock, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = fmt.Errorf("%s: %w", dir, ErrLive)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &Lock{dir: dir, file: f}, nil
}

// checkOurs accepts a directory that is absent, empty, or a sandbox's.
func checkOurs(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) || err == nil && (len(entries) == 0 || len(entries) == 1 && entries[0].Name() == "lock") {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == marker {
			return nil
		}
	}
	return fmt.Errorf("%s: not a sandbox's directory and not empty", dir)
}
