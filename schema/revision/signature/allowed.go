package signature

import (
	"fmt"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// allowedSigner is one line of an allowed signers file, as ssh-keygen(1) describes it
// under ALLOWED SIGNERS.
type allowedSigner struct {
	// principals are the patterns of the names of those who use the key, with commas.
	principals string
	key        ssh.PublicKey
	// namespaces are patterns of what the key may sign, with commas; empty for all.
	namespaces string
	// after and before bound when it may have signed; zero for no bound.
	after, before time.Time
}

func (f KeyFile) allowedSigners() (Keys, error) {
	var keys Keys
	for i, line := range strings.Split(string(f.Content), "\n") {
		line = strings.TrimSpace(strings.TrimPrefix(line, "\uFEFF"))
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		signer, err := parseAllowed(line)
		if err != nil {
			return Keys{}, KeyError{f.Name, i + 1, err.reason, err.fix}
		}
		keys.ssh = append(keys.ssh, signer)
	}
	if len(keys.ssh) == 0 {
		return Keys{}, KeyError{f.Name, 0, "holds no key", writeSigner}
	}
	return keys, nil
}

// badLine says what is wrong with a line, and what to do.
type badLine struct{ reason, fix string }

func parseAllowed(line string) (allowedSigner, *badLine) {
	principals, rest, bad := cutPrincipals(line)
	if bad != nil {
		return allowedSigner{}, bad
	}
	key, _, options, _, err := ssh.ParseAuthorizedKey([]byte(rest))
	if err != nil {
		return allowedSigner{}, unreadableKey(line)
	}
	if _, isCertificate := key.(*ssh.Certificate); isCertificate {
		return allowedSigner{}, &badLine{"names a certificate", "list the plain key that signs"}
	}
	out := allowedSigner{principals: principals, key: key}
	return out, out.take(options)
}

// unreadableKey says why no key follows a principal; often there is no principal.
func unreadableKey(line string) *badLine {
	if _, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line)); err == nil {
		return &badLine{"names nobody before the key", writeSigner}
	}
	if strings.HasPrefix(line, "-----BEGIN") {
		return &badLine{"begins something that is no list of public keys", writeSigner}
	}
	return &badLine{"has no SSH public key that can be read", writeSigner}
}

// cutPrincipals takes the first word off a line; it stands in quotes where it has
// spaces.
func cutPrincipals(line string) (principals, rest string, bad *badLine) {
	if quoted, ok := strings.CutPrefix(line, `"`); ok {
		principals, rest, ok = strings.Cut(quoted, `"`)
		if !ok {
			return "", "", &badLine{"has a quote that does not end", "close it"}
		}
	} else if i := strings.IndexAny(line, " \t"); i > 0 {
		principals, rest = line[:i], line[i:]
	}
	if principals == "" {
		return "", "", &badLine{"has no key", writeSigner}
	}
	return principals, rest, nil
}

// take reads the options of a line. One that is not known may be there to restrict the
// key, and so it is refused.
func (s *allowedSigner) take(options []string) *badLine {
	seen := map[string]bool{}
	for _, option := range options {
		name, value, _ := strings.Cut(option, "=")
		name = strings.ToLower(name)
		if seen[name] {
			return &badLine{fmt.Sprintf("has the option %s twice", name), "keep one of them"}
		}
		seen[name] = true
		if bad := s.option(name, strings.Trim(value, `"`)); bad != nil {
			return bad
		}
	}
	if !s.after.IsZero() && !s.before.IsZero() && !s.after.Before(s.before) {
		return &badLine{"has a valid-before that is not after its valid-after", "correct one of them"}
	}
	return nil
}

func (s *allowedSigner) option(name, value string) *badLine {
	var ok bool
	switch name {
	case "cert-authority":
		return &badLine{"lists an authority of certificates, which cannot be followed", "list the keys that sign, one in each line"}
	case "namespaces":
		s.namespaces, ok = value, value != ""
	case "valid-after":
		s.after, ok = parseTime(value)
	case "valid-before":
		s.before, ok = parseTime(value)
	default:
		return &badLine{"has an option that is not known", "use namespaces, valid-after and valid-before alone"}
	}
	if !ok {
		return &badLine{fmt.Sprintf("has a value of %s that cannot be read", name),
			`write it in quotes; a time is "YYYYMMDDZ" or "YYYYMMDDHHMMSSZ"`}
	}
	return nil
}

// parseTime reads a time of day or a day. One without a Z is taken for UTC too, where
// ssh-keygen takes the zone of the machine: each machine is to give the same answer.
func parseTime(text string) (time.Time, bool) {
	text = strings.TrimSuffix(text, "Z")
	for _, layout := range []string{"20060102", "200601021504", "20060102150405"} {
		if len(text) != len(layout) {
			continue
		}
		at, err := time.Parse(layout, text)
		return at, err == nil
	}
	return time.Time{}, false
}

// permits tells whether the key may sign in the namespace at the time, and why not.
func (s allowedSigner) permits(namespace string, at time.Time) (why string, ok bool) {
	switch {
	case s.namespaces != "" && !matchList(s.namespaces, namespace):
		return fmt.Sprintf("may not sign for %q", namespace), false
	case !s.after.IsZero() && at.Before(s.after):
		return "is valid only from " + s.after.Format(time.RFC3339), false
	case !s.before.IsZero() && at.After(s.before):
		return "was valid only until " + s.before.Format(time.RFC3339), false
	}
	return "", true
}

// matchList follows the rules of PATTERNS in ssh_config(5): one of the patterns has to
// match, and none that starts with an exclamation mark.
func matchList(patterns, text string) bool {
	matched := false
	for pattern := range strings.SplitSeq(patterns, ",") {
		pattern, negated := strings.CutPrefix(strings.TrimSpace(pattern), "!")
		if !matchPattern(pattern, text) {
			continue
		}
		if negated {
			return false
		}
		matched = true
	}
	return matched
}

// matchPattern knows * for any text and ? for any one character.
func matchPattern(pattern, text string) bool {
	if pattern == "" {
		return text == ""
	}
	if pattern[0] == '*' {
		return matchPattern(pattern[1:], text) || text != "" && matchPattern(pattern, text[1:])
	}
	return text != "" && (pattern[0] == '?' || pattern[0] == text[0]) && matchPattern(pattern[1:], text[1:])
}
