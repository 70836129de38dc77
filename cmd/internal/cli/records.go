package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-multierror"
	"github.com/spf13/cobra"

	"fairlead.dev/fairlead/apply"
	"fairlead.dev/fairlead/cmd/internal/metrics"
	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/status"
	"fairlead.dev/fairlead/plan/world"
)

// records are the files that a command leaves for machines.
type records struct {
	metricsFile, eventsFile string
	facts                   metrics.Facts
	events                  *eventLog
}

// flags adds the flag for metrics.
func (r *records) flags(c *cobra.Command) {
	r.facts.Command = c.Name()
	c.Flags().StringVar(&r.metricsFile, "metrics", "", "write metrics to this file, for the textfile collector of Prometheus' node_exporter")
}

// recorded runs a command and writes its records, whatever its end. What cannot be
// written is found before it begins, as far as that can be known; after that it is
// an error of its own.
func (o *packageCommand) recorded(ctx context.Context, run func(context.Context) error) error {
	if err := o.records.open(o.process); err != nil {
		return err
	}
	err := run(ctx)
	code := codeOfError(ctx, err)
	o.log.Info("end", "exitCode", code, "durationMs", time.Since(o.who.Started).Milliseconds())
	lost := o.records.close(o.process, code)
	if err == nil {
		return coded(exitError, lost)
	}
	if lost != nil {
		fmt.Fprintf(o.sys.Err, "fairlead: %v\n", lost)
	}
	return err
}

func (r *records) open(p *process) error {
	if r.metricsFile != "" {
		if err := metrics.Check(p.sys.abs(r.metricsFile)); err != nil {
			return fail(exitInvalid, "--metrics: %w", err)
		}
	}
	if r.eventsFile == "" {
		return nil
	}
	events, err := openEvents(p.sys.abs(r.eventsFile), p.who)
	r.events = events
	return coded(exitInvalid, about("--events", err))
}

// close writes the ends of the records and gives what was lost.
func (r *records) close(p *process, code int) error {
	lost := &multierror.Error{ErrorFormat: lines}
	if r.events != nil {
		lost = multierror.Append(lost, about("--events "+r.eventsFile+": events were lost", r.events.end(code, r.facts.Applied)))
	}
	if r.metricsFile != "" {
		r.facts.Version, r.facts.ExitCode = versionText(), code
		r.facts.Ended, r.facts.Took = time.Now(), time.Since(p.who.Started)
		lost = multierror.Append(lost, about("--metrics "+r.metricsFile, metrics.Write(p.sys.abs(r.metricsFile), r.facts)))
	}
	return lost.ErrorOrNil()
}

// lines shows several failures, each on a line of its own.
func lines(list []error) string {
	texts := make([]string, 0, len(list))
	for _, err := range list {
		texts = append(texts, err.Error())
	}
	return strings.Join(texts, "\n")
}

// described notes what is described.
func (r *records) described(d description) {
	r.facts.Network, r.facts.Commit = d.Network.Name, d.source.Commit
	if r.events != nil {
		r.events.network, r.events.commit = d.Network.Name, d.source.Commit
	}
}

// found notes for the metrics how the network was found.
func (r *records) found(s session, observation world.Observation) {
	if r.metricsFile == "" {
		return
	}
	status := status.Of(s.desired, observation, "")
	r.facts.Status, r.facts.Clusters = &status, status.Clusters
}

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
		return fail(exitError, "--events: %w; nothing was applied", l.err)
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
	ended := *cmp.Or(applied, &report.Applied{})
	for _, s := range report.States() {
		e.Counts[s] = ended.Count(s)
	}
	e.LeftOut = ended.LeftOut
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
