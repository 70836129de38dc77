package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"fairlead.dev/fairlead/plan"
)

// reads says of a command what it does with a description.
type reads struct {
	// args run it; OUT stands for a directory that it may write to.
	args []string
	// acts is true for a command that runs, asks or writes what a description names, and so
	// refuses one that is refused; any other only shows it.
	acts bool
}

// everyCommand has each command of the program. One without arguments reads no description.
var everyCommand = map[string]reads{
	"apply":    {[]string{"apply", "--yes", "--timeout", "5s"}, true},
	"plan":     {[]string{"plan", "--timeout", "5s", "-o", "OUT/plan.json", "--report", "markdown=OUT/plan.md", "--base", "HEAD"}, true},
	"drift":    {[]string{"drift", "--timeout", "5s", "-o", "OUT/drift.txt", "--report", "json=OUT/drift.json"}, true},
	"status":   {[]string{"status", "--timeout", "5s", "-o", "OUT/status.txt"}, true},
	"unlock":   {[]string{"unlock", "--timeout", "5s", "--cluster", "plain", "somebody"}, true},
	"rbac":     {[]string{"rbac", "--timeout", "5s", "--for", "all", "--discover", "--since", "HEAD", "-o", "OUT"}, true},
	"render":   {[]string{"render", "--kustomize", "OUT"}, true},
	"vet":      {[]string{"vet"}, false},
	"graph":    {[]string{"graph"}, false},
	"simulate": {[]string{"simulate"}, false},
	"diff":     {[]string{"diff", "--base", "HEAD"}, false},
	"init":     {}, "import": {}, "schema": {}, "version": {},
	"ci comment": {}, "ci issue": {}, "ci reviewed": {}, "ci latest": {},
	"completion bash": {}, "completion fish": {}, "completion powershell": {}, "completion zsh": {},
}

// commandsOf are the commands below one that can be run, by their words, and whether each
// takes the flags of those that read a description.
func commandsOf(c *cobra.Command, words string) map[string]bool {
	out := map[string]bool{}
	for _, sub := range c.Commands() {
		path := strings.TrimSpace(words + " " + sub.Name())
		maps.Copy(out, commandsOf(sub, path))
		if sub.Runnable() && !sub.HasSubCommands() {
			out[path] = sub.Flags().Lookup("rev") != nil
		}
	}
	return out
}

// A new command has to say here what it does with a description.
func TestEveryCommandIsKnown(t *testing.T) {
	t.Parallel()
	root := newRoot(&System{Getenv: func(string) string { return "" }})
	root.InitDefaultCompletionCmd()
	for name, described := range commandsOf(root, "") {
		c, known := everyCommand[name]
		if !known || described != (c.args != nil) {
			t.Errorf("%s: listed: %v, reads a description: %v", name, known, described)
		}
	}
}

// A description of which each part leaves a trace where it is used: programs that give
// kubeconfigs and credentials, a plugin that gives a token, a server.
const watchedText = `package n

network: "n"
clusters: {
	plain: kubeconfig: file: "kubeconfig"
	program: kubeconfig: command: ["sh", "-c", "touch MARKS/command; cat kubeconfig"]
	sealed: kubeconfig: sops: file: "sealed"
}
sites: {
	hub: {cluster: "plain", namespace: "hub", linkAccess: "default", overlay: "../overlay"}
	shop: {cluster: "program", namespace: "shop"}
	store: {cluster: "sealed", namespace: "store"}
}
proxies: corp: {
	host: "proxy", port: 1
	username: command: ["sh", "-c", "touch MARKS/username; echo me"]
	password: sops: {file: "sealed", key: "password"}
}
links: {
	"shop-hub": {from: "shop", to: "hub", proxy: "corp"}
	"store-hub": {from: "store", to: "hub"}
}
policy: {POLICY}
`

// watched is a repository with such a description.
type watched struct {
	repository
	// root is above all files; marks is where its programs leave theirs.
	root, marks string
	requests    *atomic.Int64
}

func newWatched(t *testing.T, policy string) watched {
	t.Helper()
	w := watched{repository: newRepository(t, ""), requests: &atomic.Int64{}}
	w.root = filepath.Dir(w.dir)
	w.marks = filepath.Join(w.root, "marks")
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.requests.Add(1)
		http.NotFound(rw, r)
	}))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // of clients that end before they are connected
	srv.StartTLS()                                   // only then plugins are asked
	t.Cleanup(srv.Close)
	plugin := fmt.Sprintf(`touch %s/plugin; echo '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "t"}}'`, w.marks)
	kubeconfig := "apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {server: " + srv.URL + ", insecure-skip-tls-verify: true}}]\n" +
		"contexts: [{name: c, context: {cluster: c, user: u}}]\ncurrent-context: c\n" +
		"users: [{name: u, user: {exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: sh, args: [\"-c\", " + fmt.Sprintf("%q", plugin) + "]}}}]\n"
	w.write("net/kubeconfig", kubeconfig)
	w.write("net/sealed", "sealed")
	w.write("net/net.cue", strings.NewReplacer("MARKS", w.marks, "POLICY", policy).Replace(watchedText))
	bin := filepath.Join(w.root, "bin")
	writeAt(t, filepath.Join(bin, "sops"), fmt.Sprintf("#!/bin/sh\ntouch %s/sops\ncat %s\n", w.marks, filepath.Join(w.dir, "net", "kubeconfig")))
	if err := os.Chmod(filepath.Join(bin, "sops"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(w.marks, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
	return w
}

// files are all files below the root with their content.
func (w watched) files() map[string]string {
	w.t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(w.root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(name)
		out[strings.TrimPrefix(name, w.root)] = string(content)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// run runs a command at the description; OUT in its arguments is a new directory.
func (w watched) run(args []string, more ...string) (code int, errOut string) {
	w.t.Helper()
	all := slices.Concat(args, more)
	for i := range all {
		all[i] = strings.ReplaceAll(all[i], "OUT", filepath.Join(w.root, "out"))
	}
	if err := os.MkdirAll(filepath.Join(w.root, "out"), 0o755); err != nil {
		w.t.Fatal(err)
	}
	code, _, errOut = runIn(filepath.Join(w.dir, "net"), map[string]string{"HOME": w.root}, all...)
	return code, errOut
}

// untouched runs a command and checks that nothing was run, asked or written.
func (w watched) untouched(want int, says string, args []string, more ...string) {
	w.t.Helper()
	before, asked := w.files(), w.requests.Load()
	code, errOut := w.run(args, more...)
	if code != want || !strings.Contains(errOut, says) {
		w.t.Errorf("%v %v: exit %d, want %d and %q in:\n%s", args, more, code, want, says, errOut)
	}
	for name, content := range w.files() {
		if was, known := before[name]; !known || was != content {
			w.t.Errorf("%v %v: wrote %s", args, more, name)
			if !known {
				_ = os.Remove(filepath.Join(w.root, name))
			}
		}
	}
	if n := w.requests.Load() - asked; n > 0 {
		w.t.Errorf("%v %v: sent %d requests", args, more, n)
	}
}

// A description that is refused has no effect, whatever the command: none of its programs
// runs, no cluster is asked, nothing is written. Commands that only show it go on.
func TestRefusedHasNoEffect(t *testing.T) {
	unsigned := func(w watched) { w.commit("") }
	for name, c := range map[string]struct {
		policy string
		make   func(watched)
		says   string
		flags  []string
	}{
		"signed by nobody":   {`signers: ["../keys/allowed"]`, unsigned, "is not signed; policy.signers lists who may sign", nil},
		"signed by another":  {`signers: ["../keys/allowed"]`, func(w watched) { w.commit("bob") }, "which is not listed", nil},
		"demanded by a flag": {"", unsigned, "is not signed; --signers lists who may sign", []string{"--signers", "../keys/allowed"}},
		"not clean": {"clean: true", func(w watched) {
			w.commit("")
			w.write("base/map.yaml", "{apiVersion: v1, kind: ConfigMap, metadata: {name: m}, data: {a: c}}\n")
		}, "../base/map.yaml is not as committed", nil},
		"not committed": {"clean: true", func(w watched) {
			w.git("commit", "-q", "--allow-empty", "-m", "x")
		}, "are not as committed", nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWatched(t, c.policy)
			c.make(w)
			for _, words := range slices.Sorted(maps.Keys(everyCommand)) {
				command := everyCommand[words]
				switch {
				case command.acts:
					w.untouched(exitRefused, c.says, command.args, c.flags...)
				case command.args != nil:
					w.untouched(exitOK, "", command.args)
				}
			}
		})
	}
}

// The same description has effects where nothing refuses it.
func TestAcceptedHasEffects(t *testing.T) {
	w := newWatched(t, `signers: ["../keys/allowed"], clean: true`)
	w.commit("alice")
	traces := map[string]bool{}
	for words, command := range everyCommand {
		if !command.acts {
			continue
		}
		before, asked := w.files(), w.requests.Load()
		code, errOut := w.run(command.args)
		after := w.files()
		if code == exitRefused || code == exitInvalid || len(after) == len(before) && w.requests.Load() == asked {
			t.Errorf("%s: exit %d, %d files, as before\n%s", words, code, len(after), errOut)
		}
		for name := range after {
			if _, known := before[name]; !known {
				traces[filepath.Base(name)] = true
				_ = os.Remove(filepath.Join(w.root, name))
			}
		}
	}
	for _, program := range []string{"command", "sops", "username", "plugin"} { // a plugin's token is kept by the process
		if !traces[program] {
			t.Errorf("nothing ran the program that leaves the trace %s", program)
		}
	}
}

// plainText is the description without programs: all that is left is the cluster that a file
// leads to.
const plainText = `package n

network: "n"
clusters: plain: kubeconfig: file: "kubeconfig"
sites: hub: {cluster: "plain", namespace: "hub", linkAccess: "default"}
`

// newOther is a repository in which the revision before the last is refused.
func newOther(t *testing.T) watched {
	w := newWatched(t, `signers: ["../keys/allowed"]`)
	w.commit("")
	w.write("net/net.cue", plainText)
	w.commit("")
	return w
}

// The revision of --base is only compared with: it may be refused, and nothing of it is run.
func TestBaseIsComparedWith(t *testing.T) {
	w := newOther(t)
	code, errOut := w.run([]string{"plan", "--timeout", "5s", "--base", "HEAD~1"})
	left, err := filepath.Glob(filepath.Join(w.marks, "*"))
	if err != nil || code != exitUnreachable || w.requests.Load() == 0 {
		t.Errorf("exit %d, %d requests, %v\n%s", code, w.requests.Load(), err, errOut)
	}
	for _, mark := range left {
		if filepath.Base(mark) != "plugin" { // of the cluster that the description has, too
			t.Errorf("a program of the base was run: %s", mark)
		}
	}
}

// The revision of --since, which is asked about, is judged as the description is.
func TestSinceIsJudged(t *testing.T) {
	w := newOther(t)
	w.untouched(exitRefused, "is not signed", []string{"rbac", "--for", "plan", "--discover", "--since", "HEAD~1"})
	w.untouched(exitOK, "", []string{"rbac", "--for", "plan", "--since", "HEAD~1"})
}

// A saved plan that is not the one to apply is refused before anything of its description
// is used.
func TestUnfitPlanHasNoEffect(t *testing.T) {
	w := newWatched(t, "planExpiry: \"1h\"")
	w.commit("alice")
	o := newPackageCommand(&System{Dir: filepath.Join(w.dir, "net"), Getenv: func(string) string { return "" }, Err: io.Discard})
	o.path = "."
	d, err := o.load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	good := plan.Plan{Format: plan.Format, Network: "n", Source: d.source, Made: time.Now().UTC().Format(time.RFC3339)}
	file := filepath.Join(w.root, "plan.json")
	for name, c := range map[string]struct {
		change func(*plan.Plan)
		args   []string
		code   int
		says   string
	}{
		"another id":          {func(*plan.Plan) {}, []string{"--expect-plan-id", "sha256:0123456789ab"}, exitStale, "--expect-plan-id: the plan in"},
		"half an id":          {func(*plan.Plan) {}, []string{"--expect-plan-id", "012345"}, exitStale, "--expect-plan-id: the plan in"},
		"another description": {func(p *plan.Plan) { p.Source.Digest = "sha256:00" }, nil, exitStale, "made of another description"},
		"another network":     {func(p *plan.Plan) { p.Network = "m" }, nil, exitRefused, `the plan is of network "m"`},
		"expired":             {func(p *plan.Plan) { p.Made = "2026-01-02T03:04:05Z" }, nil, exitStale, "more than 1h0m0s ago"},
		"of the future":       {func(p *plan.Plan) { p.Made = "2999-01-02T03:04:05Z" }, nil, exitStale, "are the clocks right?"},
		"of no time":          {func(p *plan.Plan) { p.Made = "" }, nil, exitInvalid, "does not say when it was made"},
		"adopting by a flag":  {func(*plan.Plan) {}, []string{"--adopt"}, exitInvalid, "--adopt does not go with --plan"},
		"allowing unsigned":   {func(*plan.Plan) {}, []string{"--allow", "unsigned:1@0123456789ab"}, exitInvalid, "does not go with --plan"},
	} {
		p := good
		c.change(&p)
		p.ID = plan.Identify(p)
		data, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		writeAt(t, file, string(data))
		t.Log(name)
		w.untouched(c.code, c.says, []string{"apply", "--timeout", "5s", "--plan", file}, c.args...)
	}
}

// A flag lifts a refusal of provenance of one description at one commit alone.
func TestProvenanceAllowed(t *testing.T) {
	w := newWatched(t, `signers: ["../keys/allowed"]`)
	w.commit("")
	args := everyCommand["plan"].args
	_, errOut := w.run(args)
	_, flag, shown := strings.Cut(errOut, "to go ahead all the same: --allow ")
	flag, _, _ = strings.Cut(flag, "\n")
	if !shown {
		t.Fatalf("no flag is shown:\n%s", errOut)
	}
	for _, other := range []string{strings.Replace(flag, ":1", ":2", 1), "unsigned:1@0123456789ab", strings.Replace(flag, "unsigned", "dirty", 1), "all@" + flag[len(flag)-12:]} {
		want := exitInvalid
		if strings.HasPrefix(other, "all@") { // which is for plans
			want = exitRefused
		}
		w.untouched(want, "is not signed", args, "--allow", other)
	}
	if code, errOut := w.run(args, "--allow", flag); code == exitInvalid || code == exitRefused || w.requests.Load() == 0 {
		t.Errorf("exit %d, %d requests\n%s", code, w.requests.Load(), errOut)
	}
	w.commit("")
	if code, errOut := w.run(args, "--allow", flag); code != exitInvalid || !strings.Contains(errOut, "does not fit") {
		t.Errorf("at another commit: exit %d\n%s", code, errOut)
	}
}
