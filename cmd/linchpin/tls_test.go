package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// certify writes a certificate for 127.0.0.1 with a number, and its key, and returns what trusts it.
func certify(t *testing.T, dir string, number int64) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(number), Subject: pkix.Name{CommonName: "cmdb.example.org"}, DNSNames: []string{"cmdb.example.org"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: raw}, "key.pem": {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	made, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(made)
	return pool
}

func Test2AServerThatOthersReachEncrypts(t *testing.T) {
	dir := t.TempDir()
	trust := certify(t, dir, 1)
	env := func(name string) string { return map[string]string{"HOME": dir}[name] }
	files := []string{"--tls-cert", filepath.Join(dir, "cert.pem"), "--tls-key", filepath.Join(dir, "key.pem")}
	const public = "--public-url=https://cmdb.example.org"
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{nil, exitFailed, "--tls-cert with --tls-key, or --trusted-proxy"},
		{[]string{public}, exitFailed, "--tls-cert with --tls-key, or --trusted-proxy"},
		{[]string{"--public-url=http://cmdb.example.org", "--trusted-proxy=10.0.0.0/8"}, exitFailed, "not encrypted"},
		{append([]string{public, "--dev"}, files...), exitFailed, "not encrypted"},
		{files, exitUsage, "need --public-url"},
		{[]string{public, files[0], files[1]}, exitUsage, "belong together"},
		{[]string{public, "--trusted-proxy=nonsense"}, exitUsage, "it is a network"},
		{[]string{"--public-url=cmdb.example.org"}, exitUsage, "a scheme and a host"},
		{[]string{public, "--tls-cert", filepath.Join(dir, "key.pem"), "--tls-key", filepath.Join(dir, "key.pem")}, exitFailed, "the certificate"},
	} {
		var stderr bytes.Buffer
		args := append([]string{"serve", "--listen", "0.0.0.0:0", "--database", "sqlite:" + filepath.Join(dir, "never.db")}, c.args...)
		if code := run(t.Context(), args, env, strings.NewReader(""), io.Discard, &stderr); code != c.code || !strings.Contains(stderr.String(), c.says) {
			t.Errorf("%v: exit %d, %s", c.args, code, stderr.String())
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	out, in := io.Pipe()
	ended := make(chan int, 1)
	var stderr bytes.Buffer
	go func() {
		args := append([]string{"serve", "--listen", "0.0.0.0:0", "--drain-delay", "0s", "--database", "sqlite:" + filepath.Join(dir, "linchpin.db"), public}, files...)
		ended <- run(ctx, args, env, strings.NewReader(""), in, &stderr)
		_ = in.Close()
	}()
	defer func() {
		stop()
		if code := <-ended; code != exitOK {
			t.Errorf("exit %d: %s", code, stderr.String())
		}
	}()
	said, port := map[string]string{}, ""
	lines := bufio.NewScanner(out)
	for port == "" && lines.Scan() {
		what, rest, _ := strings.Cut(lines.Text(), " ")
		said[what] = strings.TrimSpace(rest)
		port = said["Listens"]
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	port = port[strings.LastIndex(port, ":")+1:]
	if !strings.HasPrefix(said["Setup"], "https://cmdb.example.org/auth/link#lpl_") || said["GraphiQL"] != "https://cmdb.example.org/" {
		t.Errorf("it says %v", said)
	}
	get := func(trust *x509.CertPool, host string) (serial int64, status int, err error) {
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trust, ServerName: "cmdb.example.org", MinVersion: tls.VersionTLS12}}}
		defer client.CloseIdleConnections()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://127.0.0.1:"+port+"/schema.graphql", nil)
		if err != nil {
			return 0, 0, err
		}
		r.Host = host
		response, err := client.Do(r)
		if err != nil {
			return 0, 0, err
		}
		defer func() { _ = response.Body.Close() }()
		return response.TLS.PeerCertificates[0].SerialNumber.Int64(), response.StatusCode, nil
	}
	if serial, status, err := get(trust, "cmdb.example.org"); err != nil || serial != 1 || status != http.StatusOK {
		t.Errorf("by TLS: certificate %d, %d %v", serial, status, err)
	}
	if _, status, err := get(trust, "evil.example"); err != nil || status != http.StatusMisdirectedRequest {
		t.Errorf("another host: %d %v", status, err)
	}
	// A renewal holds for the next connection; until it is whole, the old one does.
	if err := os.WriteFile(filepath.Join(dir, "key.pem"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if serial, _, err := get(trust, "cmdb.example.org"); err != nil || serial != 1 {
		t.Errorf("with half a renewal: certificate %d %v", serial, err)
	}
	renewed := certify(t, dir, 2)
	if serial, _, err := get(renewed, "cmdb.example.org"); err != nil || serial != 2 {
		t.Errorf("renewed: certificate %d %v", serial, err)
	}
	response, err := http.Get(fmt.Sprintf("http://127.0.0.1:%s/healthz", port)) //nolint:noctx // it is refused at once
	if err == nil {
		_ = response.Body.Close()
		if response.StatusCode == http.StatusOK {
			t.Error("it answers without encryption")
		}
	}
}
