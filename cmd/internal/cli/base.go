package cli

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"slices"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/desired"
	"fairlead.dev/fairlead/schema"
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/revision"
)

// readBase reads the description at the revision of --base, with its clusters called as
// head does.
func (o *common) readBase(ctx context.Context, head description) (description, error) {
	d, err := withinLimits(ctx, &o.loading, func(ctx context.Context) (description, error) { return o.baseOf(ctx, head) })
	d.names = desired.NamesOf(d.Network.Clusters, head.Network.Clusters)
	d.desired = d.names.Of(d.desired, d.Network)
	return d, err
}

// baseOf reads the description at the revision of --base: at its own path or that of
// --base-path, or else wherever the same network is there.
func (o *common) baseOf(ctx context.Context, head description) (description, error) {
	before := *o
	before.rev, before.signers, before.path = o.base, nil, cmp.Or(o.basePath, o.path)
	d, tree, err := before.find(ctx)
	switch {
	case err != nil:
		return d, err
	case d.Findings.HasErrors() && !d.empty():
		return d, o.invalidBase(d)
	case !d.empty() && d.Network.Name == head.Network.Name:
		return d, nil
	case o.basePath == "":
		return before.elsewhere(ctx, head, d, tree)
	case !d.empty():
		return d, o.renamed(d)
	case tree.Dir == head.tree.Dir:
		return before.nothing(tree), nil
	}
	return d, fail(exitInvalid, "--base-path %s: there is no description at revision %s", o.basePath, o.base)
}

// find reads a description of a revision; where there is none it is empty.
func (o *common) find(ctx context.Context) (description, revision.Tree, error) {
	tree, err := o.tree(ctx)
	if errors.Is(err, fs.ErrNotExist) && tree.FS != nil {
		return o.nothing(tree), tree, nil
	}
	if err != nil {
		return description{}, tree, failure{code: exitInvalid, err: err}
	}
	d, err := o.readTree(ctx, tree)
	return d, tree, err
}

// nothing is the description of a revision that has none.
func (o *common) nothing(tree revision.Tree) description {
	return description{tree: tree, source: plan.Source{Commit: tree.Facts.Commit, Ref: o.rev, Path: tree.Dir}}
}

// invalidBase shows what is wrong with the description of the base.
func (o *common) invalidBase(d description) error {
	if err := o.aside(findings(d.Result)); err != nil {
		return err
	}
	return fail(exitInvalid, "--base %s: the description of that revision is invalid, so nothing can be compared with it", o.base)
}

func (o *common) renamed(d description) error {
	return fail(exitInvalid, "--base %s: the network was called %q there: a renamed network is another one", o.base, d.Network.Name)
}

// empty reports whether there is no description where one was looked for.
func (d description) empty() bool {
	return d.Network.Name == "" && (len(d.Findings) == 0 || len(d.Findings) == 1 && d.Findings[0].Code == schema.CodeNoFiles)
}

// comparable are the desired objects of a description whose proxies are compared by where
// their credentials come from: what those are is not asked for.
func comparable(d plan.Desired) plan.Desired {
	d.Proxies = slices.Clone(d.Proxies)
	for i, p := range d.Proxies {
		d.Proxies[i].Digest, d.Proxies[i].Unknown = p.References, ""
	}
	return d
}

// betweenBases is what a plan from the base to the head is made of: the base counts as
// applied, and its settings that change are findings.
func (o *common) betweenBases(base, head description, settings []diag.Finding) plan.Input {
	from, to := comparable(base.desired), comparable(head.desired)
	limits := head.Network.Policy.Deletes
	if base.Network.Name != "" {
		limits = limits.Stricter(base.Network.Policy.Deletes)
	}
	return plan.Input{
		Desired: to, Observation: base.names.Recorded(desired.AsApplied(from, to.Clusters...)), Source: head.source, Shape: true,
		Diagnostics: slices.Concat(head.Findings, settings, base.told), Filter: o.filter(), Limits: &limits,
	}
}

// settingsChanged are the changes of settings; none where there was no description.
func settingsChanged(base, head description) []diag.Finding {
	if base.Network.Name == "" {
		return nil
	}
	return plan.SettingsChanged(base.Network, head.Network)
}

// against compares a plan with the one for the base, on the same observation.
func (o *common) against(p plan.Plan, s session, observation plan.Observation) plan.Plan {
	if s.base == nil {
		return p
	}
	resolved := map[string]plan.DesiredProxy{}
	for _, d := range s.desired.Proxies {
		resolved[d.References] = d
	}
	wanted := s.base.desired
	wanted.Proxies = slices.Clone(wanted.Proxies)
	for i, d := range wanted.Proxies {
		if same, ok := resolved[d.References]; ok {
			wanted.Proxies[i].Digest, wanted.Proxies[i].Unknown = same.Digest, same.Unknown
		}
	}
	p.Diagnostics = append(slices.Clone(p.Diagnostics), slices.Concat(settingsChanged(*s.base, s.description), s.base.told)...).Sorted()
	other := plan.Make(plan.Input{
		Desired: wanted, Observation: observation, Source: s.base.source, Adopt: o.adopt, Filter: o.filter(),
		Ignore: s.base.Network.Policy.Ignore,
	})
	return plan.Against(p, other, s.base.source)
}
