// Package metrics writes what a command found and did as a file for the textfile
// collector of Prometheus' node_exporter.
package metrics

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/status"
	"fairlead.dev/fairlead/schema/network"
)

// Facts are what a command knows at its end. Parts that it does not know are nil.
type Facts struct {
	Command string
	// Version is Fairlead's own.
	Version string
	Network string
	// Commit is the description's, empty outside of git.
	Commit   string
	ExitCode int
	// Ended is when the command ended, Took how long it ran.
	Ended time.Time
	Took  time.Duration
	// Pending is a plan that was made and not carried out, Drift one against what was
	// last applied.
	Pending, Drift *plan.Plan
	// Status is how the network was found; nil when the command changed it since.
	Status *status.Status
	// Clusters are the clusters as they were found.
	Clusters []plan.Cluster
	// Applied is how an apply ended; Applies tells that the command is one, also when
	// it ended before it did anything.
	Applied *report.Applied
	Applies bool
}

// Check finds out, as far as that is possible beforehand, whether the file can be
// written: its folder has to take a new file, which is removed again.
func Check(file string) error {
	if info, err := os.Stat(file); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", file)
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".fairlead-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// Write replaces the file at once, or leaves it as it is and gives an error.
func Write(file string, f Facts) error {
	r, err := registry(f)
	if err != nil {
		return err
	}
	return prometheus.WriteToTextfile(file, r)
}

// registry has one gauge for each fact.
func registry(f Facts) (*prometheus.Registry, error) {
	s := &set{
		registry: prometheus.NewRegistry(), gauges: map[string]*prometheus.GaugeVec{},
		common: prometheus.Labels{"network": f.Network, "command": f.Command},
	}
	s.run(f)
	s.plans(f)
	if f.Status != nil {
		s.status(*f.Status)
	}
	for _, c := range f.Clusters {
		s.put(clusterUp, flag(c.State == plan.StateOK), string(c.Name))
	}
	if f.Applies {
		s.applied(f)
	}
	return s.registry, s.err
}

// set fills a registry; its first error stays.
type set struct {
	registry *prometheus.Registry
	gauges   map[string]*prometheus.GaugeVec
	common   prometheus.Labels
	err      error
}

// metric is one gauge: its name, what it says, and its labels beside network and
// command.
type metric struct {
	name, help string
	labels     []string
}

var (
	runInfo      = metric{"fairlead_run_info", "The command that wrote this file: version of Fairlead and commit of the description; always 1.", []string{"version", "commit"}}
	runTime      = metric{"fairlead_run_timestamp_seconds", "When the command ended, in Unix time.", nil}
	runCode      = metric{"fairlead_run_exit_code", "Exit code of the command.", nil}
	clusterUp    = metric{"fairlead_cluster_up", "1 if the cluster could be read in full.", []string{"cluster"}}
	pending      = metric{"fairlead_pending_actions", "Actions between the description and the clusters that are not carried out.", []string{"verb"}}
	drift        = metric{"fairlead_drift_actions", "Actions that would take back what was changed on the clusters since the last apply.", nil}
	driftIgnored = metric{"fairlead_drift_ignored", "Differences and facts that rules of the description leave out.", nil}
	liveFacts    = metric{"fairlead_live_facts", "Facts about how the network runs that somebody should look at.", []string{"code", "severity"}}
	unknown      = metric{"fairlead_unknown", "Described or owned things that could not be compared.", nil}
	refusals     = metric{"fairlead_refusals", "Rules that keep the plan from being applied.", nil}
	sites        = metric{"fairlead_sites", "Described sites.", nil}
	sitesReady   = metric{"fairlead_sites_ready", "Described sites that are ready.", nil}
	links        = metric{"fairlead_links", "Described links.", nil}
	linksReady   = metric{"fairlead_links_ready", "Described links that are ready.", nil}
	linkReady    = metric{"fairlead_link_ready", "1 if the described link is ready, with all of its routers.", []string{"link", "from", "to"}}
	linkExpiry   = metric{"fairlead_certificate_expiry_timestamp_seconds", "When the first of the link's certificates ends, in Unix time.", []string{"link"}}
	applyTime    = metric{"fairlead_last_apply_timestamp_seconds", "When the last apply ended, in Unix time.", nil}
	applySuccess = metric{"fairlead_last_apply_success", "1 if the last apply did everything.", nil}
	applyActions = metric{"fairlead_last_apply_actions", "Actions of the last apply by how they ended.", []string{"state"}}
	applyTook    = metric{"fairlead_last_apply_duration_seconds", "How long the last apply ran.", nil}
)

// put sets one value; the labels are in the metric's order.
func (s *set) put(m metric, value float64, labels ...string) {
	g, ok := s.gauges[m.name]
	if !ok {
		g = prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: m.name, Help: m.help, ConstLabels: s.common}, m.labels)
		if err := s.registry.Register(g); err != nil {
			s.err = errors.Join(s.err, err)
			return
		}
		s.gauges[m.name] = g
	}
	g.WithLabelValues(labels...).Set(value)
}

func (s *set) run(f Facts) {
	s.put(runInfo, 1, f.Version, f.Commit)
	s.put(runTime, seconds(f.Ended))
	s.put(runCode, float64(f.ExitCode))
}

// plans says what is to be done. A drift's actions are not pending: git asks for none of
// them, but for what it is ahead by.
func (s *set) plans(f Facts) {
	switch p := f.Pending; {
	case f.Drift != nil:
		s.put(drift, float64(len(f.Drift.Actions)))
		s.put(driftIgnored, float64(len(f.Drift.Ignored)))
		s.pending(f.Drift.Behind)
		s.live(f.Drift.Live)
		s.counts(*f.Drift)
	case p != nil:
		left := remaining(*p, f.Applied)
		s.pending(left)
		s.put(drift, float64(len(slices.DeleteFunc(left, func(a plan.Action) bool { return a.Cause == plan.CausePending }))))
		s.counts(*p)
	}
}

func (s *set) pending(left []plan.Action) {
	many := map[plan.Verb]int{}
	for _, a := range left {
		many[a.Verb]++
	}
	for _, v := range []plan.Verb{plan.VerbCreate, plan.VerbUpdate, plan.VerbReplace, plan.VerbDelete, plan.VerbAdopt} {
		s.put(pending, float64(many[v]), string(v))
	}
}

// live counts facts by code; a code without any has no series.
func (s *set) live(list []plan.Live) {
	n := map[[2]string]int{}
	for _, l := range list {
		n[[2]string{l.Code, string(l.Severity)}]++
	}
	for key, many := range n {
		s.put(liveFacts, float64(many), key[0], key[1])
	}
}

func (s *set) counts(p plan.Plan) {
	s.put(unknown, float64(p.Summary.Unknown))
	s.put(refusals, float64(len(p.Refused())))
}

// remaining are the actions of a plan that an apply did not do; all, when there was
// none.
func remaining(p plan.Plan, applied *report.Applied) []plan.Action {
	done := map[string]bool{}
	for _, o := range cmp.Or(applied, &report.Applied{}).Outcomes {
		done[o.Action.ID] = o.State == report.StateDone || o.State == report.StateAltered
	}
	return slices.DeleteFunc(slices.Clone(p.Actions), func(a plan.Action) bool { return done[a.ID] })
}

func (s *set) status(st status.Status) {
	all, ready := 0, 0
	for _, v := range st.Sites {
		if v.Declared {
			all++
			ready += int(flag(v.State == status.ConditionReady))
		}
	}
	s.put(sites, float64(all))
	s.put(sitesReady, float64(ready))
	s.links(st.Links)
}

// links says how each described link fares: a link of two routers is as ready as the
// worse of its Links.
func (s *set) links(list []status.Link) {
	ready := map[network.LinkName]bool{}
	expires := map[network.LinkName]time.Time{}
	for _, l := range list {
		if !l.Declared {
			continue
		}
		before, seen := ready[l.Name]
		ready[l.Name] = l.State == status.ConditionReady && (before || !seen)
		s.put(linkReady, flag(ready[l.Name]), string(l.Name), string(l.From), string(l.To))
		if at, err := time.Parse(time.RFC3339, l.Expires); err == nil && (expires[l.Name].IsZero() || at.Before(expires[l.Name])) {
			expires[l.Name] = at
			s.put(linkExpiry, seconds(at), string(l.Name))
		}
	}
	up := 0
	for _, is := range ready {
		up += int(flag(is))
	}
	s.put(links, float64(len(ready)))
	s.put(linksReady, float64(up))
}

func (s *set) applied(f Facts) {
	s.put(applyTime, seconds(f.Ended))
	s.put(applySuccess, flag(f.ExitCode == 0))
	s.put(applyTook, f.Took.Seconds())
	ended := *cmp.Or(f.Applied, &report.Applied{})
	for _, state := range report.States() {
		s.put(applyActions, float64(ended.Count(state)), string(state))
	}
}

// seconds is a moment in Unix time.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func flag(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
