package bench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// The intervals of the real routers and the real controller.
const (
	reportInterval = "10s"
	resync         = "30s"
)

// bench is one run of all measurements: built programs and a sandbox.
type bench struct {
	testing.TB
	// bin is the folder of the built programs: fairlead, sandbox, cue.
	bin string
	// runs is how often each thing is measured.
	runs int
	// work is a folder for everything that is written.
	work string

	kubeconfig string
	contexts   []string
	configs    []*rest.Config
	clients    []dynamic.Interface
}

// TestBench measures; without FAIRLEAD_BENCH, the folder of the built programs, it
// does nothing. FAIRLEAD_BENCH_RUNS says how often each thing is measured and
// FAIRLEAD_BENCH_ONLY (vet, plan, link, touch or skupper) picks one part. The last needs
// clusters with a real Skupper, which FAIRLEAD_E2E_KUBECONFIGS names, and Skupper's own
// command, in PATH or named by FAIRLEAD_BENCH_SKUPPER; FAIRLEAD_BENCH_LINKS (1, 10 or 20)
// picks one size of it.
func TestBench(t *testing.T) {
	bin := os.Getenv("FAIRLEAD_BENCH")
	if bin == "" {
		t.Skip("set FAIRLEAD_BENCH, or run: make bench")
	}
	b := &bench{TB: t, bin: bin, runs: 3, work: t.TempDir()}
	if n, err := strconv.Atoi(os.Getenv("FAIRLEAD_BENCH_RUNS")); err == nil && n > 0 {
		b.runs = n
	}
	fmt.Printf("\n%s/%s, %d cores, %s; %d runs of each\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), b.runs)
	only := os.Getenv("FAIRLEAD_BENCH_ONLY")
	for _, part := range []struct {
		name string
		run  func()
	}{{"vet", b.vet}, {"plan", b.plan}, {"link", b.link}, {"touch", b.touch}, {"skupper", b.skupper}} {
		if only == "" || only == part.name {
			t.Run(part.name, func(t *testing.T) {
				b.TB = t
				part.run()
			})
		}
	}
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// startSandbox runs a fresh sandbox of two clusters until the returned function is
// called. The sandbox ends with its standard input, so it cannot outlive the test.
func (b *bench) startSandbox() (stop func()) {
	b.Helper()
	dir, err := os.MkdirTemp(b.work, "sandbox-")
	b.must(err)
	cmd := exec.Command(filepath.Join(b.bin, "sandbox"), "run", "--clusters", "2", "--dir", dir,
		"--report-interval", reportInterval, "--resync", resync)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	b.must(err)
	stdout, err := cmd.StdoutPipe()
	b.must(err)
	b.must(cmd.Start())
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	b.must(err)
	var ready struct {
		Kubeconfig            string
		Kubeconfigs, Contexts []string
	}
	b.must(json.Unmarshal(line, &ready))
	b.kubeconfig, b.contexts = ready.Kubeconfig, ready.Contexts
	b.configs, b.clients = nil, nil
	for _, file := range ready.Kubeconfigs {
		b.connect(file)
	}
	return func() {
		b.must(stdin.Close())
		_ = cmd.Wait()
	}
}

func (b *bench) connect(file string) {
	b.Helper()
	cfg, err := clientcmd.BuildConfigFromFlags("", file)
	b.must(err)
	cfg.QPS = -1
	client, err := dynamic.NewForConfig(cfg)
	b.must(err)
	b.configs, b.clients = append(b.configs, cfg), append(b.clients, client)
}
