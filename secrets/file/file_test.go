package file_test

import (
	"os"
	"path/filepath"
	"testing"

	"fairlead.dev/fairlead/secrets"
	"fairlead.dev/fairlead/secrets/file"
	"fairlead.dev/fairlead/secrets/secretstest"
)

func TestConformance(t *testing.T) {
	secretstest.Run(t, secretstest.Harness{
		TrimsLine: true,
		Store: func(t *testing.T, dir, content string) (secrets.Resolver, secrets.Ref) {
			write(t, filepath.Join(dir, "pw"), content)
			return file.Resolver{Dir: dir}, secrets.Ref{File: "pw"}
		},
		Missing: func(_ *testing.T, dir string) (secrets.Resolver, secrets.Ref) {
			return file.Resolver{Dir: dir}, secrets.Ref{File: "pw"}
		},
		Failures: []secretstest.Failure{
			{Name: "directory", Want: secrets.ErrInvalid, Make: func(_ *testing.T, dir string) (secrets.Resolver, secrets.Ref) {
				return file.Resolver{}, secrets.Ref{File: dir}
			}},
			{Name: "below a file", Want: secrets.ErrUnavailable, Make: func(t *testing.T, dir string) (secrets.Resolver, secrets.Ref) {
				write(t, filepath.Join(dir, "pw"), secretstest.Canary)
				return file.Resolver{Dir: dir}, secrets.Ref{File: "pw/pw"}
			}},
			{Name: "device", Want: secrets.ErrInvalid, Make: func(*testing.T, string) (secrets.Resolver, secrets.Ref) {
				return file.Resolver{}, secrets.Ref{File: os.DevNull}
			}},
			{Name: "only a line break", Want: secrets.ErrInvalid, Make: func(t *testing.T, dir string) (secrets.Resolver, secrets.Ref) {
				write(t, filepath.Join(dir, "pw"), "\n")
				return file.Resolver{Dir: dir}, secrets.Ref{File: "pw"}
			}},
		},
	})
}

func TestPaths(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "pw"), secretstest.Canary)
	if err := os.Symlink("pw", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"pw", "./pw", "link", filepath.Join(dir, "pw")} {
		value, err := file.Resolver{Dir: dir}.Resolve(t.Context(), secrets.Ref{File: path})
		if err != nil || value.Reveal() != secretstest.Canary {
			t.Errorf("%s: got %q, %v", path, value.Reveal(), err)
		}
	}
}

func TestNotOurs(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root reads everything")
	}
	path := filepath.Join(t.TempDir(), "pw")
	write(t, path, secretstest.Canary)
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	secretstest.CheckError(t, file.Resolver{}, secrets.Ref{File: path}, secrets.ErrDenied)
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
