package forge

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// Error is an answer of a forge that is not what was asked for. It never holds a token.
type Error struct {
	// Forge is its name, and Goal what was tried: "edit the comment".
	Forge, Goal string
	// Status is the HTTP status, Message what the forge said.
	Status  int
	Message string
	// Fix says what to do; empty where nobody knows.
	Fix string
}

func (e *Error) Error() string {
	text := fmt.Sprintf("%s: cannot %s: %d %s", e.Forge, e.Goal, e.Status, http.StatusText(e.Status))
	if e.Message != "" {
		text += " (" + e.Message + ")"
	}
	if e.Fix != "" {
		text += "; " + e.Fix
	}
	return text
}

// mostWords is how much of a forge's message is shown.
const mostWords = 300

// failure is the error of an answer.
func (c *client) failure(r request, resp *http.Response, body []byte) error {
	err := &Error{
		Forge: c.names.forge, Goal: r.goal, Status: resp.StatusCode,
		Message: c.clean(messageOf(body)), Fix: c.fix(r, resp),
	}
	if r.method == http.MethodPost && resp.StatusCode >= http.StatusInternalServerError {
		return fmt.Errorf("%w; %w", err, ErrUnsure)
	}
	return err
}

// messageOf finds what a forge says in its answer: GitHub has "message", GitLab
// "message" or "error", and either may be more than a string.
func messageOf(body []byte) string {
	var said struct{ Message, Error json.RawMessage }
	if err := json.Unmarshal(body, &said); err != nil {
		return ""
	}
	for _, raw := range []json.RawMessage{said.Message, said.Error} {
		var text string
		if json.Unmarshal(raw, &text) == nil && text != "" {
			return text
		}
		if len(raw) > 0 {
			return string(raw)
		}
	}
	return ""
}

// clean makes a message safe to show: one line, not too long, without the token.
func (c *client) clean(text string) string {
	if c.token != "" {
		text = strings.ReplaceAll(text, c.token, "***")
	}
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > mostWords {
		text = string(runes[:mostWords]) + "…"
	}
	return text
}

// fix says what to do about a refusal.
func (c *client) fix(r request, resp *http.Response) string {
	switch status := resp.StatusCode; {
	case status == http.StatusUnauthorized:
		return fmt.Sprintf("the token in %s is wrong or has expired", c.names.token)
	case limited(resp):
		return "too many requests; run the job again later"
	case status == http.StatusForbidden:
		return fmt.Sprintf("the token in %s lacks a right: %s", c.names.token, r.need)
	case status == http.StatusNotFound:
		return fmt.Sprintf("it is not there, or the token in %s may not see it: %s", c.names.token, r.need)
	}
	return ""
}
