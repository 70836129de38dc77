package planner_test

import (
	"reflect"
	"strings"
	"testing"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/record"
	"fairlead.dev/fairlead/schema/network"
)

func quota(uid string, fields map[string]any) plan.Action {
	return plan.Action{
		ID: "object/s/ResourceQuota/q", Kind: plan.KindObject, Name: "q", Steps: []plan.Step{plan.StepRecord, plan.StepObject},
		Object: &plan.ObjectWork{Site: "s", APIVersion: "v1", Kind: "ResourceQuota", UID: uid, Fields: fields},
	}
}

// What the API server made of a value says nothing of another value, and an intent changes
// nothing of what is recorded as applied, until it is confirmed.
func TestObjectIsRecordedAsApplied(t *testing.T) {
	t.Parallel()
	applied := map[string]any{"spec.hard.cpu": "1000m", "spec.hard.pods": "0010"}
	stored := map[string]any{"spec.hard.cpu": "1", "spec.hard.pods": "10"}
	a := quota("u", map[string]any{"spec.hard.cpu": "2000m", "spec.hard.pods": "0010"})
	inv := record.Inventory{Site: "s", Objects: map[string]record.Object{a.Key(): {Fields: applied, Answer: record.Answer{Stored: stored}}}}
	inv.Begin(a)
	got := inv.Objects[a.Key()]
	if !reflect.DeepEqual(got.Fields, applied) || !reflect.DeepEqual(got.Stored, stored) || !got.Intent.Open() || got.UID != "u" {
		t.Errorf("begun: %+v", got)
	}
	inv.Begin(a)
	inv.ConfirmObject(a, "u", record.Answer{Stored: map[string]any{"spec.hard.cpu": "2", "spec.hard.pods": "10"}})
	got = inv.Objects[a.Key()]
	want := map[string]any{"spec.hard.cpu": "2", "spec.hard.pods": "10"}
	if !reflect.DeepEqual(got.Fields, a.Object.Fields) || !reflect.DeepEqual(got.Stored, want) || got.Intent != nil {
		t.Errorf("confirmed: %+v", got)
	}
	a.Steps = []plan.Step{plan.StepRecord} // as declared already
	a.Object.Fields = map[string]any{"spec.hard.pods": "0010"}
	inv.Begin(a)
	got = inv.Objects[a.Key()]
	if !reflect.DeepEqual(got.Stored, map[string]any{"spec.hard.pods": "10"}) || got.Intent != nil || len(got.Fields) != 1 {
		t.Errorf("only recorded: %+v", got)
	}
}

// Where an object was left as it is, nothing is learnt of how the API server keeps what
// was asked for, and what was known stays.
func TestStoredOfWhatWasLeft(t *testing.T) {
	t.Parallel()
	a := quota("u", map[string]any{"spec.cpu": "2000m", "spec.pods": "0010", "spec.replicas": int64(3)})
	a.Object.Keep = []string{"spec.pods", "spec.replicas"}
	before := record.Answer{Stored: map[string]any{"spec.pods": "10", "spec.cpu": "1"}, Altered: []string{"spec.cpu", "spec.pods"}}
	inv := record.Inventory{Site: "s", Objects: map[string]record.Object{a.Key(): {Answer: before}}}
	inv.ConfirmObject(a, "u", record.Answer{Stored: map[string]any{"spec.cpu": "2"}})
	want := record.Answer{Stored: map[string]any{"spec.cpu": "2", "spec.pods": "10"}, Altered: []string{"spec.pods"}}
	if got := inv.Objects[a.Key()].Answer; !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// A reason is one line and bounded, whatever a server says.
func TestRefusalIsBounded(t *testing.T) {
	t.Parallel()
	a := quota("", map[string]any{"x": "1"})
	inv := record.Inventory{Site: "s"}
	inv.Begin(a)
	inv.Refuse(a, "no\n\tgood "+strings.Repeat("ß", 1000))
	in := inv.Objects[a.Key()].Intent
	if in.Open() || len(in.Refused) > 310 || !strings.HasPrefix(in.Refused, "no good ß") || strings.ContainsRune(in.Refused, '\uFFFD') {
		t.Errorf("%d bytes: %q", len(in.Refused), in.Refused)
	}
	inv.Begin(a)
	if !inv.Objects[a.Key()].Intent.Open() {
		t.Error("the next apply does not forget it")
	}
}

// What a link was applied with stays recorded while it is made anew, or while its cost
// changes, until that is done.
func TestLinkIsRecordedAsApplied(t *testing.T) {
	t.Parallel()
	link := func(to network.SiteName, cost int32, steps ...plan.Step) plan.Action {
		return plan.Action{ID: "link/l", Kind: plan.KindLink, Name: "l", Verb: plan.VerbReplace, Steps: append([]plan.Step{plan.StepRecord}, steps...),
			Link: &plan.LinkWork{From: plan.End{Site: "s"}, To: plan.End{Site: to}, Cost: cost, Attempt: 1, Live: []plan.LiveLink{{Name: "l", Cost: 1}}}}
	}
	var inv record.Inventory
	first := link("hub", 1, plan.StepGrant)
	inv.Begin(first)
	if l := inv.Links["l"]; l.State != record.LinkUnderWay || l.To != "hub" || l.Intent != nil {
		t.Errorf("begun: %+v", l)
	}
	inv.ConfirmLink(first, "u", []string{"l"}, 0)
	anew := link("other", 1, plan.StepGrant)
	anew.Link.Attempt = 2
	inv.Begin(anew)
	inv.Amend("l", "v", 3)
	if l := inv.Links["l"]; l.State != record.LinkApplied || l.To != "hub" || l.ToUID != "u" || l.Attempt != 3 || l.Intent.To != "other" || l.Intent.ToUID != "v" {
		t.Errorf("begun anew: %+v, intended %+v", l, l.Intent)
	}
	inv.ConfirmLink(anew, "v", []string{"l-r3"}, 0)
	if l := inv.Links["l"]; l.To != "other" || l.Attempt != 3 || l.Intent != nil || l.State != record.LinkApplied {
		t.Errorf("made anew: %+v", l)
	}
	dearer := link("other", 5, plan.StepTakeOver)
	inv.Begin(dearer)
	if l := inv.Links["l"]; l.Cost != 1 || l.Intent == nil || l.Intent.Cost != 5 {
		t.Errorf("cost begun: %+v", l)
	}
	inv.ConfirmCost("l", 0)
	if l := inv.Links["l"]; l.Cost != 5 || l.Intent != nil {
		t.Errorf("cost changed: %+v", l)
	}
}
