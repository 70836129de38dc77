package schema

import (
	"fmt"
	"strings"

	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// source is one way to find a secret that a reference names.
type source struct {
	name string
	at   diag.Position
}

// secret reads a reference to a secret.
func (d *decoder) secret(f field) (*network.SecretRef, diag.Position) {
	var ref network.SecretRef
	var named []source
	before := len(d.findings)
	clean := d.object(f, d.shapes.secret, func(f field) {
		var unused diag.Position
		switch f.name {
		case "env":
			d.str(f, &ref.Env, &unused)
		case "file":
			d.str(f, &ref.File, &unused)
		case "age":
			ref.Age = d.encrypted(f)
		case "sops":
			ref.SOPS = d.encrypted(f)
		case "kubernetes":
			ref.Kubernetes = d.secretKey(f)
		case "command":
			ref.Command = d.command(f)
		}
		named = append(named, source{f.name, f.at})
	})
	if clean && len(d.findings) == before {
		d.checkSecret(f, ref, named)
	}
	return &ref, f.at
}

func (d *decoder) encrypted(f field) *network.EncryptedFile {
	var out network.EncryptedFile
	var unused diag.Position
	d.object(f, d.shapes.encrypted, func(f field) {
		switch f.name {
		case "file":
			d.filled(f, &out.File, "give the path of the encrypted file")
		case "key":
			d.str(f, &out.Key, &unused)
		}
	})
	return &out
}

func (d *decoder) secretKey(f field) *network.SecretKey {
	var out network.SecretKey
	d.object(f, d.shapes.secretKey, func(f field) {
		switch f.name {
		case "cluster":
			d.filled(f, (*string)(&out.Cluster), "name one of clusters")
		case "namespace":
			d.filled(f, &out.Namespace, "name the Secret's namespace")
		case "name":
			d.filled(f, &out.Name, "name the Secret")
		case "key":
			d.filled(f, &out.Key, "name one of the keys of the Secret's data")
		}
	})
	return &out
}

// filled is str for a string that must not be empty.
func (d *decoder) filled(f field, into *string, fix string) {
	var at diag.Position
	if d.str(f, into, &at); !at.IsZero() && *into == "" {
		d.add(f, "secret-reference", fmt.Sprintf("%s is \"\"", f.label()), fix)
	}
}

// command reads a program and its arguments.
func (d *decoder) command(f field) []string {
	var out []string
	if !d.texts(f, "a list: the program and its arguments", func(_ field, word string) { out = append(out, word) }) {
		return nil
	}
	if len(out) == 0 || out[0] == "" {
		d.add(f, "secret-reference", f.path+" names no program", `write command: ["PROGRAM", "ARGUMENT"]`)
	}
	return out
}

// checkSecret demands exactly one way to find a secret, with a name.
func (d *decoder) checkSecret(f field, ref network.SecretRef, named []source) {
	switch {
	case len(named) == 0:
		d.add(f, "secret-reference", f.path+" names no source of the secret",
			`add env: "VARIABLE", file: "PATH", or one of age, sops, kubernetes and command`)
	case len(named) > 1:
		f.at = named[1].at
		d.add(f, "secret-reference", fmt.Sprintf("%s has both %s and %s", f.path, named[0].name, named[1].name), "keep one of them", named[0].at)
	case named[0].name == "env" && ref.Env == "":
		f.at = named[0].at
		d.add(f, "secret-reference", f.path+`.env is "", which is no name of a variable`, "name the environment variable that holds the value")
	case named[0].name == "env" && strings.ContainsAny(ref.Env, "= \t\n"):
		f.at = named[0].at
		d.add(f, "secret-reference", f.path+".env is no name of a variable", "name the environment variable that holds the value, not the value")
	case named[0].name == "file" && ref.File == "":
		f.at = named[0].at
		d.add(f, "secret-reference", f.path+`.file is ""`, "give the path of the file that holds the value")
	}
}
