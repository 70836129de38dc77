package secrets

import (
	"fmt"
	"strings"
)

// Source is a kind of place that secrets come from.
type Source string

const (
	// SourceEnv is an environment variable of this process.
	SourceEnv Source = "env"
	// SourceFile is a file that holds the secret in the clear.
	SourceFile Source = "file"
	// SourceAge is a file encrypted with age.
	SourceAge Source = "age"
	// SourceSOPS is a file encrypted with SOPS.
	SourceSOPS Source = "sops"
	// SourceKubernetes is one key of a Kubernetes Secret.
	SourceKubernetes Source = "kubernetes"
	// SourceCommand is the output of a program.
	SourceCommand Source = "command"
)

// MaxSize bounds a secret, in bytes. It is what a Kubernetes Secret may hold.
const MaxSize = 1 << 20

// Ref names where a secret is, never what it is. Exactly one field is set.
type Ref struct {
	// Env is the name of an environment variable.
	Env string
	// File is a path, relative to the description's directory unless absolute.
	File string
	// Age is a file encrypted with age.
	Age *AgeRef
	// SOPS is a file encrypted with SOPS.
	SOPS *SOPSRef
	// Kubernetes is a key of a Secret in one of the network's clusters.
	Kubernetes *KubernetesRef
	// Command is a program and its arguments, run without a shell.
	Command []string
}

// AgeRef is an age file, armored or binary. File is a path, relative to the
// description's directory unless absolute. Key picks one text out of a JSON
// document, as in SOPSRef; without it the whole content is the secret.
type AgeRef struct{ File, Key string }

// SOPSRef is a SOPS file. File is a path, relative to the description's directory
// unless absolute. Key picks one text out of the decrypted document: a dotted path
// (db.users.0.password) or, when a name holds a dot, a JSON pointer
// (/files/tls.key). Without Key the whole decrypted file is the secret.
type SOPSRef struct{ File, Key string }

// KubernetesRef is one key of the Secret Name. Cluster is a name of the
// description.
type KubernetesRef struct{ Cluster, Namespace, Name, Key string }

// Source tells which source the reference names. The error is ErrInvalid when
// there is none, more than one, or one that lacks a part.
func (r Ref) Source() (Source, error) {
	named := r.sources()
	switch {
	case len(named) == 0:
		return "", Invalid(r, "names no source", "name one of env, file, age, sops, kubernetes or command")
	case len(named) > 1:
		return "", Invalid(r, fmt.Sprintf("names %d sources", len(named)), "keep one of them")
	}
	if part := r.lacks(); part != "" {
		return "", Invalid(r, "has no "+part, "add it to the reference")
	}
	return named[0], nil
}

func (r Ref) sources() []Source {
	var named []Source
	for _, s := range []struct {
		source Source
		set    bool
	}{
		{SourceEnv, r.Env != ""},
		{SourceFile, r.File != ""},
		{SourceAge, r.Age != nil},
		{SourceSOPS, r.SOPS != nil},
		{SourceKubernetes, r.Kubernetes != nil},
		{SourceCommand, len(r.Command) > 0},
	} {
		if s.set {
			named = append(named, s.source)
		}
	}
	return named
}

// lacks names the first part that is missing.
func (r Ref) lacks() string {
	switch {
	case r.Age != nil && r.Age.File == "", r.SOPS != nil && r.SOPS.File == "":
		return "file"
	case len(r.Command) > 0 && r.Command[0] == "":
		return "program"
	case r.Kubernetes == nil:
		return ""
	case r.Kubernetes.Cluster == "":
		return "cluster"
	case r.Kubernetes.Namespace == "":
		return "namespace"
	case r.Kubernetes.Name == "":
		return "name"
	case r.Kubernetes.Key == "":
		return "key"
	}
	return ""
}

// String names the place for messages, for example `environment variable "PW"`. Of
// a command it gives the program alone.
func (r Ref) String() string {
	var places []string
	for _, s := range r.sources() {
		places = append(places, r.place(s))
	}
	if len(places) == 0 {
		return "secret reference"
	}
	return strings.Join(places, " and ")
}

func (r Ref) place(s Source) string {
	switch s {
	case SourceEnv:
		return fmt.Sprintf("environment variable %q", r.Env)
	case SourceFile:
		return fmt.Sprintf("file %q", r.File)
	case SourceAge:
		return fmt.Sprintf("age file %q", r.Age.File) + keyed(r.Age.Key)
	case SourceSOPS:
		return fmt.Sprintf("SOPS file %q", r.SOPS.File) + keyed(r.SOPS.Key)
	case SourceKubernetes:
		k := r.Kubernetes
		return fmt.Sprintf("Secret %q", k.Namespace+"/"+k.Name) + keyed(k.Key) + fmt.Sprintf(" in cluster %q", k.Cluster)
	}
	return fmt.Sprintf("command %q", r.Command[0])
}

func keyed(key string) string {
	if key == "" {
		return ""
	}
	return fmt.Sprintf(" key %q", key)
}
