package cli

import (
	"bytes"
	"encoding/json"
	"fmt"

	"go.yaml.in/yaml/v3"

	"fairlead.dev/fairlead/plan/rights"
)

// rbacGroup is Kubernetes' API group of Roles and their bindings.
const rbacGroup = "rbac.authorization.k8s.io"

// rbacObject is a Role, ClusterRole or binding.
type rbacObject struct {
	APIVersion string        `json:"apiVersion" yaml:"apiVersion"`
	Kind       string        `json:"kind" yaml:"kind"`
	Metadata   rbacMeta      `json:"metadata" yaml:"metadata"`
	Rules      []rbacRule    `json:"rules,omitempty" yaml:"rules,omitempty"`
	RoleRef    *rbacRef      `json:"roleRef,omitempty" yaml:"roleRef,omitempty"`
	Subjects   []rbacSubject `json:"subjects,omitempty" yaml:"subjects,omitempty"`
}

type rbacMeta struct {
	Name        string            `json:"name" yaml:"name"`
	Namespace   string            `json:"namespace,omitempty" yaml:"namespace,omitempty"`
	Annotations map[string]string `json:"annotations" yaml:"annotations"`
}

type rbacRule struct {
	Groups    []string `json:"apiGroups" yaml:"apiGroups,flow"`
	Resources []string `json:"resources" yaml:"resources,flow"`
	Names     []string `json:"resourceNames,omitempty" yaml:"resourceNames,omitempty,flow"`
	Verbs     []string `json:"verbs" yaml:"verbs,flow"`
}

type rbacRef struct {
	Group string `json:"apiGroup" yaml:"apiGroup"`
	Kind  string `json:"kind" yaml:"kind"`
	Name  string `json:"name" yaml:"name"`
}

type rbacSubject struct {
	Kind      string `json:"kind" yaml:"kind"`
	Group     string `json:"apiGroup,omitempty" yaml:"apiGroup,omitempty"`
	Name      string `json:"name" yaml:"name"`
	Namespace string `json:"namespace,omitempty" yaml:"namespace,omitempty"`
}

// annotationCluster, on what rbac prints, names the description's cluster that it is for.
const annotationCluster = "fairlead.dev/cluster"

// rbacObjects gives a cluster's roles, each before its binding, and the reasons of each
// object's rules.
func (o *rbacFlags) rbacObjects(name string, c rights.Cluster) (objects []rbacObject, reasons [][]string) {
	for _, role := range c.Roles {
		kind := "Role"
		if role.Namespace == "" {
			kind = "ClusterRole"
		}
		made := rbacObject{
			APIVersion: rbacGroup + "/v1", Kind: kind,
			Metadata: rbacMeta{Name: name, Namespace: role.Namespace, Annotations: map[string]string{annotationCluster: string(c.Name)}},
		}
		var why []string
		for _, r := range role.Rules {
			made.Rules = append(made.Rules, rbacRule{[]string{r.Group}, r.Resources, r.Names, r.Verbs})
			why = append(why, r.Why)
		}
		objects, reasons = append(objects, made), append(reasons, why)
		if len(o.subjects) == 0 {
			continue
		}
		binding := rbacObject{
			APIVersion: made.APIVersion, Kind: kind + "Binding", Metadata: made.Metadata,
			RoleRef: &rbacRef{Group: rbacGroup, Kind: kind, Name: name}, Subjects: o.subjects,
		}
		objects, reasons = append(objects, binding), append(reasons, nil)
	}
	return objects, reasons
}

func (o *rbacFlags) encodeRBAC(name string, clusters []rights.Cluster) ([]byte, error) {
	var all []rbacObject
	var out bytes.Buffer
	for _, c := range clusters {
		objects, reasons := o.rbacObjects(name, c)
		all = append(all, objects...)
		for i, object := range objects {
			text, err := rbacYAML(object, reasons[i])
			if err != nil {
				return nil, err
			}
			fmt.Fprintf(&out, "---\n# cluster: %s\n%s", c.Name, text)
		}
	}
	if o.format != "json" {
		return out.Bytes(), nil
	}
	if all == nil {
		all = []rbacObject{}
	}
	text, err := json.MarshalIndent(map[string]any{"apiVersion": "v1", "kind": "List", "items": all}, "", "  ")
	return append(text, '\n'), err
}

// rbacYAML is one object as YAML, with a comment before each rule.
func rbacYAML(object rbacObject, reasons []string) ([]byte, error) {
	var node yaml.Node
	if err := node.Encode(object); err != nil {
		return nil, err
	}
	for i := 0; i < len(node.Content); i += 2 {
		if node.Content[i].Value != "rules" {
			continue
		}
		for j, rule := range node.Content[i+1].Content {
			rule.HeadComment = reasons[j]
		}
	}
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(&node); err != nil {
		return nil, err
	}
	return out.Bytes(), enc.Close()
}
