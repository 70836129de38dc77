package kube

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
)

// SameMeaning implements apply.Writer.
func (c *Cluster) SameMeaning(path string, sent, kept any) bool {
	switch {
	case path == "status" || strings.HasPrefix(path, "status."):
		return true // a main resource keeps no status that it is sent (Kubernetes API conventions: spec and status)
	case kept == nil:
		return isDefault(sent)
	case strings.HasSuffix(path, "[#]"):
		had, errHad := quantity(sent)
		has, errHas := quantity(kept)
		return errHad == nil && errHas == nil && has.Cmp(had) >= 0 // others added items
	}
	return sameValue(sent, kept)
}

// isDefault reports whether API servers may leave a value out: that of an unset field.
func isDefault(v any) bool {
	switch v {
	case nil, "", false, int64(0), float64(0), "{}", "[]", "null":
		return true
	}
	return false
}

func sameValue(a, b any) bool {
	if reflect.DeepEqual(a, b) {
		return true
	}
	if x, errX := quantity(a); errX == nil {
		if y, errY := quantity(b); errY == nil {
			return x.Cmp(y) == 0
		}
	}
	textA, isA := a.(string)
	textB, isB := b.(string)
	return isA && isB && sameText(textA, textB)
}

// quantity reads numbers and Kubernetes quantities, which API servers normalise.
func quantity(v any) (resource.Quantity, error) {
	switch v.(type) {
	case string, int64, float64:
		return resource.ParseQuantity(fmt.Sprint(v))
	}
	return resource.Quantity{}, resource.ErrFormatWrong
}

// sameText compares texts that may be durations, times or lists.
func sameText(a, b string) bool {
	if x, err := time.ParseDuration(a); err == nil {
		y, err := time.ParseDuration(b)
		return err == nil && x == y
	}
	if x, err := time.Parse(time.RFC3339, a); err == nil {
		y, err := time.Parse(time.RFC3339, b)
		return err == nil && x.Equal(y)
	}
	var sent, kept []any
	if json.Unmarshal([]byte(a), &sent) != nil || json.Unmarshal([]byte(b), &kept) != nil {
		return false
	}
	for _, v := range sent { // in any order, and among others'
		i := slices.IndexFunc(kept, func(k any) bool { return sameValue(v, k) })
		if i < 0 {
			return false
		}
		kept = slices.Delete(kept, i, i+1)
	}
	return true
}
