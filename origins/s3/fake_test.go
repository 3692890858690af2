package s3

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/remote"
)

// Keys that fakes know.
var (
	rightKeys = Keys{AccessKey: "AKIAINVENTEDEXAMPLE", SecretKey: "invented/secret+key/hunter2"}
	otherKeys = Keys{AccessKey: "AKIAANOTHEREXAMPLE", SecretKey: "invented/secret+key/hunter3"}
	roleKeys  = Keys{AccessKey: "ASIAOFAROLEEXAMPLE", SecretKey: "invented/secret+key/hunter4", SessionToken: "invented/token/hunter5=="}
)

const region = "eu-west-1"

// fake is a store that holds the objects of one bucket, checks signatures and speaks S3.
type fake struct {
	bucket string
	public bool

	mu       sync.Mutex
	objects  map[string]fakeObject
	keys     []Keys
	requests []*http.Request
	// answer, if not nil, answers instead. It is called after the signature is checked.
	answer http.HandlerFunc

	*httptest.Server
}

type fakeObject struct {
	content  []byte
	modified time.Time
	header   http.Header
}

// newFake starts a fake that speaks TLS, or doesn't.
func newFake(t *testing.T, files map[string][]byte, useTLS bool) *fake {
	f := &fake{bucket: "pictures", objects: map[string]fakeObject{}, keys: []Keys{rightKeys, roleKeys}}
	for name, content := range files {
		f.put(name, content, nil)
	}
	if useTLS {
		f.Server = httptest.NewTLSServer(f)
	} else {
		f.Server = httptest.NewServer(f)
	}
	t.Cleanup(f.Close)
	return f
}

func (f *fake) put(name string, content []byte, header http.Header) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.objects[name] = fakeObject{content, time.Now().Add(-time.Hour).Truncate(time.Second), header}
}

// transport returns a transport that leads to f whatever the host.
func (f *fake) transport(t *testing.T) *http.Transport {
	t.Helper()
	transport, err := remote.NewTransport(remote.TransportConfig{})
	if err != nil {
		t.Fatal(err)
	}
	transport.Proxy = nil
	transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, f.Listener.Addr().String())
	}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// origin returns an origin for the bucket of f, which change may change first.
func (f *fake) origin(t *testing.T, change func(*Config)) *Origin {
	t.Helper()
	c := Config{
		Bucket: f.bucket, Region: region, Endpoint: "http://store.test:9000", Keys: func() Keys { return rightKeys },
		Transport: f.transport(t),
	}
	if change != nil {
		change(&c)
	}
	o, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// seen returns the requests until now.
func (f *fake) seen() []*http.Request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]*http.Request(nil), f.requests...)
}

// last returns the last request.
func (f *fake) last(t *testing.T) *http.Request {
	t.Helper()
	seen := f.seen()
	if len(seen) == 0 {
		t.Fatal("no request arrived")
	}
	return seen[len(seen)-1]
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.requests = append(f.requests, r)
	keys, answer := f.keys, f.answer
	f.mu.Unlock()
	if code := f.judge(r, keys); code != "" {
		fail(w, http.StatusForbidden, code, "")
		return
	}
	if answer != nil {
		answer(w, r)
		return
	}
	bucket, name := place(r)
	if bucket != f.bucket {
		fail(w, http.StatusNotFound, "NoSuchBucket", "")
		return
	}
	f.mu.Lock()
	object, ok := f.objects[name]
	f.mu.Unlock()
	if !ok {
		fail(w, http.StatusNotFound, "NoSuchKey", "")
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("ETag", fmt.Sprintf(`"%x"`, md5.Sum(object.content)))
	for name, values := range object.header {
		w.Header()[name] = values
	}
	http.ServeContent(w, r, "", object.modified, bytes.NewReader(object.content))
}

// place returns the bucket and the name that a request is for, in either style.
func place(r *http.Request) (bucket, name string) {
	path := strings.TrimPrefix(r.URL.Path, "/")
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	for _, store := range []string{".store.test", ".s3.eu-west-1.amazonaws.com"} {
		if bucket, ok := strings.CutSuffix(host, store); ok {
			return bucket, path
		}
	}
	bucket, name, _ = strings.Cut(path, "/")
	return bucket, name
}

var authorization = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=([^/]+)/\d{8}/([^/]+)/s3/aws4_request, SignedHeaders=([^,]+), Signature=[0-9a-f]{64}$`)

// judge returns what is wrong with the signature of r, which is made once more.
func (f *fake) judge(r *http.Request, keys []Keys) string {
	given := r.Header.Get("Authorization")
	if f.public && given == "" {
		return ""
	}
	match := authorization.FindStringSubmatch(given)
	if match == nil {
		return "AccessDenied"
	}
	var k Keys
	for _, known := range keys {
		if known.AccessKey == match[1] {
			k = known
		}
	}
	if k == (Keys{}) {
		return "InvalidAccessKeyId"
	}
	again := &http.Request{Method: r.Method, Host: r.Host, Header: http.Header{}, URL: &url.URL{
		Scheme: "http", Host: r.Host, Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery,
	}}
	for name := range strings.SplitSeq(match[3], ";") {
		if name != "host" {
			again.Header[http.CanonicalHeaderKey(name)] = r.Header.Values(name)
		}
	}
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil {
		return "AccessDenied"
	}
	err = v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }).SignHTTP(r.Context(),
		aws.Credentials{AccessKeyID: k.AccessKey, SecretAccessKey: k.SecretKey, SessionToken: k.SessionToken},
		again, r.Header.Get("X-Amz-Content-Sha256"), "s3", match[2], at)
	if err != nil || again.Header.Get("Authorization") != given {
		return "SignatureDoesNotMatch"
	}
	return ""
}

// fail answers an error document, in which a store's sentence repeats what it knows.
func fail(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"+`<Error><Code>%s</Code><Message>%s hunter2</Message>`+
		`<AWSAccessKeyId>%s</AWSAccessKeyId><StringToSign>hunter2</StringToSign><RequestId>4442587FB7D0A2F9</RequestId></Error>`,
		code, message, rightKeys.AccessKey)
}

// fetch returns the content under key.
func fetch(t *testing.T, o origins.Origin, req origins.Request) string {
	t.Helper()
	obj, err := o.Open(t.Context(), req)
	if err != nil {
		t.Fatalf("Open(%q): %v", req.Key, err)
	}
	defer obj.Body.Close()
	content, err := io.ReadAll(obj.Body)
	if err != nil {
		t.Fatalf("reading %q: %v", req.Key, err)
	}
	return string(content)
}

// refusedAs opens what must not open, and returns the failure, in which nothing secret may be.
func refusedAs(t *testing.T, o origins.Origin, req origins.Request) *origins.Error {
	t.Helper()
	obj, err := o.Open(t.Context(), req)
	if err == nil {
		obj.Body.Close()
		t.Fatalf("Open(%q) succeeds", req.Key)
	}
	e, ok := err.(*origins.Error)
	if !ok {
		t.Fatalf("got a %T, want an *origins.Error", err)
	}
	holdsNoSecret(t, e.Error()+fmt.Sprintf(" %v %+v %#v ", e.Err, e.Err, *e)+e.Remedy)
	return e
}

// holdsNoSecret fails the test if a key, or anything that stands for one, is in text.
func holdsNoSecret(t *testing.T, text string) {
	t.Helper()
	for _, k := range []Keys{rightKeys, otherKeys, roleKeys} {
		for _, secret := range []string{k.AccessKey, k.SecretKey, k.SessionToken} {
			if secret != "" && strings.Contains(text, secret) {
				t.Errorf("%q is in %q", secret, text)
			}
		}
	}
	if strings.Contains(text, "hunter") || strings.Contains(text, "Signature=") {
		t.Errorf("a secret is in %q", text)
	}
}
