package judge

import (
	"fmt"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
	"fairlead.dev/fairlead/schema/revision/signature"
)

// Provenance is where a description comes from.
type Provenance struct {
	// Commit is the full hash; empty outside of a repository and before the first one.
	Commit string
	// Changed are files that are not as committed, of those that are read or belong to
	// the description; Untracked is a file beside them that is new, and not read.
	Changed   []string
	Untracked string
	// Absent is a committed file that a sparse checkout leaves out.
	Absent string
	// Unread says why nothing is known of the commit and of what is as committed.
	Unread error
	// Signature is nil where nothing asks for one. Asked names what does.
	Signature *signature.Signature
	Asked     string
}

// Dirty reports whether there is a commit that lacks something of the description. A new
// file beside it that is not read is nothing of it.
func (p Provenance) Dirty() bool { return p.Commit != "" && len(p.Changed) > 0 }

// Refusals holds where a description comes from against its policy. Each has the number 1.
func Refusals(policy network.Policy, from Provenance) []plan.Refusal {
	out := []plan.Refusal{}
	if policy.Clean {
		out = from.clean(out)
	}
	if from.Signature != nil {
		out = from.signed(out)
	}
	return out
}

// clean adds a refusal where something is not as committed.
func (p Provenance) clean(out []plan.Refusal) []plan.Refusal {
	r := plan.Refusal{Code: plan.Dirty, Subject: "work tree", Number: 1}
	switch {
	case p.Unread != nil:
		r.Message = "whether it is as committed is not known, as the repository cannot be read, and policy.clean asks for it"
	case p.Commit == "":
		r.Subject, r.Message = "description", "is not committed, and policy.clean asks for it"
	case len(p.Changed) > 0:
		r.Message = p.difference() + ", and policy.clean asks for it; commit it, or read a revision with --rev"
	case p.Absent != "":
		r.Message = p.lack() + ", and policy.clean asks for all that is committed; check it out, or read a revision with --rev"
	case p.Untracked != "":
		r.Message = p.Untracked + " is not committed, and policy.clean asks for it; commit it, ignore it, or read a revision with --rev"
	default:
		return out
	}
	return append(out, r)
}

// signed adds a refusal where what is read is not what a listed key signed.
func (p Provenance) signed(out []plan.Refusal) []plan.Refusal {
	r := plan.Refusal{Code: plan.Unsigned, Subject: "work tree", Number: 1}
	switch {
	case p.Unread != nil:
		r.Message = fmt.Sprintf("who signed its commit is not known, as the repository cannot be read, and %s asks for a signature", p.Asked)
	case p.Commit == "":
		r.Subject, r.Message = "description", fmt.Sprintf("is not committed, and %s asks for a signed commit", p.Asked)
	case len(p.Changed) > 0:
		r.Message = fmt.Sprintf("%s, so no signature covers it, and %s asks for one; commit and sign it, or read a revision with --rev",
			p.difference(), p.Asked)
	case p.Absent != "":
		r.Message = fmt.Sprintf("%s, so what is read is not what was signed, and %s asks for that; check it out, or read a revision with --rev",
			p.lack(), p.Asked)
	case !p.Signature.Holds():
		r.Subject = "commit " + p.Commit[:12]
		r.Message = fmt.Sprintf("%s; %s lists who may sign", p.Signature.Fault, p.Asked)
	default:
		return out
	}
	return append(out, r)
}

// difference names what is not as committed; there is something.
func (p Provenance) difference() string {
	switch n := len(p.Changed); n {
	case 1:
		return p.Changed[0] + " is not as committed"
	default:
		return fmt.Sprintf("%s and %d more are not as committed", p.Changed[0], n-1)
	}
}

// lack names what is committed and not checked out; there is something.
func (p Provenance) lack() string { return p.Absent + " is committed and not checked out" }
