package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"fairlead.dev/fairlead/apply/kube"
	"fairlead.dev/fairlead/cmd/internal/judge"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/rights"
	"fairlead.dev/fairlead/plan/words"
	"fairlead.dev/fairlead/schema/network"
)

type rbacFlags struct {
	clusterCommand
	partFlags
	commands  []string
	scope     string
	users     []string
	groups    []string
	accounts  []string
	since     string
	discover  bool
	subjects  []rbacSubject
	requested rights.Wanted
}

func newRBAC(sys *System) *cobra.Command {
	o := &rbacFlags{clusterCommand: newClusterReader(sys)}
	c := &cobra.Command{
		Use:   "rbac [PACKAGE] --for COMMAND",
		Short: "Print the Roles that commands need for a description",
		Long: `Rbac prints what Kubernetes has to allow for a command to do its work on this
description, and no more, as YAML for kubectl apply: for each cluster one ClusterRole
(--scope cluster), or a Role in each site's namespace and in that of the lock
(--scope namespace: the namespaces have to be there), with bindings to those named by
--user, --group and --serviceaccount. A comment says of each rule what it is for.

The rights are to bring the description up, to keep it, and to remove it. An apply
that changes one description into another takes the rights of both: name the
revision that was applied last with --since. No cluster is asked, unless --discover
is given: it asks how the kinds of overlays' objects are served, instead of guessing.`,
		RunE: func(c *cobra.Command, args []string) error {
			if err := cmp.Or(o.clusterCommand.check(c, args), o.checkRBAC()); err != nil {
				return err
			}
			return o.run(c.Context())
		},
	}
	o.clusterCommand.flags(c)
	f := c.Flags()
	f.Lookup("output").Usage = "write a file for each cluster into this directory"
	f.Lookup("format").Usage = "text (YAML) or json (a List)"
	f.StringSliceVar(&o.commands, "for", nil, "the command that is to be allowed: plan, drift, status, import, apply, unlock or all (repeatable)")
	f.StringVar(&o.scope, "scope", "cluster", "cluster, or namespace for rights in the sites' namespaces alone")
	f.StringArrayVar(&o.users, "user", nil, "bind to this user (repeatable)")
	f.StringArrayVar(&o.groups, "group", nil, "bind to this group (repeatable)")
	f.StringArrayVar(&o.accounts, "serviceaccount", nil, "bind to this service account, NAMESPACE:NAME (repeatable)")
	f.StringArrayVar(&o.clusters, "cluster", nil, "only for this cluster (repeatable)")
	f.StringVar(&o.since, "since", "", "add what the description of this git revision takes, for the change from it")
	f.BoolVar(&o.discover, "discover", false, "ask the clusters how they serve the kinds of overlays' objects")
	return c
}

// checkRBAC reads the flags.
func (o *rbacFlags) checkRBAC() error {
	if len(o.commands) == 0 {
		return fail(exitInvalid, "say which command is to be allowed: --for plan, drift, status, import, apply, unlock or all")
	}
	for _, name := range o.commands {
		if name != "all" && !slices.Contains(rights.Commands, rights.Command(name)) {
			return fail(exitInvalid, "--for %q takes no rights; use plan, drift, status, import, apply, unlock or all", name)
		}
	}
	for _, command := range rights.Commands {
		if slices.Contains(o.commands, "all") || slices.Contains(o.commands, string(command)) {
			o.requested.Commands = append(o.requested.Commands, command)
		}
	}
	o.requested.Scope = rights.Scope(o.scope)
	if err := oneOf("--scope", o.scope, string(rights.ScopeCluster), string(rights.ScopeNamespace)); err != nil {
		return err
	}
	for _, name := range o.users {
		o.subjects = append(o.subjects, rbacSubject{Kind: "User", Group: rbacGroup, Name: name})
	}
	for _, name := range o.groups {
		o.subjects = append(o.subjects, rbacSubject{Kind: "Group", Group: rbacGroup, Name: name})
	}
	for _, account := range o.accounts {
		namespace, name, ok := strings.Cut(account, ":")
		if !ok || !network.IsLabel(namespace) || !network.IsSubdomain(name) {
			return fail(exitInvalid, "--serviceaccount %q is none; write NAMESPACE:NAME", account)
		}
		o.subjects = append(o.subjects, rbacSubject{Kind: "ServiceAccount", Name: name, Namespace: namespace})
	}
	if slices.ContainsFunc(o.subjects, func(s rbacSubject) bool { return s.Name == "" }) {
		return fail(exitInvalid, "--user and --group want a name")
	}
	return nil
}

func (o *rbacFlags) run(ctx context.Context) error {
	acts := o.discover || isFile(o.output)
	d, err := o.loadFor(ctx, acts)
	if err != nil {
		return err
	}
	if err := o.known(d, nil); err != nil {
		return err
	}
	all := []description{d}
	if o.since != "" {
		before := o.packageCommand
		before.rev = o.since
		earlier, err := before.loadFor(ctx, acts)
		if err != nil {
			return err
		}
		if earlier.Network.Name != d.Network.Name {
			return fail(exitInvalid, "--since %s: the network was called %q there", o.since, earlier.Network.Name)
		}
		all = append(all, earlier)
	}
	clusters, err := o.needed(ctx, all)
	if err != nil {
		return err
	}
	if len(o.subjects) == 0 {
		fmt.Fprintln(o.sys.Err, "Nobody is bound to these roles: there is no --user, --group or --serviceaccount.")
	}
	o.warnOfRoles(all)
	return o.writeRBAC(d.Network.Name, clusters)
}

// needed works out the rights of all descriptions, on the chosen clusters.
func (o *rbacFlags) needed(ctx context.Context, all []description) ([]rights.Cluster, error) {
	var list []rights.Description
	for _, d := range all {
		resources, err := o.resources(ctx, d)
		if err != nil {
			return nil, err
		}
		list = append(list, rights.Description{
			Desired: d.desired, Clusters: d.Network.Clusters, Proxies: d.Network.Proxies, Resources: resources,
		})
	}
	return slices.DeleteFunc(rights.Of(o.requested, list...), func(c rights.Cluster) bool { return !among(o.clusters, c.Name) }), nil
}

// resources are those of the kinds that overlays use: guessed, or asked for.
func (o *rbacFlags) resources(ctx context.Context, d description) (map[string]string, error) {
	out := map[string]string{}
	for _, v := range d.desired.Objects {
		out[plan.GroupKind(v.APIVersion, v.Kind)] = kube.GuessResource(v.APIVersion, v.Kind)
	}
	if !o.discover {
		return out, nil
	}
	judged, err := judgement(d, judge.Terms{})
	if err != nil {
		return nil, err
	}
	s, err := connect(ctx, o.process, o.clusterFlags, judged)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	for _, v := range d.desired.Objects {
		client, err := s.reached(v.Cluster)
		var resource string
		if err == nil {
			resource, err = client.Resource(ctx, v.APIVersion, v.Kind)
		}
		if err != nil {
			return nil, fail(exitUnreachable, "--discover: %w", err)
		}
		out[plan.GroupKind(v.APIVersion, v.Kind)] = resource
	}
	return out, nil
}

// warnOfRoles tells what no rule can give: who writes a Role must have its rights.
func (o *rbacFlags) warnOfRoles(all []description) {
	for _, d := range all {
		for _, v := range d.desired.Objects {
			if strings.HasPrefix(v.APIVersion, rbacGroup+"/") {
				fmt.Fprintf(o.sys.Err, "The overlay of site %s adds %s %s: Kubernetes lets only those write it who have the rights in it, which are not printed.\n", v.Site, v.Kind, v.Name)
			}
		}
	}
}

// roleName names the roles: fairlead-NETWORK-COMMANDS.
func (o *rbacFlags) roleName(net string) string {
	last := "all"
	if len(o.requested.Commands) < len(rights.Commands) {
		words := []string{}
		for _, c := range o.requested.Commands {
			words = append(words, string(c))
		}
		last = strings.Join(words, "-")
	}
	return network.InventoryName(net) + "-" + last
}

// writeRBAC prints the objects of all clusters, or writes a file for each.
func (o *rbacFlags) writeRBAC(net string, clusters []rights.Cluster) error {
	name := o.roleName(net)
	if !isFile(o.output) {
		text, err := o.encodeRBAC(name, clusters)
		if err == nil {
			_, err = o.sys.Out.Write(text)
		}
		return err
	}
	root, err := o.sys.openDir("--output", o.output)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }() // it was only a handle
	for _, c := range clusters {
		text, err := o.encodeRBAC(name, []rights.Cluster{c})
		if err != nil {
			return err
		}
		file := string(c.Name) + cmp.Or(map[string]string{"json": ".json"}[o.format], ".yaml")
		if err := root.WriteFile(file, text, 0o644); err != nil {
			return fmt.Errorf("--output: %w", err)
		}
	}
	fmt.Fprintf(o.sys.Err, "Wrote %s to %s.\n", words.Count(len(clusters), "file"), o.output)
	return nil
}

// rbacGroup is Kubernetes' API group of Roles and their bindings.
const rbacGroup = "rbac.authorization.k8s.io"

// rbacObject is a Role, ClusterRole or binding.
type rbacObject struct {
	APIVersion string        `json:"apiVersion" yaml:"apiVersion"`
	Kind       string        `json:"kind" yaml:"kind"`
	Metadata   rbacMeta      `json:"metadata" yaml:"metadata"`
	Rules      []rbacRule    `json:"rules,omitempty" yaml:"rules,omitempty"`
	RoleRef    *rbacRef      `json:"roleRef,omitempty" yaml:"roleRef,omitempty"`
	Subjects   []rbacSubject `json:"subjects,omitempty" yaml:"subjects,omitempty"`
}

type rbacMeta struct {
	Name        string            `json:"name" yaml:"name"`
	Namespace   string            `json:"namespace,omitempty" yaml:"namespace,omitempty"`
	Annotations map[string]string `json:"annotations" yaml:"annotations"`
}

type rbacRule struct {
	Groups    []string `json:"apiGroups" yaml:"apiGroups,flow"`
	Resources []string `json:"resources" yaml:"resources,flow"`
	Names     []string `json:"resourceNames,omitempty" yaml:"resourceNames,omitempty,flow"`
	Verbs     []string `json:"verbs" yaml:"verbs,flow"`
	// why is the comment before it in YAML.
	why string
}

type rbacRef struct {
	Group string `json:"apiGroup" yaml:"apiGroup"`
	Kind  string `json:"kind" yaml:"kind"`
	Name  string `json:"name" yaml:"name"`
}

type rbacSubject struct {
	Kind      string `json:"kind" yaml:"kind"`
	Group     string `json:"apiGroup,omitempty" yaml:"apiGroup,omitempty"`
	Name      string `json:"name" yaml:"name"`
	Namespace string `json:"namespace,omitempty" yaml:"namespace,omitempty"`
}

// annotationCluster, on what rbac prints, names the description's cluster that it is for.
const annotationCluster = "fairlead.dev/cluster"

// rbacObjects gives a cluster's roles, each before its binding.
func (o *rbacFlags) rbacObjects(name string, c rights.Cluster) (objects []rbacObject) {
	for _, role := range c.Roles {
		kind := "Role"
		if role.Namespace == "" {
			kind = "ClusterRole"
		}
		made := rbacObject{
			APIVersion: rbacGroup + "/v1", Kind: kind,
			Metadata: rbacMeta{Name: name, Namespace: role.Namespace, Annotations: map[string]string{annotationCluster: string(c.Name)}},
		}
		for _, r := range role.Rules {
			made.Rules = append(made.Rules, rbacRule{[]string{r.Group}, r.Resources, r.Names, r.Verbs, r.Why})
		}
		objects = append(objects, made)
		if len(o.subjects) == 0 {
			continue
		}
		objects = append(objects, rbacObject{
			APIVersion: made.APIVersion, Kind: kind + "Binding", Metadata: made.Metadata,
			RoleRef: &rbacRef{Group: rbacGroup, Kind: kind, Name: name}, Subjects: o.subjects,
		})
	}
	return objects
}

func (o *rbacFlags) encodeRBAC(name string, clusters []rights.Cluster) ([]byte, error) {
	all := []rbacObject{}
	var out bytes.Buffer
	for _, c := range clusters {
		for _, object := range o.rbacObjects(name, c) {
			all = append(all, object)
			text, err := rbacYAML(object)
			if err != nil {
				return nil, err
			}
			fmt.Fprintf(&out, "---\n# cluster: %s\n%s", c.Name, text)
		}
	}
	if o.format != "json" {
		return out.Bytes(), nil
	}
	text, err := json.MarshalIndent(map[string]any{"apiVersion": "v1", "kind": "List", "items": all}, "", "  ")
	return append(text, '\n'), err
}

// rbacYAML is one object as YAML, with a comment before each rule.
func rbacYAML(object rbacObject) ([]byte, error) {
	var node yaml.Node
	if err := node.Encode(object); err != nil {
		return nil, err
	}
	for i := 0; i < len(node.Content); i += 2 {
		if node.Content[i].Value != "rules" {
			continue
		}
		for j, rule := range node.Content[i+1].Content {
			rule.HeadComment = object.Rules[j].why
		}
	}
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(&node); err != nil {
		return nil, err
	}
	return out.Bytes(), enc.Close()
}
