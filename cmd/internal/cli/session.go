package cli

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"fairlead.dev/fairlead/apply"
	"fairlead.dev/fairlead/apply/kube"
	"fairlead.dev/fairlead/apply/lock"
	"fairlead.dev/fairlead/cmd/internal/judge"
	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/desired"
	"fairlead.dev/fairlead/schema"
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
	"fairlead.dev/fairlead/schema/revision"
)

// description is a loaded and valid description.
type description struct {
	schema.Result
	source plan.Source
	// from is what the policy judges.
	from    judge.Provenance
	desired plan.Desired
	// tree is what it was read from.
	tree revision.Tree
	// told is what a description of --base was found by, where that is not its path.
	told diag.List
	// names are those that another description has for the clusters of a base.
	names desired.Names
	// stand says where the files of positions are named from.
	stand report.Stand
	// reads are the files that its overlays took or looked for; see footprintOf.
	reads *revision.Reads
	// dir is the package's directory on disk, where the paths of secret references
	// start, whichever revision was read.
	dir string
}

// load reads and validates; user mistakes are shown and end the command. What acts on a
// description takes loadJudged.
func (o *common) load(ctx context.Context) (description, error) {
	end := o.phase("load")
	d, err := o.read(ctx)
	if err != nil {
		return d, err
	}
	o.described(d)
	if d.from.Unread != nil && !o.judges && !d.Findings.HasErrors() {
		fmt.Fprintln(o.sys.Err, unreadGit(d.from.Unread))
	}
	end("sites", len(d.desired.Sites), "links", len(d.desired.Links), "commit", d.source.Commit)
	if d.Findings.HasErrors() {
		if err := o.aside(findings(d.Result)); err != nil {
			return d, err
		}
		return d, quit(exitInvalid)
	}
	return d, nil
}

// read evaluates the description without judging its findings.
func (o *common) read(ctx context.Context) (description, error) {
	return withinLimits(ctx, &o.loading, func(ctx context.Context) (description, error) {
		tree, err := o.tree(ctx)
		if err != nil {
			return description{}, failure{code: exitInvalid, err: err}
		}
		return o.readTree(ctx, tree)
	})
}

// readTree evaluates the description in a tree. Where the repository lacks a file of it
// that is the error, whatever became of the rest.
func (o *common) readTree(ctx context.Context, tree revision.Tree) (description, error) {
	d, err := o.evaluate(ctx, tree)
	if lost := o.lost(tree); lost != nil {
		return description{}, lost
	}
	return d, err
}

// lost is the error about a file that the repository should have and does not.
func (o *common) lost(tree revision.Tree) error {
	if err := tree.Incomplete(); err != nil {
		return failure{code: exitInvalid, err: fmt.Errorf("revision %q: %w", o.rev, err)}
	}
	return nil
}

func (o *common) evaluate(ctx context.Context, tree revision.Tree) (description, error) {
	res, err := schema.Load(ctx, schema.Source{
		FS: tree.FS, Dir: tree.Dir, Tags: o.tags, Display: o.display(tree),
	})
	if err != nil {
		return description{}, err
	}
	reads := revision.NewReads(tree.FS)
	wanted := o.overlaid(tree, reads, &res)
	from, err := o.origin(ctx, tree, &res, reads.Files())
	if err != nil {
		return description{}, err
	}
	d := description{Result: res, desired: wanted, from: from, tree: tree, reads: reads, source: plan.Source{
		Commit: tree.Facts.Commit, Ref: tree.Facts.Ref, Dirty: from.Dirty(),
		Unread: tree.Unread != nil, Path: tree.Dir, Digest: digestWith(res.Digest, res.Network, wanted),
	}}
	for _, f := range res.LeftOut {
		d.source.LeftOut = append(d.source.LeftOut, plan.LeftOut{File: f.File, Why: f.Why})
	}
	dir, _, _ := strings.Cut(o.path, ":")
	d.dir, d.stand = o.abs(dir), o.stand(tree)
	return d, nil
}

// tree opens the work tree or the revision. A package qualifier stays for CUE.
func (o *common) tree(ctx context.Context) (revision.Tree, error) {
	dir, qualifier, _ := strings.Cut(o.path, ":")
	tree, err := revision.WorkTree, error(nil)
	var t revision.Tree
	if o.rev == "" {
		t, err = tree(ctx, o.abs(dir))
	} else {
		t, err = revision.At(ctx, o.abs(dir), o.rev)
	}
	if qualifier != "" {
		t.Dir += ":" + qualifier
	}
	return t, err
}

// display shows files as the user would name them from where they stand; those of
// a revision relative to the repository's root.
func (o *common) display(t revision.Tree) func(string) string {
	if t.Root == "" {
		return nil
	}
	here, root := realPath(o.sys.Dir), realPath(t.Root)
	return func(file string) string {
		shown, err := filepath.Rel(here, filepath.Join(root, filepath.FromSlash(file)))
		if err != nil {
			return file
		}
		return filepath.ToSlash(shown)
	}
}

// stand says where display names files from.
func (o *common) stand(t revision.Tree) report.Stand {
	dir, _, _ := strings.Cut(t.Dir, ":")
	s := report.Stand{Package: dir}
	if t.Root != "" {
		s.Root, s.Here = filepath.ToSlash(realPath(t.Root)), filepath.ToSlash(realPath(o.sys.Dir))
	}
	return s
}

// placed tells a report of the description where things are declared.
func (d description) placed(r report.Report) report.Report {
	r.Described, r.Stand = &d.Network, d.stand
	return r
}

func realPath(p string) string {
	real, err := filepath.EvalSymlinks(p)
	if err != nil {
		return p
	}
	return real
}

func findings(r schema.Result) report.Report {
	return report.Report{Findings: &report.Findings{
		Format: report.FindingsFormat, Network: r.Network.Name, Sites: len(r.Network.Sites), Links: len(r.Network.Links), List: r.Findings,
	}}
}

// session is a description with the clusters that it names.
type session struct {
	description
	clusters map[network.ClusterName]*kube.Cluster
	vault    *vault
	// locks are those of a command that writes; nil for all others.
	locks *lock.Locks
	// former are the namespaces in which clusters' locks were kept before, by the records.
	former map[network.ClusterName][]string
	// base is the description of --base; nil without one. It is only compared with: nobody
	// judged it, so none of its programs is run and none of its clusters asked.
	base *description
	// saved is the plan to carry out; nil for none.
	saved *plan.Plan
	// unread are clusters whose kubeconfig could not be asked for.
	unread []plan.ClusterView
}

// connect prepares the clusters' clients. Only a kubeconfig that is a Secret of
// another cluster takes a request; those clusters come last. Where that one does not
// answer, the cluster is one that could not be read.
func (o *common) connect(ctx context.Context, judged judge.Passed[description]) (session, error) {
	s := session{description: judged.Description(), clusters: map[network.ClusterName]*kube.Cluster{}, saved: judged.Saved()}
	s.vault = newVault(o.sys, judged, s.clusters)
	if o.refuses {
		s.vault.refusePrograms()
	}
	for _, last := range []bool{false, true} {
		for _, c := range s.Network.Clusters {
			if fromCluster(c) != last {
				continue
			}
			client, err := o.client(ctx, s, c)
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

// reached gives a cluster's client; an error where its kubeconfig could not be had.
func (s session) reached(name network.ClusterName) (*kube.Cluster, error) {
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

// fromCluster reports whether a cluster's kubeconfig is a Secret of another one.
func fromCluster(c network.Cluster) bool {
	return c.Kubeconfig != nil && c.Kubeconfig.Kubernetes != nil
}

func (o *common) client(ctx context.Context, s session, c network.Cluster) (*kube.Cluster, error) {
	cfg := kube.Config{
		Name: c.Name, Context: c.Context, InCluster: c.InCluster, Files: o.kubeconfigs(),
		ReadOnly: o.reading, Wrap: o.sys.Wrap, NoPrograms: o.refuses && c.Kubeconfig != nil,
		Timeout: o.timeout / 3, // a second try and a word about it have to fit into the wait
	}
	if o.log != nil && o.log.Enabled(ctx, slog.LevelDebug) {
		cfg.Log = o.log
	}
	if err := o.reference(ctx, &cfg, s, c); err != nil {
		return nil, failure{code: exitInvalid, err: fmt.Errorf("cluster %s: kubeconfig: %w", c.Name, err)}
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
func (o *common) reference(ctx context.Context, cfg *kube.Config, s session, c network.Cluster) error {
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
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	content, err := s.vault.resolve(ctx, *c.Kubeconfig)
	cfg.Kubeconfig = content
	return err
}

// kubeconfigs are the files for clusters that name none of their own.
func (o *common) kubeconfigs() []string {
	if o.kubeconfig != "" {
		return []string{o.abs(o.kubeconfig)}
	}
	if list := o.sys.Getenv("KUBECONFIG"); list != "" {
		return filepath.SplitList(list)
	}
	return []string{filepath.Join(o.sys.Getenv("HOME"), ".kube", "config")}
}

// observe reads all clusters side by side.
func (o *common) observe(ctx context.Context, s session) plan.Observation {
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	list := make([]*kube.Cluster, 0, len(s.clusters))
	for _, c := range s.Network.Clusters {
		if client, ok := s.clusters[c.Name]; ok {
			list = append(list, client)
		}
	}
	return s.withUnread(kube.ObserveAll(ctx, list, kube.Reading{
		Network: s.Network.Name, Digester: &s.vault.digester, Foreign: o.foreign(s), Objects: s.objects(),
		Areas: areas(s, o.asked), Noted: o.comparing, Brief: o.brief, Reports: o.routers, NoObjects: o.importing,
	}, o.parallelism))
}

// objects are what the overlays add, those of the base too: their kinds are looked for.
func (s session) objects() []plan.DesiredObject {
	if s.base == nil {
		return s.desired.Objects
	}
	return slices.Concat(s.desired.Objects, s.base.desired.Objects)
}

// foreign selects where proxies of Links that are not the network's matter: in the
// namespaces of its sites when it may adopt them, and everywhere for an import, which
// describes no site yet.
func (o *common) foreign(s session) func(network.ClusterName, string) bool {
	if !o.adopt && (s.saved == nil || s.saved.Summary.Adopt == 0) {
		return nil
	}
	type place struct {
		cluster   network.ClusterName
		namespace string
	}
	sites := map[place]bool{}
	for _, v := range s.Network.Sites {
		sites[place{v.Cluster, v.Namespace}] = true
	}
	return func(cluster network.ClusterName, namespace string) bool {
		return len(sites) == 0 || sites[place{cluster, namespace}]
	}
}

// open loads, judges, connects and observes: what every command that looks at clusters does.
func (o *common) open(ctx context.Context) (session, plan.Observation, error) {
	judged, err := o.loadJudged(ctx)
	if err != nil {
		return session{}, plan.Observation{}, err
	}
	var base *description
	if o.base != "" {
		b, err := o.readBase(ctx, judged.Description())
		if err != nil {
			return session{}, plan.Observation{}, err
		}
		base = &b
	}
	end := o.phase("connect")
	s, err := o.connect(ctx, judged)
	if err != nil {
		return s, plan.Observation{}, err
	}
	s.base = base
	if o.comparing {
		s.vault.compare(ctx, o.timeout, s)
	}
	end()
	observation, err := o.look(ctx, &s)
	return s, observation, err
}

// look observes under the locks that the command takes. Where records note that a lock was
// kept elsewhere, all is done again with that place as well.
func (o *common) look(ctx context.Context, s *session) (plan.Observation, error) {
	for {
		if err := o.underLock(ctx, s); err != nil {
			return plan.Observation{}, err
		}
		end := o.phase("observe")
		observation := o.observe(ctx, *s)
		end("clusters", len(observation.Clusters), "unread", countUnread(observation))
		if err := ctx.Err(); err != nil || !o.relocated(ctx, s, observation) {
			return observation, err
		}
	}
}

// knows refuses names on the command line that are neither described nor planned.
func (o *common) knows(d description, p plan.Plan) error {
	known := map[string]bool{}
	for _, c := range d.Network.Clusters {
		known["cluster "+string(c.Name)] = true
	}
	for _, v := range d.desired.Sites {
		known["site "+string(v.Name)] = true
	}
	for _, v := range d.desired.Links {
		known["link "+string(v.Name)] = true
	}
	for _, a := range p.Actions {
		known[string(a.Kind)+" "+a.Name] = true
	}
	for kind, list := range map[string][]string{"cluster": o.clusters, "site": o.sites, "link": o.links} {
		for _, name := range list {
			if !known[kind+" "+name] {
				return fail(exitInvalid, "--%s %s: the network has no such %s", kind, name, kind)
			}
		}
	}
	return nil
}

// input is what a session's plan is made of, compared with a saved plan, which may be nil.
func (o *common) input(s session, observation plan.Observation, saved *plan.Plan) plan.Input {
	return plan.Input{
		Desired: s.desired, Observation: observation, Source: s.source, Shape: true, Diagnostics: s.Findings,
		Adopt: o.adopt, Filter: o.filter(), Approved: saved, ExpiringBefore: expiry(), Limits: &s.Network.Policy.Deletes,
		Ignore: s.Network.Policy.Ignore,
		Now:    time.Now().UTC().Format(time.RFC3339),
	}
}

// make plans a session's description.
func (o *common) make(s session, in plan.Input) plan.Plan {
	end := o.phase("plan")
	p := plan.Make(in)
	end("plan", p.ID, "actions", len(p.Actions), "refusals", len(p.Refusals), "unknown", p.Summary.Unknown)
	o.records.facts.Pending = &p
	o.found(s, in.Observation)
	return p
}

// writers gives the clusters as apply wants them: each is written to only while its lock
// is held.
func (s session) writers() map[network.ClusterName]apply.Cluster {
	out := map[network.ClusterName]apply.Cluster{}
	for name, c := range s.clusters {
		out[name] = c
	}
	return s.locks.Guard(out)
}
