package stores

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/storage"
	"google.golang.org/api/option"
)

const gcsProject = "invented-project"

// GCSStore is a bucket on fake-gcs-server, which asks nobody for credentials, behind a gate that does as Google does:
// see [gate]. Its service accounts exist only there.
type GCSStore struct {
	Addr   string // host:port of the gate
	URL    string // http:// and the same
	Bucket string

	Email   string // of a service account that may read the objects of the bucket, and nothing else
	KeyFile string // its key, as Google Cloud's console hands it out

	t      testing.TB
	server *gcs
	client *storage.Client
}

// GCS returns a new, empty bucket.
func GCS(t testing.TB) *GCSStore {
	t.Helper()
	server, err := gcsServer()
	must(t, "fake-gcs-server", err)
	s := &GCSStore{Addr: server.gate.addr, URL: "http://" + server.gate.addr, Bucket: unique(), t: t, server: server, client: server.client}
	if err := s.client.Bucket(s.Bucket).Create(within(t), gcsProject, nil); err != nil {
		t.Fatalf("creating the bucket: %v", err)
	}
	s.Email, s.KeyFile = s.account("reader")
	server.gate.guard(s.Bucket, s.Email)
	return s
}

// Endpoint returns the URL of the JSON API below base, which is [GCSStore.URL] or that of something that stands before it.
func (s *GCSStore) Endpoint(base string) string { return base + "/storage/v1/" }

// Put stores an object. An empty contentType or cacheControl is not sent.
func (s *GCSStore) Put(key string, content []byte, contentType, cacheControl string) {
	s.t.Helper()
	w := s.client.Bucket(s.Bucket).Object(key).NewWriter(within(s.t))
	w.ChunkSize = 0 // in one request
	w.ContentType, w.CacheControl = contentType, cacheControl
	_, err := w.Write(content)
	if closeErr := w.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		s.t.Fatalf("storing %q: %v", key, err)
	}
}

// Delete removes an object.
func (s *GCSStore) Delete(key string) {
	s.t.Helper()
	if err := s.client.Bucket(s.Bucket).Object(key).Delete(within(s.t)); err != nil {
		s.t.Fatalf("removing %q: %v", key, err)
	}
}

// Stranger returns the key file of an account that may do nothing.
func (s *GCSStore) Stranger() string {
	s.t.Helper()
	_, file := s.account("stranger")
	return file
}

// Public lets everyone read the bucket, without any credentials.
func (s *GCSStore) Public() { s.server.gate.change(s.Bucket, func(b *guarded) { b.public = true }) }

// HideMissing takes from the account the right to list the bucket's objects: it then gets 403 for what is missing.
func (s *GCSStore) HideMissing() {
	s.server.gate.change(s.Bucket, func(b *guarded) { b.hideMissing = true })
}

// Disable lets the token endpoint refuse the account (invalid_grant) from now on, or no longer. Tokens that it has
// issued stay valid: see [GCSStore.Revoke].
func (s *GCSStore) Disable(disabled bool) { s.server.gate.disable(s.Email, disabled) }

// Revoke ends the validity of all tokens that were issued to the account.
func (s *GCSStore) Revoke() { s.server.gate.revoke(s.Email) }

// Rotate gives the account another key and returns the file that holds it. The old one is refused from now on.
func (s *GCSStore) Rotate() string {
	s.t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.keyFile(s.Email, key)
}

// account makes a service account that has no rights yet.
func (s *GCSStore) account(name string) (email, file string) {
	s.t.Helper()
	key, err := gcsKey()
	if err != nil {
		s.t.Fatal(err)
	}
	email = name + "@" + s.Bucket + ".iam.gserviceaccount.com"
	return email, s.keyFile(email, key)
}

// gcsKey is the first key of all accounts: making one takes a while.
var gcsKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// keyFile tells the gate the account's key and writes it to a file.
func (s *GCSStore) keyFile(email string, key *rsa.PrivateKey) string {
	s.t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		s.t.Fatal(err)
	}
	id := s.server.gate.enroll(email, &key.PublicKey)
	data, err := json.MarshalIndent(map[string]string{
		"type":           "service_account",
		"project_id":     gcsProject,
		"private_key_id": id,
		"private_key":    string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"client_email":   email,
		"client_id":      "100000000000000000000",
		"token_uri":      s.server.gate.tokenURI(),
	}, "", "  ")
	if err != nil {
		s.t.Fatal(err)
	}
	file := filepath.Join(s.t.TempDir(), "key.json")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		s.t.Fatal(err)
	}
	return file
}

// gcs is the running server.
type gcs struct {
	gate   *gate
	client *storage.Client // past the gate
}

// gcsServer starts the server and the gate.
var gcsServer = sync.OnceValues(func() (*gcs, error) {
	program, err := built("fake-gcs-server")
	if err != nil {
		return nil, err
	}
	dir, err := tempDir("gcs", func(string) error { return nil })
	if err != nil {
		return nil, err
	}
	g, err := newGate()
	if err != nil {
		return nil, err
	}
	server, addrs, err := onFreePorts(1, func(addrs []string) (*process, error) {
		port := addrs[0][strings.LastIndex(addrs[0], ":")+1:]
		return start(dir, nil, program, "-scheme", "http", "-host", "127.0.0.1", "-port", port, "-backend", "memory",
			"-public-host", g.addr, "-external-url", "http://"+g.addr, "-log-level", "warn")
	})
	if err != nil {
		g.close()
		return nil, err
	}
	running.add(server.stop)
	g.serve(addrs[0])
	running.add(g.close)
	client, err := storage.NewClient(context.Background(), option.WithEndpoint("http://"+addrs[0]+"/storage/v1/"),
		option.WithHTTPClient(&http.Client{Transport: transport(), Timeout: 30 * time.Second}), storage.WithJSONReads())
	if err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	return &gcs{g, client}, nil
})

// fingerprint names a key.
func fingerprint(key *rsa.PublicKey) string {
	return fmt.Sprintf("%x", bytes.TrimLeft(key.N.Bytes()[:20], "\x00"))
}
