package htmltest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestChromium opens pages from disk in a real browser that can reach no network. One
// browser serves all, so its parts run one after the other.
func TestChromium(t *testing.T) {
	t.Parallel()
	browser := newBrowser(t)
	n := retail(5)
	small := page(t, reportOf(n, changed(n)))
	t.Run("the listener hears", func(t *testing.T) { hears(t, browser) })
	for _, size := range sizes {
		before := retail(size)
		text := page(t, reportOf(before, changed(before)))
		for _, scheme := range []string{"light", "dark"} {
			t.Run(fmt.Sprint(size, " ", scheme), func(t *testing.T) {
				v := open(t, browser, text, look{dark: scheme == "dark"})
				readable(v, scheme == "dark")
				v.album(fmt.Sprintf("%d-%s.png", size, scheme))
				v.quiet()
			})
		}
		t.Run(fmt.Sprint(size, " narrow"), func(t *testing.T) {
			v := open(t, browser, text, look{width: 400, height: 800})
			v.holds(`document.documentElement.scrollWidth <= 400`)
			v.quiet()
		})
	}
	for name, r := range reports() {
		t.Run(name+" opens", func(t *testing.T) {
			v := open(t, browser, page(t, r), look{})
			v.holds(`document.documentElement.classList.contains("scripted")`)
			v.holds(`window.hacked === undefined`)
			v.quiet()
		})
	}
	for name, act := range map[string]func(*tab){"pick": pick, "pick by key": pickByKey, "filter": filter, "theme": theme, "zoom": zoom, "before and after": beforeAndAfter} {
		t.Run(name, func(t *testing.T) {
			v := open(t, browser, small, look{})
			act(v)
			v.quiet()
		})
	}
	t.Run("costs that differ", func(t *testing.T) {
		before := retail(200)
		for i := range before.Links {
			before.Links[i].Cost = int32(i*7919%97 + 1)
		}
		v := open(t, browser, page(t, reportOf(before, changed(before))), look{})
		v.holds(`document.querySelectorAll(".stage.some .site").length < 20`)
		readable(v, false)
	})
	t.Run("alike sites", func(t *testing.T) { alike(t, browser) })
	t.Run("without script", func(t *testing.T) { withoutScript(open(t, browser, small, look{noScript: true})) })
	t.Run("on paper", func(t *testing.T) {
		v := open(t, browser, small, look{print: true, dark: true})
		v.holds(`getComputedStyle(document.body).backgroundColor === "rgb(255, 255, 255)"`)
		v.holds(`getComputedStyle(document.querySelector("#filter")).display === "none"`)
		v.holds(`document.querySelector(".stage.all svg").getAttribute("viewBox").startsWith("0.0 0.0 ")`)
		v.quiet()
	})
}

// album keeps a screenshot where FAIRLEAD_SCREENSHOTS names a directory.
func (v *tab) album(name string) {
	v.Helper()
	if dir := os.Getenv("FAIRLEAD_SCREENSHOTS"); dir != "" {
		v.shoot(filepath.Join(dir, name))
	}
}

// hears is about the tests' own ears: a page that asks for something, breaks a policy and
// complains is noticed.
func hears(t *testing.T, browser context.Context) {
	v := open(t, browser, `<!DOCTYPE html><meta http-equiv="Content-Security-Policy" content="style-src 'none'">
		<style>p{color:red}</style><img src="https://fairlead.example/x.png"><script>console.warn("oh"); throw new Error("no")</script>`, look{})
	v.mu.Lock()
	defer v.mu.Unlock()
	said := strings.Join(v.said, "\n")
	if requests := strings.Join(v.requests, " "); !strings.Contains(requests, "fairlead.example/x.png") || !strings.Contains(requests, "report.html") {
		t.Errorf("heard requests %q", requests)
	}
	for _, want := range []string{"warning", "Uncaught", "Content Security Policy"} {
		if !strings.Contains(said, want) {
			t.Errorf("heard %q, nothing about %q", said, want)
		}
	}
}

// readable judges the first screen: verdict and picture are on it, no text of the picture
// covers another or is too small, and nothing has to be scrolled sideways.
func readable(v *tab, dark bool) {
	v.Helper()
	v.holds(fmt.Sprintf(`(getComputedStyle(document.body).backgroundColor === "rgb(13, 17, 23)") === %v`, dark))
	v.holds(`document.documentElement.scrollWidth <= innerWidth`)
	v.holds(`document.querySelector(".verdict").getBoundingClientRect().bottom < innerHeight / 4`)
	v.holds(`document.querySelector("#picture").getBoundingClientRect().top < innerHeight / 4`)
	if count := ask[int](v, texts+`.length`); count < 10 {
		v.Errorf("%d texts are seen", count)
	}
	if small := ask[[]string](v, texts+`.filter((t) => t.size < 9.9).map((t) => t.words)`); len(small) > 0 {
		v.Errorf("texts are small: %q", small)
	}
	if outside := ask[[]string](v, texts+`.filter((t) => t.box.left < t.stage.left || t.box.right > t.stage.right).map((t) => t.words)`); len(outside) > 0 {
		v.Errorf("texts are outside of the picture: %q", outside)
	}
	if covered := ask[[]string](v, `(() => { const all = `+texts+`; return all.flatMap((a, i) => all.slice(i + 1).filter((b) => a.box.left < b.box.right - 1 && b.box.left < a.box.right - 1 &&
		a.box.top < b.box.bottom - 3 && b.box.top < a.box.bottom - 3).map((b) => a.words + " / " + b.words)); })()`); len(covered) > 0 {
		v.Errorf("texts cover each other: %q", covered)
	}
}

// texts are those of the picture that is seen, with their sizes in pixels and places.
const texts = `Array.from(document.querySelectorAll(".stage text")).filter((t) => t.getClientRects().length > 0 && t.textContent !== "").map((t) => {
	const svg = t.ownerSVGElement, scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
	return { words: t.textContent, size: scale * parseFloat(getComputedStyle(t).fontSize), box: t.getBoundingClientRect(), stage: svg.getBoundingClientRect() };
})`

const (
	lit    = `Array.from(document.querySelectorAll("tr.row.on .pick")).map((a) => a.textContent).join(" ")`
	picked = `Array.from(new Set(Array.from(document.querySelectorAll(".stage.all .on")).flatMap((e) => e.dataset.is.split(" ")).map((id) => {
		const data = JSON.parse(document.querySelector("#data").textContent);
		return (id[0] === "s" ? data.sites : data.links)[Number(id.slice(1))].name; }))).sort().join(" ")`
)

func (v *tab) is(expression, want string) {
	v.Helper()
	if got := ask[string](v, expression); got != want {
		v.Errorf("%s\n%q, want %q", expression, got, want)
	}
}

// pick highlights rows by the picture, and the picture by rows.
func pick(v *tab) {
	v.do(chromedp.Click(chromedp.CSS(`.stage.all .site[aria-label^="shop1:"]`)))
	v.is(lit, "shop1-backup shop1-hub")
	v.is(picked, "shop1")
	v.holds(`document.querySelector("#picked").textContent.includes("2 actions: update shop1-backup delete shop1-hub")`)
	v.do(chromedp.KeyEvent("\u001b"))
	v.is(lit, "")
	v.holds(`document.querySelector("#picked").hidden`)

	// A line, in its middle.
	v.do(chromedp.Evaluate[chromedp.Void](`document.querySelector('.stage.all .hit[data-is="' + document.querySelector("#a1").dataset.is + '"]').dispatchEvent(new MouseEvent("click", {bubbles: true}))`))
	v.is(lit, ask[string](v, `document.querySelector("#a1 .pick").textContent`))

	// A row.
	v.do(chromedp.Click(chromedp.CSS(`#a0 .pick`)))
	v.is(picked, "hub")
	v.holds(`document.querySelector("#a0").classList.contains("on")`)
	if top := ask[float64](v, `document.querySelector("#picture").getBoundingClientRect().top`); top < -1 {
		v.Errorf("the picture begins %v above what is seen", -top)
	}

	// An effect.
	v.do(chromedp.Click(chromedp.CSS(`.danger .effects li`)))
	v.is(picked, "shop2")
}

func pickByKey(v *tab) {
	v.do(chromedp.Evaluate[chromedp.Void](`document.querySelector('.stage.all .site[aria-label^="hub:"]').focus()`), chromedp.KeyEvent("\r"))
	v.is(picked, "hub")
	v.is(lit, "hub backup-hub shop1-hub shop2-hub shop3-hub")
}

const visible = `Array.from(document.querySelectorAll("tr.row")).filter((r) => r.offsetParent).map((r) => r.querySelector(".pick").textContent).join(" ")`

func filter(v *tab) {
	v.do(chromedp.KeyEvent("/"))
	v.holds(`document.activeElement.id === "words"`)
	v.do(chromedp.Evaluate[chromedp.Void](`document.querySelector("#words").value = ""`)) // a test's key is a letter too
	v.do(chromedp.KeyEvent("SHOP1 cost"))
	v.is(`document.querySelector("#words").value`, "SHOP1 cost")
	v.is(visible, "shop1-backup")
	v.is(`document.querySelector("#shown").textContent`, "1 of 7")
	v.do(chromedp.Click(chromedp.CSS(`#filter [data-verb="create"]`)), chromedp.Click(chromedp.CSS(`#filter [data-verb="update"]`)))
	v.do(chromedp.Evaluate[chromedp.Void](`document.querySelector("#words").value = ""; document.querySelector("#words").dispatchEvent(new Event("input"))`))
	v.is(visible, "shop1-backup shop3-backup")
}

func theme(v *tab) {
	const ground = `getComputedStyle(document.body).backgroundColor`
	v.is(ground, "rgb(255, 255, 255)")
	v.do(chromedp.Click(chromedp.CSS("#theme")))
	v.is(ground, "rgb(13, 17, 23)")
	v.is(`document.querySelector("#theme span").textContent`, "Light")
	v.do(chromedp.Click(chromedp.CSS("#theme")))
	v.is(ground, "rgb(255, 255, 255)")
}

func zoom(v *tab) {
	const width = `document.querySelector(".stage.all svg").viewBox.baseVal.width`
	was := ask[float64](v, width)
	v.do(chromedp.Click(chromedp.CSS(`[data-zoom="in"]`)))
	if is := ask[float64](v, width); is >= was {
		v.Errorf("%v wide, was %v", is, was)
	}
	v.do(chromedp.Click(chromedp.CSS(`[data-zoom="fit"]`)))
	if is := ask[float64](v, width); is != was {
		v.Errorf("%v wide, was %v", is, was)
	}
	v.do(chromedp.Evaluate[chromedp.Void](`document.querySelector(".stage.all").focus()`), chromedp.KeyEvent("+"))
	if is := ask[float64](v, width); is >= was {
		v.Errorf("%v wide after a key, was %v", is, was)
	}
	const left = `document.querySelector(".stage.all svg").viewBox.baseVal.x`
	x := ask[float64](v, left)
	v.do(chromedp.DragAndDropXY(200, 300, 300, 300))
	if is := ask[float64](v, left); is >= x {
		v.Errorf("after a drag to the right the picture begins at %v, before at %v", is, x)
	}
	v.holds(`document.querySelector("#picked").hidden`) // a drag is no click
}

const costs = `Array.from(document.querySelectorAll(".stage.all .port")).filter((t) => t.getClientRects().length > 0).map((t) =>
	Array.from(t.childNodes).filter((c) => c.nodeType === 3 || c.getClientRects().length > 0).map((c) => c.textContent).join("")).join("; ")`

func beforeAndAfter(v *tab) {
	v.is(costs, "+ backup: 50; ~ backup: 99999 → 20; − hub: 1; − hub: 1; − hub: 1")
	v.do(chromedp.Click(chromedp.CSS(`label[for="before"]`)))
	v.is(costs, "backup: 99999; hub: 1; hub: 1; hub: 1")
	v.do(chromedp.Click(chromedp.CSS(`label[for="after"]`)))
	v.is(costs, "backup: 50; backup: 20")
}

// alike sites are one node; a click lists them, and each can be picked by itself.
func alike(t *testing.T, browser context.Context) {
	n := retail(200)
	v := open(t, browser, page(t, reportOf(n, changed(n))), look{})
	v.holds(`document.querySelectorAll(".stage.some .site").length < 20`)
	v.holds(`document.querySelectorAll(".stage.all .site").length === 200`)
	v.do(chromedp.Click(chromedp.CSS(`.stage.some .site[aria-label^="43 sites"]`)))
	v.holds(`document.querySelectorAll("#picked p:first-of-type button").length === 43`)
	v.holds(`document.querySelectorAll("tr.row.on").length === 43`)
	v.do(chromedp.Click(chromedp.CSS(`#picked p button`)))
	v.is(lit, "shop4-hub-west")
	v.do(chromedp.Click(chromedp.CSS(`label[for="which-all"]`)))
	v.is(picked, "shop4")
	v.holds(`document.querySelector(".stage.all").offsetParent !== null && document.querySelector(".stage.some").offsetParent === null`)
	v.quiet()
}

// withoutScript everything is there but what only the script can do.
func withoutScript(v *tab) {
	v.holds(`!document.documentElement.classList.contains("scripted")`)
	v.is(visible, "hub shop1-backup shop3-backup backup-hub shop1-hub shop2-hub shop3-hub")
	v.holds(`Array.from(document.querySelectorAll(".script")).every((e) => getComputedStyle(e).display === "none")`)
	v.holds(`document.querySelector(".stage.all svg").getBoundingClientRect().height > 100`)
	v.do(chromedp.Click(chromedp.CSS(`label[for="before"]`)))
	v.is(costs, "backup: 99999; hub: 1; hub: 1; hub: 1")
	v.do(chromedp.Click(chromedp.CSS(`#a1 summary`)))
	v.holds(`document.querySelector("#a1 dl").getBoundingClientRect().height > 0`)
	v.quiet()
}
