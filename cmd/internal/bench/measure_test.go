package bench

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// sample is one run of a program.
type sample struct {
	wall time.Duration
	// rss is the most memory it held, in bytes.
	rss int64
	out string
}

// run runs a program to its end in a folder. An exit code that is not among the
// wanted ones ends the benchmark: a failure measures nothing.
func (b *bench) run(dir string, wanted []int, program string, args ...string) sample {
	b.Helper()
	if !strings.Contains(program, "/") {
		if built := filepath.Join(b.bin, program); exists(built) {
			program = built
		}
	}
	var out, errOut bytes.Buffer
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &errOut
	cmd.Env = append(os.Environ(), "KUBECONFIG="+b.kubeconfig, "CI=true")
	begin := time.Now()
	err := cmd.Run()
	wall := time.Since(begin)
	if cmd.ProcessState == nil {
		b.Fatal(err)
	}
	if code := cmd.ProcessState.ExitCode(); !slices.Contains(wanted, code) {
		said := errOut.String() // what went wrong is at its end
		b.Fatalf("%s %s: exit %d\n%.2000s%s", program, strings.Join(args, " "), code, out.String(), said[max(0, len(said)-2000):])
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		b.Fatal("this system does not tell how much memory a process used")
	}
	return sample{wall: wall, rss: usage.Maxrss * 1024, out: out.String()}
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// series are the samples of one row of a table.
type series struct {
	name    string
	samples []sample
}

func (s *series) add(v sample) { s.samples = append(s.samples, v) }

// times are the wall times, sorted.
func (s *series) times() []time.Duration {
	out := make([]time.Duration, 0, len(s.samples))
	for _, v := range s.samples {
		out = append(out, v.wall)
	}
	slices.Sort(out)
	return out
}

// peak is the most memory any of the runs held, in bytes.
func (s *series) peak() (most int64) {
	for _, v := range s.samples {
		most = max(most, v.rss)
	}
	return most
}

func median(sorted []time.Duration) time.Duration {
	if n := len(sorted); n%2 == 0 {
		return (sorted[n/2-1] + sorted[n/2]) / 2
	}
	return sorted[len(sorted)/2]
}

// table prints the rows; ratios are to the first, which is ours.
func table(title string, rows ...*series) {
	fmt.Printf("\n%s\n%-48s %9s %9s %9s %9s %8s\n", title, "", "median", "min", "max", "peak RSS", "ratio")
	for _, r := range rows {
		t := r.times()
		fmt.Printf("%-48s %9s %9s %9s %9s %8s\n", r.name, short(median(t)), short(t[0]), short(t[len(t)-1]),
			mebibytes(r.peak()), ratio(median(t), median(rows[0].times())))
	}
}

func short(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

func ratio(theirs, ours time.Duration) string {
	return fmt.Sprintf("%.1f x", theirs.Seconds()/ours.Seconds())
}

func mebibytes(n int64) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprintf("%d MiB", n>>20)
}
