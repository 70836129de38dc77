package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema"
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
	"fairlead.dev/fairlead/schema/revision"
)

// provenance is where a description comes from, for its policy to be judged by.
type provenance struct {
	// commit is the full hash; empty outside of a repository and before the first one.
	commit string
	// changed are files that are not as committed, of those that are read or belong to
	// the description; untracked is a file beside them that is new, and not read.
	changed   []string
	untracked string
	// signature is nil where nothing asks for one. asked names what does.
	signature *revision.Signature
	asked     string
}

// trust adds the flag of commands that a signature can hold up.
func (o *common) trust(c *cobra.Command) {
	c.Flags().StringArrayVar(&o.signers, "signers", nil,
		"demand a commit that is signed by a key of this file, whatever policy.signers lists (repeatable)")
}

// origin finds out where a description comes from. Read are the files of its overlays.
// Mistakes in the files of policy.signers become findings.
func (o *common) origin(ctx context.Context, tree revision.Tree, res *schema.Result, read []string) (provenance, error) {
	out := provenance{commit: tree.Facts.Commit, untracked: tree.Facts.Untracked}
	keys, files := o.declaredKeys(tree, res)
	different, err := tree.Uncommitted(ctx, slices.Concat(res.Files, read, files))
	if err != nil {
		return out, err
	}
	if tree.Facts.Changed != "" {
		different = append(different, tree.Facts.Changed)
	}
	slices.Sort(different)
	for _, name := range slices.Compact(different) {
		out.changed = append(out.changed, o.shown(tree, name))
	}
	if out.untracked != "" {
		out.untracked = o.shown(tree, out.untracked)
	}
	if len(files) > 0 {
		out.asked = "policy.signers"
	}
	if len(o.signers) > 0 {
		out.asked = "--signers"
		if keys, err = o.givenKeys(); err != nil {
			return out, err
		}
	}
	if out.asked != "" {
		s := tree.Signature(keys)
		out.signature = &s
	}
	return out, nil
}

func (o *common) shown(tree revision.Tree, name string) string {
	if display := o.display(tree); display != nil {
		return display(name)
	}
	return name
}

// declaredKeys reads the files of policy.signers, and gives their names in the tree;
// with mistakes in them nothing, and the network is emptied as schema.Load does.
func (o *common) declaredKeys(tree revision.Tree, res *schema.Result) (keys revision.Keys, files []string) {
	dir, _, _ := strings.Cut(tree.Dir, ":")
	mistakes := diag.List{}
	for _, file := range res.Network.Policy.Signers {
		name := path.Join(dir, file)
		more, err := readKeys(tree.FS, name, o.shown(tree, name))
		if err != nil {
			mistakes = append(mistakes, signersFinding(err, res.Network.Policy.SignersAt))
		}
		keys, files = keys.And(more), append(files, name)
	}
	res.Findings = append(res.Findings, mistakes...).Sorted()
	if len(mistakes) > 0 {
		res.Network, res.Digest = network.Network{}, ""
		return revision.Keys{}, nil
	}
	return keys, files
}

func readKeys(tree fs.FS, name, shown string) (revision.Keys, error) {
	if !fs.ValidPath(name) {
		return revision.Keys{}, revision.KeyError{File: shown, Reason: "leads out of the tree", Fix: "keep it inside the repository"}
	}
	content, err := fs.ReadFile(tree, name)
	if err != nil {
		return revision.Keys{}, unreadableKeys(shown, err)
	}
	return revision.ParseKeys(revision.KeyFile{Name: shown, Content: content})
}

func unreadableKeys(shown string, err error) error {
	var inner *fs.PathError
	if errors.Is(err, fs.ErrNotExist) {
		err = errors.New("no such file")
	} else if errors.As(err, &inner) {
		err = inner.Err
	}
	return revision.KeyError{File: shown, Reason: err.Error(), Fix: "name a file with the keys of those who may sign"}
}

func signersFinding(err error, at diag.Position) diag.Finding {
	f := diag.Finding{Severity: diag.Error, Code: "signers", Message: "policy.signers: " + err.Error(), At: at}
	var mistake revision.KeyError
	if errors.As(err, &mistake) {
		f.Fix, mistake.Fix = mistake.Fix, ""
		f.Message = "policy.signers: " + mistake.Error()
	}
	return f
}

// givenKeys reads the files of --signers.
func (o *common) givenKeys() (revision.Keys, error) {
	var keys revision.Keys
	for _, file := range o.signers {
		content, err := os.ReadFile(o.abs(file))
		if err != nil {
			return keys, failure{code: exitInvalid, err: fmt.Errorf("--signers: %w", unreadableKeys(file, err))}
		}
		more, err := revision.ParseKeys(revision.KeyFile{Name: file, Content: content})
		if err != nil {
			return keys, failure{code: exitInvalid, err: fmt.Errorf("--signers: %w", err)}
		}
		keys = keys.And(more)
	}
	return keys, nil
}

// dirty reports whether anything is not as committed.
func (p provenance) dirty() bool { return len(p.changed) > 0 || p.untracked != "" }

// The codes of the refusals of a policy.
const (
	codeDirty    = "dirty"
	codeUnsigned = "unsigned"
)

// judge holds where a description comes from against its policy.
func judge(policy network.Policy, from provenance) []plan.Refusal {
	out := []plan.Refusal{}
	if policy.Clean {
		out = from.clean(out)
	}
	if from.signature != nil {
		out = from.signed(out)
	}
	return out
}

// clean adds a refusal where something is not as committed.
func (p provenance) clean(out []plan.Refusal) []plan.Refusal {
	r := plan.Refusal{Code: codeDirty, Subject: "work tree", Number: 1}
	switch {
	case p.commit == "":
		r.Subject, r.Message = "description", "is not committed, and policy.clean asks for it"
	case len(p.changed) > 0:
		r.Message = p.difference() + ", and policy.clean asks for it; commit it, or read a revision with --rev"
	case p.untracked != "":
		r.Message = p.untracked + " is not committed, and policy.clean asks for it; commit it, ignore it, or read a revision with --rev"
	default:
		return out
	}
	return append(out, r)
}

// signed adds a refusal where what is read is not what a listed key signed.
func (p provenance) signed(out []plan.Refusal) []plan.Refusal {
	r := plan.Refusal{Code: codeUnsigned, Subject: "work tree", Number: 1}
	switch {
	case p.commit == "":
		r.Subject, r.Message = "description", fmt.Sprintf("is not committed, and %s asks for a signed commit", p.asked)
	case len(p.changed) > 0:
		r.Message = fmt.Sprintf("%s, so no signature covers it, and %s asks for one; commit and sign it, or read a revision with --rev",
			p.difference(), p.asked)
	case !p.signature.Holds():
		r.Subject = "commit " + p.commit[:12]
		r.Message = fmt.Sprintf("%s; %s lists who may sign", p.signature.Fault, p.asked)
	default:
		return out
	}
	return append(out, r)
}

// difference names what is not as committed; there is something.
func (p provenance) difference() string {
	switch n := len(p.changed); n {
	case 1:
		return p.changed[0] + " is not as committed"
	default:
		return fmt.Sprintf("%s and %d more are not as committed", p.changed[0], n-1)
	}
}

// foretold are the refusals as warnings, for a command that refuses nothing.
func foretold(policy network.Policy, from provenance) diag.List {
	at := map[string]diag.Position{codeDirty: policy.CleanAt, codeUnsigned: policy.SignersAt}
	out := diag.List{}
	for _, r := range judge(policy, from) {
		out = append(out, diag.Finding{
			Severity: diag.Warning, Code: r.Code, Subject: r.Subject, Message: r.Message,
			Fix: "plan and apply refuse this", At: at[r.Code],
		})
	}
	return out
}
