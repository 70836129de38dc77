package overlay

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	planfield "fairlead.dev/fairlead/plan/field"
	"fairlead.dev/fairlead/schema/network"
)

// siteFields flattens the Site, which must be the one that was put in.
func siteFields(s network.Site, o candidate, several bool) (map[string]any, error) {
	switch {
	case several && o.Name != objectName(s):
		return nil, wrong(o, "is a second Site", "a namespace has one; declare another site in the description")
	case o.Name != objectName(s):
		return nil, mistake{"", fmt.Sprintf("renames the Site %q to %q", objectName(s), o.Name), "leave the Site's name as it is, or name it with object in the description"}
	}
	spec, ok := o.Manifest["spec"].(map[string]any)
	if !ok && o.Manifest["spec"] != nil {
		return nil, wrong(o, "has a spec that is not a map", "leave the spec a map of fields")
	}
	if err := scalars(o, "spec", spec); err != nil {
		return nil, err
	}
	if err := typed(o, spec); err != nil {
		return nil, err
	}
	meta, _ := o.Manifest["metadata"].(map[string]any)
	fields := planfield.SiteFields(spec, texts(meta["labels"]), texts(meta["annotations"]))
	if fields["linkAccess"] == nil {
		fields["linkAccess"] = "none"
	}
	return fields, sensible(o, fields)
}

// scalars refuses what a Site cannot have: lists, and maps other than settings.
func scalars(o candidate, path string, m map[string]any) error {
	for _, key := range slices.Sorted(maps.Keys(m)) {
		at := path + "." + key
		switch v := m[key].(type) {
		case nil:
			delete(m, key)
		case string, bool, int64, float64:
		case map[string]any:
			if at != "spec.settings" {
				return wrong(o, "has a map at "+at, "a Site has only texts, numbers and true or false there")
			}
			if err := scalars(o, at, v); err != nil {
				return err
			}
		default:
			return wrong(o, "has a list at "+at, "a Site has only texts, numbers and true or false there")
		}
	}
	return nil
}

// siteTexts and siteSwitches are the fields of a Site's spec that a description may
// set, as Skupper's definition of it types them; settings is the only other one.
var (
	siteTexts    = []string{"linkAccess", "defaultIssuer", "serviceAccount"}
	siteSwitches = []string{"ha", "edge"}
)

// typed checks that the fields of a Site's spec are known, and their values.
func typed(o candidate, spec map[string]any) error {
	for _, f := range slices.Sorted(maps.Keys(spec)) {
		if err := typedField(o, f, spec[f]); err != nil {
			return err
		}
	}
	settings, _ := spec["settings"].(map[string]any)
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		if _, ok := settings[key].(string); !ok {
			return wrong(o, fmt.Sprintf("has spec.settings.%s %v", key, settings[key]), "write a text in quotes")
		}
	}
	return nil
}

func typedField(o candidate, field string, value any) error {
	var fits bool
	var fix string
	switch {
	case slices.Contains(siteSwitches, field):
		_, fits = value.(bool)
		fix = "write true or false"
	case slices.Contains(siteTexts, field):
		_, fits = value.(string)
		fix = "write a text in quotes"
	case field == "settings":
		_, fits = value.(map[string]any)
		fix = "write a map of texts"
	default:
		return wrong(o, fmt.Sprintf("has spec.%s, which no description can have", field),
			"remove it; a Site has "+strings.Join(slices.Concat(siteTexts, siteSwitches), ", ")+" and settings")
	}
	if !fits {
		return wrong(o, fmt.Sprintf("has spec.%s %v", field, value), fix)
	}
	return nil
}

// sensible checks a Site's fields as the rules of a description do.
func sensible(o candidate, fields map[string]any) error {
	if access, _ := fields["linkAccess"].(string); !slices.Contains(network.LinkAccesses, access) {
		return wrong(o, fmt.Sprintf("has spec.linkAccess %q", access), "use one of "+strings.Join(network.LinkAccesses, ", "))
	}
	if fields["edge"] == true && (fields["ha"] == true || planfield.SiteListens(fields)) {
		return wrong(o, "is an edge site that listens or is ha", "an edge site only connects, with one router")
	}
	return nil
}
