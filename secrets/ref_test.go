package secrets_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/secrets"
)

func TestSource(t *testing.T) {
	t.Parallel()
	hub := secrets.KubernetesRef{Cluster: "hub", Namespace: "ns", Name: "proxy", Key: "password"}
	for _, c := range []struct {
		ref  secrets.Ref
		want secrets.Source
		text string
		err  string
	}{
		{ref: secrets.Ref{Env: "PW"}, want: "env", text: `environment variable "PW"`},
		{ref: secrets.Ref{File: "pw"}, want: "file", text: `file "pw"`},
		{ref: secrets.Ref{Age: &secrets.AgeRef{File: "a.age"}}, want: "age", text: `age file "a.age"`},
		{ref: secrets.Ref{SOPS: &secrets.SOPSRef{File: "a.yaml", Key: "a.b"}}, want: "sops", text: `SOPS file "a.yaml" key "a.b"`},
		{ref: secrets.Ref{Kubernetes: &hub}, want: "kubernetes", text: `Secret "ns/proxy" key "password" in cluster "hub"`},
		{ref: secrets.Ref{Command: []string{"pass", "show", "x"}}, want: "command", text: `command "pass"`},
		{ref: secrets.Ref{}, text: "secret reference", err: "secret reference: names no source; name one of env, file, age, sops, kubernetes or command"},
		{ref: secrets.Ref{Env: "PW", File: "pw"}, text: `environment variable "PW" and file "pw"`, err: `environment variable "PW" and file "pw": names 2 sources; keep one of them`},
		{ref: secrets.Ref{Age: &secrets.AgeRef{Key: "x"}}, text: `age file "" key "x"`, err: `age file "" key "x": has no file; add it to the reference`},
		{ref: secrets.Ref{Command: []string{"", "x"}}, text: `command ""`, err: `command "": has no program; add it to the reference`},
		{ref: secrets.Ref{Kubernetes: &secrets.KubernetesRef{Cluster: "hub", Namespace: "ns", Name: "x"}}, text: `Secret "ns/x" in cluster "hub"`, err: `Secret "ns/x" in cluster "hub": has no key; add it to the reference`},
	} {
		source, err := c.ref.Source()
		got := []string{string(source), c.ref.String(), ""}
		if err != nil {
			got[2] = err.Error()
		}
		if diff := cmp.Diff([]string{string(c.want), c.text, c.err}, got); diff != "" {
			t.Errorf("%v: (-want +got)\n%s", c.ref, diff)
		}
		if (c.err != "") != errors.Is(err, secrets.ErrInvalid) {
			t.Errorf("%v: error %v is of the wrong kind", c.ref, err)
		}
	}
}

func TestMux(t *testing.T) {
	t.Parallel()
	env, odd := secrets.Ref{Env: "PW"}, errors.New("odd "+canary)
	stopped, stop := context.WithCancel(t.Context())
	stop()
	own := secrets.Denied(env, "own", "")
	for name, c := range map[string]struct {
		ctx  context.Context
		mux  secrets.Mux
		ref  secrets.Ref
		want error
		text string
	}{
		"resolves":     {mux: secrets.Mux{"env": gives{value: canary}}, ref: env},
		"no resolver":  {mux: secrets.Mux{"file": gives{}}, ref: env, want: secrets.ErrUnavailable, text: `environment variable "PW": cannot be read by this command; use another source, such as env or file`},
		"nil resolver": {mux: secrets.Mux{"env": nil}, ref: env, want: secrets.ErrUnavailable},
		"bad ref":      {mux: secrets.Mux{}, want: secrets.ErrInvalid},
		"cancelled":    {ctx: stopped, mux: secrets.Mux{"env": gives{value: canary}}, ref: env, want: context.Canceled, text: `environment variable "PW": reading it was interrupted`},
		"own error":    {mux: secrets.Mux{"env": gives{err: fmt.Errorf("%s: %w", canary, own)}}, ref: env, want: secrets.ErrDenied, text: `environment variable "PW": own`},
		"odd error":    {mux: secrets.Mux{"env": gives{err: odd}}, ref: env, want: secrets.ErrUnavailable, text: `environment variable "PW": cannot be reached; check that its source is reachable from here`},
		"late":         {mux: secrets.Mux{"env": gives{err: context.DeadlineExceeded}}, ref: env, want: context.DeadlineExceeded},
		"value anyway": {mux: secrets.Mux{"env": gives{value: canary, err: secrets.ErrInvalid}}, ref: env, want: secrets.ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			if c.ctx != nil {
				ctx = c.ctx
			}
			value, err := c.mux.Resolve(ctx, c.ref)
			if !errors.Is(err, c.want) || (err != nil && c.text != "" && err.Error() != c.text) {
				t.Errorf("got %v, want %v: %s", err, c.want, c.text)
			}
			if (err == nil) == value.IsZero() {
				t.Errorf("got a value: %t, with error %v", !value.IsZero(), err)
			}
			if strings.Contains(fmt.Sprintf("%v %#v", err, err), canary) {
				t.Errorf("the secret shows: %#v", err)
			}
		})
	}
}

func TestDigester(t *testing.T) {
	t.Parallel()
	var one, other secrets.Digester
	a, again, b := secrets.New(canary), secrets.New(canary), secrets.New(canary+"2")
	if one.Sum(a) != one.Sum(again) || one.Sum(a) == one.Sum(b) || one.Sum(a) == one.Sum(secrets.Value{}) {
		t.Error("sums do not follow the values")
	}
	if one.Sum(a) == other.Sum(a) {
		t.Error("two digesters have one key")
	}
	if sum := one.Sum(a); !strings.HasPrefix(sum, "hmac-sha256:") || len(sum) != len("hmac-sha256:")+64 {
		t.Errorf("got %q", sum)
	}
	if shown := fmt.Sprintf("%v %+v %#v %s %x", &one, &one, &one, &one, &one); shown != strings.TrimSpace(strings.Repeat(secrets.Mask+" ", 5)) {
		t.Errorf("the digester shows: %s", shown)
	}
}

const canary = "canary-3141"

type gives struct {
	value string
	err   error
}

func (g gives) Resolve(context.Context, secrets.Ref) (secrets.Value, error) {
	return secrets.New(g.value), g.err
}
