package lock

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"fairlead.dev/fairlead/schema/network"
)

// AnnotationNamespaces, on a network's Lease, lists the namespaces of the network's
// sites on that cluster: those that are declared, and those of runs before that did not
// end with everything as declared. It stays when nobody holds the lock.
const AnnotationNamespaces = "fairlead.dev/namespaces"

// What a Lease notes of its holder.
const (
	annotationUser   = "fairlead.dev/holder-user"
	annotationHost   = "fairlead.dev/holder-host"
	annotationURL    = "fairlead.dev/holder-url"
	annotationCommit = "fairlead.dev/holder-commit"
	annotationSince  = "fairlead.dev/holder-since"
)

// Holder says who holds a lock. It has nothing secret.
type Holder struct {
	// ID is the run's, and no other's.
	ID string
	// URL is the page of a CI job, Commit that of the description; both may be empty.
	User, Host, URL, Commit string
	// Since is when the run began, by the clock of its machine.
	Since time.Time
}

// String says in one line who it is, in words that are safe to show.
func (h Holder) String() string {
	parts := []string{cmp.Or(h.User, "somebody") + " on " + cmp.Or(h.Host, "an unknown host")}
	if !h.Since.IsZero() {
		parts = append(parts, "since "+stamp(h.Since))
	}
	if h.Commit != "" {
		parts = append(parts, "commit "+h.Commit[:min(len(h.Commit), 12)])
	}
	if h.URL != "" {
		parts = append(parts, h.URL)
	}
	return printable(strings.Join(parts, ", ") + ", run " + h.ID)
}

// printable keeps what a Lease says from steering a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, s)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// note gives annotations that tell of the holder, or of nobody, and keeps the others.
func (h Holder) note(was map[string]string) map[string]string {
	out := with(was, nil)
	since := ""
	if !h.Since.IsZero() {
		since = stamp(h.Since)
	}
	for key, value := range map[string]string{
		annotationUser: h.User, annotationHost: h.Host, annotationURL: h.URL, annotationCommit: h.Commit, annotationSince: since,
	} {
		out[key] = value
		if value == "" {
			delete(out, key)
		}
	}
	return out
}

// holderOf reads who holds a Lease.
func holderOf(l Lease) Holder {
	since, err := time.Parse(time.RFC3339, l.Annotations[annotationSince])
	if err != nil {
		since = l.Acquired
	}
	a := l.Annotations
	return Holder{ID: l.Holder, User: a[annotationUser], Host: a[annotationHost], URL: a[annotationURL], Commit: a[annotationCommit], Since: since}
}

// NamespacesOf lists the namespaces that a Lease notes, sorted.
func NamespacesOf(l Lease) []string {
	out := []string{}
	for name := range strings.SplitSeq(l.Annotations[AnnotationNamespaces], ",") {
		if name = strings.TrimSpace(name); network.IsLabel(name) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func joinNamespaces(list []string) string {
	return strings.Join(slices.Compact(slices.Sorted(slices.Values(list))), ",")
}

func with(was, more map[string]string) map[string]string {
	out := make(map[string]string, len(was)+len(more))
	maps.Copy(out, was)
	maps.Copy(out, more)
	return out
}

// Held is the error of a lock that another run holds.
type Held struct {
	Cluster network.ClusterName
	// Former is as in NotLocked.
	Former string
	Holder Holder
	// Renewed is when the holder last renewed it, by the clock of its machine.
	Renewed time.Time
	// Lease is how long the lock outlives its holder.
	Lease time.Duration
	// Waited is how long it was waited for.
	Waited time.Duration
}

// Error says who holds it.
func (h *Held) Error() string {
	text := fmt.Sprintf("cluster %s is locked%s by %s", h.Cluster, inFormer(h.Former), h.Holder)
	if !h.Renewed.IsZero() {
		text += ", renewed " + stamp(h.Renewed)
	}
	if h.Waited > 0 {
		text += fmt.Sprintf(" (waited %s)", h.Waited)
	}
	return text
}

// Unwrap gives the class.
func (h *Held) Unwrap() error { return ErrLocked }

// Lost is the error of a lock that was held and is not ours any more.
type Lost struct {
	Cluster network.ClusterName
	// Former is as in NotLocked.
	Former string
	// To has the lock now; its ID is empty when nobody has.
	To Holder
	// Err is why it could not be renewed; nil when it was taken or freed.
	Err error
}

// Error says to whom.
func (l *Lost) Error() string {
	text := fmt.Sprintf("lost the lock on cluster %s%s", l.Cluster, inFormer(l.Former))
	switch {
	case l.Err != nil:
		return fmt.Sprintf("%s: it could not be renewed: %v", text, l.Err)
	case l.To.ID == "":
		return text + ": somebody freed it"
	}
	return text + " to " + l.To.String()
}

// Unwrap gives the class and the reason.
func (l *Lost) Unwrap() []error {
	if l.Err == nil {
		return []error{ErrLocked}
	}
	return []error{ErrLocked, l.Err}
}
