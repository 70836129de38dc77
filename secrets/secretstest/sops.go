package secretstest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// sopsVersion is the release of sops that the tests run against.
const sopsVersion = "v3.13.3"

// SOPS gives the path of the real sops program. FAIRLEAD_TEST_SOPS names one;
// without it, it is built once for each user and version, which takes minutes, and
// with -short the test is skipped.
func SOPS(t testing.TB) string {
	t.Helper()
	if named := os.Getenv("FAIRLEAD_TEST_SOPS"); named != "" {
		return named
	}
	if testing.Short() {
		t.Skip("-short: does not build sops")
	}
	path, err := builtSOPS()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

var builtSOPS = sync.OnceValues(func() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	tools := filepath.Join(cache, "fairlead-test-tools")
	path := filepath.Join(tools, "sops-"+sopsVersion)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := os.MkdirAll(tools, 0o755); err != nil {
		return "", err
	}
	building, err := os.MkdirTemp(tools, "building-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(building) }()
	cmd := exec.Command("go", "install", "github.com/getsops/sops/v3/cmd/sops@"+sopsVersion)
	cmd.Env = append(os.Environ(), "GOBIN="+building, "GOFLAGS=", "CGO_ENABLED=0", "GOOS=", "GOARCH=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", errors.Join(err, errors.New(string(out)))
	}
	return path, os.Rename(filepath.Join(building, "sops"), path)
})
