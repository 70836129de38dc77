package schema_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"fairlead.dev/fairlead/schema"
	"fairlead.dev/fairlead/schema/diag"
)

// canary stands for a secret that somebody wrote into a description: as text, as a
// number, and as a name without quotes.
const (
	canary       = "hunter2"
	canaryNumber = "4815162342"
)

// inPlace are values that no place of a secret's reference takes.
var inPlace = map[string]string{
	"text": `"hunter2"`, "bytes": `'hunter2'`, "lines": "\"\"\"\n\thunter2\n\t\"\"\"", "raw": `#"hunter2"#`,
	"number": canaryNumber, "negative": "-" + canaryNumber, "fraction": canaryNumber + ".5", "pattern": `=~"hunter2"`, "not": `!="hunter2"`,
	"list": `["hunter2"]`, "list of lists": `[["hunter2"], 4815162342]`, "open list": `[..."hunter2"]`,
	"choice": `"hunter2" | "other"`, "default": `*"hunter2" | string`, "both": `"hunter2" & "other"`, "with a reference": `"hunter2" & {env: "V"}`,
	"choice of references": `{env: "hunter2 "} | {file: "hunter2"}`, "no choice left": `("hunter2" | 4815162342) & {env: "V"}`, "closed": `close({env: "V"}) & {value: "hunter2"}`,
	"name": "hunter2", "selector": `{a: "b"}.hunter2`, "index": `{a: "b"}["hunter2"]`, "interpolation": `"\(_word)hunter2"`, "interpolated name": `"\(hunter2)"`, "interpolated number": `"\(4815162342 & _n)"`,
	"call": `strings.ToUpper("hunter2", 1)`, "call of nothing": `strings.Hunter("hunter2")`, "sum": `"hunter2" + 1`, "quotient": `4815162342 / 0`, "refused": `error("hunter2 is refused")`,
	"embedded": `{"hunter2"}`, "embedded beside": `{"hunter2", env: "V"}`, "condition": `{if "hunter2" {env: "V"}}`, "generated": `{for k, v in "hunter2" {(k): v}}`,
	"helper": `_plain`, "half a helper": `_half`, "helper of two": `_two`, "unknown field": `{value: "hunter2"}`, "beside a source": `{env: "V", value: "hunter2"}`,
	"misspelt source": `{fiel: "hunter2"}`, "wrong field in a source": `{age: {file: "f", kye: "hunter2"}}`, "source of a number": `{env: 4815162342}`,
	"source of a list": `{env: ["hunter2"]}`, "source of a struct": `{file: value: "hunter2"}`, "no variable": `{env: "hunter2 "}`, "text for a file": `{age: "hunter2"}`,
	"text for a key": `{kubernetes: "hunter2"}`, "no such cluster": `{kubernetes: {cluster: "hunter2", namespace: "n", name: "s", key: "k"}}`,
	"text for a command": `{command: "hunter2"}`, "number in a command": `{command: [4815162342]}`, "struct in a command": `{command: [{word: "hunter2"}]}`,
	"two sources": `{env: "hunter2", file: "hunter2"}`, "sources that differ": `{env: "hunter2"} & {env: "other"}`, "definition": `#Ref & {value: "hunter2"}`,
	"tag of a number": `int @tag(pw, type=int)`, "open string": `"hunter2`, "no comma": `env "hunter2"`, "no colon": `{env "hunter2"}`, "stray text": `{env: "V" "hunter2"}`, "stray bracket": `["hunter2"}`,
}

// around is a description with a place for what stands in a proxy and in a cluster.
func around(proxy, cluster, more string) string {
	return `package x
import "strings"
_used: strings.ToLower("X")
network: "x"
clusters: {c: {context: "ctx"}, d: {context: "other", ` + cluster + `}}
sites: {a: {cluster: "c", namespace: "a", linkAccess: "default"}, b: {cluster: "d", namespace: "b"}}
proxies: p: {host: "proxy.example.com", port: 3128, ` + proxy + `}
links: l: {from: "b", to: "a", proxy: "p"}
` + more + helpers(proxy+cluster+more)
}

// helpers are those that a text refers to.
func helpers(text string) (out string) {
	for name, value := range map[string]string{
		"_word": "string", "_n": "int & <0", "_plain": `"hunter2"`, "_half": `"hunter2" | "other"`,
		"_two": `"hunter2" & "other"`, "#Ref": "env: string",
	} {
		if strings.Contains(text, name) {
			out += name + ": " + value + "\n"
		}
	}
	return out
}

// secret checks that a description is refused and that no finding tells the canary.
func secret(t *testing.T, files fs.FS, tags ...string) diag.List {
	t.Helper()
	res := loadDir(t, files, ".", tags...)
	text, err := json.Marshal(res.Findings)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range res.Findings {
		text = append(text, f.String()...)
	}
	for _, c := range []string{canary, canaryNumber, strings.ToUpper(canary)} {
		if strings.Contains(string(text), c) {
			t.Errorf("the secret shows: %v", res.Findings)
		}
	}
	if !res.Findings.HasErrors() {
		t.Errorf("no error: %v", res.Findings)
	}
	return res.Findings
}

// TestNoValueOfASecret puts each value where a secret's reference belongs.
func TestNoValueOfASecret(t *testing.T) {
	t.Parallel()
	for name, value := range inPlace {
		for _, place := range []string{"username", "password", "pasword", "kubeconfig", "kubecfg"} {
			t.Run(name+" as "+place, func(t *testing.T) {
				t.Parallel()
				proxy, cluster := "username: env: \"U\"", ""
				switch field := place + ": " + value; {
				case strings.HasPrefix(place, "kube"):
					cluster = field
				case place == "username":
					proxy = field
				default:
					proxy += ", " + field
				}
				var tags []string
				if strings.Contains(value, "@tag") {
					tags = []string{"pw=hunter2"}
				}
				secret(t, tree("x.cue", around(proxy, cluster, "")), tags...)
			})
		}
	}
}

// TestNoValueOfAMisplacedSecret writes secrets where nothing takes any.
func TestNoValueOfAMisplacedSecret(t *testing.T) {
	t.Parallel()
	good := around("", "", "")
	for name, more := range map[string]string{
		"in a link": `links: l: password: "hunter2"`, "in a site": `sites: a: password: "hunter2"`, "at the top": `password: "hunter2"`,
		"in a cluster": `clusters: c: password: "hunter2"`, "in the policy": `policy: password: "hunter2"`, "in a list of rules": `policy: ignore: [{password: "hunter2"}]`,
		"unquoted in a link": `links: l: password: hunter2`, "unquoted at the top": `password: hunter2`, "number in a link": `links: l: password: 4815162342`,
		"two in a link": `links: l: password: "hunter2" & "other"`, "misspelt section": `proxy: p: {password: "hunter2"}`, "two in a misspelt section": `proxy: p: {password: "hunter2" & "other"}`,
		"for a proxy": `proxies: q: "hunter2"`, "for all proxies": `proxies: "hunter2"`, "list of proxies": `proxies: [{password: "hunter2"}]`, "for a cluster": `clusters: e: "hunter2"`,
		"for all clusters": `clusters: 4815162342`, "unquoted proxy": `proxies: q: hunter2`, "unquoted clusters": `clusters: hunter2`, "at the very top": `"hunter2"`,
		"by a template": `proxies: [string]: password: "hunter2"`, "by a template of all": `proxies: [string]: "hunter2"`, "by a comprehension": `proxies: {for n in ["q"] {(n): {host: "h", port: 1, password: "hunter2"}}}`,
		"in a choice": `proxies: q: {host: "h", port: 1, password: "hunter2"} | {host: 1, port: 2, password: "hunter2"}`, "in no choice": `proxies: q: ({host: 1} | {host: 2}) & {host: "h", password: "hunter2"}`,
		"in a host": `proxies: q: {host: "http://me:hunter2@proxy.example.com", port: 1}`, "in a bare host": `proxies: q: {host: "me:hunter2@proxy.example.com", port: 1}`,
		"in the name of a proxy": `links: l: proxy: "http://me:hunter2@proxy.example.com"`, "in a long name of a proxy": `links: m: {from: "b", to: "a", proxy: "http://me:aaaaaaaaaaaaaaaaaaaaaaaaaaaaahunter2aaaaaaaaaaaaaaa@proxy.example.com"}`,
		"in an address of a cluster": `clusters: c: context: "https://me:hunter2@api.example.com"`, "in a wrong choice": `sites: a: linkAccess: "https://hunter2@api.example.com"`,
		"of a helper": `_helper: {password: "hunter2"} & {password: env: "V"}`, "in a definition": `#P: {password: "hunter2", password: "other"}`,
		"unquoted in a helper": `_helper: password: hunter2`, "unquoted in a misspelt helper": `_helper: pasword: hunter2`,
		"in a range": `proxies: p: password: {for x in hunter2 {env: x}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			secret(t, tree("x.cue", good+more+"\n"))
			secret(t, tree("x.cue", good, "y.cue", "package x\n"+more+"\n"))
		})
	}
	t.Run("two files", func(t *testing.T) {
		t.Parallel()
		secret(t, tree("x.cue", around(`username: env: "U", password: "hunter2"`, "", ""), "y.cue", "package x\nproxies: p: password: \"other\"\n"))
	})
	t.Run("vendored schema", func(t *testing.T) {
		t.Parallel()
		text, err := fs.ReadFile(schema.Module(), "schema.cue")
		if err != nil {
			t.Fatal(err)
		}
		for _, field := range []string{"password", "pasword"} {
			description := strings.Replace(around(field+`: "hunter2"`, "", ""), `import "strings"`, "import \"strings\"\nimport \"fairlead.dev/schema\"\nschema.#Network\nproxies: [string]: schema.#Proxy", 1)
			secret(t, tree("cue.mod/module.cue", module, "cue.mod/pkg/fairlead.dev/schema/schema.cue", string(text), "x.cue", description))
		}
	})
}

// TestSecretInClear reads what is said of a secret that is written out.
func TestSecretInClear(t *testing.T) {
	t.Parallel()
	for field, want := range map[string]string{
		`username: env: "U", password: "hunter2"`: `x.cue:7:83: error: proxy "p": password is written in clear, as a string, want a struct with one of ` +
			`env, file, age, sops, kubernetes or command; say where the secret is kept, such as env: "VARIABLE" or file: "PATH"; if it was committed, change the secret itself: git keeps what it was`,
		`username: env: "U", pasword: "hunter2"`: `x.cue:7:73: error: proxy "p": unknown field "pasword"; did you mean "password"? ` +
			`Say where the secret is kept, such as env: "VARIABLE" or file: "PATH"; if it was committed, change the secret itself: git keeps what it was`,
	} {
		found := secret(t, tree("x.cue", around(field, "", "")))
		if len(found) != 1 || found[0].String() != want {
			t.Errorf("%s: %v\nwant %s", field, found, want)
		}
	}
	link := secret(t, tree("x.cue", around("", "", "links: l: password: \"hunter2\"\n")))
	if text := fmt.Sprint(link); len(link) != 1 || !strings.Contains(text, `unknown field "password"`) || !strings.Contains(text, "if it was committed") {
		t.Errorf("in a link: %v", link)
	}
}
