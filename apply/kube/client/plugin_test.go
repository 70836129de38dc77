//go:build unix

package client

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// pluginServer answers requests and keeps what they bear.
type pluginServer struct {
	*httptest.Server
	mu     sync.Mutex
	bears  []string
	status int
}

func newPluginServer(t *testing.T) *pluginServer {
	s := &pluginServer{status: http.StatusOK}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		who := r.Header.Get("Authorization")
		for _, c := range r.TLS.PeerCertificates {
			who += "certificate " + c.SerialNumber.String()
		}
		s.bears = append(s.bears, who)
		w.WriteHeader(s.status)
	}))
	s.TLS = &tls.Config{ClientAuth: tls.RequestClientCert, MinVersion: tls.VersionTLS12}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// answers sets the status from now on, and gives what was borne so far.
func (s *pluginServer) answers(status int) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status = status
	return slices.Clone(s.bears)
}

// client runs a shell script as its credential plugin.
func (s *pluginServer) client(t *testing.T, script string, more ...string) *http.Client {
	t.Helper()
	cfg := &rest.Config{Host: s.URL, TLSClientConfig: rest.TLSClientConfig{Insecure: true}, ExecProvider: &clientcmdapi.ExecConfig{
		Command: "sh", Args: append([]string{"-c", script, "sh"}, more...), APIVersion: "client.authentication.k8s.io/v1",
		InteractiveMode: clientcmdapi.NeverExecInteractiveMode, ProvideClusterInfo: true,
		Env: []clientcmdapi.ExecEnvVar{{Name: "WHO", Value: "ana"}},
	}}
	client, err := For(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func get(t *testing.T, c *http.Client, url string) error {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(r)
	if err == nil {
		_ = resp.Body.Close()
	}
	return err
}

// counted is a script that prints a status in which N is how often it has run.
func counted(t *testing.T, status string) string {
	file := filepath.Join(t.TempDir(), "n")
	return fmt.Sprintf(`echo >>%[1]s; n=$(wc -l <%[1]s | tr -d ' ')
echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":%[2]s}' | sed "s/N/$n/g"`, file, status)
}

// A token is kept until it ends or is refused, and clients that name the same program share
// what it gives.
func TestPluginTokens(t *testing.T) {
	t.Parallel()
	s := newPluginServer(t)
	script := counted(t, `{"token":"tN","expirationTimestamp":"2100-01-01T00:00:00Z"}`)
	a, b := s.client(t, script), s.client(t, script)
	for _, c := range []*http.Client{a, b, a} {
		if err := get(t, c, s.URL); err != nil {
			t.Fatal(err)
		}
	}
	s.answers(http.StatusUnauthorized)
	_ = get(t, a, s.URL)
	s.answers(http.StatusOK)
	_ = get(t, b, s.URL)
	if got, want := s.answers(0), []string{"Bearer t1", "Bearer t1", "Bearer t1", "Bearer t1", "Bearer t2"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	ended := newPluginServer(t)
	c := ended.client(t, counted(t, `{"token":"tN","expirationTimestamp":"2001-01-01T00:00:00Z"}`))
	_, _ = get(t, c, ended.URL), get(t, c, ended.URL)
	if got, want := ended.answers(0), []string{"Bearer t1", "Bearer t2"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// A certificate is shown to the server, and the next one on another connection.
func TestPluginCertificates(t *testing.T) {
	t.Parallel()
	s := newPluginServer(t)
	dir := t.TempDir()
	for n := range 2 {
		cert, key := selfSigned(t, int64(n+1))
		status, err := json.Marshal(map[string]string{"clientCertificateData": cert, "clientKeyData": key})
		if err != nil {
			t.Fatal(err)
		}
		text := `{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":` + string(status) + "}"
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(n+1)), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := s.client(t, `cd "$1"; echo >>n; cat $(wc -l <n | tr -d ' ')`, dir)
	for _, status := range []int{http.StatusOK, http.StatusUnauthorized, http.StatusOK} {
		s.answers(status)
		if err := get(t, c, s.URL); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := s.answers(0), []string{"certificate 1", "certificate 1", "certificate 2"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func selfSigned(t *testing.T, serial int64) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
}

// The program is told what client-go's own tells it.
func TestPluginIsTold(t *testing.T) {
	t.Parallel()
	s := newPluginServer(t)
	file := filepath.Join(t.TempDir(), "told")
	c := s.client(t, `echo "$WHO $KUBERNETES_EXEC_INFO" >"$1"; exit 3`, file)
	err := get(t, c, s.URL)
	if err == nil || !strings.Contains(err.Error(), "credential plugin sh: ended with status 3") {
		t.Error(err)
	}
	told, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text, ok := bytes.CutPrefix(bytes.TrimSpace(told), []byte("ana "))
	var info struct {
		Kind, APIVersion string
		Spec             struct {
			Interactive bool
			Cluster     struct {
				Server   string
				Insecure bool `json:"insecure-skip-tls-verify"`
			}
		}
	}
	if err := json.Unmarshal(text, &info); err != nil || !ok {
		t.Fatalf("%v\n%s", err, told)
	}
	if info.Kind != "ExecCredential" || info.APIVersion != "client.authentication.k8s.io/v1" || info.Spec.Cluster.Server != s.URL || !info.Spec.Cluster.Insecure {
		t.Errorf("%s", told)
	}
}

// What a program gives that cannot be used is never shown.
func TestPluginGivesNothing(t *testing.T) {
	t.Parallel()
	s := newPluginServer(t)
	const kind = `{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":`
	for _, out := range []string{
		"", "hunter2", kind + "{}}", kind + `{"clientCertificateData":"hunter2"}}`, kind + `{"clientCertificateData":"hunter2","clientKeyData":"hunter2"}}`,
		`{"apiVersion":"client.authentication.k8s.io/v1beta1","kind":"ExecCredential","status":{"token":"hunter2"}}`,
		`{"apiVersion":"v1","kind":"Secret","data":{"x":"hunter2"}}`,
	} {
		err := get(t, s.client(t, `echo "$1"`, out), s.URL)
		if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "gave no credentials that can be used") {
			t.Errorf("%s: %v", out, err)
		}
	}
	for change, want := range map[string]func(*clientcmdapi.ExecConfig){
		"is not here; install it by hand":          func(c *clientcmdapi.ExecConfig) { c.Command, c.InstallHint = "no-such-program", "install it by hand\n" },
		"standard input is no terminal":            func(c *clientcmdapi.ExecConfig) { c.InteractiveMode, c.StdinUnavailable = "Always", true },
		`API version "client/v0" is not known`:     func(c *clientcmdapi.ExecConfig) { c.APIVersion = "client/v0" },
		`interactiveMode "sometimes" is not known`: func(c *clientcmdapi.ExecConfig) { c.InteractiveMode = "sometimes" },
	} {
		plugin := &clientcmdapi.ExecConfig{Command: "true", APIVersion: "client.authentication.k8s.io/v1beta1", InteractiveMode: "Never"}
		want(plugin)
		c, err := For(&rest.Config{Host: s.URL, TLSClientConfig: rest.TLSClientConfig{Insecure: true}, ExecProvider: plugin})
		if err == nil {
			err = get(t, c, s.URL)
		}
		if err == nil || !strings.Contains(err.Error(), change) {
			t.Errorf("%v, want %q", err, change)
		}
	}
}
