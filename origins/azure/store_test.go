package azure

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/remote"
)

// Invented credentials.
const (
	account   = "imgacct"
	holder    = "pictures" // the container
	sasSig    = "aW52ZW50ZWQ+c2lnbmF0dXJl/w=="
	goodToken = "invented-token"
)

var (
	goodKey = base64.StdEncoding.EncodeToString([]byte("an invented key of an account, long enough"))
	goodSAS = "sv=2024-11-04&sr=c&sp=r&se=2999-01-01T00%3A00%3A00Z&sig=" + url.QueryEscape(sasSig)
)

// secrets are what no error may hold.
var secrets = []string{sasSig, url.QueryEscape(sasSig), "aW52ZW50ZWQ", goodKey, goodToken, "hunter2"}

// store is a blob service with the account in the path, as an emulator is.
type store struct {
	mu       sync.Mutex
	files    map[string][]byte
	headers  map[string]http.Header // of the files
	changes  int
	requests []*http.Request
	key, sas string                                            // that it takes
	override func(w http.ResponseWriter, r *http.Request) bool // answers instead, if it says so
}

// newStore starts a store.
func newStore(t *testing.T, files map[string][]byte) (*store, *httptest.Server) {
	s := &store{files: files, headers: map[string]http.Header{}, key: goodKey, sas: goodSAS}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return s, server
}

func (s *store) put(name string, content []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files[name] = content
	s.changes++
}

// seen returns the requests until now.
func (s *store) seen() []*http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests = append(s.requests, r)
	override, key, sas := s.override, s.key, s.sas
	name, found := strings.CutPrefix(r.URL.Path, "/"+account+"/"+holder+"/")
	content, exists := s.files[name]
	headers, modified := s.headers[name], time.Unix(1.7e9+int64(s.changes), 0)
	s.mu.Unlock()
	if override != nil && override(w, r) {
		return
	}
	switch code := refused(r, key, sas); {
	case code != "":
		refuse(w, http.StatusForbidden, code)
	case r.Method != http.MethodGet:
		refuse(w, http.StatusMethodNotAllowed, "UnsupportedHttpVerb")
	case conditions(r) > 1:
		refuse(w, http.StatusBadRequest, "MultipleConditionHeadersNotSupported")
	case !found:
		refuse(w, http.StatusNotFound, "ContainerNotFound")
	case !exists:
		refuse(w, http.StatusNotFound, "BlobNotFound")
	case len(content) == 0 && r.Header.Get("X-Ms-Range") != "":
		refuse(w, http.StatusRequestedRangeNotSatisfiable, "InvalidRange") // net/http would take it for the whole
	default:
		maps.Copy(w.Header(), headers)
		w.Header().Set("ETag", fmt.Sprintf(`"0x%x"`, sha256.Sum256(content)))
		if part := r.Header.Get("X-Ms-Range"); part != "" {
			r.Header.Set("Range", part)
		}
		http.ServeContent(coded{w}, r, "", modified, bytes.NewReader(content))
	}
}

// conditions counts the conditions of a request: the store and HTTP differ in what several mean.
func conditions(r *http.Request) (n int) {
	for _, name := range []string{"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"} {
		n += len(r.Header.Values(name))
	}
	return n
}

// coded adds to the answers of http.ServeContent the codes that the store has.
type coded struct{ http.ResponseWriter }

func (c coded) WriteHeader(status int) {
	switch status {
	case http.StatusNotModified, http.StatusPreconditionFailed:
		c.Header().Set("X-Ms-Error-Code", "ConditionNotMet")
	case http.StatusRequestedRangeNotSatisfiable:
		c.Header().Set("X-Ms-Error-Code", "InvalidRange")
	}
	c.ResponseWriter.WriteHeader(status)
}

// refuse answers an error as the store does.
func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("X-Ms-Error-Code", code)
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<?xml version=\"1.0\"?><Error><Code>%s</Code><Message>hunter2 %s was here</Message></Error>", code, goodKey)
}

// refused returns the code for credentials that aren't right, "" for those that are.
func refused(r *http.Request, key, sas string) string {
	authorization := r.Header.Get("Authorization")
	switch {
	case r.URL.Query().Has("sig"):
		want, _ := url.ParseQuery(sas)
		if !maps.EqualFunc(want, r.URL.Query(), slices.Equal) || authorization != "" {
			return "AuthenticationFailed"
		}
	case strings.HasPrefix(authorization, "SharedKey "):
		if authorization != "SharedKey "+account+":"+signature(r, key) {
			return "AuthenticationFailed"
		}
	case authorization != "Bearer "+goodToken:
		return "NoAuthenticationInformation"
	}
	return ""
}

// signature returns what a request must be signed with: the string to sign as the service's reference describes it for
// shared keys, of a request without a body.
func signature(r *http.Request, key string) string {
	h := r.Header
	lines := []string{
		r.Method, h.Get("Content-Encoding"), h.Get("Content-Language"), "", h.Get("Content-MD5"), h.Get("Content-Type"), "",
		h.Get("If-Modified-Since"), h.Get("If-Match"), h.Get("If-None-Match"), h.Get("If-Unmodified-Since"), h.Get("Range"),
	}
	for _, name := range slices.Sorted(maps.Keys(h)) {
		if name := strings.ToLower(name); strings.HasPrefix(name, "x-ms-") {
			lines = append(lines, name+":"+strings.Join(h.Values(name), ","))
		}
	}
	lines = append(lines, "/"+account+r.URL.EscapedPath())
	query := r.URL.Query()
	for _, name := range slices.Sorted(maps.Keys(query)) {
		lines = append(lines, name+":"+strings.Join(query[name], ","))
	}
	secret, _ := base64.StdEncoding.DecodeString(key)
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(strings.Join(lines, "\n")))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// always returns a credential that stays as it is.
func always(text string) func() string { return func() string { return text } }

// transportTo returns a transport that trusts server.
func transportTo(t *testing.T, server *httptest.Server) *http.Transport {
	t.Helper()
	var c remote.TransportConfig
	if cert := server.Certificate(); cert != nil {
		c.RootCAs = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
	}
	transport, err := remote.NewTransport(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// originAt returns an origin for the container at server, changed by change.
func originAt(t *testing.T, server *httptest.Server, change func(*Config)) *Origin {
	t.Helper()
	c := Config{Account: account, Container: holder, Endpoint: server.URL + "/" + account, Transport: transportTo(t, server)}
	change(&c)
	o, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func withKey(c *Config) { c.Key = always(goodKey) }

func withSAS(c *Config) { c.SAS = always("?" + goodSAS) }

// tokens is a credential that is never asked for anything by name.
type tokens func() (azcore.AccessToken, error)

func (f tokens) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return f()
}

// identity lets o use a credential.
func identity(o *Origin, get tokens) *Origin {
	o.credential = func() (azcore.TokenCredential, error) { return get, nil }
	return o
}

func goodIdentity() (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: goodToken, ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// fails opens what can't be opened and returns the failure, in which there is no secret.
func fails(t *testing.T, o origins.Origin, req origins.Request) *origins.Error {
	t.Helper()
	obj, err := o.Open(t.Context(), req)
	if err == nil {
		obj.Body.Close()
		t.Fatalf("Open(%.100q) succeeds", req.Key)
	}
	e, ok := errors.AsType[*origins.Error](err)
	if !ok {
		t.Fatalf("got a %T, want an *origins.Error", err)
	}
	keepsQuiet(t, e)
	return e
}

// keepsQuiet fails the test if err, or what it was made of, tells a secret.
func keepsQuiet(t *testing.T, err error) {
	t.Helper()
	for ; err != nil; err = errors.Unwrap(err) {
		text := fmt.Sprintf("%v %+v %#v", err, err, err)
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("the error tells the secret %q: %s", secret, text)
			}
		}
	}
}

// content opens a blob and returns it whole.
func content(t *testing.T, o origins.Origin, req origins.Request) string {
	t.Helper()
	obj, err := o.Open(t.Context(), req)
	if err != nil {
		t.Fatalf("Open(%.100q): %v", req.Key, err)
	}
	defer obj.Body.Close()
	body, err := io.ReadAll(obj.Body)
	if err != nil {
		t.Fatalf("reading %.100q: %v", req.Key, err)
	}
	return string(body)
}
