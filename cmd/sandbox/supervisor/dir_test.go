package supervisor

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestClaim(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "box")
	lock, err := Claim(dir, 3)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Claim(dir, 1); !errors.Is(err, ErrLive) {
		t.Errorf("second claim: %v", err)
	}
	s, err := Live(dir)
	if err != nil || s == nil || s.PID != os.Getpid() || s.Clusters != 3 {
		t.Errorf("live: %+v %v", s, err)
	}
	left := filepath.Join(dir, "sandbox-1")
	if err := os.Mkdir(left, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	if s, err := Live(dir); s != nil || err != nil {
		t.Errorf("released: %+v %v", s, err)
	}
	if lock, err = Claim(dir, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Errorf("leftovers: %v", err)
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	if err := Stop(dir, time.Second); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("not removed: %v", err)
	}
}
