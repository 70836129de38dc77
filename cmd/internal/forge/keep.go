package forge

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Marker is the first line of what Fairlead writes, by which it is known again. People
// do not see it: it is a comment of HTML.
type Marker struct {
	// Kind is what is shown: plan, diff, drift. Network is the network's name.
	Kind, Network string
}

func (m Marker) String() string {
	return "<!-- fairlead:" + m.Kind + ":" + escapedNetwork(m.Network) + " -->"
}

// escapedNetwork is a network's name as a marker has it: two hyphens would end an HTML
// comment for some readers, so the second of them, and each further one, is "%2d".
func escapedNetwork(name string) string {
	var b strings.Builder
	for i := range len(name) {
		if name[i] == '-' && i > 0 && name[i-1] == '-' {
			b.WriteString("%2d")
		} else {
			b.WriteByte(name[i])
		}
	}
	return b.String()
}

// markerLine finds a marker; a kind is a word, a network's name a DNS label.
var markerLine = regexp.MustCompile(`^<!-- fairlead:([a-z][a-z-]*):((?:[a-z0-9]|%[0-9a-f]{2})+(?:-(?:[a-z0-9]|%[0-9a-f]{2})+)*) -->$`)

// networkName is a DNS label.
var networkName = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$`)

// MarkerOf reads the first line of a text; false where that is no marker. One further
// down is a quotation.
func MarkerOf(text string) (Marker, bool) {
	first, _, _ := strings.Cut(text, "\n")
	found := markerLine.FindStringSubmatch(strings.TrimRight(first, " \r"))
	if found == nil {
		return Marker{}, false
	}
	network, err := url.PathUnescape(found[2])
	if err != nil || !networkName.MatchString(network) {
		return Marker{}, false
	}
	return Marker{found[1], network}, true
}

// marked reports whether a text begins with the marker.
func marked(text string, m Marker) bool {
	is, ok := MarkerOf(text)
	return ok && is == m
}

// Did says what was done to a comment or an issue.
type Did string

// What may be done.
const (
	Created   Did = "created"
	Edited    Did = "edited"
	Unchanged Did = "unchanged"
	Closed    Did = "closed"
	// Nothing says that there was none, and that none is needed.
	Nothing Did = "nothing"
)

// Comment keeps the one comment of a marker on a request: it is edited in place, or
// made. A creation whose answer was lost is looked for before it is repeated.
func Comment(ctx context.Context, f Forge, number int, m Marker, body string) (Did, Note, error) {
	for again := true; ; again = false {
		mine, err := f.Notes(ctx, number)
		if err != nil {
			return "", Note{}, err
		}
		for _, n := range mine {
			if marked(n.Body, m) {
				did, err := editNote(ctx, f, number, n, body)
				return did, n, err
			}
		}
		made, err := f.AddNote(ctx, number, body)
		if err == nil || !again || !errors.Is(err, ErrUnsure) {
			return Created, made, err
		}
	}
}

// planLine is the line of a comment that names the plan it shows.
var planLine = regexp.MustCompile(`^<!-- fairlead:id:(sha256:[0-9a-f]{64}) -->$`)

// ShownPlan gives the id of the plan that the comment of a marker shows on a request, by
// its second line; empty where there is no such comment, or it shows none. It is the
// comment that Comment keeps.
func ShownPlan(ctx context.Context, f Forge, number int, m Marker) (string, error) {
	mine, err := f.Notes(ctx, number)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(mine, func(n Note) bool { return marked(n.Body, m) })
	if i < 0 {
		return "", nil
	}
	lines := strings.SplitN(plainText(mine[i].Body), "\n", 3)
	if len(lines) < 2 {
		return "", nil
	}
	if found := planLine.FindStringSubmatch(strings.TrimRight(lines[1], " ")); found != nil {
		return found[1], nil
	}
	return "", nil
}

func editNote(ctx context.Context, f Forge, number int, n Note, body string) (Did, error) {
	if same(n.Body, body) {
		return Unchanged, nil
	}
	return Edited, f.EditNote(ctx, number, n, body)
}

// same compares texts as forges keep them: with other ends of lines, and trimmed.
func same(a, b string) bool { return plainText(a) == plainText(b) }

func plainText(s string) string {
	return strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n"))
}

// Outdated says what became of comments that may no longer hold.
type Outdated struct {
	// Changed is how many say so now. Left is how many stay as they are, because they are
	// of several networks and nobody said which one is meant.
	Changed, Left int
}

// Outdate replaces the comments of a kind and of these networks on a request by a word
// that they no longer hold, keeping their markers. Without names of networks (empty ones
// do not count) it does so where there is just one comment of the kind.
func Outdate(ctx context.Context, f Forge, number int, kind string, networks []string, word string) (Outdated, error) {
	mine, err := f.Notes(ctx, number)
	if err != nil {
		return Outdated{}, err
	}
	networks = slices.DeleteFunc(slices.Clone(networks), func(n string) bool { return n == "" })
	mine = slices.DeleteFunc(mine, func(n Note) bool {
		m, ok := MarkerOf(n.Body)
		return !ok || m.Kind != kind || len(networks) > 0 && !slices.Contains(networks, m.Network)
	})
	if len(networks) == 0 && len(mine) > 1 {
		return Outdated{Left: len(mine)}, nil
	}
	for i, n := range mine {
		m, _ := MarkerOf(n.Body)
		if _, err := editNote(ctx, f, number, n, m.String()+"\n"+word+"\n"); err != nil {
			return Outdated{Changed: i}, err
		}
	}
	return Outdated{Changed: len(mine)}, nil
}

// Drifted keeps one open issue of a marker with this text: it is edited in place, or
// opened. One that was closed stays closed: what comes back later is another story, and
// gets an issue of its own.
func Drifted(ctx context.Context, f Forge, m Marker, title, body string) (Did, Issue, error) {
	for again := true; ; again = false {
		open, err := openIssues(ctx, f, m)
		if err != nil {
			return "", Issue{}, err
		}
		if len(open) > 0 {
			return editIssues(ctx, f, open, title, body)
		}
		made, err := f.OpenIssue(ctx, title, body)
		if err == nil || !again || !errors.Is(err, ErrUnsure) {
			return Created, made, err
		}
	}
}

// openIssues are those of the marker, the oldest first.
func openIssues(ctx context.Context, f Forge, m Marker) ([]Issue, error) {
	all, err := f.Issues(ctx)
	var out []Issue
	for _, i := range all {
		if marked(i.Body, m) {
			out = append(out, i)
		}
	}
	return out, err
}

// editIssues keeps the oldest issue and closes others, which two jobs at a time may have
// opened.
func editIssues(ctx context.Context, f Forge, open []Issue, title, body string) (Did, Issue, error) {
	first := open[0]
	for _, i := range open[1:] {
		if err := f.CloseIssue(ctx, i, fmt.Sprintf("This says the same as #%d, which stays.", first.Number)); err != nil {
			return "", first, err
		}
	}
	if first.Title == title && same(first.Body, body) {
		return Unchanged, first, nil
	}
	return Edited, first, f.EditIssue(ctx, first, title, body)
}

// Healed closes the open issues of a marker with a word; the issue that it gives is the
// oldest.
func Healed(ctx context.Context, f Forge, m Marker, word string) (Did, Issue, error) {
	open, err := openIssues(ctx, f, m)
	if err != nil || len(open) == 0 {
		return Nothing, Issue{}, err
	}
	for _, i := range open {
		if err := f.CloseIssue(ctx, i, word); err != nil {
			return "", i, err
		}
	}
	return Closed, open[0], nil
}
