package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/term"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/pkg/apis/clientauthentication"
	"k8s.io/client-go/pkg/apis/clientauthentication/install"
	clientauthv1 "k8s.io/client-go/pkg/apis/clientauthentication/v1"
	clientauthv1beta1 "k8s.io/client-go/pkg/apis/clientauthentication/v1beta1"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"fairlead.dev/fairlead/secrets/program"
)

// execInfo is the variable in which a credential plugin is told what is asked of it
// (Kubernetes: client-go credential plugins).
const execInfo = "KUBERNETES_EXEC_INFO"

// pluginCodecs read and write what is exchanged with credential plugins.
var pluginCodecs = func() serializer.CodecFactory {
	scheme := runtime.NewScheme()
	install.Install(scheme)
	return serializer.NewCodecFactory(scheme)
}()

// version is the API version in which the plugin is spoken to.
func (p *plugin) version() (schema.GroupVersion, error) {
	for _, v := range []schema.GroupVersion{clientauthv1.SchemeGroupVersion, clientauthv1beta1.SchemeGroupVersion} {
		if v.String() == p.config.APIVersion {
			return v, nil
		}
	}
	return schema.GroupVersion{}, fmt.Errorf("credential plugin %s: API version %q is not known", p.config.Command, p.config.APIVersion)
}

// told is what the program is told, as JSON.
func (p *plugin) told(interactive bool) (string, error) {
	version, err := p.version()
	if err != nil {
		return "", err
	}
	asked := &clientauthentication.ExecCredential{
		Spec: clientauthentication.ExecCredentialSpec{Interactive: interactive, Cluster: p.cluster},
	}
	data, err := runtime.Encode(pluginCodecs.LegacyCodec(version), asked)
	return string(data), err
}

// interactive reports whether the program may ask the user.
func (p *plugin) interactive() (bool, error) {
	terminal := term.IsTerminal(int(os.Stdin.Fd())) && !p.config.StdinUnavailable
	switch p.config.InteractiveMode {
	case clientcmdapi.NeverExecInteractiveMode:
		return false, nil
	case clientcmdapi.IfAvailableExecInteractiveMode:
		return terminal, nil
	case clientcmdapi.AlwaysExecInteractiveMode:
		if terminal {
			return true, nil
		}
		return false, fmt.Errorf("credential plugin %s: wants to ask somebody, and standard input is no terminal", p.config.Command)
	}
	return false, fmt.Errorf("credential plugin %s: interactiveMode %q is not known", p.config.Command, p.config.InteractiveMode)
}

// stderr is where a program's own words go: the standard error of the process, also while
// os.Stderr is shut for a run of kustomize.
var stderr = os.Stderr

// run runs the program. It is killed when ctx ends, with what it started in its group, but
// for one that may ask the user: that one shares our terminal.
func (p *plugin) run(ctx context.Context) (*credentials, error) {
	interactive, err := p.interactive()
	if err != nil {
		return nil, err
	}
	told, err := p.told(interactive)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, p.config.Command, p.config.Args...)
	cmd.Env = os.Environ()
	for _, v := range p.config.Env {
		cmd.Env = append(cmd.Env, v.Name+"="+v.Value)
	}
	cmd.Env = append(cmd.Env, execInfo+"="+told)
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &out, stderr, program.Afterlife
	if interactive {
		cmd.Stdin = os.Stdin
	} else {
		program.Detach(cmd)
	}
	err = cmd.Run()
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, p.failed(err)
	}
	return p.read(out.Bytes())
}

// failed says why the program gave nothing, and how to get it where it is not there.
func (p *plugin) failed(err error) error {
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return fmt.Errorf("credential plugin %s: %w", p.config.Command, program.ExitError{Code: exit.ExitCode()})
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		hint := "install it, or put its directory in PATH"
		if p.config.InstallHint != "" {
			hint = strings.TrimSpace(p.config.InstallHint)
		}
		return fmt.Errorf("credential plugin %s: is not here; %s", p.config.Command, hint)
	}
	return fmt.Errorf("credential plugin %s: %w", p.config.Command, err)
}

// errNoCredentials is the answer of a program that cannot be used. Nothing of it is shown.
var errNoCredentials = errors.New("gave no credentials that can be used: a token, or a certificate with its key, in the API version that it was asked for")

// read reads what the program printed.
func (p *plugin) read(out []byte) (*credentials, error) {
	version, err := p.version()
	if err != nil {
		return nil, err
	}
	answer, bad := &clientauthentication.ExecCredential{}, fmt.Errorf("credential plugin %s: %w", p.config.Command, errNoCredentials)
	_, kind, err := pluginCodecs.UniversalDecoder(version).Decode(out, nil, answer)
	if err != nil || kind.GroupVersion() != version || answer.Status == nil {
		return nil, bad
	}
	c, s := &credentials{token: answer.Status.Token}, answer.Status
	if s.ExpirationTimestamp != nil {
		c.ends = s.ExpirationTimestamp.Time
	}
	if s.ClientCertificateData != "" || s.ClientKeyData != "" {
		pair, err := tls.X509KeyPair([]byte(s.ClientCertificateData), []byte(s.ClientKeyData))
		if err != nil {
			return nil, bad
		}
		c.certificate = &pair
	}
	if c.token == "" && c.certificate == nil {
		return nil, bad
	}
	return c, nil
}
