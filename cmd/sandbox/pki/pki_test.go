package pki

import (
	"crypto/x509"
	"testing"
	"time"
)

func TestIssue(t *testing.T) {
	ca, err := NewCA("ca")
	if err != nil {
		t.Fatal(err)
	}
	other, err := NewCA("ca")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := Issue(ca, Request{Subject: "s", Hosts: []string{"127.0.0.1", "host"}, Server: true})
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := Leaf(pair.Cert)
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"127.0.0.1", "host"} {
		if err := leaf.VerifyHostname(host); err != nil {
			t.Error(err)
		}
	}
	for _, c := range []struct {
		ca    *Pair
		usage x509.ExtKeyUsage
		good  bool
	}{
		{ca, x509.ExtKeyUsageServerAuth, true},
		{ca, x509.ExtKeyUsageClientAuth, false},
		{other, x509.ExtKeyUsageServerAuth, false},
	} {
		pool, err := Pool(c.ca.Cert)
		if err != nil {
			t.Fatal(err)
		}
		_, err = leaf.Verify(x509.VerifyOptions{Roots: pool, KeyUsages: []x509.ExtKeyUsage{c.usage}})
		if (err == nil) != c.good {
			t.Errorf("usage %d: %v", c.usage, err)
		}
	}
	if left := time.Until(leaf.NotAfter); left < Validity-time.Hour || left > Validity {
		t.Errorf("valid for %s", left)
	}
	if _, err := Issue(&Pair{}, Request{}); err == nil {
		t.Error("no issuer: no error")
	}
}
