package env_test

import (
	"testing"

	"fairlead.dev/fairlead/secrets"
	"fairlead.dev/fairlead/secrets/env"
	"fairlead.dev/fairlead/secrets/secretstest"
)

func TestConformance(t *testing.T) {
	secretstest.Run(t, secretstest.Harness{
		Store: func(_ *testing.T, _, content string) (secrets.Resolver, secrets.Ref) {
			return with(map[string]string{"PW": content}), secrets.Ref{Env: "PW"}
		},
		Missing: func(*testing.T, string) (secrets.Resolver, secrets.Ref) {
			return with(map[string]string{"OTHER": secretstest.Canary}), secrets.Ref{Env: "PW"}
		},
	})
}

func TestReadsTheProcess(t *testing.T) {
	t.Setenv("FAIRLEAD_TEST_SECRET", secretstest.Canary)
	value, err := env.Resolver{}.Resolve(t.Context(), secrets.Ref{Env: "FAIRLEAD_TEST_SECRET"})
	if err != nil || value.Reveal() != secretstest.Canary {
		t.Errorf("got %q, %v", value.Reveal(), err)
	}
	secretstest.CheckError(t, env.Resolver{}, secrets.Ref{Env: "FAIRLEAD_TEST_UNSET"}, secrets.ErrUnavailable)
}

func with(vars map[string]string) env.Resolver {
	return env.Resolver{Lookup: func(name string) (string, bool) {
		v, ok := vars[name]
		return v, ok
	}}
}
