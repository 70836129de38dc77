package apply

import (
	"reflect"
	"testing"

	"fairlead.dev/fairlead/plan"
)

// What the API server made of a value says nothing of another value: an intent whose
// write fails must not look as if it were carried out.
func TestIntentForgetsTheFormOfOldValues(t *testing.T) {
	t.Parallel()
	a := plan.Action{Kind: plan.KindObject, Name: "q", Object: &plan.ObjectWork{
		Site: "s", APIVersion: "v1", Kind: "ResourceQuota", UID: "u",
		Fields: map[string]any{"spec.hard.cpu": "2000m", "spec.hard.pods": "0010"},
	}}
	inv := plan.Inventory{Site: "s", Objects: map[string]plan.InventoryObject{a.Key(): {
		Fields: map[string]any{"spec.hard.cpu": "1000m", "spec.hard.pods": "0010"},
		Stored: map[string]any{"spec.hard.cpu": "1", "spec.hard.pods": "10"},
	}}}
	intendObject(&inv, a)
	got := inv.Objects[a.Key()]
	if _, kept := got.Stored["spec.hard.cpu"]; kept || got.Stored["spec.hard.pods"] != "10" || got.UID != "u" {
		t.Errorf("stored %v, UID %q", got.Stored, got.UID)
	}
}

// Where an object was left as it is, nothing is learnt of how the API server keeps what
// was asked for, and what was known stays.
func TestStoredOfWhatWasLeft(t *testing.T) {
	t.Parallel()
	w := &plan.ObjectWork{
		Fields: map[string]any{"spec.cpu": "2000m", "spec.pods": "0010", "spec.replicas": int64(3)},
		Keep:   []string{"spec.pods", "spec.replicas"},
	}
	live := Object{Content: map[string]any{"spec": map[string]any{"cpu": "2", "pods": "99", "replicas": int64(7)}}}
	got := storedOf(w, map[string]any{"spec.pods": "10", "spec.cpu": "1"}, live)
	if want := map[string]any{"spec.cpu": "2", "spec.pods": "10"}; !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
