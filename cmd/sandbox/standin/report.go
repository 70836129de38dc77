package standin

import (
	"context"
	"maps"
	"sync"
	"time"
)

// reporter carries a router's reports to the controller, late where a
// namespace asks for it, and keeps the controller's last copy.
type reporter struct {
	mu      *sync.Mutex
	sent    map[string]linkReport
	pending []snapshot
	copied  map[string]linkReport
	// latest is the last report that came, with news or without.
	latest map[string]linkReport
}

type snapshot struct {
	at     time.Time
	report map[string]linkReport
}

func newReporter() reporter {
	return reporter{mu: &sync.Mutex{}, copied: map[string]linkReport{}}
}

// push takes the router's report of this moment.
func (p *reporter) push(report map[string]linkReport, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sent != nil && maps.Equal(p.sent, report) {
		return
	}
	p.sent = report
	p.pending = append(p.pending, snapshot{now, report})
}

// pull gives the latest report that is old enough, if it has news.
func (p *reporter) pull(before time.Time) map[string]linkReport {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.pending) > 0 && !p.pending[0].at.After(before) {
		p.latest, p.pending = p.pending[0].report, p.pending[1:]
	}
	if !news(p.copied, p.latest) {
		return nil
	}
	maps.Copy(p.copied, p.latest)
	return p.latest
}

// last gives the latest report that came.
func (p *reporter) last() map[string]linkReport {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.latest
}

// forget makes the next report of a link news: its configuration was taken
// away while its object stayed.
func (p *reporter) forget(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.copied, name)
}

// readReports hands the routers' reports on until ctx ends.
func (s *Standin) readReports(ctx context.Context) {
	tick := time.NewTicker(s.cfg.ReportInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			for namespace, r := range s.allRouters() {
				s.readReport(namespace, r, now)
			}
		}
	}
}

func (s *Standin) allRouters() map[string]*router {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.routers)
}

func (s *Standin) readReport(namespace string, r *router, now time.Time) {
	if s.watch.annotation(namespace, "report") == "freeze" {
		return
	}
	r.report.push(r.reportLinks(), now)
	delay, _ := time.ParseDuration(s.watch.annotation(namespace, "report-delay"))
	s.handOn(namespace, r.report.pull(now.Add(-delay)))
	if r.networkDue(now, s.cfg.ReportInterval) {
		s.slow.Add(key{kind: "network", namespace: namespace})
	}
}

// handOn gives a report to the site's Links, unless a switch has it otherwise.
func (s *Standin) handOn(namespace string, report map[string]linkReport) {
	if s.watch.annotation(namespace, "report") == "missed" {
		return
	}
	for name, one := range report {
		s.setReported(namespace, name, &one)
		s.work.Add(key{"link", namespace, name})
	}
}
