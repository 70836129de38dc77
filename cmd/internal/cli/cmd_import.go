package cli

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"fairlead.dev/fairlead/apply/kube"
	"fairlead.dev/fairlead/cmd/internal/judge"
	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/cmd/internal/report/formats"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/desired"
	"fairlead.dev/fairlead/plan/existing"
	"fairlead.dev/fairlead/plan/planner"
	"fairlead.dev/fairlead/plan/words"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema"
	"fairlead.dev/fairlead/schema/network"
)

type importFlags struct {
	*process
	clusterFlags
	network    string
	contexts   []string
	namespaces []string
	all        bool
	output     string
	force      bool
}

func newImport(sys *System) *cobra.Command {
	o := &importFlags{process: newProcess(sys), clusterFlags: clusterFlags{readOnly: true}}
	c := &cobra.Command{
		Use:   "import --network NAME",
		Short: "Describe what runs on clusters already",
		Long: `Import reads the Sites and Links of clusters and writes a description of them. It
writes nothing to any cluster: "fairlead apply --adopt" then takes them over as they
are. What no description can hold is left out, and said on standard error and in a
comment of the file. When a cluster cannot be read, nothing is written (exit code 7).

Each --context is a cluster of the description. Its name there is made from the
context's, or given: --context hub=admin@hub.example.com.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fail(exitInvalid, "import takes no arguments, only flags: %q is one too many", args[0])
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error {
			if err := cmp.Or(o.check(o.sys), o.start(), o.checkImport()); err != nil {
				return err
			}
			return o.run(c.Context())
		},
	}
	o.flags(c)
	f := c.Flags()
	f.StringVar(&o.network, "network", "", "name that the network is to have (required)")
	f.StringArrayVar(&o.contexts, "context", nil, "read the cluster of this kubeconfig context, [KEY=]CONTEXT (repeatable; default: the current one)")
	f.BoolVar(&o.all, "all", false, "read the clusters of all contexts of the kubeconfig")
	f.StringArrayVar(&o.namespaces, "namespace", nil, "take only the Sites of this namespace (repeatable; default: all)")
	f.StringVarP(&o.output, "output", "o", "", "write to this file instead of standard output")
	f.BoolVar(&o.force, "force", false, "overwrite the file of -o")
	o.logFlags(c)
	return c
}

func (o *importFlags) run(ctx context.Context) error {
	clusters, given, err := o.chooseClusters()
	if err != nil {
		return err
	}
	observation, err := o.observe(ctx, clusters)
	if err != nil {
		return err
	}
	found := existing.Import(existing.Input{
		Network: o.network, Clusters: clusters, Given: given, Namespaces: o.namespaces, Observation: observation,
	})
	if len(found.Network.Sites) == 0 {
		o.notes(found)
		return fail(exitError, "there is no Site to take over, so nothing was written")
	}
	if err := o.complete(found, observation); err != nil {
		o.notes(found)
		return err
	}
	text, err := describeFound(found)
	if err != nil {
		return err
	}
	if err := o.save(text); err != nil {
		return err
	}
	o.tell(found)
	return nil
}

// checkImport refuses flags before any cluster is asked.
func (o *importFlags) checkImport() error {
	switch {
	case o.network == "":
		return fail(exitInvalid, "say how the network is to be called: --network NAME")
	case !network.ValidNetworkName(o.network):
		return fail(exitInvalid, "--network %q is no name for a network: %s", o.network, networkNameRule)
	case o.all && len(o.contexts) > 0:
		return fail(exitInvalid, "--all and --context exclude each other")
	case !isFile(o.output):
		return nil
	}
	if _, err := os.Stat(filepath.Dir(o.sys.abs(o.output))); err != nil {
		return fail(exitInvalid, "--output: %w", err)
	}
	if _, err := os.Lstat(o.sys.abs(o.output)); err == nil && !o.force {
		return fail(exitInvalid, "--output %s: it is there already; pass --force to overwrite it", o.output)
	}
	return nil
}

// complete refuses a description by which an apply would delete something: a network
// that Fairlead manages already has more than was found, such as objects of overlays
// or sites that were not asked for.
func (o *importFlags) complete(found existing.Result, observation world.Observation) error {
	p := planner.Make(planner.Input{Desired: desired.Build(found.Network), Observation: observation, Adopt: true})
	var lost []string
	for _, a := range p.Actions {
		if a.Verb == plan.VerbDelete {
			lost = append(lost, fmt.Sprintf("  %s %s in %s/%s", a.Kind, a.Name, a.Cluster, a.Namespace))
		}
	}
	lost = append(lost, o.unseen(observation)...)
	if len(lost) == 0 || o.force {
		return nil
	}
	return fail(exitRefused, "nothing was written: Fairlead manages this network, and an apply of what was found would delete what it leaves out:\n%s\n"+
		"read all of its namespaces and clusters, and restore its overlays from git; --force writes it all the same", strings.Join(lost, "\n"))
}

// unseen lists namespaces in which the network had sites and that may not be read.
func (o *importFlags) unseen(observation world.Observation) []string {
	var out []string
	for _, v := range observation.Clusters {
		for _, name := range v.Denied {
			if !slices.Contains(o.namespaces, name) {
				out = append(out, fmt.Sprintf("  whatever is in namespace %s of cluster %s, which may not be read", name, v.Name))
			}
		}
	}
	return out
}

// chooseClusters turns contexts into clusters of a description, and says which of
// their keys were given.
func (o *importFlags) chooseClusters() (clusters []network.Cluster, given []network.ClusterName, err error) {
	known, current, err := kube.Contexts(o.kubeconfigs(o.sys))
	if err != nil {
		return nil, nil, failure{code: exitUnreachable, err: err}
	}
	wanted := o.contexts
	switch {
	case o.all:
		wanted = known
	case len(wanted) == 0 && current == "":
		return nil, nil, fail(exitInvalid, "the kubeconfig has no current context; pass --context, one of: %s", strings.Join(known, ", "))
	case len(wanted) == 0:
		wanted = []string{current}
	}
	keys := existing.ClusterKeys(wanted)
	for i, w := range wanted {
		c := network.Cluster{Name: keys[i], Context: w}
		// A context that is known by the whole of it has no key in its name.
		if key, context, ok := strings.Cut(w, "="); ok && !slices.Contains(known, w) {
			c.Name, c.Context = network.ClusterName(key), context
			given = append(given, c.Name)
		}
		if err := goodCluster(c, w); err != nil {
			return nil, nil, err
		}
		if slices.ContainsFunc(clusters, func(o network.Cluster) bool { return o.Name == c.Name }) {
			return nil, nil, fail(exitInvalid, "--context %s: each cluster needs a key of its own; write KEY=CONTEXT", w)
		}
		clusters = append(clusters, c)
	}
	return clusters, given, nil
}

// goodCluster refuses a --context without one of its halves, or with a key that no
// description can have.
func goodCluster(c network.Cluster, given string) error {
	switch {
	case c.Name == "":
		return fail(exitInvalid, "--context %s: each cluster needs a key of its own; write KEY=CONTEXT", given)
	case c.Context == "":
		return fail(exitInvalid, "--context %s: it names no context; write KEY=CONTEXT, or leave --context out for the current one", given)
	case !network.ValidClusterName(string(c.Name)):
		return fail(exitInvalid, "--context %s: %q is no name for a cluster: %s", given, c.Name, network.ClusterNameRule)
	}
	return nil
}

// observe reads all clusters, or says which of them it could not read.
func (o *importFlags) observe(ctx context.Context, clusters []network.Cluster) (world.Observation, error) {
	judged, err := judgement(description{Result: schema.Result{Network: network.Network{Name: o.network, Clusters: clusters}}}, judge.Terms{})
	if err != nil {
		return world.Observation{}, err
	}
	s, err := connect(ctx, o.process, o.clusterFlags, judged)
	if err != nil {
		return world.Observation{}, err
	}
	s.look = look{
		noOverlays: true,                                // no description has one
		adopt:      true,                                // read the proxies of all Links
		asked:      append([]string{}, o.namespaces...), // never nil: what cannot be read at all is an error
	}
	for _, c := range clusters {
		fmt.Fprintf(o.sys.Err, "Reading cluster %s (context %s).\n", c.Name, c.Context)
	}
	observation := s.observe(ctx)
	if err := ctx.Err(); err != nil {
		return observation, err
	}
	var unread []string
	for _, v := range observation.Clusters {
		if v.State != plan.StateOK {
			unread = append(unread, fmt.Sprintf("  cluster %s: %s: %s", v.Name, v.State, v.Reason))
		}
	}
	if len(unread) > 0 {
		if slices.ContainsFunc(observation.Clusters, func(v world.ClusterView) bool { return v.State == plan.StateForbidden }) {
			unread = append(unread, "who may read single namespaces alone names them with --namespace")
		}
		return observation, fail(exitUnreachable, "nothing was written, because not every cluster could be read:\n%s", strings.Join(unread, "\n"))
	}
	return observation, nil
}

// describeFound writes the description and reads it again: what is handed out vets.
func describeFound(found existing.Result) ([]byte, error) {
	text, err := schema.Write(found.Network, importComment(found))
	if err != nil {
		return nil, err
	}
	if res := schema.LoadText("network.cue", text); res.Findings.HasErrors() {
		var b bytes.Buffer
		if err := formats.Text(&b, findings(res), report.Style{}); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("nothing was written, because what was found does not vet; please report this:\n%s\n%s", text, b.String())
	}
	return text, nil
}

// importComment is the head of the file.
func importComment(found existing.Result) []string {
	var clusters []string
	for _, c := range found.Network.Clusters {
		clusters = append(clusters, string(c.Name))
	}
	out := []string{
		fmt.Sprintf("Network %s, as fairlead import found it (clusters: %s).", found.Network.Name, strings.Join(clusters, ", ")),
		"Look at `fairlead plan --adopt`, then take it over with `fairlead apply --adopt`.",
	}
	if slices.ContainsFunc(found.Network.Proxies, inItsOwnSecret) {
		out = append(out, "Credentials of proxies are read from the Secrets that Links use now; move them to a",
			"place of your own before you change a proxy.")
	}
	return append(out, noteList(found)...)
}

func inItsOwnSecret(p network.Proxy) bool { return p.Username != nil && p.Username.Kubernetes != nil }

// noteList says what is left out or altered, a line each, in a block of its own.
func noteList(found existing.Result) []string {
	var out []string
	for _, part := range []struct {
		title string
		notes []existing.Note
	}{{"Left out:", found.LeftOut}, {"Taken over with a change:", found.Altered}} {
		if len(part.notes) > 0 {
			out = append(out, "", part.title)
		}
		for _, n := range part.notes {
			out = append(out, "  "+n.String())
		}
	}
	return out
}

// save writes the description where it was asked for.
func (o *importFlags) save(text []byte) error {
	if !isFile(o.output) {
		_, err := o.sys.Out.Write(text)
		return err
	}
	create := createNew
	if o.force {
		create = func(file string, text []byte) error { return os.WriteFile(file, text, 0o644) }
	}
	return about("--output", create(o.sys.abs(o.output), text))
}

func (o *importFlags) notes(found existing.Result) {
	for _, line := range noteList(found) {
		fmt.Fprintln(o.sys.Err, line)
	}
}

func (o *importFlags) tell(found existing.Result) {
	fmt.Fprintf(o.sys.Err, "Found %s and %s.\n", words.Count(len(found.Network.Sites), "site"), words.Count(len(found.Network.Links), "link"))
	if found.Managed {
		fmt.Fprintf(o.sys.Err, "Network %s is Fairlead's already, in whole or in part; its own names were kept.\n", found.Network.Name)
	}
	o.notes(found)
	if isFile(o.output) {
		fmt.Fprintf(o.sys.Err, "\nWritten to %s. See what apply would take over: fairlead plan --adopt\n", o.output)
	}
}
