package field

import "strings"

// The prefixes of a Site's owned fields that do not stand directly in its spec.
const (
	prefixSettings    = "settings."
	prefixLabels      = "metadata.labels."
	prefixAnnotations = "metadata.annotations."
)

// SiteManifest builds a Site from its owned fields by path: its spec, its labels and
// its annotations. Fields that are nil are left out; maps are never nil.
func SiteManifest(fields map[string]any) (spec map[string]any, labels, annotations map[string]string) {
	spec, labels, annotations = map[string]any{}, map[string]string{}, map[string]string{}
	settings := map[string]any{}
	for path, v := range fields {
		text, _ := v.(string)
		if v == nil {
			continue
		}
		if key, ok := strings.CutPrefix(path, prefixSettings); ok {
			settings[key] = v
		} else if key, ok := strings.CutPrefix(path, prefixLabels); ok {
			labels[key] = text
		} else if key, ok := strings.CutPrefix(path, prefixAnnotations); ok {
			annotations[key] = text
		} else {
			spec[path] = v
		}
	}
	if len(settings) > 0 {
		spec["settings"] = settings
	}
	return spec, labels, annotations
}

// SiteFields flattens a Site into fields by path, as SiteView has them.
func SiteFields(spec map[string]any, labels, annotations map[string]string) map[string]any {
	out := map[string]any{}
	for key, v := range spec {
		settings, ok := v.(map[string]any)
		if key != "settings" || !ok {
			out[key] = v
			continue
		}
		for key, v := range settings {
			out[prefixSettings+key] = v
		}
	}
	for key, v := range labels {
		out[prefixLabels+key] = v
	}
	for key, v := range annotations {
		out[prefixAnnotations+key] = v
	}
	return out
}

// StoredSite gives those of a Site's fields that mean something else than was sent, as they
// are in what the API server answered; nil stands for one that is not there.
func StoredSite(sent, answered map[string]any) map[string]any {
	out := map[string]any{}
	for path, v := range sent {
		if !Equality(path)(v, answered[path]) {
			out[path] = answered[path]
		}
	}
	return out
}

// SiteListens reports whether a Site with these fields accepts links.
func SiteListens(fields map[string]any) bool {
	access, _ := fields["linkAccess"].(string)
	return access != "" && access != "none"
}
