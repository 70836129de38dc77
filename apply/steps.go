package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"fairlead.dev/fairlead/plan"
)

// step is how one step of an action is carried out: by do, of whose start and end events tell.
// Everything else may be left out.
type step struct {
	// already reports whether an earlier apply did the step. Then nothing else of it runs.
	already func(context.Context) (bool, error)
	// before and after belong to the step, and no event tells of them.
	before, do, after func(context.Context) error
	// failed takes an error of the step and gives the one that the action ends with: nil
	// where the step was done after all, errAgain where the action goes on from back.
	failed func(context.Context, error) error
	back   plan.Step
}

// errAgain sends an action back to an earlier step.
var errAgain = errors.New("once more")

// table gives what runs for each step of the action. It has no order: that is the plan's.
func (t *task) table() (map[plan.Step]step, error) {
	if t.Kind == plan.KindLink {
		return t.linkTable()
	}
	c, err := t.cluster(t.Cluster)
	if err != nil {
		return nil, err
	}
	switch t.Kind {
	case plan.KindSite:
		s := &site{task: t, c: c}
		return map[plan.Step]step{
			plan.StepNamespace: {do: s.createNamespace},
			plan.StepRecord:    {do: t.begin, failed: t.withNamespaceHint},
			plan.StepQuiet:     {do: s.quiet},
			plan.StepClose:     {do: s.close},
			plan.StepSite:      {do: s.make},
			plan.StepReady:     {do: s.ready},
			plan.StepDelete:    {do: s.delete},
		}, nil
	case plan.KindObject:
		o := &overlayObject{task: t, c: c}
		return map[plan.Step]step{
			plan.StepRecord:  {do: t.begin, failed: t.withNamespaceHint},
			plan.StepObject:  {do: o.write},
			plan.StepDelete:  {do: o.delete},
			plan.StepConfirm: {do: o.forget},
		}, nil
	case plan.KindProxy:
		p := &proxy{task: t, c: c}
		return map[plan.Step]step{
			plan.StepRecord: {do: t.begin},
			plan.StepSecret: {do: p.secret},
			plan.StepDelete: {do: p.delete},
		}, nil
	}
	return nil, nil
}

// linkTable is the table of a link that is deleted, made or changed.
func (t *task) linkTable() (map[plan.Step]step, error) {
	t.attempt = t.Link.Attempt
	l := &link{task: t}
	if t.Verb == plan.VerbDelete {
		return map[plan.Step]step{plan.StepDelete: {do: l.delete}, plan.StepConfirm: {do: l.confirmGone}}, nil
	}
	if err := l.reach(); err != nil {
		return nil, err
	}
	w := &linkWriter{link: l}
	if !t.Has(plan.StepGrant) && !t.Has(plan.StepCertificate) {
		u := &linkUpdate{linkWriter: w}
		return map[plan.Step]step{
			plan.StepRecord:      {do: l.record, after: u.awaitRouters},
			plan.StepTakeOver:    {do: u.changeLinks},
			plan.StepConfigured:  {do: w.configured},
			plan.StepAdd:         {do: u.addLinks},
			plan.StepOperational: {do: u.awaitLive},
			plan.StepClean:       {do: u.clean},
			plan.StepConfirm:     {do: u.confirm},
		}, nil
	}
	// All of them share the link and its Links: what collect reads takeOverAll writes.
	m, c := &linkMake{linkWriter: w}, &certification{linkWriter: w}
	r := &redemption{linkWriter: w}
	return map[plan.Step]step{
		plan.StepRecord: {before: m.awaitSites, do: m.record},
		plan.StepGrant:  {already: r.underWay, do: r.grant, failed: r.failed, back: plan.StepGrant},
		plan.StepRedeem: {
			already: r.over, before: r.carry, do: r.await, after: r.collect, failed: r.failed, back: plan.StepGrant,
		},
		plan.StepCertificate: {do: c.issue},
		plan.StepCarry:       {do: c.carry},
		plan.StepLink:        {do: c.createLinks},
		plan.StepTakeOver:    {do: m.takeOverAll, failed: r.giveUp},
		plan.StepConfigured:  {do: w.configured, failed: r.giveUp},
		plan.StepOperational: {do: m.operational, failed: r.giveUp},
		plan.StepRetire:      {do: l.removePlanned},
		plan.StepClean:       {do: r.clean},
		plan.StepConfirm:     {do: m.confirm},
	}, nil
}

// perform runs the action; where it fails, t.at is the step. A panic is that action's
// failure; what it was, but for its type, may hold anything and is not shown.
func (t *task) perform(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("internal error: a panic of type %T", p)
		}
	}()
	table, err := t.table()
	if err != nil {
		return err
	}
	for _, s := range t.Steps {
		if table[s].do == nil {
			return fmt.Errorf("internal error: nothing runs step %q of a %s", s, t.Kind)
		}
	}
	for i := 0; i < len(t.Steps); i++ {
		s := table[t.Steps[i]]
		err := t.take(ctx, t.Steps[i], s)
		if err != nil && s.failed != nil {
			err = s.failed(ctx, err)
		}
		if errors.Is(err, errAgain) {
			i = slices.Index(t.Steps, s.back) - 1
		} else if err != nil {
			return err
		}
	}
	return nil
}

// take takes one step, unless it was done already.
func (t *task) take(ctx context.Context, name plan.Step, s step) error {
	if s.already != nil {
		if done, err := s.already(ctx); done || err != nil {
			return err
		}
	}
	if s.before != nil {
		t.at = name
		if err := s.before(ctx); err != nil {
			return err
		}
	}
	if err := t.do(ctx, name, s.do); err != nil || s.after == nil {
		return err
	}
	return s.after(ctx)
}

// do runs a step and tells of it.
func (t *task) do(ctx context.Context, s plan.Step, do func(context.Context) error) error {
	t.at = s
	if err := ctx.Err(); err != nil {
		return err
	}
	began := time.Now()
	t.tell(Event{Step: s, Phase: Started})
	if err := do(ctx); err != nil {
		t.tell(Event{Step: s, Phase: Failed, Took: time.Since(began), Message: err.Error()})
		return err
	}
	t.tell(Event{Step: s, Phase: Done, Took: time.Since(began)})
	return nil
}
