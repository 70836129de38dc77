package schema

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/literal"

	"fairlead.dev/fairlead/schema/network"
)

// writtenPackage is the package of a description that Fairlead writes.
const writtenPackage = "network"

// longLine is about how many characters an entry may have on one line.
const longLine = 100

// Write gives a description of the network as formatted CUE: one package of one
// file, of which Load makes the same network, places apart. Fields with their
// default are left out. Each line of comment becomes a comment line at the top. A
// network that Load would refuse is written all the same, so that Load can say what
// is wrong with it.
func Write(n network.Network, comment []string) ([]byte, error) {
	var b strings.Builder
	writeComment(&b, comment)
	fmt.Fprintf(&b, "package %s\n\nnetwork: %s\n", writtenPackage, quote(n.Name))
	if n.Overlay != "" {
		fmt.Fprintf(&b, "overlay: %s\n", quote(n.Overlay))
	}
	writeSection(&b, "clusters", n.Clusters, clusterEntry)
	writeSection(&b, "sites", n.Sites, siteEntry)
	writeSection(&b, "proxies", n.Proxies, proxyEntry)
	writeSection(&b, "links", n.Links, linkEntry)
	if policy := policyFields(n.Policy); len(policy) > 0 {
		fmt.Fprintf(&b, "\npolicy: %s\n", policy.broken())
	}
	text, err := format.Source([]byte(b.String()))
	if err != nil {
		return nil, fmt.Errorf("description not written: %w", err)
	}
	return text, nil
}

// writeComment writes each line of the texts as a comment of its own: nothing in a
// text may end the comment.
func writeComment(b *strings.Builder, comment []string) {
	for _, text := range comment {
		for line := range strings.SplitSeq(text, "\n") {
			b.WriteString(strings.TrimRight("// "+strings.Map(printable, line), " ") + "\n")
		}
	}
	if len(comment) > 0 {
		b.WriteString("\n")
	}
}

// printable replaces characters that no CUE file may hold.
func printable(r rune) rune {
	if unicode.IsControl(r) || r == '\uFEFF' {
		return ' '
	}
	return r
}

// writeSection writes a top-level field with an entry for each element.
func writeSection[V any](b *strings.Builder, name string, list []V, entry func(V) (key string, fields written)) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s: {\n", name)
	for _, v := range list {
		key, fields := entry(v)
		fmt.Fprintf(b, "%s: %s\n", label(key), fields.broken())
	}
	b.WriteString("}\n")
}

// written are the fields of a struct as "name: value", in order.
type written []string

// text adds a string, unless it is empty.
func (w *written) text(name, value string) {
	if value != "" {
		w.always(name, quote(value))
	}
}

// flag adds true; false is every flag's default.
func (w *written) flag(name string, value bool) {
	if value {
		w.always(name, "true")
	}
}

// number adds a number, unless it is the default.
func (w *written) number(name string, value, otherwise int) {
	if value != otherwise {
		w.always(name, strconv.Itoa(value))
	}
}

// list adds a list of strings, unless it is empty.
func (w *written) list(name string, texts []string) {
	if len(texts) == 0 {
		return
	}
	words := make([]string, len(texts))
	for i, text := range texts {
		words[i] = quote(text)
	}
	w.always(name, "["+strings.Join(words, ", ")+"]")
}

// rules adds a list of rules, unless it is empty.
func (w *written) rules(name string, rules []network.Ignore) {
	if len(rules) == 0 {
		return
	}
	items := make([]string, len(rules))
	for i, r := range rules {
		items[i] = written{"path: " + quote(r.Path), "reason: " + quote(r.Reason)}.String()
	}
	w.always(name, "["+strings.Join(items, ", ")+"]")
}

// secret adds a reference, unless there is none.
func (w *written) secret(name string, ref *network.SecretRef) {
	if ref != nil {
		w.always(name, secretFields(*ref).String())
	}
}

// encrypted adds an encrypted file, unless there is none.
func (w *written) encrypted(name string, file *network.EncryptedFile) {
	if file != nil {
		fields := written{"file: " + quote(file.File)}
		fields.text("key", file.Key)
		w.always(name, fields.String())
	}
}

// always adds a field whose value is CUE already.
func (w *written) always(name, value string) { *w = append(*w, label(name)+": "+value) }

// String gives the struct as the value of a field, on one line.
func (w written) String() string {
	if len(w) == 1 {
		return w[0]
	}
	return "{" + strings.Join(w, ", ") + "}"
}

// broken is String with a line for each field where one line would be too long.
func (w written) broken() string {
	line := w.String()
	if len(w) < 2 || len(line) <= longLine {
		return line
	}
	return "{\n" + strings.Join(w, "\n") + "\n}"
}

func policyFields(p network.Policy) written {
	var w, deletes written
	if p.UnreachableSites != network.LevelWarn {
		w.text("unreachableSites", string(p.UnreachableSites))
	}
	deletes.number("sites", p.Deletes.Sites, network.DefaultDeletes.Sites)
	deletes.number("links", p.Deletes.Links, network.DefaultDeletes.Links)
	deletes.number("objects", p.Deletes.Objects, network.DefaultDeletes.Objects)
	deletes.number("percent", p.Deletes.Percent, network.DefaultDeletes.Percent)
	if len(deletes) > 0 {
		w.always("deletes", deletes.String())
	}
	w.flag("clean", p.Clean)
	w.list("signers", p.Signers)
	w.text("planExpiry", p.PlanExpiry)
	w.rules("ignore", p.Ignore)
	return w
}

func clusterEntry(c network.Cluster) (string, written) {
	var w written
	w.text("context", c.Context)
	w.secret("kubeconfig", c.Kubeconfig)
	w.flag("inCluster", c.InCluster)
	w.text("lockNamespace", c.LockNamespace)
	w.text("uid", c.UID)
	return string(c.Name), w
}

func siteEntry(s network.Site) (string, written) {
	var w written
	w.always("cluster", quote(string(s.Cluster)))
	w.always("namespace", quote(s.Namespace))
	w.text("linkAccess", s.LinkAccess)
	w.flag("ha", s.HA)
	w.flag("edge", s.Edge)
	w.flag("protect", s.Protect)
	w.text("defaultIssuer", s.DefaultIssuer)
	w.text("serviceAccount", s.ServiceAccount)
	if s.Object != string(s.Name) {
		w.text("object", s.Object)
	}
	w.text("overlay", s.Overlay)
	if len(s.Settings) > 0 {
		var settings written
		for _, key := range slices.Sorted(maps.Keys(s.Settings)) {
			settings.always(key, quote(s.Settings[key]))
		}
		w.always("settings", settings.String())
	}
	return string(s.Name), w
}

func linkEntry(l network.Link) (string, written) {
	var w written
	w.always("from", quote(string(l.From)))
	w.always("to", quote(string(l.To)))
	w.number("cost", int(l.Cost), 1)
	if l.Via != defaultVia(l.Proxy) {
		w.text("via", string(l.Via))
	}
	w.text("proxy", string(l.Proxy))
	w.number("rotation", int(l.Rotation), 0)
	if l.Object != string(l.Name) {
		w.text("object", l.Object)
	}
	return string(l.Name), w
}

func proxyEntry(p network.Proxy) (string, written) {
	var w written
	w.always("host", quote(p.Host))
	w.always("port", strconv.Itoa(p.Port))
	w.secret("username", p.Username)
	w.secret("password", p.Password)
	return string(p.Name), w
}

func secretFields(ref network.SecretRef) written {
	var w written
	w.text("env", ref.Env)
	w.text("file", ref.File)
	w.encrypted("age", ref.Age)
	w.encrypted("sops", ref.SOPS)
	if k := ref.Kubernetes; k != nil {
		w.always("kubernetes", written{
			"cluster: " + quote(string(k.Cluster)), "namespace: " + quote(k.Namespace),
			"name: " + quote(k.Name), "key: " + quote(k.Key),
		}.String())
	}
	w.list("command", ref.Command)
	return w
}

func quote(s string) string { return literal.String.Quote(s) }

// label writes the name of a field. Nothing that is written refers to a field, so a
// name without quotes cannot catch a reference.
func label(name string) string {
	if ast.StringLabelNeedsQuoting(name) {
		return quote(name)
	}
	return name
}
