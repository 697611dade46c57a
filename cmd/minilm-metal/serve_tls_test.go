package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// certificate writes a certificate of 127.0.0.1 and its key, and returns who vouches for it.
func certificate(t *testing.T) (cert, key string, roots *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<34, 0), IsCA: true,
		BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	public, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	parsed, err := x509.ParseCertificate(public)
	if err != nil {
		t.Fatal(err)
	}
	roots = x509.NewCertPool()
	roots.AddCert(parsed)
	return write("cert.pem", "CERTIFICATE", public), write("key.pem", "EC PRIVATE KEY", secret), roots
}

// TLS by files, with HTTP/2 and HTTP/1.1, and nothing in the clear.
func TestServeTLS(t *testing.T) {
	cert, key, roots := certificate(t)
	s := startServing(t, nil, "--tls-cert", cert, "--tls-key", key)
	if !strings.HasPrefix(s.url, "https://127.0.0.1:") {
		t.Errorf("it listens on %s", s.url)
	}
	for _, h2 := range []bool{true, false} {
		p := new(http.Protocols)
		p.SetHTTP1(!h2)
		p.SetHTTP2(h2)
		c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, Protocols: p}}
		s.ready(t, c, s.url)
		ranks(t, c, s.url, "", "a", "b")
		r, err := c.Get(s.url + "/health")
		if err != nil || (r.ProtoMajor == 2) != h2 {
			t.Errorf("%v, %v", r, err)
		}
		c.CloseIdleConnections()
	}
	if r, err := http.Get("http" + strings.TrimPrefix(s.url, "https") + "/health"); err == nil && r.StatusCode != 400 {
		t.Errorf("without TLS: %s", r.Status)
	}
	if _, err := http.Get(s.url + "/health"); err == nil {
		t.Error("a certificate that nobody vouches for is taken")
	}
	call(t, "", "serve", "--health", "--tls-cert", cert, "--tls-key", key, "--port", s.url[strings.LastIndexByte(s.url, ':')+1:]).want(t, good)
}

// HTTP/2 without TLS is there where it is asked for.
func TestServeH2C(t *testing.T) {
	for _, asked := range []bool{true, false} {
		args := []string{}
		if asked {
			args = append(args, "--h2c")
		}
		s := startServing(t, nil, args...)
		s.ready(t, http.DefaultClient, s.url)
		p := new(http.Protocols)
		p.SetUnencryptedHTTP2(true)
		c := &http.Client{Transport: &http.Transport{Protocols: p}}
		r, err := c.Get(s.url + "/health")
		if asked && (err != nil || r.ProtoMajor != 2 || r.StatusCode != 200) || !asked && err == nil && r.ProtoMajor == 2 {
			t.Errorf("asked %v: %v, %v", asked, r, err)
		}
		if asked {
			ranks(t, c, s.url, "", "a", "b")
		}
		c.CloseIdleConnections()
	}
}
