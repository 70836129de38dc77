package e2e

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// proxy is a running HTTP CONNECT proxy: a real one, Debian's tinyproxy.
type proxy struct {
	host string
	port int
	log  string
}

// proxyPatience is how long a proxy may take to start.
const proxyPatience = time.Minute

// startProxy runs a proxy on loopback until the test ends; it lets connections
// through to any port. With an empty user it asks for no credentials. User and
// password are letters and digits, which is all that tinyproxy takes.
func startProxy(t testing.TB, user, password string) proxy {
	t.Helper()
	program := tinyproxy(t)
	for range 5 { // the free port may be taken before the proxy listens
		if p, ok := tryProxy(t, program, user, password); ok {
			return p
		}
	}
	t.Fatal("tinyproxy did not start")
	return proxy{}
}

func tryProxy(t testing.TB, program, user, password string) (proxy, bool) {
	t.Helper()
	dir := t.TempDir()
	host := proxyHost()
	p := proxy{host: host, port: freePort(t), log: filepath.Join(dir, "log")}
	// Without a ConnectPort, any port may be connected to.
	config := fmt.Sprintf("Listen %s\nPort %d\nLogFile %q\nLogLevel Info\nMaxClients 200\nTimeout 3600\n", p.host, p.port, p.log)
	if user != "" {
		config += fmt.Sprintf("BasicAuth %s %s\n", user, password)
	}
	file := filepath.Join(dir, "conf")
	writeFile(t, file, config)
	cmd := exec.Command(program, "-d", "-c", file)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { // ends with the process
		_ = cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	return p, p.comesUp(t, ended)
}

// comesUp waits until the proxy accepts connections; false when it ended instead.
func (p proxy) comesUp(t testing.TB, ended <-chan struct{}) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), proxyPatience)
	defer cancel()
	alive := true
	up := within(ctx, func() bool {
		select {
		case <-ended:
			alive = false
			return true
		default:
			return strings.Contains(p.text(t), "Accepting connections")
		}
	})
	return up && alive
}

// proxyHost is this machine's address for the clusters' routers.
func proxyHost() string { return cmp.Or(os.Getenv("FAIRLEAD_E2E_PROXY_HOST"), "127.0.0.1") }

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(proxyHost(), "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

// text is the proxy's log so far.
func (p proxy) text(t testing.TB) string {
	t.Helper()
	data, err := os.ReadFile(p.log)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return string(data)
}

var (
	proxyOpens = regexp.MustCompile(`opensock: opening connection to (\S+)`)
	proxyFails = regexp.MustCompile(`opensock: Could not establish a connection to (\S+)`)
)

// connects gives host and port of each CONNECT that went through, in their order.
// One with wrong credentials is not among them: the proxy then opens nothing.
func (p proxy) connects(t testing.TB) []string {
	t.Helper()
	return connectsOf(p.text(t))
}

func connectsOf(log string) (out []string) {
	failed := map[string]int{}
	for _, m := range proxyFails.FindAllStringSubmatch(log, -1) {
		failed[m[1]]++
	}
	for _, m := range proxyOpens.FindAllStringSubmatch(log, -1) {
		if failed[m[1]] > 0 {
			failed[m[1]]--
			continue
		}
		out = append(out, m[1])
	}
	return out
}

// tinyproxy gives the program. Where it cannot be had the test is skipped, but not
// on a Debian machine under CI, which can always fetch it.
func tinyproxy(t testing.TB) string {
	t.Helper()
	program, err := theTinyproxy()
	if err == nil {
		return program
	}
	if _, debian := os.Stat("/etc/debian_version"); debian == nil && os.Getenv("CI") == "true" {
		t.Fatalf("no tinyproxy: %s", err)
	}
	t.Skipf("needs tinyproxy in PATH, or apt-get and dpkg-deb to fetch it: %s", err)
	return ""
}

var theTinyproxy = sync.OnceValues(func() (string, error) {
	if program, err := exec.LookPath("tinyproxy"); err == nil {
		return program, nil
	}
	bin, err := filepath.Abs(filepath.Join("..", "..", "..", "bin"))
	if err != nil {
		return "", err
	}
	program := filepath.Join(bin, "tinyproxy", "usr", "bin", "tinyproxy")
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	return program, fetchTinyproxy(bin)
})

// fetchTinyproxy unpacks Debian's package below bin. It needs no rights: where the
// machine's package lists are empty it reads lists of its own.
func fetchTinyproxy(bin string) error {
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp(bin, "tinyproxy-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }()
	if err := downloadTinyproxy(work); err != nil {
		return err
	}
	packages, err := filepath.Glob(filepath.Join(work, "*.deb"))
	if err != nil || len(packages) != 1 {
		return fmt.Errorf("apt-get left %d packages: %w", len(packages), err)
	}
	root := filepath.Join(work, "root")
	if err := runIn(work, "dpkg-deb", "-x", packages[0], root); err != nil {
		return err
	}
	if err := os.Chmod(root, 0o755); err != nil {
		return err
	}
	// Someone else may have been faster: theirs is as good.
	if err := os.Rename(root, filepath.Join(bin, "tinyproxy")); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return nil
}

func downloadTinyproxy(dir string) error {
	first := runIn(dir, "apt-get", "download", "tinyproxy-bin")
	if first == nil {
		return nil
	}
	for _, d := range []string{"lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.FromSlash(d)), 0o755); err != nil {
			return err
		}
	}
	own := []string{"-o", "Dir::State::Lists=" + filepath.Join(dir, "lists"), "-o", "Dir::Cache=" + filepath.Join(dir, "cache"), "-o", "APT::Sandbox::User="}
	if err := runIn(dir, "apt-get", append(own, "update")...); err != nil {
		return errors.Join(first, err)
	}
	return runIn(dir, "apt-get", append(own, "download", "tinyproxy-bin")...)
}

func runIn(dir, program string, args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", program, args[0], err, out)
	}
	return nil
}

// The proxy of the test bed lets a client with the right credentials through to a
// site's listening endpoint, others not, and its log tells which.
func TestProxyOfTheBed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, _ := hubAndSpoke()
	w.applied(sites[:1], nil)
	address := w.endpoint(0, "hub")
	if !reachable(address) {
		t.Skipf("%s, where a router of the clusters listens, is out of this machine's reach", address)
	}
	for _, c := range []struct {
		name           string
		user, password string
		as             *url.Userinfo
		passes         bool
	}{
		{"right", "fairlead", "secret1", url.UserPassword("fairlead", "secret1"), true},
		{"wrong", "fairlead", "secret1", url.UserPassword("fairlead", "secret2"), false},
		{"none", "fairlead", "secret1", nil, false},
		{"anonymous", "", "", nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := startProxy(t, c.user, c.password)
			passed, met := p.reach(t, c.as, address)
			if passed != c.passes || met != c.passes {
				t.Errorf("CONNECT granted: %t, TLS server met: %t, want %t", passed, met, c.passes)
			}
			want := ""
			if c.passes {
				want = address
			}
			if got := strings.Join(p.connects(t), " "); got != want {
				t.Errorf("the log tells of %q, want %q", got, want)
			}
		})
	}
}

// reachable tells whether somebody listens at an address, or begins to in time.
func reachable(address string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), proxyPatience)
	defer cancel()
	return within(ctx, func() bool {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
}

// endpoint is where a site listens for links.
func (w *world) endpoint(cluster int, site string) string {
	w.t.Helper()
	endpoints, _, _ := unstructured.NestedSlice(w.get(cluster, w.ns(site), "sites", site).Object, "status", "endpoints")
	for _, e := range endpoints {
		if e, ok := e.(map[string]any); ok && e["name"] == "inter-router" {
			return net.JoinHostPort(fmt.Sprint(e["host"]), fmt.Sprint(e["port"]))
		}
	}
	w.t.Fatalf("site %s has no endpoint for links", site)
	return ""
}

// reach talks TLS to address through the proxy: whether the proxy granted the
// CONNECT, and whether a TLS server was met behind it. The server wants a client
// certificate, so the request itself always fails.
func (p proxy) reach(t *testing.T, as *url.Userinfo, address string) (granted, met bool) {
	t.Helper()
	at := &url.URL{Scheme: "http", Host: net.JoinHostPort(p.host, fmt.Sprint(p.port)), User: as}
	transport := &http.Transport{
		Proxy: http.ProxyURL(at),
		OnProxyConnectResponse: func(_ context.Context, _ *url.URL, _ *http.Request, answer *http.Response) error {
			granted = answer.StatusCode == http.StatusOK
			return nil
		},
		TLSClientConfig: &tls.Config{
			InsecureSkipVerify: true, // who it is does not matter, only that it is there
			VerifyConnection: func(s tls.ConnectionState) error {
				met = len(s.PeerCertificates) > 0
				return nil
			},
		},
	}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+address, nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := transport.RoundTrip(req); err == nil {
		_ = resp.Body.Close()
	}
	return granted, met
}

// A connection that the proxy could not make is not one that went through.
func TestConnectsOf(t *testing.T) {
	t.Parallel()
	got := connectsOf(`
INFO   [1]: opensock: opening connection to a:1
INFO   [1]: opensock: opening connection to b:2
ERROR  [1]: opensock: Could not establish a connection to a:1
INFO   [1]: opensock: opening connection to a:1
`)
	if strings.Join(got, " ") != "b:2 a:1" {
		t.Errorf("got %q", got)
	}
}
