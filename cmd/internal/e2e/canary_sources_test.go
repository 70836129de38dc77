package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"
	"filippo.io/age/armor"

	"fairlead.dev/fairlead/secrets/secretstest"
)

// source is one place that a description may name for a secret, in one state.
type source struct {
	kind, state string
	// store puts content where the reference leads, and gives the reference in CUE.
	// The name is the secret's own within the scene.
	store func(s *scene, name, content string) string
	// resolves is false when no secret comes of it.
	resolves bool
}

// sources are all places, and the ways in which each fails. Every failure has the
// secret, or another one, within its reach.
var sources = []source{
	{"env", "good", func(s *scene, name, content string) string {
		s.env[variable(name)] = content
		return fmt.Sprintf("{env: %q}", variable(name))
	}, true},
	{"env", "not set", func(s *scene, name, content string) string {
		s.env[variable(name)+"_2"] = content
		return fmt.Sprintf("{env: %q}", variable(name))
	}, false},
	{"file", "good", func(s *scene, name, content string) string {
		s.write(name+".txt", content)
		return fmt.Sprintf("{file: %q}", name+".txt")
	}, true},
	{"file", "not there", func(s *scene, name, content string) string {
		s.write(name+".txt", content)
		return fmt.Sprintf("{file: %q}", name+".text")
	}, false},
	{"file", "a directory", func(s *scene, name, content string) string {
		s.write(filepath.Join(name, "inside.txt"), content)
		return fmt.Sprintf("{file: %q}", name)
	}, false},

	{"age", "good", func(s *scene, name, content string) string {
		s.env["FAIRLEAD_AGE_IDENTITY"] = s.identity.String()
		return s.sealAge(name, content, "")
	}, true},
	{"age", "key", func(s *scene, name, content string) string {
		file := filepath.Join(s.home, "identity.txt")
		writeFile(s.t, file, s.identity.String()+"\n")
		s.env["FAIRLEAD_AGE_IDENTITY_FILE"] = file
		return s.sealAge(name, document("secret", content), "ci.secret")
	}, true},
	{"age", "no such key", func(s *scene, name, content string) string {
		s.env["FAIRLEAD_AGE_IDENTITY"] = s.identity.String()
		return s.sealAge(name, document("another", content), "ci.secret")
	}, false},
	{"age", "wrong identity", func(s *scene, name, content string) string {
		s.env["FAIRLEAD_AGE_IDENTITY"] = s.stranger.String()
		return s.sealAge(name, content, "")
	}, false},
	{"age", "broken identity", func(s *scene, name, content string) string {
		s.env["FAIRLEAD_AGE_IDENTITY"] = s.identity.String()[:40] + "\n" + content
		return s.sealAge(name, content, "")
	}, false},
	{"age", "not encrypted", func(s *scene, name, content string) string {
		s.env["FAIRLEAD_AGE_IDENTITY"] = s.identity.String()
		s.write(name+".age", content)
		return fmt.Sprintf("{age: {file: %q}}", name+".age")
	}, false},

	{"sops", "good", func(s *scene, name, content string) string {
		s.env["SOPS_AGE_KEY"] = s.identity.String()
		return s.sealSOPS(name, content, "")
	}, true},
	{"sops", "key", func(s *scene, name, content string) string {
		s.env["SOPS_AGE_KEY"] = s.identity.String()
		return s.sealSOPS(name, document("secret", content), "ci.secret")
	}, true},
	{"sops", "no such key", func(s *scene, name, content string) string {
		s.env["SOPS_AGE_KEY"] = s.identity.String()
		return s.sealSOPS(name, document("another", content), "ci.secret")
	}, false},
	{"sops", "wrong identity", func(s *scene, name, content string) string {
		s.env["SOPS_AGE_KEY"] = s.stranger.String()
		return s.sealSOPS(name, document("secret", content), "ci.secret")
	}, false},
	{"sops", "tells all and fails", func(s *scene, name, content string) string {
		s.teller("sops", content, 128)
		s.write(name+".json", "{}")
		return fmt.Sprintf("{sops: {file: %q, key: \"ci.secret\"}}", name+".json")
	}, false},
	{"sops", "tells all and no document", func(s *scene, name, content string) string {
		s.teller("sops", content, 0)
		s.write(name+".json", "{}")
		return fmt.Sprintf("{sops: {file: %q, key: \"ci.secret\"}}", name+".json")
	}, false},
	{"sops", "not encrypted", func(s *scene, name, content string) string {
		s.env["SOPS_AGE_KEY"] = s.identity.String()
		s.link("sops", secretstest.SOPS(s.t))
		s.write(name+".json", document("secret", content))
		return fmt.Sprintf("{sops: {file: %q, key: \"ci.secret\"}}", name+".json")
	}, false},

	{"command", "good", func(s *scene, name, content string) string {
		s.write(name+".txt", content)
		return fmt.Sprintf("{command: [\"cat\", %q]}", filepath.Join(s.dir, name+".txt"))
	}, true},
	{"command", "tells all and fails", func(s *scene, name, content string) string {
		s.teller("vault-"+name, content, 3)
		return fmt.Sprintf("{command: [%q]}", filepath.Join(s.bin, "vault-"+name))
	}, false},
	{"command", "not there", func(s *scene, name, content string) string {
		s.env["VAULT_TOKEN"] = content
		return "{command: [\"fairlead-no-such-program\"]}"
	}, false},

	{"kubernetes", "good", func(s *scene, name, content string) string {
		return s.keep(name, content, "content", name, "content")
	}, true},
	{"kubernetes", "no such key", func(s *scene, name, content string) string {
		return s.keep(name, content, "content", name, "another")
	}, false},
	{"kubernetes", "no such Secret", func(s *scene, name, content string) string {
		return s.keep(name, content, "content", name+"-2", "content")
	}, false},
}

// variable is an environment variable's name for a secret.
func variable(name string) string { return "CANARY_" + strings.ToUpper(name) }

// document is JSON with the content at ci.KEY.
func document(key, content string) string {
	data, err := json.Marshal(map[string]any{"ci": map[string]any{key: content}})
	if err != nil {
		panic(err)
	}
	return string(data)
}

// scene is a user's machine: a description's directory, a home, programs and
// variables, and what of it is secret.
type scene struct {
	*world
	t *testing.T
	// bin goes first in PATH; tmp is TMPDIR.
	bin, tmp, home     string
	identity, stranger *age.X25519Identity
	canaries           []string
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{world: newWorld(t), t: t, bin: t.TempDir(), tmp: t.TempDir(), home: t.TempDir()}
	s.env = map[string]string{}
	for _, identity := range []**age.X25519Identity{&s.identity, &s.stranger} {
		made, err := age.GenerateX25519Identity()
		if err != nil {
			t.Fatal(err)
		}
		*identity = made
		s.canaries = append(s.canaries, made.String(), made.String()[:40])
	}
	return s
}

// canary makes a secret of letters and digits that stands nowhere else.
func (s *scene) canary(word string) string {
	c := fmt.Sprintf("canary%s%x", word, serial.Add(1)<<40|0xc0ffee)
	s.canaries = append(s.canaries, c)
	return c
}

func (s *scene) write(name, content string) { writeFile(s.t, filepath.Join(s.dir, name), content) }

func keyed(kind, file, key string) string {
	if key != "" {
		return fmt.Sprintf("{%s: {file: %q, key: %q}}", kind, file, key)
	}
	return fmt.Sprintf("{%s: {file: %q}}", kind, file)
}

func (s *scene) sealAge(name, content, key string) string {
	s.t.Helper()
	var sealed bytes.Buffer
	armored := armor.NewWriter(&sealed)
	w, err := age.Encrypt(armored, s.identity.Recipient())
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := w.Write([]byte(content)); err != nil {
		s.t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		s.t.Fatal(err)
	}
	if err := armored.Close(); err != nil {
		s.t.Fatal(err)
	}
	s.write(name+".age", sealed.String())
	return keyed("age", name+".age", key)
}

// sealSOPS encrypts with the real sops, and has the command find it.
func (s *scene) sealSOPS(name, content, key string) string {
	s.t.Helper()
	program := secretstest.SOPS(s.t)
	s.link("sops", program)
	file := name + ".json"
	if key == "" {
		file = name + ".bin"
	}
	s.write(file, content)
	if err := runIn(s.dir, program, "encrypt", "--age", s.identity.Recipient().String(), "--in-place", file); err != nil {
		s.t.Fatal(err)
	}
	return keyed("sops", file, key)
}

func (s *scene) link(name, program string) {
	s.t.Helper()
	if err := os.Symlink(program, filepath.Join(s.bin, name)); err != nil && !os.IsExist(err) {
		s.t.Fatal(err)
	}
}

// teller is a program that prints the secret on both streams, and ends with status.
func (s *scene) teller(name, content string, status int) {
	s.t.Helper()
	file := filepath.Join(s.bin, name)
	script := fmt.Sprintf("#!/bin/sh\ncat \"$0.txt\"\ncat \"$0.txt\" >&2\nexit %d\n", status)
	if err := os.WriteFile(file, []byte(script), 0o755); err != nil {
		s.t.Fatal(err)
	}
	writeFile(s.t, file+".txt", content)
}

// keep puts content into a Secret on the second cluster, and refers to a Secret and
// a key of it that may be others.
func (s *scene) keep(name, content, key, refName, refKey string) string {
	s.t.Helper()
	if !slices.ContainsFunc(s.list(1, "", "namespaces", ""), named(s.ns("vault"))) {
		s.namespace(1, "vault", nil)
	}
	s.create(1, "secrets", map[string]any{
		"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"namespace": s.ns("vault"), "name": name},
		"stringData": map[string]any{key: content},
	})
	return fmt.Sprintf("{kubernetes: {cluster: \"two\", namespace: %q, name: %q, key: %q}}", s.ns("vault"), refName, refKey)
}
