package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/spf13/cobra"
)

// limits are those of reading a description.
type limits struct {
	loadTimeout time.Duration
	// loadMemory is in MiB.
	loadMemory int
}

// The limits unless others are given: 1,000 sites and 5,000 links, each site with an overlay,
// take half a minute and 200 MiB on a busy machine.
const (
	defaultLoadTimeout = 5 * time.Minute
	defaultLoadMemory  = 4096
)

// sampling is how often the memory is looked at.
const sampling = 50 * time.Millisecond

func (l *limits) flags(c *cobra.Command) {
	f := c.Flags()
	f.DurationVar(&l.loadTimeout, "load-timeout", defaultLoadTimeout, "end when reading a description takes longer")
	f.IntVar(&l.loadMemory, "load-memory", defaultLoadMemory, "end when reading a description takes more memory, in MiB")
}

func (l *limits) check() error {
	if l.loadTimeout <= 0 || l.loadMemory <= 0 {
		return fail(exitInvalid, "--load-timeout and --load-memory must be more than 0")
	}
	return nil
}

// withinLimits reads a description, or a part of it, and ends at the limits and with ctx. Neither
// CUE nor kustomize can be stopped: what goes on then is left behind and ends with the
// process, which every command does at this error.
func withinLimits[T any](ctx context.Context, l limits, read func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go l.watch(ctx, cancel) // ends with cancel
	type outcome struct {
		value T
		err   error
		panic any
	}
	done := make(chan outcome, 1)
	go func() {
		var out outcome
		defer func() {
			if p := recover(); p != nil {
				out.panic = fmt.Sprintf("%v\n%s", p, debug.Stack())
			}
			done <- out
		}()
		out.value, out.err = read(ctx)
	}()
	var out outcome
	select {
	case out = <-done:
	case <-ctx.Done():
		out.err = ctx.Err()
	}
	if out.panic != nil {
		panic(out.panic) // here somebody catches it
	}
	if over := (limit{}); out.err != nil && errors.As(context.Cause(ctx), &over) {
		return out.value, failure{code: exitInvalid, err: over}
	}
	return out.value, out.err
}

// limit is the error of a description that takes too much.
type limit struct{ took, flag string }

func (l limit) Error() string {
	return fmt.Sprintf("the description takes %s to read, which is the limit (%s); "+
		"look for aliases in YAML, or comprehensions in CUE, that multiply, or raise the limit", l.took, l.flag)
}

// watch cancels at one of the limits, and ends with ctx.
func (l limits) watch(ctx context.Context, cancel context.CancelCauseFunc) {
	longest, most := cmp.Or(l.loadTimeout, defaultLoadTimeout), cmp.Or(l.loadMemory, defaultLoadMemory)
	late := time.NewTimer(longest)
	defer late.Stop()
	sample := time.NewTicker(sampling)
	defer sample.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-late.C:
			cancel(limit{"longer than " + longest.String(), "--load-timeout"})
		case <-sample.C:
			if exceeds(most) {
				cancel(limit{fmt.Sprintf("more than %d MiB of memory", most), "--load-memory"})
			}
		}
	}
}

// exceeds reports whether the program holds more than so many MiB, garbage apart.
func exceeds(most int) bool {
	over := func() bool { return heap()>>20 >= uint64(most) }
	if !over() {
		return false
	}
	runtime.GC()
	return over()
}

// heap is the memory of objects, in bytes, those included of which it is not known yet that
// nobody needs them any more.
func heap() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
