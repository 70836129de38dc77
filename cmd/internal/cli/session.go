package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"fairlead.dev/fairlead/apply"
	"fairlead.dev/fairlead/apply/kube"
	"fairlead.dev/fairlead/apply/lock"
	"fairlead.dev/fairlead/cmd/internal/judge"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/planner"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// clusterFlags say how clusters are reached.
type clusterFlags struct {
	// readOnly is true for commands that must not write.
	readOnly    bool
	kubeconfig  string
	timeout     time.Duration
	parallelism int
	// programs is --programs; refuses says that it, or the environment, refuses programs
	// that the description names.
	programs string
	refuses  bool
}

func (o *clusterFlags) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&o.kubeconfig, "kubeconfig", "", "kubeconfig for clusters that name none (default: KUBECONFIG, then ~/.kube/config)")
	f.DurationVar(&o.timeout, "timeout", 5*time.Minute, "bound of each wait: for an API server's answers, for readiness")
	f.IntVar(&o.parallelism, "parallelism", 20, "how many clusters, sites and links are worked on at once")
	f.StringVar(&o.programs, "programs", programsAllow,
		"allow or refuse programs that the description names: command, sops, and kubeconfigs that ask a program; FAIRLEAD_PROGRAMS=refuse refuses them whatever is given here")
}

// check refuses what cannot be meant. Of --programs and the variable the stricter one holds, so
// that what a pipeline refuses no argument allows.
func (o *clusterFlags) check(sys *System) error {
	if o.timeout <= 0 || o.parallelism <= 0 {
		return fail(exitInvalid, "--timeout and --parallelism must be more than 0")
	}
	byFlag, flag := programsRefused("--programs", o.programs)
	byEnv, env := programsRefused(programsEnv, sys.Getenv(programsEnv))
	if err := cmp.Or(flag, env); err != nil {
		return err
	}
	o.refuses = byFlag || byEnv
	return nil
}

// kubeconfigs are the files for clusters that name none of their own.
func (o *clusterFlags) kubeconfigs(sys *System) []string {
	if o.kubeconfig != "" {
		return []string{sys.abs(o.kubeconfig)}
	}
	if list := sys.Getenv("KUBECONFIG"); list != "" {
		return filepath.SplitList(list)
	}
	return []string{filepath.Join(sys.Getenv("HOME"), ".kube", "config")}
}

// clusterCommand is what each command has that reaches the clusters of a description.
type clusterCommand struct {
	packageCommand
	clusterFlags
}

// newClusterReader is a command that must not write to clusters.
func newClusterReader(sys *System, formats ...string) clusterCommand {
	return clusterCommand{newPackageCommand(sys, formats...), clusterFlags{readOnly: true}}
}

func (o *clusterCommand) flags(c *cobra.Command) {
	o.packageCommand.flags(c)
	o.clusterFlags.flags(c)
	o.signersFlag(c)
}

func (o *clusterCommand) check(c *cobra.Command, args []string, files ...flagged) error {
	if err := cmp.Or(o.packageCommand.check(c, args, files...), o.clusterFlags.check(o.sys)); err != nil {
		return err
	}
	if o.programs == "" && c.Flags().Changed("programs") {
		return fail(exitInvalid, "--programs is empty; use allow or refuse")
	}
	return nil
}

// session is a judged description with the clusters that it names.
type session struct {
	*process
	description
	clusterFlags
	look
	clusters map[network.ClusterName]*kube.Cluster
	vault    *vault
	// locks are those of a command that writes; nil for all others.
	locks *lock.Locks
	// former are the namespaces in which clusters' locks were kept before, by the records.
	former map[network.ClusterName][]string
	// saved is the plan to carry out; nil for none.
	saved *plan.Plan
	// base is the description of --base; nil without one. It is only compared with: nobody
	// judged it, so none of its programs is run and none of its clusters asked.
	base *description
	// unread are clusters whose kubeconfig could not be asked for.
	unread []world.ClusterView
}

// look is what a command wants of the clusters beside the network's own objects.
type look struct {
	// credentials are compared, and so resolved.
	credentials bool
	// brief leaves out what only planning takes; routers asks for what they report of links.
	brief, routers bool
	// adopt takes foreign objects of a wanted name over.
	adopt bool
	// noOverlays leaves the objects of overlays alone.
	noOverlays bool
	// asked are namespaces to read, beside those that are described.
	asked []string
	// against is the base to compare with.
	against baseFlags
	// lock takes the locks of a command that writes, before it observes; nil for none.
	lock func(context.Context, *session) error
}

// connect prepares the clusters' clients. Only a kubeconfig that is a Secret of
// another cluster takes a request; those clusters come last. Where that one does not
// answer, the cluster is one that could not be read.
func connect(ctx context.Context, p *process, reach clusterFlags, judged judge.Passed[description]) (session, error) {
	s := session{
		process: p, description: judged.Description(), clusterFlags: reach,
		clusters: map[network.ClusterName]*kube.Cluster{}, saved: judged.Saved(),
	}
	s.vault = newVault(p.sys, judged, s.clusters)
	if s.refuses {
		s.vault.refusePrograms()
	}
	for _, last := range []bool{false, true} {
		for _, c := range s.Network.Clusters {
			if fromCluster := c.Kubeconfig != nil && c.Kubeconfig.Kubernetes != nil; fromCluster != last {
				continue
			}
			client, err := s.client(ctx, c)
			if err != nil && (unanswered(err) || programRefused(err)) {
				s.unread = append(s.unread, unread(c.Name, err))
				continue
			}
			if err != nil {
				return s, err
			}
			s.clusters[c.Name] = client
		}
	}
	return s, nil
}

func (s *session) client(ctx context.Context, c network.Cluster) (*kube.Cluster, error) {
	cfg := kube.Config{
		Name: c.Name, Context: c.Context, InCluster: c.InCluster, Files: s.kubeconfigs(s.sys),
		ReadOnly: s.readOnly, Wrap: s.sys.Wrap, NoPrograms: s.refuses && c.Kubeconfig != nil,
		Timeout: s.timeout / 3, // a second try and a word about it have to fit into the wait
	}
	if s.log.Enabled(ctx, slog.LevelDebug) {
		cfg.Log = s.log
	}
	if err := s.reference(ctx, &cfg, c); err != nil {
		return nil, fail(exitInvalid, "cluster %s: kubeconfig: %w", c.Name, err)
	}
	client, err := kube.Connect(cfg)
	switch {
	case programRefused(err):
		return nil, err
	case err != nil && c.Kubeconfig != nil: // what the reference gives is no use
		return nil, failure{code: exitInvalid, err: err}
	case err != nil:
		return nil, failure{code: exitUnreachable, err: err}
	}
	return client, nil
}

// reference resolves a kubeconfig that the description names. A file is left to
// the library, which takes paths inside it from where it lies.
func (s *session) reference(ctx context.Context, cfg *kube.Config, c network.Cluster) error {
	switch ref := c.Kubeconfig; {
	case ref == nil:
		return nil
	case ref.File != "":
		file := ref.File
		if !filepath.IsAbs(file) {
			file = filepath.Join(s.dir, file)
		}
		cfg.Files, cfg.Secret = []string{file}, true
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	content, err := s.vault.resolve(ctx, *c.Kubeconfig)
	cfg.Kubeconfig = content
	return err
}

// reached gives a cluster's client; an error where its kubeconfig could not be had.
func (s *session) reached(name network.ClusterName) (*kube.Cluster, error) {
	if client, ok := s.clusters[name]; ok {
		return client, nil
	}
	for _, v := range s.unread {
		if v.Name == name {
			return nil, fail(exitUnreachable, "cluster %s cannot be asked: its kubeconfig could not be had: %s", name, v.Reason)
		}
	}
	return nil, fail(exitUnreachable, "cluster %s cannot be asked: there is no client for it", name)
}

// unanswered reports whether a reference gave no secret because of the cluster that
// holds it, and not because of the reference.
func unanswered(err error) bool {
	return errors.Is(err, apply.ErrUnreachable) || errors.Is(err, apply.ErrForbidden)
}

// unread is the view of a cluster that could not even be asked.
func unread(name network.ClusterName, err error) world.ClusterView {
	v := world.ClusterView{Name: name, State: plan.StateUnreachable, Reason: err.Error()}
	if errors.Is(err, apply.ErrForbidden) {
		v.State = plan.StateForbidden
	}
	return v
}

// open loads, judges, connects and observes: what every command does that looks at clusters.
// Where records note that a lock was kept elsewhere, it observes again, with that place as well.
func (o *clusterCommand) open(ctx context.Context, terms judge.Terms, l look) (s session, found world.Observation, err error) {
	judged, err := o.loadJudged(ctx, terms)
	if err != nil {
		return s, found, err
	}
	var base *description
	if l.against.base != "" {
		if base, err = readBase(ctx, &o.packageCommand, l.against, judged.Description()); err != nil {
			return s, found, err
		}
	}
	end := o.phase("connect")
	if s, err = connect(ctx, o.process, o.clusterFlags, judged); err != nil {
		return s, found, err
	}
	if s.look, s.base = l, base; s.credentials {
		s.vault.compare(ctx, s.timeout, s)
	}
	end()
	for {
		if s.lock != nil {
			if err := s.lock(ctx, &s); err != nil {
				return s, found, err
			}
		}
		end := o.phase("observe")
		found = s.observe(ctx)
		end("clusters", len(found.Clusters), "unread", countUnread(found))
		if err := ctx.Err(); err != nil || !s.relocated(ctx, found) {
			return s, found, err
		}
	}
}

// observe reads all clusters side by side.
func (s *session) observe(ctx context.Context) world.Observation {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	objects := s.desired.Objects
	if s.base != nil { // the kinds of both are looked for
		objects = slices.Concat(objects, s.base.desired.Objects)
	}
	return s.withUnread(kube.ObserveAll(ctx, s.clients(func(network.Cluster) bool { return true }), kube.Reading{
		Network: s.Network.Name, Digester: &s.vault.digester, Foreign: s.foreign(), Objects: objects,
		Areas: s.areas(), Noted: s.credentials, Brief: s.brief, Reports: s.routers, NoObjects: s.noOverlays,
	}, s.parallelism))
}

// withUnread adds the clusters that could not be asked to an observation.
func (s *session) withUnread(o world.Observation) world.Observation {
	o.Clusters = append(o.Clusters, s.unread...)
	slices.SortFunc(o.Clusters, func(a, b world.ClusterView) int { return cmp.Compare(a.Name, b.Name) })
	return o
}

// clients are those of the clusters that can be asked and that are wanted.
func (s *session) clients(wanted func(network.Cluster) bool) []*kube.Cluster {
	list := make([]*kube.Cluster, 0, len(s.clusters))
	for _, c := range s.Network.Clusters {
		if client, ok := s.clusters[c.Name]; ok && wanted(c) {
			list = append(list, client)
		}
	}
	return list
}

// foreign selects where proxies of Links that are not the network's matter: in the
// namespaces of its sites when it may adopt them, and everywhere for an import, which
// describes no site yet.
func (s *session) foreign() func(network.ClusterName, string) bool {
	if !s.adopt && (s.saved == nil || s.saved.Summary.Adopt == 0) {
		return nil
	}
	areas := s.areas()
	return func(cluster network.ClusterName, namespace string) bool {
		_, declared := slices.BinarySearch(areas[cluster].Declared, namespace)
		return declared || len(s.Network.Sites) == 0
	}
}

// areas say where the network lives on each cluster: in the namespaces of its sites, and where
// else it was asked to look.
func (s *session) areas() map[network.ClusterName]kube.Area {
	out := map[network.ClusterName]kube.Area{}
	for _, c := range s.Network.Clusters {
		out[c.Name] = kube.Area{Declared: namespacesOn(s.Network, c.Name), Asked: s.asked, Lock: c.LocksIn(), Former: s.former[c.Name]}
	}
	return out
}

// namespacesOn are those of a network's sites on a cluster, sorted.
func namespacesOn(n network.Network, cluster network.ClusterName) (out []string) {
	for _, v := range n.Sites {
		if v.Cluster == cluster {
			out = append(out, v.Namespace)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// relocated reports whether records note places of locks that were not known before. Then the
// locks that are held are freed, for all of them to be taken in order.
func (s *session) relocated(ctx context.Context, observation world.Observation) bool {
	more := false
	former := maps.Clone(s.former)
	if former == nil {
		former = map[network.ClusterName][]string{}
	}
	found := observation.FormerLocks(s.places())
	for _, name := range slices.Sorted(maps.Keys(found)) {
		for _, namespace := range found[name] {
			if slices.Contains(former[name], namespace) {
				continue
			}
			more = true
			former[name] = append(slices.Clone(former[name]), namespace)
			if s.locks != nil {
				fmt.Fprintf(s.sys.Err, "The lock of cluster %s was kept in namespace %s: it is taken there, too.\n", name, namespace)
			}
		}
	}
	if more && s.locks != nil {
		s.locks.Release(ctx, false) // what cannot be freed is still ours when it is taken again
	}
	s.former = former
	return more
}

func countUnread(o world.Observation) (n int) {
	for _, c := range o.Clusters {
		if c.State != plan.StateOK {
			n++
		}
	}
	return n
}

// input is what a session's plan is made of.
func (s *session) input(observation world.Observation, filter plan.Filter) planner.Input {
	return planner.Input{
		Desired: s.desired, Observation: observation, Source: s.source, Shape: true, Diagnostics: s.Findings,
		Adopt: s.adopt, Filter: filter, Approved: s.saved, ExpiringBefore: expiry(), Limits: &s.Network.Policy.Deletes,
		Ignore: s.Network.Policy.Ignore,
		Now:    time.Now().UTC().Format(time.RFC3339),
	}
}

// make plans what the input says.
func (o *packageCommand) make(s session, in planner.Input) plan.Plan {
	end := o.phase("plan")
	p := planner.Make(in)
	end("plan", p.ID, "actions", len(p.Actions), "refusals", len(p.Refusals), "unknown", p.Summary.Unknown)
	o.records.facts.Pending = &p
	o.records.found(s, in.Observation)
	return p
}

// expiryNotice is how long before its end a certificate becomes a warning.
const expiryNotice = 30 * 24 * time.Hour

// expiry is the time before which the end of a certificate is near.
func expiry() string { return time.Now().Add(expiryNotice).UTC().Format(time.RFC3339) }
