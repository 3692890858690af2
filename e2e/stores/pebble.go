package stores

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// PebbleServer is Pebble, a certificate authority that speaks ACME (RFC 8555), beside a DNS server by which every name is
// 127.0.0.1. It validates challenges for real.
type PebbleServer struct {
	Directory string         // URL for ACME clients
	RootFile  string         // the certificate by which the directory is trusted
	Roots     *x509.CertPool // those by which what it issues is trusted

	pebble *process
}

// Pebble starts the authority for one test. It looks for answers to HTTP-01 at one port and for those to TLS-ALPN-01 at
// the other.
func Pebble(t testing.TB, httpPort, tlsPort int) *PebbleServer {
	t.Helper()
	dir := t.TempDir()
	s := &PebbleServer{RootFile: filepath.Join(dir, "cert.pem")}
	must(t, "pebble", writeCertificate(s.RootFile, filepath.Join(dir, "key.pem")))
	resolver, addrs, err := onFreePorts(2, func(addrs []string) (*process, error) {
		program, err := built("pebble-challtestsrv")
		if err != nil {
			return nil, err
		}
		p, err := start(dir, nil, program, "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-dnsserver", addrs[0], "-management", addrs[1],
			"-http01", "", "-https01", "", "-tlsalpn01", "", "-doh", "")
		if err == nil {
			err = p.await(listens(addrs...))
		}
		return p, err
	})
	must(t, "pebble-challtestsrv", err)
	t.Cleanup(resolver.stop)
	dns := addrs[0]
	s.pebble, addrs, err = onFreePorts(2, func(addrs []string) (*process, error) {
		program, err := built("pebble")
		if err != nil {
			return nil, err
		}
		config, err := json.Marshal(map[string]any{"pebble": map[string]any{
			"listenAddress": addrs[0], "managementListenAddress": addrs[1], "certificate": s.RootFile, "privateKey": filepath.Join(dir, "key.pem"),
			"httpPort": httpPort, "tlsPort": tlsPort, "retryAfter": map[string]int{"authz": 1, "order": 1},
			"profiles": map[string]any{"default": map[string]any{"description": "default", "validityPeriod": 7776000}},
		}})
		if err != nil {
			return nil, err
		}
		file := filepath.Join(dir, "pebble.json")
		if err := os.WriteFile(file, config, 0o600); err != nil {
			return nil, err
		}
		// Its waits and its refusals of good nonces exercise ACME clients, which are not what is tested here.
		env := []string{"PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=0", "PEBBLE_AUTHZREUSE=0"}
		p, err := start(dir, env, program, "-config", file, "-dnsserver", dns)
		if err == nil {
			err = p.await(listens(addrs...))
		}
		return p, err
	})
	must(t, "pebble", err)
	t.Cleanup(s.pebble.stop)
	s.Directory = "https://" + addrs[0] + "/dir"
	s.Roots, err = issuerRoots("https://"+addrs[1]+"/roots/0", s.RootFile)
	must(t, "pebble", err)
	return s
}

// Orders returns how many certificates were ordered so far.
func (s *PebbleServer) Orders() int { return strings.Count(s.pebble.output.String(), "Added order ") }

// Log returns what the authority said.
func (s *PebbleServer) Log() string { return s.pebble.output.String() }

// writeCertificate writes a certificate for 127.0.0.1 that is its own authority, and its key.
func writeCertificate(certFile, keyFile string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "pebble of a test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), 0o600); err != nil {
		return err
	}
	return os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600)
}

// issuerRoots asks the authority for the root of what it issues.
func issuerRoots(url, rootFile string) (*x509.CertPool, error) {
	own, err := os.ReadFile(rootFile)
	if err != nil {
		return nil, err
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(own)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}, DisableKeepAlives: true}
	resp, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Get(url)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	root, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(root) {
		return nil, fmt.Errorf("%s: %s without a certificate", url, resp.Status)
	}
	return roots, nil
}
