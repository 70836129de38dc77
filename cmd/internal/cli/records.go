package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/go-multierror"
	"github.com/spf13/cobra"

	"fairlead.dev/fairlead/cmd/internal/metrics"
	"fairlead.dev/fairlead/plan"
)

// records are the files that a command leaves for machines.
type records struct {
	metricsFile, eventsFile string
	facts                   metrics.Facts
	events                  *eventLog
}

// measured adds the flag for metrics.
func (o *common) measured(c *cobra.Command) {
	o.records.facts.Command = c.Name()
	c.Flags().StringVar(&o.records.metricsFile, "metrics", "", "write metrics to this file, for the textfile collector of Prometheus' node_exporter")
}

// recorded runs a command and writes its records, whatever its end. What cannot be
// written is found before it begins, as far as that can be known; after that it is
// an error of its own.
func (o *common) recorded(ctx context.Context, run func(context.Context) error) error {
	if err := o.openRecords(); err != nil {
		return err
	}
	err := run(ctx)
	o.log.Info("end", "exitCode", codeOfError(ctx, err), "durationMs", time.Since(o.invocation.Started).Milliseconds())
	if lost := o.closeRecords(codeOfError(ctx, err)); lost != nil {
		if err == nil {
			return failure{code: exitError, err: lost}
		}
		fmt.Fprintf(o.sys.Err, "fairlead: %v\n", lost)
	}
	return err
}

func (o *common) openRecords() error {
	r := &o.records
	if r.metricsFile != "" {
		if err := metrics.Check(o.abs(r.metricsFile)); err != nil {
			return failure{code: exitInvalid, err: fmt.Errorf("--metrics: %w", err)}
		}
	}
	if r.eventsFile == "" {
		return nil
	}
	events, err := openEvents(o.abs(r.eventsFile), o.invocation)
	if err != nil {
		return failure{code: exitInvalid, err: fmt.Errorf("--events: %w", err)}
	}
	r.events = events
	return nil
}

// closeRecords writes the ends of the records and gives what was lost.
func (o *common) closeRecords(code int) error {
	r := &o.records
	lost := &multierror.Error{ErrorFormat: lines}
	if r.events != nil {
		if err := r.events.end(code, r.facts.Applied); err != nil {
			lost = multierror.Append(lost, fmt.Errorf("--events %s: events were lost: %w", r.eventsFile, err))
		}
	}
	if r.metricsFile != "" {
		r.facts.Version, r.facts.ExitCode = versionText(), code
		r.facts.Ended, r.facts.Took = time.Now(), time.Since(o.invocation.Started)
		if err := metrics.Write(o.abs(r.metricsFile), r.facts); err != nil {
			lost = multierror.Append(lost, fmt.Errorf("--metrics %s: %w", r.metricsFile, err))
		}
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

// described notes for the records what is described.
func (o *common) described(d description) {
	o.records.facts.Network, o.records.facts.Commit = d.Network.Name, d.source.Commit
	if o.records.events != nil {
		o.records.events.described(d.Network.Name, d.source.Commit)
	}
}

// found notes for the metrics how the network was found.
func (o *common) found(s session, observation plan.Observation) {
	if o.records.metricsFile == "" {
		return
	}
	status := plan.StatusOf(s.desired, observation, "")
	o.records.facts.Status, o.records.facts.Clusters = &status, status.Clusters
}
