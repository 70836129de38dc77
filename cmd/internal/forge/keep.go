package forge

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Marker is the first line of what Fairlead writes, by which it is known again. People
// do not see it: it is a comment of HTML.
type Marker struct {
	// Kind is what is shown: plan, diff, drift. Network is the network's name.
	Kind, Network string
}

func (m Marker) String() string { return "<!-- fairlead:" + m.Kind + ":" + m.Network + " -->" }

// markerLine finds a marker; a kind is a word, a network's name a DNS label.
var markerLine = regexp.MustCompile(`^<!-- fairlead:([a-z][a-z-]*):([a-z0-9](?:[a-z0-9-]*[a-z0-9])?) -->$`)

// MarkerOf reads the first line of a text; false where that is no marker. One further
// down is a quotation.
func MarkerOf(text string) (Marker, bool) {
	first, _, _ := strings.Cut(text, "\n")
	found := markerLine.FindStringSubmatch(strings.TrimRight(first, " \r"))
	if found == nil {
		return Marker{}, false
	}
	return Marker{found[1], found[2]}, true
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

// Outdate replaces all comments of a kind on a request by a word that they no longer
// hold, keeping their markers; it gives how many there were.
func Outdate(ctx context.Context, f Forge, number int, kind, word string) (int, error) {
	mine, err := f.Notes(ctx, number)
	if err != nil {
		return 0, err
	}
	count := 0
	for _, n := range mine {
		m, ok := MarkerOf(n.Body)
		if !ok || m.Kind != kind {
			continue
		}
		if _, err := editNote(ctx, f, number, n, m.String()+"\n"+word+"\n"); err != nil {
			return count, err
		}
		count++
	}
	return count, nil
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
