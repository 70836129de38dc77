package cli

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"fairlead.dev/fairlead/cmd/internal/judge"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema"
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
	"fairlead.dev/fairlead/schema/revision"
	"fairlead.dev/fairlead/schema/revision/signature"
)

// signersFlag adds the flag of commands that a signature can hold up: all that judge a description.
func (o *sourceFlags) signersFlag(c *cobra.Command) {
	c.Flags().StringArrayVar(&o.signers, "signers", nil,
		"demand a commit that is signed by a key of this file, whatever policy.signers lists (repeatable)")
}

// origin finds out where a description comes from. Read are the files of its overlays; display
// shows files of the tree.
// Mistakes in the files of policy.signers become findings.
func (o *sourceFlags) origin(
	ctx context.Context, tree revision.Tree, res *schema.Result, read []string, display func(string) string,
) (judge.Provenance, error) {
	out := judge.Provenance{Commit: tree.Facts.Commit, Untracked: tree.Facts.Untracked, Unread: tree.Unread}
	if out.Unread != nil {
		res.Findings = append(res.Findings, unreadGit(out.Unread)).Sorted()
	}
	keys, files := o.declaredKeys(tree, res, display)
	different, err := tree.Uncommitted(ctx, slices.Concat(res.Files, read, files))
	if err != nil {
		return out, err
	}
	if tree.Facts.Changed != "" {
		different = append(different, tree.Facts.Changed)
	}
	slices.Sort(different)
	for _, name := range slices.Compact(different) {
		out.Changed = append(out.Changed, display(name))
	}
	if out.Untracked != "" {
		out.Untracked = display(out.Untracked)
	}
	if tree.Facts.Absent != "" {
		out.Absent = display(tree.Facts.Absent)
	}
	if len(files) > 0 {
		out.Asked = "policy.signers"
	}
	if len(o.signers) > 0 {
		out.Asked = "--signers"
		if keys, err = o.givenKeys(); err != nil {
			return out, err
		}
	}
	if out.Asked != "" {
		s := tree.Signature(keys)
		out.Signature = &s
	}
	return out, nil
}

// declaredKeys reads the files of policy.signers, and gives their names in the tree;
// with mistakes in them nothing, and the network is emptied as schema.Load does.
func (o *sourceFlags) declaredKeys(tree revision.Tree, res *schema.Result, display func(string) string) (keys signature.Keys, files []string) {
	dir, _, _ := strings.Cut(tree.Dir, ":")
	mistakes := diag.List{}
	for _, file := range res.Network.Policy.Signers {
		name := path.Join(dir, file)
		more, err := readKeys(tree.FS, name, display(name))
		if err != nil {
			mistakes = append(mistakes, signersFinding(err, res.Network.Policy.SignersAt))
		}
		keys, files = keys.And(more), append(files, name)
	}
	res.Findings = append(res.Findings, mistakes...).Sorted()
	if len(mistakes) > 0 {
		res.Network, res.Digest = network.Network{}, ""
		return signature.Keys{}, nil
	}
	return keys, files
}

func readKeys(tree fs.FS, name, shown string) (signature.Keys, error) {
	if !fs.ValidPath(name) {
		return signature.Keys{}, signature.KeyError{File: shown, Reason: "leads out of the tree", Fix: "keep it inside the repository"}
	}
	content, err := fs.ReadFile(tree, name)
	if err != nil {
		return signature.Keys{}, unreadableKeys(shown, err)
	}
	return signature.ParseKeys(signature.KeyFile{Name: shown, Content: content})
}

func unreadableKeys(shown string, err error) error {
	var inner *fs.PathError
	if errors.Is(err, fs.ErrNotExist) {
		err = errors.New("no such file")
	} else if errors.As(err, &inner) {
		err = inner.Err
	}
	return signature.KeyError{File: shown, Reason: err.Error(), Fix: "name a file with the keys of those who may sign"}
}

func signersFinding(err error, at diag.Position) diag.Finding {
	f := diag.Finding{Severity: diag.Error, Code: "signers", Message: "policy.signers: " + err.Error(), At: at}
	var mistake signature.KeyError
	if errors.As(err, &mistake) {
		f.Fix, mistake.Fix = mistake.Fix, ""
		f.Message = "policy.signers: " + mistake.Error()
	}
	return f
}

// givenKeys reads the files of --signers.
func (o *sourceFlags) givenKeys() (signature.Keys, error) {
	var keys signature.Keys
	for _, file := range o.signers {
		content, err := os.ReadFile(o.sys.abs(file))
		if err != nil {
			return keys, fail(exitInvalid, "--signers: %w", unreadableKeys(file, err))
		}
		more, err := signature.ParseKeys(signature.KeyFile{Name: file, Content: content})
		if err != nil {
			return keys, fail(exitInvalid, "--signers: %w", err)
		}
		keys = keys.And(more)
	}
	return keys, nil
}

// codeGitUnread is that of unreadGit.
const codeGitUnread = "git-unread"

// unreadGit warns that nothing is known of the commit of a work tree, and what that means.
func unreadGit(why error) diag.Finding {
	return diag.Finding{
		Severity: diag.Warning, Code: codeGitUnread, Subject: "git", Message: "the repository cannot be read: " + why.Error(),
		Fix: "until then no plan and no record names a commit, and --rev, --base, policy.clean and signers cannot be used",
	}
}

// foretold are the refusals as warnings, for a command that refuses nothing.
func foretold(policy network.Policy, from judge.Provenance) diag.List {
	at := map[string]diag.Position{plan.Dirty: policy.CleanAt, plan.Unsigned: policy.SignersAt}
	out := diag.List{}
	for _, r := range judge.Refusals(policy, from) {
		out = append(out, diag.Finding{
			Severity: diag.Warning, Code: r.Code, Subject: r.Subject, Message: r.Message,
			Fix: "plan, apply and all else that reaches a cluster refuse this", At: at[r.Code],
		})
	}
	return out
}
