package judge_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/cmd/internal/judge"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/safety"
	"fairlead.dev/fairlead/schema/network"
	"fairlead.dev/fairlead/schema/revision/signature"
)

const someCommit = "0123456789abcdef0123456789abcdef01234567"

// Each fact trips its own rule where the policy asks for it, and none where it does not.
func TestRefusals(t *testing.T) {
	t.Parallel()
	signed := &signature.Signature{Commit: someCommit, By: "alice"}
	unsigned := &signature.Signature{Commit: someCommit, Fault: "is not signed"}
	unlisted := &signature.Signature{Commit: someCommit, Fault: "is signed with the SSH key SHA256:x, which is not listed"}
	for _, c := range []struct {
		name  string
		clean bool
		from  judge.Provenance
		want  []string
	}{
		{"no policy", false, judge.Provenance{Commit: someCommit, Changed: []string{"a"}, Untracked: "b"}, nil},
		{"clean", true, judge.Provenance{Commit: someCommit, Signature: signed, Asked: "policy.signers"}, nil},
		{"changed", true, judge.Provenance{Commit: someCommit, Changed: []string{"a.cue"}},
			[]string{"dirty: work tree: a.cue is not as committed, and policy.clean asks for it; commit it, or read a revision with --rev"}},
		{"changed much", true, judge.Provenance{Commit: someCommit, Changed: []string{"a.cue", "b.cue", "c.cue"}, Untracked: "d"},
			[]string{"dirty: work tree: a.cue and 2 more are not as committed, and policy.clean asks for it; commit it, or read a revision with --rev"}},
		{"untracked", true, judge.Provenance{Commit: someCommit, Untracked: "plan.json"},
			[]string{"dirty: work tree: plan.json is not committed, and policy.clean asks for it; commit it, ignore it, or read a revision with --rev"}},
		{"untracked, not read, signed", false, judge.Provenance{Commit: someCommit, Untracked: "plan.json", Signature: signed, Asked: "policy.signers"}, nil},
		{"not in git", true, judge.Provenance{Changed: []string{"a.cue"}, Signature: &signature.Signature{Fault: "x"}, Asked: "policy.signers"},
			[]string{"dirty: description: is not committed, and policy.clean asks for it",
				"unsigned: description: is not committed, and policy.signers asks for a signed commit"}},
		{"left out", true, judge.Provenance{Commit: someCommit, Absent: "a.cue", Signature: signed, Asked: "--signers"},
			[]string{"dirty: work tree: a.cue is committed and not checked out, and policy.clean asks for all that is committed; check it out, or read a revision with --rev",
				"unsigned: work tree: a.cue is committed and not checked out, so what is read is not what was signed, and --signers asks for that; check it out, or read a revision with --rev"}},
		{"left out, no policy", false, judge.Provenance{Commit: someCommit, Absent: "a.cue"}, nil},
		{"unsigned", false, judge.Provenance{Commit: someCommit, Signature: unsigned, Asked: "policy.signers"},
			[]string{"unsigned: commit 0123456789ab: is not signed; policy.signers lists who may sign"}},
		{"unlisted", false, judge.Provenance{Commit: someCommit, Signature: unlisted, Asked: "--signers"},
			[]string{"unsigned: commit 0123456789ab: is signed with the SSH key SHA256:x, which is not listed; --signers lists who may sign"}},
		{"signed, then changed", true, judge.Provenance{Commit: someCommit, Changed: []string{"a.cue"}, Signature: signed, Asked: "policy.signers"},
			[]string{"dirty: work tree: a.cue is not as committed, and policy.clean asks for it; commit it, or read a revision with --rev",
				"unsigned: work tree: a.cue is not as committed, so no signature covers it, and policy.signers asks for one; commit and sign it, or read a revision with --rev"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, r := range judge.Refusals(network.Policy{Clean: c.clean}, c.from) {
				got = append(got, r.Code+": "+r.Subject+": "+r.Message)
				if r.Number != 1 || r.Override != "" {
					t.Errorf("%+v: want the number 1, and the override left to others", r)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// subject is a case that describes itself.
type subject judge.Case

func (s subject) Case() judge.Case { return judge.Case(s) }

// Nothing can be taken from a value that nobody judged.
func TestZeroWasNotJudged(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("the zero value gives a description")
		}
	}()
	judge.Passed[subject]{}.Description()
}

// What an older build wrote into a plan about its commit is left out, and nothing else.
func TestOlderPlan(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	old := plan.Plan{Network: "n", ID: "sha256:0123456789abcdef", Made: now.Format(time.RFC3339), Refusals: []plan.Refusal{
		{Code: plan.Dirty, Number: 1}, {Code: safety.Partition, Number: 2}, {Code: plan.Unsigned, Number: 1},
	}}
	passed, err := judge.Description(subject{Network: "n"}, judge.Terms{Saved: &judge.Saved{Plan: old}, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	if got := passed.Saved(); got.ID != old.ID || len(got.Refusals) != 1 || got.Refusals[0].Code != safety.Partition {
		t.Errorf("got %s, %+v", got.ID, got.Refusals)
	}
	if len(old.Refusals) != 3 {
		t.Error("the plan itself was changed")
	}
}
