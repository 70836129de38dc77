package apply

import (
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
