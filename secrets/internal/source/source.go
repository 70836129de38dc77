// Package source holds what the resolvers share: the rules that raw content must
// pass to become a secret, and reading files under a bound.
package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"fairlead.dev/fairlead/secrets"
)

// Check makes sure that ctx goes on and that ref names the source want.
func Check(ctx context.Context, ref secrets.Ref, want secrets.Source) error {
	if err := secrets.Ended(ctx, ref); err != nil {
		return err
	}
	got, err := ref.Source()
	if err != nil {
		return err
	}
	if got != want {
		return secrets.Invalid(ref, "is not a reference of the source "+string(want), "")
	}
	return nil
}

// Value makes content the secret of ref, unless it is empty or too large.
func Value(ref secrets.Ref, content string) (secrets.Value, error) {
	if content == "" {
		return secrets.Value{}, secrets.Invalid(ref, "is empty", "put the secret there, or leave the reference out")
	}
	if len(content) > secrets.MaxSize {
		return secrets.Value{}, TooLarge(ref, secrets.MaxSize)
	}
	return secrets.New(content), nil
}

// TooLarge is the error about content of more than limit bytes.
func TooLarge(ref secrets.Ref, limit int) error {
	return secrets.Invalid(ref, fmt.Sprintf("holds more than %d bytes", limit), "check that it is the right one")
}

// Line is Value after one trailing line break, \n or \r\n, is cut off: editors and
// programs add it, and no credential ends with it.
func Line(ref secrets.Ref, content string) (secrets.Value, error) {
	if cut, found := strings.CutSuffix(content, "\n"); found {
		content = strings.TrimSuffix(cut, "\r")
	}
	return Value(ref, content)
}

// Path puts name below dir, unless it is absolute.
func Path(dir, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}

// Stat makes sure that path, which belongs to ref, is a regular file. Others are
// refused, as reading a pipe or a device could block for ever.
func Stat(ref secrets.Ref, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fileError(ref, err)
	}
	if !info.Mode().IsRegular() {
		return secrets.Invalid(ref, "is not a regular file", "name a file")
	}
	return nil
}

// ReadFile gives the content of path, which belongs to ref, up to limit bytes.
func ReadFile(ref secrets.Ref, path string, limit int) ([]byte, error) {
	if err := Stat(ref, path); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fileError(ref, err)
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if err != nil {
		return nil, fileError(ref, err)
	}
	if len(content) > limit {
		return nil, TooLarge(ref, limit)
	}
	return content, nil
}

func fileError(ref secrets.Ref, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return secrets.Unavailable(ref, "does not exist", "relative paths start at the description's directory")
	case errors.Is(err, fs.ErrPermission):
		return secrets.Denied(ref, "may not be read by this user", "check the permissions of the file and its directory")
	}
	return secrets.Unavailable(ref, "cannot be read", "check the file and its directory")
}
