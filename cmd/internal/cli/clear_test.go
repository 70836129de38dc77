package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fairlead.dev/fairlead/cmd/internal/report/formats"
)

// No command tells a secret that somebody wrote into a description, in no format and no
// file, and each says that it may be in the history.
func TestSecretInClear(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	dir := h.dir
	h.commit("network.cue", fixture(t, "invalid/secret-in-clear/network.cue"))
	runs := [][]string{{"drift"}, {"status"}, {"diff", "--base", "HEAD"}, {"apply", "--yes"}, {"render"}, {"graph"}, {"simulate"}, {"rbac", "--for", "plan", "--group", "g"}}
	var reports []string
	for _, format := range formats.OfFindings() {
		runs = append(runs, []string{"vet", "--format", format}, []string{"plan", "--format", format, "-v", "--log-level", "debug"})
		if format != "text" {
			reports = append(reports, "--report", format+"="+filepath.Join(dir, "report."+format))
		}
	}
	runs = append(runs, append([]string{"vet"}, reports...), append([]string{"plan"}, reports...))
	for _, args := range runs {
		code, out, errOut := runIn(dir, nil, args...)
		if code != exitInvalid {
			t.Errorf("%v: exit %d\n%s%s", args, code, out, errOut)
		}
		tells(t, strings.Join(args, " "), out+errOut)
	}
	written, err := filepath.Glob(filepath.Join(dir, "report.*"))
	if err != nil || len(written) == 0 {
		t.Fatalf("reports %v: %v", written, err)
	}
	for _, file := range written {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		tells(t, filepath.Base(file), string(text))
	}
}

func tells(t *testing.T, what, text string) {
	t.Helper()
	for _, secret := range []string{"hunter2", "12345678", "apiVersion"} {
		if strings.Contains(text, secret) {
			t.Errorf("%s shows %q:\n%s", what, secret, text)
		}
	}
	if !strings.Contains(what, "outputs") && !strings.Contains(text, "if it was committed") {
		t.Errorf("%s does not say what to do:\n%s", what, text)
	}
}
