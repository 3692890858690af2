package gcs

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/remote"
)

const (
	testBucket = "test-bucket"
	testEmail  = "images@test-project.iam.gserviceaccount.com"
	testToken  = "ya29.invented-token"
)

// newRSA returns a key as Google makes them, and its PEM.
func newRSA(t *testing.T) (*rsa.PrivateKey, string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// firstKey is shared by all tests: making one takes a while.
var firstKey struct {
	once sync.Once
	key  *rsa.PrivateKey
	pem  string
}

func testKey(t *testing.T) (*rsa.PrivateKey, string) {
	firstKey.once.Do(func() { firstKey.key, firstKey.pem = newRSA(t) })
	return firstKey.key, firstKey.pem
}

// stored is an object.
type stored struct {
	content    []byte
	generation int64
	encoding   string
}

// fake is a store and its token endpoint: the JSON API's reading of content, with bearer tokens that it hands out to
// who signs with the right key.
type fake struct {
	*httptest.Server

	t       *testing.T
	refuses http.HandlerFunc // answers for content instead, if it is set
	public  bool
	deaf    bool // ignores conditions, as emulators do
	loses   bool // says no length

	mu       sync.Mutex
	objects  map[string]stored
	known    *rsa.PublicKey // of the service account
	login    http.HandlerFunc
	logins   int
	requests []*http.Request
}

var modified = time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)

// newFake starts a store that holds files below prefix.
func newFake(t *testing.T, prefix string, files map[string][]byte) *fake {
	t.Helper()
	key, _ := testKey(t)
	f := &fake{t: t, objects: map[string]stored{}, known: &key.PublicKey}
	for name, content := range files {
		f.put(prefix+name, content)
	}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

// put stores an object, as a new generation.
func (f *fake) put(name string, content []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	generation := f.objects[name].generation
	if generation == 0 {
		generation = 1700000000000000
	}
	f.objects[name] = stored{content: content, generation: generation + 1}
}

// account returns a service account that the store knows.
func (f *fake) account(t *testing.T) ServiceAccount {
	_, text := testKey(t)
	return ServiceAccount{ClientEmail: testEmail, PrivateKey: text, PrivateKeyID: "0123abcd", TokenURI: f.URL + "/token"}
}

// origin returns an origin for the store that signs in.
func (f *fake) origin(t *testing.T, change ...func(*Config)) *Origin {
	t.Helper()
	key := f.account(t).JSON()
	c := Config{Bucket: testBucket, Endpoint: f.URL, Key: func() []byte { return key }, Transport: newTransport(t)}
	for _, set := range change {
		set(&c)
	}
	o, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func newTransport(t *testing.T) *http.Transport {
	t.Helper()
	transport, err := remote.NewTransport(remote.TransportConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

func anonymously(c *Config) { c.Anonymous, c.Key = true, nil }

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.requests = append(f.requests, r)
	login, refuses := f.login, f.refuses
	f.mu.Unlock()
	switch {
	case r.URL.Path == "/token" && login != nil:
		login(w, r)
	case r.URL.Path == "/token":
		f.serveToken(w, r)
	case refuses != nil:
		refuses(w, r)
	default:
		f.serveContent(w, r)
	}
}

// serveToken checks the signed login, as Google's endpoint does (RFC 7523).
func (f *fake) serveToken(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.logins++
	known := f.known
	f.mu.Unlock()
	refuse := func(description string) {
		w.WriteHeader(http.StatusBadRequest)
		json.NewEncoder(w).Encode(map[string]string{"error": "invalid_grant", "error_description": description})
	}
	parts := strings.Split(r.PostFormValue("assertion"), ".")
	if r.Method != "POST" || r.PostFormValue("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" || len(parts) != 3 {
		refuse("Bad Request")
		return
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || rsa.VerifyPKCS1v15(known, crypto.SHA256, digest[:], signature) != nil {
		refuse("Invalid JWT Signature.")
		return
	}
	var claims struct {
		Iss, Scope, Aud string
		Iat, Exp        int64
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(payload, &claims) != nil {
		refuse("Invalid JWT")
		return
	}
	now := time.Now().Unix()
	if claims.Iss != testEmail || claims.Aud != f.URL+"/token" || claims.Iat > now+60 || claims.Exp < now {
		refuse("Invalid grant: account not found")
		return
	}
	if claims.Scope != "https://www.googleapis.com/auth/devstorage.read_only" {
		f.t.Errorf("a token is asked for %q", claims.Scope)
	}
	fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer","expires_in":3600}`, testToken)
}

// serveContent answers GET /storage/v1/b/BUCKET/o/OBJECT?alt=media.
func (f *fake) serveContent(w http.ResponseWriter, r *http.Request) {
	rest, ok := strings.CutPrefix(r.URL.EscapedPath(), "/storage/v1/b/"+testBucket+"/o/")
	name, err := url.PathUnescape(rest)
	if !ok || err != nil || strings.Contains(rest, "/") || r.Method != "GET" || r.URL.Query().Get("alt") != "media" {
		f.t.Errorf("unexpected request %s %s", r.Method, r.URL)
		http.Error(w, "The specified bucket does not exist.", http.StatusNotFound)
		return
	}
	if authorization := r.Header.Get("Authorization"); authorization != "Bearer "+testToken && !f.public {
		http.Error(w, "Invalid Credentials", http.StatusUnauthorized)
		return
	}
	f.mu.Lock()
	object, ok := f.objects[name]
	f.mu.Unlock()
	if !ok {
		http.Error(w, "No such object: "+testBucket+"/"+name, http.StatusNotFound)
		return
	}
	generation := strconv.FormatInt(object.generation, 10)
	if not := r.URL.Query().Get("ifGenerationNotMatch"); not == generation && !f.deaf {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if match := r.URL.Query().Get("ifGenerationMatch"); match != "" && match != generation && !f.deaf {
		http.Error(w, "At least one of the pre-conditions you specified did not hold.", http.StatusPreconditionFailed)
		return
	}
	sum := binary.BigEndian.AppendUint32(nil, crc32.Checksum(object.content, crc32.MakeTable(crc32.Castagnoli)))
	header := w.Header()
	header.Set("X-Goog-Hash", "crc32c="+base64.StdEncoding.EncodeToString(sum)+",md5=unused")
	header.Set("X-Goog-Generation", generation)
	header.Set("X-Goog-Metageneration", "1")
	header.Set("Etag", "CNDlrpz0/oQDEAE=")
	header.Set("Last-Modified", modified.Format(http.TimeFormat))
	header.Set("Content-Type", "image/jpeg")
	header.Set("Cache-Control", "public, max-age=60")
	if object.encoding != "" {
		header.Set("Content-Encoding", object.encoding)
		header.Set("X-Goog-Stored-Content-Encoding", object.encoding)
	}
	if f.loses {
		header.Set("Content-Type", "image/jpeg")
		w.(http.Flusher).Flush()
		w.Write(object.content)
		return
	}
	if object.encoding != "" && r.Header.Get("Range") == "" {
		header.Set("Content-Length", strconv.Itoa(len(object.content))) // which ServeContent leaves out
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(object.content))
}

// last returns the request that came last.
func (f *fake) last() *http.Request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.requests[len(f.requests)-1]
}

// asked returns how many requests for content came.
func (f *fake) asked() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.requests {
		if r.URL.Path != "/token" {
			n++
		}
	}
	return n
}

func (f *fake) setLogin(h http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.login = h
}

// fetch reads an object whole.
func fetch(t *testing.T, o origins.Origin, req origins.Request) (string, *origins.Object) {
	t.Helper()
	obj, err := o.Open(t.Context(), req)
	if err != nil {
		t.Fatalf("Open(%+v): %v", req, err)
	}
	defer obj.Body.Close()
	content, err := io.ReadAll(obj.Body)
	if err != nil {
		t.Fatalf("reading %+v: %v", req, err)
	}
	return string(content), obj
}

// refusal opens what must fail, and returns the error, in which there is nothing secret.
func refusal(t *testing.T, o origins.Origin, req origins.Request) *origins.Error {
	t.Helper()
	obj, err := o.Open(t.Context(), req)
	if err == nil {
		obj.Body.Close()
		t.Fatalf("Open(%+v) succeeded", req)
	}
	e, ok := err.(*origins.Error)
	if !ok {
		t.Fatalf("got a %T, want an *origins.Error: %v", err, err)
	}
	checkSilence(t, e)
	return e
}

// checkSilence fails the test if an error holds a part of a key, a token or what the store says in free text.
func checkSilence(t *testing.T, e *origins.Error) {
	t.Helper()
	_, text := testKey(t)
	for _, secret := range []string{testToken, text[100:140], "hunter2", testEmail, "assertion"} {
		for _, shown := range []string{e.Error(), e.Remedy, fmt.Sprintf("%+v", e.Err)} {
			if strings.Contains(shown, secret) {
				t.Errorf("the error holds %q: %s", secret, shown)
			}
		}
	}
}

// writeFile writes a file of its own and returns its name.
func writeFile(t *testing.T, name string, content []byte) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
