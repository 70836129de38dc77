package apply

import (
	"errors"
	"strings"
	"testing"
	"time"

	"fairlead.dev/fairlead/plan/field"
	"fairlead.dev/fairlead/secrets"
)

func withConditions(generation int64, status map[string]any, conditions ...map[string]any) Object {
	list := make([]any, 0, len(conditions))
	for _, c := range conditions {
		list = append(list, c)
	}
	if status == nil {
		status = map[string]any{}
	}
	if len(list) > 0 {
		status["conditions"] = list
	}
	return Object{Generation: generation, Status: status}
}

func is(kind, status, message string, observed int64) map[string]any {
	return map[string]any{"type": kind, "status": status, "message": message, "observedGeneration": observed}
}

// A status is trusted only for the current generation.
func TestHolds(t *testing.T) {
	t.Parallel()
	o := withConditions(2, nil, is("Ready", "True", "OK", 1))
	if Holds(o, "Ready") {
		t.Error("a status of an earlier generation is trusted")
	}
	o.Generation = 1
	if !Holds(o, "Ready") || Holds(o, "Configured") {
		t.Error("wrong for the current generation")
	}
}

func TestGrantReady(t *testing.T) {
	t.Parallel()
	full := map[string]any{"url": "https://x", "ca": "PEM", "code": secrets.New("c")}
	for _, tt := range []struct {
		name  string
		o     Object
		there bool
		ready bool
		err   string
	}{
		{"ready", withConditions(1, full, is("Ready", "True", "OK", 1)), true, true, ""},
		{"processed only", withConditions(1, map[string]any{"code": secrets.New("c")}, is("Processed", "True", "OK", 1)), true, false, ""},
		{"nothing yet", Object{}, true, false, ""},
		{"switched off", withConditions(1, map[string]any{"message": "AccessGrants are not enabled"}), true, false, "makes no grants"},
		{"gone", Object{}, false, false, "deleted"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, ready, err := grantReady(tt.o, tt.there)
			if ready != tt.ready || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("ready %v, error %v", ready, err)
			}
		})
	}
}

func TestTokenRedeemed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		o     Object
		done  bool
		burnt bool
	}{
		{"redeemed", withConditions(1, map[string]any{"redeemed": true}), true, false},
		{"new", Object{}, false, false},
		{"pending", withConditions(1, map[string]any{"status": "Pending"}), false, false},
		{"refused", withConditions(1, map[string]any{"status": "Error", "message": "404 (Not Found)"}), false, true},
		{"refused by condition", withConditions(1, nil, is("Redeemed", "False", "403", 1)), false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			done, err := tokenRedeemed(tt.o, true)
			var burnt errRedemption
			if done != tt.done || errors.As(err, &burnt) != tt.burnt {
				t.Errorf("done %v, error %v", done, err)
			}
		})
	}
}

// A refusal is told from an answer that is not known, in the controller's words.
func TestRefusalIsFinal(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]bool{
		"Controller got failed response: 404 (Not Found) No such claim":              true,
		"Controller got failed response: 403 (Forbidden) Redemption refused":         true,
		"Controller got failed response: 500 (Internal Server Error) no endpoints":   true,
		"Controller got failed response: 503 (Service Unavailable) Internal error":   false,
		"Controller got failed response: 502 (Bad Gateway)":                          false,
		"Controller got error: Post \"https://x\": EOF":                              false,
		"Controller got error: context deadline exceeded (Client.Timeout exceeded)":  false,
		"Controller could not create received secret: secrets \"x\" already exists":  true,
		"Controller could not create received link: links.skupper.io \"x\" is there": true,
		"Controller could not decode response":                                       true,
		"something that no version is known to say":                                  false,
	} {
		_, err := tokenRedeemed(withConditions(1, nil, is("Redeemed", "False", message, 1)), true)
		var failed errRedemption
		if !errors.As(err, &failed) || failed.final != want {
			t.Errorf("%s: final %v, want %v", message, failed.final, want)
		}
	}
}

func TestGrantIsUsable(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	at := func(d time.Duration) Object {
		return Object{Status: map[string]any{"expirationTime": now.Add(d).Format(time.RFC3339)}}
	}
	if !expired(at(-time.Second), now) || !expired(at(10*time.Second), now) || expired(at(time.Minute), now) || expired(Object{}, now) {
		t.Error("expired is wrong")
	}
	used := func(n int64) Object {
		return Object{Spec: map[string]any{"redemptionsAllowed": int64(1)}, Status: map[string]any{"redemptions": n}}
	}
	if spent(used(0)) || !spent(used(1)) || spent(Object{}) {
		t.Error("spent is wrong")
	}
}

func TestSpecOfFields(t *testing.T) {
	t.Parallel()
	fields := map[string]any{"ha": true, "linkAccess": "default", "settings.a": "1", "settings.b": "2", "metadata.labels.team": "x", "metadata.annotations.a.b/c": "y"}
	spec, labels, annotations := field.SiteManifest(fields)
	back := FieldsOf(Object{Spec: spec, Labels: labels, Annotations: annotations})
	if len(back) != len(fields) {
		t.Fatalf("%v", back)
	}
	for k, v := range fields {
		if back[k] != v {
			t.Errorf("%s is %v, want %v", k, back[k], v)
		}
	}
}

// A condition of an earlier generation does not hold, and held when it was reported.
func TestLastHeld(t *testing.T) {
	t.Parallel()
	o := Object{Generation: 2, Status: map[string]any{"conditions": []any{
		map[string]any{"type": "Ready", "status": "True", "observedGeneration": int64(1)},
		map[string]any{"type": "Operational", "status": "False", "observedGeneration": int64(2)},
	}}}
	if Holds(o, "Ready") || !LastHeld(o, "Ready") || LastHeld(o, "Operational") || LastHeld(o, "Configured") {
		t.Error("a stale condition is not told apart")
	}
}
