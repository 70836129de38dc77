package overlay

import (
	"fmt"
	"strings"

	"fairlead.dev/fairlead/schema/network"
)

// rbacGroup has kinds whose names may hold colons, such as "system:node".
const rbacGroup = "rbac.authorization.k8s.io"

// wellFormed checks that an object's version, kind and name have the form that
// Kubernetes wants. They name files too, so nothing else may pass.
func wellFormed(o candidate) error {
	group, version, found := strings.Cut(o.APIVersion, "/")
	if !found {
		group, version = "", o.APIVersion
	}
	switch {
	case found && !network.IsSubdomain(group), !network.IsLabel(version):
		return mistake{"", fmt.Sprintf("%s %s has the apiVersion %q", o.Kind, o.Name, o.APIVersion), `write VERSION or GROUP/VERSION, such as "v1" or "apps/v1"`}
	case !network.IsLabel(strings.ToLower(string(o.Kind))):
		return mistake{"", fmt.Sprintf("there is no kind %q", o.Kind), "correct the kind; it has letters and digits alone"}
	case o.Name != "" && !validName(group, o.Name):
		return mistake{"", fmt.Sprintf("%s has the name %q, which Kubernetes does not take", o.Kind, o.Name), "use lower-case letters, digits, hyphens and dots, at most 253 characters, with a letter or digit at both ends"}
	}
	return nil
}

// validName tells the name of an object: a subdomain, and among roles and their
// bindings one in which colons count as letters.
func validName(group, name string) bool {
	if group == rbacGroup {
		name = strings.ReplaceAll(name, ":", "x")
	}
	return network.IsSubdomain(name)
}
