package cli

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/desired"
	"fairlead.dev/fairlead/schema"
	"fairlead.dev/fairlead/schema/diag"
)

// readBase reads the description at the revision of --base. Where its directory is not
// there yet it is an empty one: everything is new.
func (o *common) readBase(ctx context.Context, head description) (description, error) {
	before := *o
	before.rev, before.signers = o.base, nil
	d, err := before.read(ctx)
	if errors.Is(err, fs.ErrNotExist) || err == nil && d.empty() {
		return description{source: plan.Source{Ref: o.base, Path: head.source.Path}}, nil
	}
	if err != nil {
		return d, err
	}
	if d.Findings.HasErrors() {
		if err := o.aside(findings(d.Result)); err != nil {
			return d, err
		}
		return d, fail(exitInvalid, "--base %s: the description of that revision is invalid, so nothing can be compared with it", o.base)
	}
	if d.Network.Name != head.Network.Name {
		return d, fail(exitInvalid, "--base %s: the network was called %q there: a renamed network is another one", o.base, d.Network.Name)
	}
	return d, nil
}

// empty reports whether there is no description where one was looked for.
func (d description) empty() bool {
	return len(d.Findings) == 1 && d.Findings[0].Code == schema.CodeNoFiles
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

// between leads from the network of the base to that of the head.
func between(base, head description) change {
	before := desired.AsNetwork(base.desired)
	return change{before: &before, after: desired.AsNetwork(head.desired)}
}

// compare is what leads from the base to the head, as a plan that tells of the settings
// that change.
func (o *common) compare(base, head description, c change, settings []diag.Finding) plan.Plan {
	from, to := comparable(base.desired), comparable(head.desired)
	return plan.FromGit(plan.Make(plan.Input{
		Desired: to, Observation: desired.AsApplied(from, to.Clusters...), Source: head.source,
		Topology: c.topology(), Diagnostics: slices.Concat(head.Findings, settings), Filter: o.filter(), Limits: &head.Network.Policy.Deletes,
	}), base.source)
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
	p.Diagnostics = append(slices.Clone(p.Diagnostics), settingsChanged(*s.base, s.description)...).Sorted()
	other := plan.Make(plan.Input{
		Desired: wanted, Observation: observation, Source: s.base.source, Adopt: o.adopt, Filter: o.filter(),
		Ignore: s.base.Network.Policy.Ignore,
	})
	return plan.Against(p, other, s.base.source)
}
