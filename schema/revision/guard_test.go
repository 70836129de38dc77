package revision

import (
	"strings"
	"testing"
)

func TestGuard(t *testing.T) {
	t.Parallel()
	work := func() (err error) {
		defer guard("object abc", &err)
		panic("boom")
	}
	if err := work(); err == nil || !strings.HasPrefix(err.Error(), "object abc: unreadable") {
		t.Errorf("got %v", err)
	}
}
