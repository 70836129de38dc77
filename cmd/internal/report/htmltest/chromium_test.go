package htmltest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestChromium opens reports from disk in a real browser that can reach no network.
func TestChromium(t *testing.T) {
	t.Parallel()
	browser := newBrowser(t)
	for _, size := range sizes {
		before := retail(size)
		text := page(t, reportOf(before, changed(before)))
		for _, dark := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d sites, dark %v", size, dark), func(t *testing.T) {
				v := open(t, browser, text, look{dark: dark})
				v.holds(fmt.Sprintf("matchMedia('(prefers-color-scheme: dark)').matches === %v", dark))
				v.holds(fmt.Sprintf("(getComputedStyle(document.body).backgroundColor === 'rgb(13, 17, 23)') === %v", dark))
				v.holds("document.querySelectorAll('tr.row').length > 0")
				v.quiet()
				v.album(fmt.Sprintf("%d-%s.png", size, map[bool]string{false: "light", true: "dark"}[dark]))
			})
		}
	}
	t.Run("pick", func(t *testing.T) { pick(open(t, browser, small(t), look{})) })
	t.Run("filter", func(t *testing.T) { filter(open(t, browser, small(t), look{})) })
	t.Run("theme", func(t *testing.T) { theme(open(t, browser, small(t), look{})) })
}

func small(t *testing.T) string {
	before := retail(5)
	return page(t, reportOf(before, changed(before)))
}

// album keeps a screenshot where FAIRLEAD_SCREENSHOTS names a directory.
func (v *tab) album(name string) {
	v.Helper()
	if dir := os.Getenv("FAIRLEAD_SCREENSHOTS"); dir != "" {
		v.shoot(filepath.Join(dir, name))
	}
}

func pick(v *tab) {
	v.do(chromedp.Click(chromedp.CSS(`.stage.all [aria-label^="− hub"], .stage.all [aria-label^="hub:"]`)))
	v.holds(`document.querySelector('#picked').textContent.includes('hub')`)
	v.quiet()
}

func filter(v *tab) { v.quiet() }

func theme(v *tab) { v.quiet() }
