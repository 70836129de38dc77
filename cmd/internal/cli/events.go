package cli

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"fairlead.dev/fairlead/apply"
	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/plan"
)

// eventLog is the file of --events. Each line is written as it happens; the first
// error stays and is told at the end.
type eventLog struct {
	who     invocation
	mu      sync.Mutex
	file    *os.File
	err     error
	began   bool
	network string
	commit  string
	plan    string
	actions map[string]plan.Action
}

// openEvents empties the file, or makes it, for its owner alone.
func openEvents(file string, who invocation) (*eventLog, error) {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		if err := f.Chmod(0o600); err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
	return &eventLog{who: who, file: f, actions: map[string]plan.Action{}}, nil
}

// described says which description the records are of.
func (l *eventLog) described(network, commit string) { l.network, l.commit = network, commit }

// begin writes the first line: who runs what. It is an error that stops an apply.
func (l *eventLog) begin(p plan.Plan) error {
	l.plan = p.ID
	for _, a := range p.Actions {
		l.actions[a.ID] = a
	}
	l.run(&p.Summary)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return failure{code: exitError, err: fmt.Errorf("--events: %w; nothing was applied", l.err)}
	}
	return nil
}

func (l *eventLog) run(summary *plan.Summary) {
	l.began = true
	l.write(report.Event{
		Type: report.RecordRun, User: l.who.User, Host: l.who.Host, URL: l.who.URL, Version: versionText(), Summary: summary,
	})
}

// Event implements apply.Sink.
func (l *eventLog) Event(e apply.Event) {
	a := l.actions[e.Action]
	out := report.Event{
		Type: report.RecordStep, Action: e.Action, Kind: a.Kind, Verb: a.Verb, Cluster: a.Cluster, Namespace: a.Namespace,
		Step: e.Step, Phase: string(e.Phase), Attempt: e.Attempt, Message: e.Message,
	}
	if e.Ends || e.Step == "" {
		out.Type = report.RecordAction
	}
	if ended := e.Phase == apply.Done || e.Phase == apply.Altered || e.Phase == apply.Failed; ended {
		ms := e.Took.Milliseconds()
		out.DurationMs = &ms
	}
	l.write(out)
}

// skipped writes an action's record for each that is not carried out: done before, or
// kept from it.
func (l *eventLog) skipped(list []apply.Outcome) {
	for _, o := range list {
		e := report.Event{
			Type: report.RecordAction, Action: o.Action.ID, Kind: o.Action.Kind, Verb: o.Action.Verb,
			Cluster: o.Action.Cluster, Namespace: o.Action.Namespace, Phase: string(o.State), Already: o.Already,
		}
		if o.Err != nil {
			e.Message = o.Err.Error()
		}
		l.write(e)
	}
}

// end writes the last line, and closes the file; the error is the first of all.
func (l *eventLog) end(code int, applied *report.Applied) error {
	if !l.began {
		l.run(nil)
	}
	ms := time.Since(l.who.Started).Milliseconds()
	e := report.Event{Type: report.RecordEnd, ExitCode: &code, DurationMs: &ms, Counts: map[report.State]int{}}
	for _, s := range report.States() {
		e.Counts[s] = 0
	}
	if applied != nil {
		for _, s := range report.States() {
			e.Counts[s] = applied.Count(s)
		}
		e.LeftOut = applied.LeftOut
	}
	l.write(e)
	return errors.Join(l.err, l.file.Close())
}

// write adds a line; the file has no buffer of ours.
func (l *eventLog) write(e report.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.Time, e.Run, e.Network, e.Commit, e.Plan = time.Now(), l.who.ID, l.network, l.commit, l.plan
	line, err := e.Line()
	if err == nil && l.err == nil {
		_, err = l.file.Write(line)
	}
	if l.err == nil {
		l.err = err
	}
}

// sinks hands each event to all.
type sinks []apply.Sink

// Event implements apply.Sink.
func (s sinks) Event(e apply.Event) {
	for _, one := range s {
		one.Event(e)
	}
}
