package markdown_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"fairlead.dev/fairlead/cmd/internal/report/markdown"
)

// rude are texts that mean something to markdown, to HTML or to a forge.
var rude = []string{
	"plain", "", " ", "a|b", `a\|b`, `a\\|b\`, "a`b", "``", "` x `", "a\nb\r\n\r\n# c", "<b>x</b>", "</details>", "<!-- x", "-->", "<script>alert(1)</script>",
	"@team", "@org/team @a", "x@example.com", "#123", "owner/repo#1", "GH-1", "gh-12", "ABC-123", "!5 ~label %3 &4 $5 ^alert", "deadbeef", "0123456789abcdef0123456789abcdef01234567",
	"https://example.com/x", "www.example.com", "WWW.example.com", "mailto:a@example.com", "ftp://x.example", "![x](http://e.example/x.png)", "[x](y)", "[x]: y", "[^1]", "[[page]]", "[x]",
	":tada:", "::100::", "$x$", "$$x$$", "*a* **b** _c_ ~~d~~ ~e~", "***", "---", "===", "- a", "+ a", "* a", "1. a", "12) a", "# a", "> a", "    a", "\ta", "```", "~~~ x", "/close",
	"&lt;b&gt;", "&#64;team", "&amp;", `\@team \<b>`, "\u202eabc\u2066", "\x00\x07\x1b[31m", "\u2028\u2029", "\u200b@\u200bteam", "\xff\xfe", "{+ a +} [- b -]", "a\\", "|", "||", "|---|",
	"<https://example.com>", "<a@b.example>", "x:y:z", "12:30:45", "50% of", "a & b", "café 世界 ＠team", ": definition", "| a | b |\n|---|---|\n| c | d |", "<details>", "<img src=x onerror=alert(1)>", "![", "](", "`</code>`",
	"\u00a0\u00a0\u00a0\u00a0a", "www.www.a.example", "http://", "HTTPS://EXAMPLE.COM", "aaaaaaaaaaaaaaaaaaaaaaaa", strings.Repeat("x|", 3000), strings.Repeat("`", 300), "[!CAUTION]", "[ ] task", "[TOC]",
}

// contexts has a text in all places where a comment may have one.
func contexts(text, code string) string {
	return "Before " + text + " after, " + code + " too.\n\n- " + text + "\n- " + code + ": " + text + "\n- " + text + ".\n\n> [!CAUTION]\n> **Bold**\n>\n> - " + text + "\n> - " + code + "\n\n" +
		markdown.Row("a", "b", "c", "d", "e") + "|---|---|---|---|---|\n" + markdown.Row(text, code, code+" → "+code, text+"; "+text, "") + markdown.Row("", text, text, code, code) +
		"\n<details><summary>A summary</summary>\n\n- " + text + " (" + code + ")\n- " + code + "\n\n</details>\n\n_Words " + text + "._\n"
}

// checkEscapes wants a text to come out of the renderer as it went in, and nothing else.
func checkEscapes(t *testing.T, s string) {
	t.Helper()
	page := contexts(markdown.EscapeText(s), markdown.EscapeCode(s, 500))
	root := domOf(t, page)
	checkQuiet(t, root)
	checkTables(t, root)
	if want, got := elements(domOf(t, contexts("x", "`x`"))), elements(root); !slices.Equal(want, got) {
		t.Errorf("%q changes the page:\n%s\n%v", s, page, got)
	}
	bare := strings.NewReplacer("\u200b", "", "＄", "$")
	words := strings.ReplaceAll(markdown.Clip(strings.Join(strings.Fields(markdown.Visible(s)), " "), markdown.MostOfText), "＄", "$")
	if got := bare.Replace(texts(root, "li")[0]); got != strings.TrimSpace(words) {
		t.Errorf("the text %q comes out as %q, want %q", s, got, words)
	}
	want := markdown.Clip(markdown.Visible(s), 500)
	if strings.Trim(want, " ") == "" {
		want = " "
	}
	for i, got := range texts(root, "code") {
		if got = strings.ReplaceAll(got, "\u200b", ""); got != want {
			t.Errorf("the code %q comes out as %q at %d, want %q", s, got, i, want)
		}
	}
}

func TestMarkdownEscape(t *testing.T) {
	t.Parallel()
	for _, s := range rude {
		checkEscapes(t, s)
		checkEscapes(t, "x"+s)
		checkEscapes(t, "x "+s+" y")
	}
	r := rand.New(rand.NewPCG(5, 5))
	for range 500 {
		s := ""
		for range 1 + r.IntN(4) {
			piece := []rune(rude[r.IntN(len(rude))])
			from := r.IntN(len(piece) + 1)
			s += string(piece[from : from+r.IntN(min(60, len(piece)-from)+1)])
		}
		checkEscapes(t, s)
	}
}

func FuzzMarkdownEscape(f *testing.F) {
	for _, s := range rude {
		f.Add(s)
	}
	f.Fuzz(checkEscapes)
}

// A marker is one comment on one line, whatever the network is called, and tells networks
// apart.
func TestMarker(t *testing.T) {
	t.Parallel()
	if got := markdown.Marker("plan", "retail-2.x"); got != "<!-- fairlead:plan:retail-2.x -->" {
		t.Error(got)
	}
	seen := map[string]string{}
	for _, name := range append(slices.Clone(rude), "a-b", "a--b", "a---b", "-a", "a-", "--", "a%2db", "-->", "--!>", ">", "->") {
		m := markdown.Marker("plan", name)
		if other, again := seen[m]; again && other != name {
			t.Errorf("%q and %q have the marker %s", name, other, m)
		}
		seen[m] = name
		inner := strings.TrimSuffix(strings.TrimPrefix(m, "<!-- "), " -->")
		if strings.ContainsAny(inner, "<>\n\r\t `") || strings.Contains(inner, "--") {
			t.Errorf("%q gives %q", name, m)
		}
		if got := elements(domOf(t, m+"\n\nx\n")); !slices.Equal(got, []string{"comment", "html", "head", "/head", "body", "p", "/p", "/body", "/html"}) {
			t.Errorf("%q gives %v", name, got)
		}
	}
}
