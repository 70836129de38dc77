package e2e

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// bed is the clusters that all tests share.
var bed struct {
	configs []*rest.Config
	// sandbox is true when the stand-in's switches can be used.
	sandbox bool
	// dir is the sandbox's, empty for given clusters.
	dir string
	// program is the sandbox's.
	program string
	// binary is the program itself, for tests that kill it.
	binary string
}

// clusters is how many the suite needs.
const clusters = 2

func TestMain(m *testing.M) {
	os.Exit(runSuite(m))
}

func runSuite(m *testing.M) int {
	work, err := os.MkdirTemp("", "fairlead-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	defer func() { _ = os.RemoveAll(work) }()
	stop, err := prepare(work)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	code := m.Run()
	if err := stop(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	return code
}

func prepare(work string) (stop func() error, err error) {
	bed.binary = filepath.Join(work, "fairlead")
	if out, err := exec.Command("go", "build", "-o", bed.binary, "../../fairlead").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build fairlead: %w\n%s", err, out)
	}
	if list := os.Getenv("FAIRLEAD_E2E_KUBECONFIGS"); list != "" {
		return func() error { return nil }, useGiven(filepath.SplitList(list))
	}
	return startSandbox(work)
}

func useGiven(files []string) error {
	if len(files) < clusters {
		return fmt.Errorf("FAIRLEAD_E2E_KUBECONFIGS names %d kubeconfigs, %d are needed", len(files), clusters)
	}
	for _, f := range files {
		if err := addCluster(f); err != nil {
			return err
		}
	}
	return nil
}

func addCluster(file string) error {
	cfg, err := clientcmd.BuildConfigFromFlags("", file)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	cfg.QPS = -1
	bed.configs = append(bed.configs, cfg)
	return nil
}

// startSandbox runs the sandbox as a child that ends with its standard input. A
// stand-in that crashed fails the suite, as a real controller's crash would hurt.
func startSandbox(work string) (stop func() error, err error) {
	binary := os.Getenv("FAIRLEAD_SANDBOX")
	if binary == "" {
		binary = filepath.Join(work, "sandbox")
		fmt.Fprintln(os.Stderr, "e2e: building the sandbox; the first time takes minutes")
		build := exec.Command("go", "build", "-o", binary, ".")
		build.Dir = filepath.Join("..", "..", "sandbox")
		if out, err := build.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("build sandbox: %w\n%s", err, out)
		}
	}
	dir := filepath.Join(work, "clusters")
	stop, kubeconfigs, err := runSandbox(binary, dir, clusters)
	if err != nil {
		return nil, err
	}
	for _, f := range kubeconfigs {
		if err := addCluster(f); err != nil {
			return nil, errors.Join(err, stop())
		}
	}
	bed.sandbox, bed.dir, bed.program = true, dir, binary
	return stop, nil
}

// runSandbox starts a sandbox of its own with n clusters.
func runSandbox(binary, dir string, n int) (stop func() error, kubeconfigs []string, err error) {
	cmd := exec.Command(binary, "run", "--clusters", fmt.Sprint(n), "--dir", dir)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	stop = func() error { return errors.Join(stdin.Close(), waitFor(cmd), crashes(dir)) }
	if kubeconfigs, err = awaitReady(stdout, dir); err != nil {
		return nil, nil, errors.Join(err, stop())
	}
	return stop, kubeconfigs, nil
}

func awaitReady(stdout io.Reader, dir string) (kubeconfigs []string, err error) {
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		return nil, fmt.Errorf("sandbox: not ready: %w; its logs are in %s", err, dir)
	}
	var ready struct{ Kubeconfigs []string }
	if err := json.Unmarshal(line, &ready); err != nil {
		return nil, fmt.Errorf("sandbox: %w: %s", err, line)
	}
	return ready.Kubeconfigs, nil
}

// thirdCluster gives a cluster beside the two that the suite has, for one test.
func thirdCluster(t *testing.T) *rest.Config {
	t.Helper()
	if len(bed.configs) > clusters {
		return bed.configs[clusters]
	}
	needSandbox(t, "a third cluster is needed, which a third kubeconfig in FAIRLEAD_E2E_KUBECONFIGS gives")
	stop, kubeconfigs, err := runSandbox(bed.program, filepath.Join(t.TempDir(), "third"), 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	cfg, err := clientcmd.BuildConfigFromFlags("", kubeconfigs[0])
	if err != nil {
		t.Fatal(err)
	}
	cfg.QPS = -1
	return cfg
}

func waitFor(cmd *exec.Cmd) error {
	timer := time.AfterFunc(2*time.Minute, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	return cmd.Wait()
}

// crashes reads what the stand-ins recorded where a real controller would crash.
func crashes(dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*", "crashes.log"))
	if err != nil {
		return err
	}
	var all []string
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		if text := strings.TrimSpace(string(data)); text != "" {
			all = append(all, f+": "+text)
		}
	}
	if len(all) > 0 {
		return fmt.Errorf("a write crashed a controller:\n%s", strings.Join(all, "\n"))
	}
	return nil
}
