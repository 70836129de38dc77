package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"fairlead.dev/fairlead/apply"
	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/plan"
)

// heartbeat is how often a log without a terminal says what is waited for.
const heartbeat = 10 * time.Second

// redraw is how often the live lines of a terminal are brought up to date.
const redraw = 100 * time.Millisecond

// progress shows an apply on stderr: on a terminal one live line for each action
// under way, elsewhere one line for each transition and a heartbeat. It is the
// apply's event sink.
type progress struct {
	out   io.Writer
	live  bool
	color bool
	width func() int
	total int

	mu     sync.Mutex
	drawn  int
	ended  int
	active []*row

	quit chan struct{}
	done chan struct{}
}

// row is one action under way.
type row struct {
	id      string
	step    plan.Step
	attempt int
	started time.Time
	since   time.Time
}

// newProgress starts the display; stop ends it. Its one goroutine redraws live
// lines, or gives the heartbeat. With a talking log there are no live lines, as its
// records would run into them.
func newProgress(sys *System, p plan.Plan, color, talks bool) *progress {
	v := &progress{
		out: sys.Err, live: !talks && sys.draws(sys.ErrTerminal),
		color: color, width: sys.Width, total: len(p.Actions),
		quit: make(chan struct{}), done: make(chan struct{}),
	}
	go v.tick()
	return v
}

func (v *progress) tick() {
	defer close(v.done)
	every := heartbeat
	if v.live {
		every = redraw
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-v.quit:
			return
		case <-ticker.C:
			v.refresh()
		}
	}
}

// stop ends the display and leaves no live line behind.
func (v *progress) stop() {
	close(v.quit)
	<-v.done
	v.mu.Lock()
	defer v.mu.Unlock()
	v.erase()
}

// Event implements apply.Sink.
func (v *progress) Event(e apply.Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.erase()
	now := time.Now()
	switch {
	case e.Step == "" && e.Phase == apply.Started:
		v.active = append(v.active, &row{id: e.Action, started: now, since: now})
	case e.Step != "" && e.Phase == apply.Started:
		v.advance(e, now)
	case e.Phase == apply.Retrying:
		v.say("%s: attempt %d failed, trying a fresh grant: %s", e.Action, e.Attempt, e.Message)
	case e.Phase == apply.CleanupFailed:
		v.say("%s: clean up: %s", e.Action, e.Message)
	case e.Ends:
		v.end(e, now)
	}
	v.draw(now)
}

func (v *progress) advance(e apply.Event, now time.Time) {
	if i := v.row(e.Action); i >= 0 {
		v.active[i].step, v.active[i].since, v.active[i].attempt = e.Step, now, e.Attempt
	}
	if !v.live {
		v.say("%s: %s", e.Action, report.StepWord(e.Step))
	}
}

func (v *progress) end(e apply.Event, now time.Time) {
	v.ended++
	took := ""
	if i := v.row(e.Action); i >= 0 {
		took = " in " + now.Sub(v.active[i].started).Round(100*time.Millisecond).String()
		v.active = slices.Delete(v.active, i, i+1)
	}
	mark, word := v.paint("32", "✓"), "done"+took
	switch {
	case e.Phase == apply.Altered:
		mark, word = v.paint("33", "!"), word+", and "+e.Message
	case e.Phase != apply.Done:
		mark, word = v.paint("31", "✗"), string(e.Phase)+": "+e.Message
	}
	v.say("%s %s %s", mark, e.Action, word)
}

// row finds an action under way; -1 for none.
func (v *progress) row(id string) int {
	return slices.IndexFunc(v.active, func(r *row) bool { return r.id == id })
}

func (v *progress) say(format string, args ...any) {
	fmt.Fprintf(v.out, "[%*d/%d] "+format+"\n", append([]any{len(fmt.Sprint(v.total)), v.ended, v.total}, args...)...)
}

// refresh redraws live lines, or says what is waited for.
func (v *progress) refresh() {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := time.Now()
	if v.live {
		v.erase()
		v.draw(now)
		return
	}
	if len(v.active) == 0 {
		return
	}
	waiting := make([]string, 0, len(v.active))
	for _, r := range v.active {
		waiting = append(waiting, r.describe(now))
	}
	const shown = 5
	more := ""
	if len(waiting) > shown {
		more = fmt.Sprintf(" and %d more", len(waiting)-shown)
		waiting = waiting[:shown]
	}
	v.say("still working on %s%s", strings.Join(waiting, "; "), more)
}

func (r *row) describe(now time.Time) string {
	text := fmt.Sprintf("%s: %s for %s", r.id, report.StepWord(r.step), now.Sub(r.since).Round(time.Second))
	if r.attempt > 1 {
		text += fmt.Sprintf(" (attempt %d)", r.attempt)
	}
	return text
}

// draw writes the live lines below what was said; erase takes them away again.
func (v *progress) draw(now time.Time) {
	if !v.live {
		return
	}
	const most = 15
	for i, r := range v.active {
		if i == most {
			fmt.Fprintf(v.out, "  … and %d more\n", len(v.active)-most)
			v.drawn++
			break
		}
		fmt.Fprintln(v.out, v.paint("2", v.fit("  "+r.describe(now))))
		v.drawn++
	}
}

func (v *progress) erase() {
	if v.live && v.drawn > 0 {
		fmt.Fprintf(v.out, "\x1b[%dA\x1b[J", v.drawn)
	}
	v.drawn = 0
}

// fit cuts a line to the terminal's width, as a wrapped line could not be erased.
func (v *progress) fit(line string) string {
	w := 80
	if v.width != nil && v.width() > 0 {
		w = v.width()
	}
	if runes := []rune(line); len(runes) >= w {
		return string(runes[:w-1])
	}
	return line
}

func (v *progress) paint(code, s string) string {
	if !v.color {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}
