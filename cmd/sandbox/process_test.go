package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// command runs the sandbox's command line once.
func command(t *testing.T, args ...string) (stdout, stderr string, ok bool) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asSandbox+"=1")
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	return out.String(), errs.String(), err == nil
}

// processesOf counts the processes that name dir in their command line.
func processesOf(t *testing.T, dir string) int {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, f := range files {
		text, _ := os.ReadFile(f)
		if bytes.Contains(text, []byte(dir)) {
			count++
		}
	}
	return count
}

func TestUpAndDown(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "box")
	out, errs, ok := command(t, "up", "--clusters", "1", "--dir", dir)
	t.Cleanup(func() { command(t, "down", "--dir", dir) })
	if !ok || !strings.Contains(out, "export KUBECONFIG="+filepath.Join(dir, "kubeconfig")) || !strings.Contains(out, "sandbox-1") {
		t.Fatalf("up: %s%s", out, errs)
	}
	if _, errs, ok := command(t, "up", "--dir", dir); ok || !strings.Contains(errs, "a sandbox runs here already") || strings.Count(errs, "\n") != 1 {
		t.Errorf("second up: %v %s", ok, errs)
	}
	if n := processesOf(t, dir); n != 2 {
		t.Errorf("%d processes, want 2", n)
	}
	if _, errs, ok := command(t, "down", "--dir", dir); !ok {
		t.Errorf("down: %s", errs)
	}
	if n := processesOf(t, dir); n != 0 {
		t.Errorf("%d processes left", n)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("data left: %v", err)
	}
}

func TestForeignDirIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "thesis.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"run", "--dir", dir}, {"up", "--dir", dir}, {"down", "--dir", dir}} {
		if _, errs, ok := command(t, args...); ok || !strings.Contains(errs, "not a sandbox's directory") {
			t.Errorf("%v: %s", args, errs)
		}
	}
}

func TestChildrenDieWithTheSupervisor(t *testing.T) {
	t.Parallel()
	s, err := start("--clusters", "1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(s.Dir) })
	if n := processesOf(t, s.Dir); n != 1 {
		t.Errorf("%d children, want 1", n)
	}
	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = s.cmd.Wait()
	eventually(t, func() string {
		if processesOf(t, s.Dir) > 0 {
			return "a child outlives the supervisor"
		}
		return ""
	})
}

func TestBadFlags(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"run", "--clusters", "0"}, {"up", "--report-interval", "0s"}, {"run", "--resync", "1ms"}, {"fly"}} {
		if _, errs, ok := command(t, args...); ok || !strings.HasPrefix(errs, "sandbox: ") || strings.Count(errs, "\n") != 1 {
			t.Errorf("%v: %q", args, errs)
		}
	}
}

func TestDeletedNamespaceVanishes(t *testing.T) {
	t.Parallel()
	hub, shop := sites(t, nil)
	linked(hub, shop, "one")
	if err := hub.core.CoreV1().Namespaces().Delete(t.Context(), hub.name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() string {
		_, err := hub.core.CoreV1().Namespaces().Get(t.Context(), hub.name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return ""
		}
		return "namespace is still there"
	})
	shop.await("links", "one", "not operational", func(u *obj) bool { return is(u, "Operational") == "False" })
}
