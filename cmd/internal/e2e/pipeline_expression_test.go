package e2e

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// scope holds what expressions of an action may name: "inputs.comment".
type scope map[string]string

// expression is what stands between ${{ and }}.
var expression = regexp.MustCompile(`\$\{\{\s*(.*?)\s*\}\}`)

// expand replaces the expressions of a text.
func (s scope) expand(text string) string {
	return expression.ReplaceAllStringFunc(text, func(found string) string {
		return s.eval(expression.FindStringSubmatch(found)[1])
	})
}

// eval works out an expression as GitHub does, as far as our action needs it: paths,
// strings, ==, !=, !, &&, ||, parentheses, always(), cancelled() and format() with one value. What is not there is empty.
func (s scope) eval(text string) string {
	p := &parser{scope: s, tokens: token.FindAllString(text, -1)}
	out := p.or()
	if len(p.tokens) > 0 {
		panic(fmt.Sprintf("expression %q: %q is not understood", text, p.tokens))
	}
	return out
}

// truthy tells whether a value counts as true: of texts, all but the empty one, also "0".
// What is false is empty here.
func truthy(value string) bool { return value != "" }

func boolean(value bool) string {
	if value {
		return "true"
	}
	return ""
}

var token = regexp.MustCompile(`'[^']*'|==|!=|!|&&|\|\||[(),]|[A-Za-z][A-Za-z0-9_.-]*|\S`)

type parser struct {
	scope  scope
	tokens []string
}

func (p *parser) next(want string) bool {
	if len(p.tokens) > 0 && p.tokens[0] == want {
		p.tokens = p.tokens[1:]
		return true
	}
	return false
}

func (p *parser) or() string {
	left := p.and()
	for p.next("||") {
		if right := p.and(); !truthy(left) {
			left = right
		}
	}
	return left
}

func (p *parser) and() string {
	left := p.compare()
	for p.next("&&") {
		if right := p.compare(); truthy(left) {
			left = right
		}
	}
	return left
}

func (p *parser) compare() string {
	left := p.value()
	switch {
	case p.next("=="):
		return boolean(left == p.value())
	case p.next("!="):
		return boolean(left != p.value())
	}
	return left
}

func (p *parser) value() string {
	if p.next("(") {
		out := p.or()
		p.next(")")
		return out
	}
	word := p.tokens[0]
	p.tokens = p.tokens[1:]
	switch {
	case word == "!":
		return boolean(!truthy(p.value()))
	case word == "format" && p.next("("):
		pattern := p.or()
		p.next(",")
		out := strings.ReplaceAll(pattern, "{0}", p.or())
		p.next(")")
		return out
	case word == "cancelled" && p.next("("): // nothing is
		p.next(")")
		return ""
	case word == "always" && p.next("("):
		p.next(")")
		return "true"
	case strings.HasPrefix(word, "'"):
		return strings.Trim(word, "'")
	}
	return p.scope[word]
}

func TestExpressions(t *testing.T) {
	t.Parallel()
	s := scope{"a": "x", "b.c": "true", "n": "7", "zero": "0"}
	for text, want := range map[string]string{
		"a": "x", "b.c": "true", "none || a": "x", "a == 'x' && b.c == 'true'": "true", "a != 'x' || none": "", "zero || a": "0",
		"(none || a) == 'x'": "true", "always() && n": "7", "none && a": "",
		"!none && !(a == 'y')": "true", "!a": "", "!cancelled() && a": "x", "a && format('{0}/sub', a)": "x/sub",
	} {
		if got := s.eval(text); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	if got := s.expand("${{ a }}-${{ none || n }}"); got != "x-7" {
		t.Errorf("expanded: %q", got)
	}
}
