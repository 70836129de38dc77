package revision

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
)

// settings are those of a git configuration, by names such as remote.origin.url: section
// and key in lower case, a subsection as it is written. A key without a value has "true".
type settings map[string][]string

// readSettings reads a file of git's configuration, which need not exist. Files that it
// includes are not read.
func readSettings(file string) (settings, error) {
	content, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return parseSettings(content), nil
}

// all gives every value of a name, in order.
func (s settings) all(name string) []string { return s[name] }

// last gives the value of a name that counts; "" for none.
func (s settings) last(name string) string {
	values := s[name]
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}

// is reports whether a name has one of the values for which git knows other words: "true"
// or "false".
func (s settings) is(name, value string) bool {
	switch strings.ToLower(s.last(name)) {
	case "true", "yes", "on", "1":
		return value == "true"
	case "false", "no", "off", "0":
		return value == "false"
	}
	return false
}

var (
	sectionHeader = regexp.MustCompile(`^\[([-.0-9A-Za-z]*)(?:[ \t\r]+"((?:[^"\\\n]|\\[^\n])*)")?\]`)
	settingKey    = regexp.MustCompile(`^([A-Za-z][-0-9A-Za-z]*)[ \t]*(=|\n|$)`)
	unescape      = regexp.MustCompile(`\\(.)`)
)

// blanks are what git takes for space; a line ends with one.
const blanks = " \t\r\n"

// parseSettings reads a configuration by git's own rules, and passes over what breaks
// them: a line, or all of a section whose header is broken. The library for this refuses
// a whole file for what git takes.
func parseSettings(content []byte) settings {
	out := settings{}
	text := strings.ReplaceAll(strings.TrimPrefix(string(content), "\uFEFF"), "\r\n", "\n")
	section := ""
	for text = strings.TrimLeft(text, blanks); text != ""; text = strings.TrimLeft(text, blanks) {
		switch text[0] {
		case '#', ';':
			text = nextLine(text)
		case '[':
			section, text = cutSection(text)
		default:
			var key, value string
			if key, value, text = cutSetting(text); key != "" && section != "" {
				out[section+key] = append(out[section+key], value)
			}
		}
	}
	return out
}

func nextLine(text string) string {
	_, rest, _ := strings.Cut(text, "\n")
	return rest
}

// cutSection takes a section's header off: "core.", or `remote.origin.`; "" for a broken
// one.
func cutSection(text string) (section, rest string) {
	m := sectionHeader.FindStringSubmatchIndex(text)
	if m == nil {
		return "", nextLine(text)
	}
	section = strings.ToLower(text[m[2]:m[3]]) + "."
	if m[4] >= 0 {
		section += unescape.ReplaceAllString(text[m[4]:m[5]], "$1") + "."
	}
	return section, text[m[1]:]
}

// cutSetting takes a key and its value off; the key is "" for a broken line.
func cutSetting(text string) (key, value, rest string) {
	m := settingKey.FindStringSubmatchIndex(text)
	if m == nil {
		return "", "", nextLine(text)
	}
	key = strings.ToLower(text[m[2]:m[3]])
	if rest = text[m[1]:]; text[m[4]:m[5]] != "=" {
		return key, "true", rest
	}
	value, end, ok := cutValue(rest)
	if !ok {
		return "", "", nextLine(rest[end:])
	}
	return key, value, rest[end:]
}

// escapes are what may follow a backslash in a value; the end of a line joins it with the
// next.
var escapes = map[byte]string{'t': "\t", 'b': "\b", 'n': "\n", '\\': `\`, '"': `"`, '\n': ""}

// cutValue reads a value up to the end of its line; end is where it stopped.
func cutValue(text string) (value string, end int, ok bool) {
	var out, space strings.Builder
	quoted, comment := false, false
	for ; end < len(text) && (text[end] != '\n' || quoted); end++ {
		c := text[end]
		switch {
		case comment:
			continue
		case c == '\n':
			return "", end, false
		case !quoted && strings.IndexByte(blanks, c) >= 0:
			if out.Len() > 0 {
				space.WriteByte(c)
			}
			continue
		case !quoted && (c == '#' || c == ';'):
			comment = true
			continue
		}
		out.WriteString(space.String())
		space.Reset()
		switch c {
		case '"':
			quoted = !quoted
		case '\\':
			if end++; end == len(text) {
				continue
			}
			escaped, known := escapes[text[end]]
			if !known {
				return "", end, false
			}
			out.WriteString(escaped)
		default:
			out.WriteByte(c)
		}
	}
	return out.String(), min(end, len(text)), !quoted
}
