package field

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Flatten gives the owned fields of an object's manifest by path: every scalar, and
// lists of scalars as JSON text. A path joins keys by dots; a key that holds a dot,
// bracket, quote or equals sign stands in brackets as JSON (`data["a.b"]`). Items
// of a list of maps are named by a key that tells them apart where there is one
// (`containers[name="web"]`), which is how Kubernetes merges such lists, otherwise
// by index, and then the list's length (`rules[#]`) is owned too. Empty maps and
// lists are "{}" and "[]", and a long text is its digest. Identity, status and nulls
// are left out.
func Flatten(manifest map[string]any) map[string]any {
	out := map[string]any{}
	for key, v := range manifest {
		switch key {
		case "apiVersion", "kind", "status":
		case "metadata":
			flattenMetadata(out, v)
		default:
			flatten(out, segment("", key), v)
		}
	}
	return out
}

// flattenMetadata takes what an overlay may set: labels and annotations.
func flattenMetadata(out map[string]any, v any) {
	meta, _ := v.(map[string]any)
	for _, kind := range []string{"labels", "annotations"} {
		entries, _ := meta[kind].(map[string]any)
		for key, value := range entries {
			flatten(out, segment("metadata."+kind, key), value)
		}
	}
}

func flatten(out map[string]any, path string, v any) {
	switch v := v.(type) {
	case nil:
	case map[string]any:
		if len(v) == 0 {
			out[path] = "{}"
		}
		for key, value := range v {
			flatten(out, segment(path, key), value)
		}
	case []any:
		flattenList(out, path, v)
	default:
		out[path] = shortened(v)
	}
}

// longest is the length in bytes from which a text is compared by its digest, so that
// files in ConfigMaps do not fill inventories and plans.
const longest = 512

func shortened(v any) any {
	text, ok := v.(string)
	if !ok || len(text) < longest {
		return v
	}
	sum := sha256.Sum256([]byte(text))
	return fmt.Sprintf("%d bytes, sha256:%s", len(text), hex.EncodeToString(sum[:]))
}

func flattenList(out map[string]any, path string, list []any) {
	if !allMaps(list) {
		out[path] = shortened(listText(list))
		return
	}
	key := mergeKey(list)
	for i, item := range list {
		at := path + "[" + strconv.Itoa(i) + "]"
		if key != "" {
			at = path + "[" + key + "=" + listText(item.(map[string]any)[key]) + "]"
		}
		flatten(out, at, item)
	}
	if key == "" {
		out[path+"[#]"] = int64(len(list))
	}
}

func allMaps(list []any) bool {
	return len(list) > 0 && !slices.ContainsFunc(list, func(v any) bool {
		_, ok := v.(map[string]any)
		return !ok
	})
}

// mergeKeys are the fields by which lists of the Kubernetes API are merged.
var mergeKeys = []string{"name", "containerPort", "port", "mountPath", "devicePath", "topologyKey", "ip", "type"}

// mergeKey finds a field that all items have, each with another scalar.
func mergeKey(list []any) string {
	for _, key := range mergeKeys {
		seen := map[any]bool{}
		for _, item := range list {
			switch v := item.(map[string]any)[key].(type) {
			case string, int64, float64:
				seen[v] = true
			}
		}
		if len(seen) == len(list) {
			return key
		}
	}
	return ""
}

// listText is a value as JSON, which is how lists are compared and shown.
func listText(v any) string {
	data, err := json.Marshal(v)
	if err != nil { // values come from JSON and always marshal
		return ""
	}
	return string(data)
}

// segment adds a key to a path.
func segment(path, key string) string {
	switch {
	case key == "" || strings.ContainsAny(key, `.[]"=`):
		return path + "[" + listText(key) + "]"
	case path == "":
		return key
	}
	return path + "." + key
}

// Pick gives the values that a live object has at the paths, in the shape that
// Flatten gives them; paths that lead nowhere are left out.
func Pick(live map[string]any, paths ...map[string]any) map[string]any {
	out := map[string]any{}
	for _, set := range paths {
		for _, path := range slices.Sorted(maps.Keys(set)) {
			if v, ok := lookup(live, path); ok {
				out[path] = v
			}
		}
	}
	return out
}

// ValueAt follows one path of Flatten through an object.
func ValueAt(v any, path string) (any, bool) {
	for path != "" {
		var ok bool
		step, rest := cutStep(path)
		if v, ok = follow(v, step); !ok {
			return nil, false
		}
		path = rest
	}
	return v, true
}

// lookup gives what is at a path as Flatten shows it.
func lookup(v any, path string) (any, bool) {
	v, ok := ValueAt(v, path)
	if !ok {
		return nil, false
	}
	switch v := v.(type) {
	case nil:
		return nil, false
	case map[string]any: // what others keep below it is not ours
		return "{}", true
	case []any:
		return shortened(listText(v)), true
	default:
		return shortened(v), true
	}
}

// cutStep splits the first key, or the first pair of brackets, from a path.
func cutStep(path string) (step, rest string) {
	path = strings.TrimPrefix(path, ".")
	if !strings.HasPrefix(path, "[") {
		end := strings.IndexAny(path, ".[")
		if end < 0 {
			return path, ""
		}
		return path[:end], path[end:]
	}
	quoted := false
	for i := 0; i < len(path); i++ {
		switch c := path[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == ']' && !quoted:
			return path[:i+1], path[i+1:]
		}
	}
	return path, ""
}

// keyOf is the key of a map that a step names.
func keyOf(step string) string {
	var key string
	inner := strings.TrimSuffix(strings.TrimPrefix(step, "["), "]")
	if inner == step || json.Unmarshal([]byte(inner), &key) != nil {
		return step
	}
	return key
}

func follow(v any, step string) (any, bool) {
	inner, bracketed := strings.CutPrefix(step, "[")
	inner = strings.TrimSuffix(inner, "]")
	if fields, isMap := v.(map[string]any); isMap && (!bracketed || strings.HasPrefix(inner, `"`)) {
		found, ok := fields[keyOf(step)]
		return found, ok
	}
	list, ok := v.([]any)
	if !ok || !bracketed {
		return nil, false
	}
	return item(list, inner)
}

// item finds one item of a list by index, by a key's value, or gives its length.
func item(list []any, which string) (any, bool) {
	if which == "#" {
		return int64(len(list)), true
	}
	if i, err := strconv.Atoi(which); err == nil {
		if i < 0 || i >= len(list) {
			return nil, false
		}
		return list[i], true
	}
	key, value, _ := strings.Cut(which, "=")
	for _, v := range list {
		if fields, ok := v.(map[string]any); ok && fields[key] != nil && listText(fields[key]) == value {
			return v, true
		}
	}
	return nil, false
}

// Stored gives those of the fields that the API server keeps in another form than
// they were sent, as it keeps them; nil stands for what it does not keep. It is nil
// when there are none.
func Stored(fields, live map[string]any) map[string]any {
	var out map[string]any
	kept := Pick(live, fields)
	for path, sent := range fields {
		if SameValue(sent, kept[path]) {
			continue
		}
		if out == nil {
			out = map[string]any{}
		}
		out[path] = kept[path]
	}
	return out
}

// ListOf gives the list that a path of Flatten leads through, where its items have no
// name: the path up to the first index.
func ListOf(path string) (string, bool) {
	for rest := path; rest != ""; {
		step, after := cutStep(rest)
		if inner, ok := strings.CutPrefix(step, "["); ok && inner != "" && strings.Contains("#0123456789", inner[:1]) {
			return strings.TrimSuffix(path, rest), true
		}
		rest = after
	}
	return "", false
}

// KeepIn gives a copy of an object's manifest with the values that the live one has at
// the paths, which are of Flatten. Where a path leads through a list whose items have no
// name, all of the list is taken over. Paths that lead nowhere change nothing, and so do
// those of empty maps: what others keep below one is not ours to send.
func KeepIn(manifest, live map[string]any, paths []string) map[string]any {
	out, _ := copied(manifest).(map[string]any)
	for _, path := range paths {
		if list, ok := ListOf(path); ok {
			path = list
		}
		sent, _ := ValueAt(out, path)
		if v, ok := ValueAt(live, path); ok && path != "" && !(isMap(sent) && isMap(v)) {
			setAt(out, path, copied(v))
		}
	}
	return out
}

func isMap(v any) bool {
	_, ok := v.(map[string]any)
	return ok
}

// setAt sets the value at a path, where the map that holds it is there.
func setAt(v any, path string, value any) {
	for {
		step, rest := cutStep(path)
		if rest == "" {
			if m, ok := v.(map[string]any); ok {
				m[keyOf(step)] = value
			}
			return
		}
		var ok bool
		if v, ok = follow(v, step); !ok {
			return
		}
		path = rest
	}
}

func copied(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, item := range v {
			out[key] = copied(item)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = copied(item)
		}
		return out
	}
	return v
}
