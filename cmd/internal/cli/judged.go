package cli

import (
	"context"
	"errors"
	"time"

	"fairlead.dev/fairlead/cmd/internal/judge"
)

// Case implements judge.Subject.
func (d description) Case() judge.Case {
	return judge.Case{Network: d.Network.Name, Policy: d.Network.Policy, From: d.from, Source: d.source}
}

// loadJudged loads the description and judges it, before anything that it names is run,
// asked or written. Every command that acts on a description begins here.
func (o *common) loadJudged(ctx context.Context) (judge.Passed[description], error) {
	d, err := o.load(ctx)
	if err != nil {
		return judge.Passed[description]{}, err
	}
	return o.judge(d)
}

// loadFor loads the description, and judges it where the command acts on it or a signature
// is demanded. What only prints may show one that is refused.
func (o *common) loadFor(ctx context.Context, acts bool) (description, error) {
	if !acts && len(o.signers) == 0 {
		return o.load(ctx)
	}
	judged, err := o.loadJudged(ctx)
	if err != nil {
		return description{}, err
	}
	return judged.Description(), nil
}

// judge holds a description against its policy and the command line.
func (o *common) judge(d description) (judge.Passed[description], error) {
	passed, err := judge.Description(d, judge.Terms{
		Saved: o.saved, Allowances: o.allowances, Liftable: o.lifts, Now: time.Now(),
	})
	var why judge.Error
	if errors.As(err, &why) {
		return passed, failure{code: codeOfJudgement(why.Class), err: err}
	}
	return passed, err
}

func codeOfJudgement(c judge.Class) int {
	switch c {
	case judge.Refused:
		return exitRefused
	case judge.Stale:
		return exitStale
	}
	return exitInvalid
}
