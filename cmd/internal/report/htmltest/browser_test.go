package htmltest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is how long a browser may take for all of a test.
const patience = 5 * time.Minute

// chromium finds the program: FAIRLEAD_CHROMIUM, or what PATH has.
func chromium(t *testing.T) string {
	t.Helper()
	if program := os.Getenv("FAIRLEAD_CHROMIUM"); program != "" {
		return program
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if program, err := exec.LookPath(name); err == nil {
			return program
		}
	}
	t.Skip("no Chromium is installed; FAIRLEAD_CHROMIUM may name one")
	return ""
}

// newBrowser starts a browser with a profile of its own that finds no host, not even
// through a proxy, and ends it with the test.
func newBrowser(t *testing.T) context.Context {
	t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), patience)
	t.Cleanup(stop)
	options := append(chromedp.DefaultExecAllocatorOptions[:], //nolint:gocritic // a new list
		chromedp.ExecPath(chromium(t)), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND"), chromedp.WindowSize(1440, 900))
	ctx, end := chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(end)
	ctx, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(closeTab)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// tab is a page in a browser that cannot reach a network, and all that it said and asked.
type tab struct {
	*testing.T
	ctx context.Context

	mu       sync.Mutex
	requests []string
	said     []string
}

// look says how a tab opens a page.
type look struct {
	dark, noScript, print bool
	width, height         int64
}

// open opens a page from disk.
func open(t *testing.T, browser context.Context, page string, how look) *tab {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(file, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	v := &tab{T: t}
	ctx, end := chromedp.NewContext(browser, chromedp.WithListener(v.listen))
	t.Cleanup(end)
	v.ctx = ctx
	v.do(chromedp.Func(how.apply), chromedp.Navigate("file://"+file))
	return v
}

// apply sets a target up before it opens a page.
func (l look) apply(ctx context.Context, target *chromedp.Target) error {
	scheme := "light"
	if l.dark {
		scheme = "dark"
	}
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	if l.print {
		media.Media = "print"
	}
	if _, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, media); err != nil {
		return err
	}
	if l.width > 0 {
		if _, err := chromedp.EmulateViewport(l.width, l.height)(ctx, target); err != nil {
			return err
		}
	}
	if _, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: l.noScript}); err != nil {
		return err
	}
	_, err := cdp.Call(ctx, target, network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: true, DownloadThroughput: -1, UploadThroughput: -1})
	return err
}

// listen notes requests, and all that a console shows: messages, exceptions, and what the
// browser itself has to say, such as violations of the page's policy.
func (v *tab) listen(event any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		v.requests = append(v.requests, e.Request.URL)
	case *network.EventWebSocketCreated:
		v.requests = append(v.requests, e.URL)
	case *runtime.EventConsoleAPICalled:
		v.said = append(v.said, string(e.Type))
	case *runtime.EventExceptionThrown:
		v.said = append(v.said, e.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		v.said = append(v.said, string(e.Entry.Level)+": "+e.Entry.Text)
	}
}

// quiet fails when the page asked for anything but itself and its empty icon, or when the
// console has a line.
func (v *tab) quiet() {
	v.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	opened := false
	for _, url := range v.requests {
		switch {
		case strings.HasPrefix(url, "file://") && strings.HasSuffix(url, "/report.html") && !opened:
			opened = true
		case url != "data:,":
			v.Errorf("asks for %s", url)
		}
	}
	if !opened {
		v.Error("the page was not seen to be opened, so that other requests may be missed too")
	}
	for _, line := range v.said {
		v.Errorf("the console has: %s", line)
	}
}

func (v *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	v.Helper()
	if err := chromedp.Do(v.ctx, steps...); err != nil {
		v.Fatal(err)
	}
}

// ask evaluates an expression in the page.
func ask[T any](v *tab, expression string) T {
	v.Helper()
	answer, err := chromedp.Run(v.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		v.Fatalf("%s: %v", expression, err)
	}
	return answer
}

// holds fails where an expression is not true.
func (v *tab) holds(expression string) {
	v.Helper()
	if !ask[bool](v, expression) {
		v.Errorf("does not hold: %s", expression)
	}
}

// shoot keeps a screenshot of what is seen.
func (v *tab) shoot(file string) {
	v.Helper()
	png, err := chromedp.Run(v.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		v.Fatal(err)
	}
	if err := os.WriteFile(file, png, 0o600); err != nil {
		v.Fatal(err)
	}
}
