// Package pki makes the certificates of the sandbox: authorities, servers and
// clients, all with P-256 keys, all as PEM.
package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// Validity is how long every certificate lasts: five years.
const Validity = 5 * 365 * 24 * time.Hour

// Pair is a certificate with its key, both PEM.
type Pair struct {
	Cert []byte
	Key  []byte
}

// Request says what the certificate is for.
type Request struct {
	Subject string
	Groups  []string
	Hosts   []string
	Client  bool
	Server  bool
	Signing bool
	// Expires overrides the validity when set.
	Expires time.Time
}

// Issue makes a new key and has issuer sign it; a nil issuer means self-signed.
func Issue(issuer *Pair, r Request) (*Pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template, err := r.template()
	if err != nil {
		return nil, err
	}
	parent, signer := template, key
	if issuer != nil {
		if parent, signer, err = issuer.parse(); err != nil {
			return nil, fmt.Errorf("issuer: %w", err)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return nil, err
	}
	return encode(der, key)
}

// NewCA makes a self-signed authority.
func NewCA(subject string) (*Pair, error) {
	return Issue(nil, Request{Subject: subject, Signing: true})
}

// TLS gives the pair in the form that crypto/tls takes.
func (p *Pair) TLS() (tls.Certificate, error) {
	return tls.X509KeyPair(p.Cert, p.Key)
}

// Pool makes a pool of the certificates in one PEM text.
func Pool(text []byte) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("no certificate in PEM text")
	}
	return pool, nil
}

// Leaf parses the first certificate of a PEM text.
func Leaf(text []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("certificate is not PEM")
	}
	return x509.ParseCertificate(block.Bytes)
}

func (r Request) template() (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	now := time.Now()
	t := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: r.Subject, Organization: r.Groups},
		NotBefore:             now.Add(-time.Minute),
		NotAfter:              now.Add(Validity),
		BasicConstraintsValid: true,
		IsCA:                  r.Signing,
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
	}
	if !r.Expires.IsZero() {
		t.NotAfter = r.Expires
	}
	r.usage(t)
	return t, nil
}

func (r Request) usage(t *x509.Certificate) {
	if r.Signing {
		t.KeyUsage |= x509.KeyUsageCertSign
	}
	if r.Server {
		t.ExtKeyUsage = append(t.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
	}
	if r.Client {
		t.ExtKeyUsage = append(t.ExtKeyUsage, x509.ExtKeyUsageClientAuth)
	}
	for _, host := range r.Hosts {
		if ip := net.ParseIP(host); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, host)
		}
	}
}

func (p *Pair) parse() (*x509.Certificate, *ecdsa.PrivateKey, error) {
	pair, err := tls.X509KeyPair(p.Cert, p.Key)
	if err != nil {
		return nil, nil, err
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok {
		return nil, nil, fmt.Errorf("key is %T, want ECDSA", pair.PrivateKey)
	}
	return pair.Leaf, key, nil
}

func encode(der []byte, key *ecdsa.PrivateKey) (*Pair, error) {
	text, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return &Pair{
		Cert: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		Key:  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: text}),
	}, nil
}
