package kube

import (
	"context"
	"slices"
	"sync"

	"k8s.io/client-go/rest"
)

// mostWarnings bounds what is kept of the warnings of one answer, longestWarning the bytes
// of each.
const mostWarnings, longestWarning = 3, 200

// warnings gathers what API servers say beside an answer, for requests whose context has a
// place for it. Nothing else of it is shown.
type warnings struct {
	mu   sync.Mutex
	list []string
}

type warningsKey struct{}

// withWarnings gives a context whose requests' warnings are gathered.
func withWarnings(ctx context.Context) (context.Context, *warnings) {
	w := &warnings{}
	return context.WithValue(ctx, warningsKey{}, w), w
}

func (w *warnings) all() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.list
}

// warningHandler implements rest.WarningHandlerWithContext.
type warningHandler struct{}

var _ rest.WarningHandlerWithContext = warningHandler{}

func (warningHandler) HandleWarningHeaderWithContext(ctx context.Context, code int, _, text string) {
	w, wanted := ctx.Value(warningsKey{}).(*warnings)
	if !wanted || code != 299 || text == "" {
		return
	}
	if len(text) > longestWarning {
		text = text[:longestWarning] + "..."
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.list) < mostWarnings && !slices.Contains(w.list, text) {
		w.list = append(w.list, text)
	}
}
