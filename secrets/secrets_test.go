package secrets

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestValueNeverShows(t *testing.T) {
	t.Parallel()
	const canary = "canary-3141"
	v := New(canary)
	holder := struct {
		Code Value
		Ptr  *Value
		List []any
	}{v, &v, []any{v, map[string]any{"code": v}}}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", v, "h", holder)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v, "h", holder)
	asJSON, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	shown := []string{log.String(), string(asJSON), v.String(), errors.New(fmt.Sprint(v)).Error()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		shown = append(shown, fmt.Sprintf(verb, v), fmt.Sprintf(verb, holder), fmt.Sprintf(verb, &v))
	}
	for _, s := range shown {
		if strings.Contains(s, canary) || strings.Contains(s, fmt.Sprintf("%x", canary)) {
			t.Errorf("the secret shows: %s", s)
		}
	}
	if v.Reveal() != canary || v.IsZero() || !New("").IsZero() || !(Value{}).IsZero() {
		t.Error("Reveal or IsZero is wrong")
	}
}
