package azure

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/originstest"
)

func TestAzureConforms(t *testing.T) {
	for _, tt := range []struct {
		name, prefix string
		start        func(http.Handler) *httptest.Server
		change       func(*Config)
	}{
		{"with an account key", "", httptest.NewServer, withKey},
		{"with a SAS", "", httptest.NewServer, withSAS},
		{"with a prefix", "sites/a b+c", httptest.NewServer, withKey},
		{"with a SAS and a prefix", "/images/", httptest.NewServer, withSAS},
		{"with a token", "", httptest.NewTLSServer, func(*Config) {}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var s *store
			folder := ""
			if tt.prefix != "" {
				folder = strings.Trim(tt.prefix, "/") + "/"
			}
			originstest.Run(t, originstest.Config{
				New: func(t *testing.T, files map[string][]byte) origins.Origin {
					inside := map[string][]byte{}
					for key, content := range files {
						inside[folder+key] = content
					}
					s = &store{files: inside, key: goodKey, sas: goodSAS}
					server := tt.start(s)
					t.Cleanup(server.Close)
					return identity(originAt(t, server, func(c *Config) {
						c.Prefix = tt.prefix
						tt.change(c)
					}), goodIdentity)
				},
				Replace: func(_ *testing.T, key string, content []byte) { s.put(folder+key, content) },
			})
		})
	}
}

func TestHostileNamesArriveAsTheyAre(t *testing.T) {
	names := []string{
		"a b.jpg", "a+b.jpg", "a%2Bb.jpg", "%2e%2e/x.jpg", "a#b?c&d=e.jpg", "?sig=x", "#", "a\\b.jpg", "trailing.", "trailing ", " leading",
		"caf\u00e9.jpg", "cafe\u0301.jpg", "\u5199\u771f.jpg", "\U0001f600/\U0001f600.png", "line\nbreak", "semi;colon", "..a/...",
		"$web/x", "http:evil.example/x", "@evil.example:80", strings.Repeat("\u00e9", 1024-4) + ".jpg",
	}
	files := map[string][]byte{}
	for _, name := range names {
		files[name] = []byte("the content of " + name)
	}
	s, server := newStore(t, files)
	for _, o := range []*Origin{originAt(t, server, withKey), originAt(t, server, withSAS)} {
		for _, name := range names {
			if got := content(t, o, origins.Request{Key: name}); got != "the content of "+name {
				t.Errorf("%.100q: got %.100q", name, got)
			}
		}
	}
	for _, r := range s.seen() {
		if r.Method != http.MethodGet || r.Host != strings.TrimPrefix(server.URL, "http://") {
			t.Errorf("the store got %s for host %s", r.Method, r.Host)
		}
	}
}

func TestNamesThatNoBlobHasAreNotAskedFor(t *testing.T) {
	s, server := newStore(t, nil)
	o := originAt(t, server, func(c *Config) { c.Prefix = "p"; withKey(c) })
	for _, tt := range []struct {
		name, key string
		want      origins.Kind
	}{
		{"more than 1024 characters with the prefix", strings.Repeat("x", 1023), origins.NotExist},
		{"not UTF-8", "a\xffb.jpg", origins.NotExist},
		{"empty", "", origins.NotExist},
		{"a way out", "../other/a.jpg", origins.Invalid},
		{"a way out for Windows", `..\a.jpg`, origins.Invalid},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if e := fails(t, o, origins.Request{Key: tt.key}); e.Kind != tt.want {
				t.Errorf("got %v, want %v", e.Kind, tt.want)
			}
		})
	}
	if n := len(s.seen()); n != 0 {
		t.Errorf("the store got %d requests", n)
	}
}

func TestAttributesAreThoseOfTheBlob(t *testing.T) {
	s, server := newStore(t, map[string][]byte{"a": []byte("content"), "b": []byte("content")})
	s.headers["a"] = http.Header{
		"Content-Type": {"image/jpeg"}, "Cache-Control": {"max-age=60"}, "X-Ms-Meta-Is_private_file": {"True"},
	}
	s.headers["b"] = http.Header{"Content-Type": {"image/png"}, "X-Ms-Meta-Is_private_file": {"no"}}
	o := originAt(t, server, withKey)
	for key, want := range map[string]origins.Attributes{
		"a": {Size: 7, ContentType: "image/jpeg", CacheControl: "max-age=60", Private: true},
		"b": {Size: 7, ContentType: "image/png"},
	} {
		obj, err := o.Open(t.Context(), origins.Request{Key: key, Range: &origins.Range{Start: 2, Length: 3}})
		if err != nil {
			t.Fatal(err)
		}
		obj.Body.Close()
		want.ETag, want.Modified = obj.ETag, time.Unix(1.7e9, 0).UTC()
		if obj.Attributes != want || !strings.HasPrefix(obj.ETag, `"0x`) {
			t.Errorf("%s: got %+v, want %+v", key, obj.Attributes, want)
		}
	}
}

func TestRequestsSayWhoAsks(t *testing.T) {
	for name, change := range map[string]func(*Config){"account key": withKey, "SAS": withSAS} {
		s, server := newStore(t, map[string][]byte{"a.jpg": []byte("a")})
		o := originAt(t, server, change)
		content(t, o, origins.Request{Key: "a.jpg", From: "imageorigin"})
		content(t, o, origins.Request{Key: "a.jpg"})
		seen := s.seen()
		if got := seen[0].Header.Get("X-Req-From"); got != "imageorigin" {
			t.Errorf("%s: x-req-from is %q", name, got)
		}
		if got := seen[1].Header.Values("X-Req-From"); got != nil {
			t.Errorf("%s: x-req-from is %q, though there is nothing to say", name, got)
		}
		if got := seen[0].Header.Get("User-Agent"); !strings.HasPrefix(got, "imageorigin ") {
			t.Errorf("%s: User-Agent is %q", name, got)
		}
	}
}

func TestAnUnchangedBlobIsNotModified(t *testing.T) {
	_, server := newStore(t, map[string][]byte{"a.jpg": []byte("a")})
	o := originAt(t, server, withSAS)
	obj, err := o.Open(t.Context(), origins.Request{Key: "a.jpg"})
	if err != nil {
		t.Fatal(err)
	}
	obj.Body.Close()
	for name, v := range map[string]origins.Validator{
		"by ETag": {ETag: obj.ETag}, "by both": {ETag: obj.ETag, Modified: obj.Modified}, "by time": {Modified: obj.Modified},
	} {
		if e := fails(t, o, origins.Request{Key: "a.jpg", Validator: v}); e.Kind != origins.NotModified {
			t.Errorf("%s: got %v (%v)", name, e.Kind, e)
		}
	}
}

func TestABlobThatWasReplacedIsNotReadOn(t *testing.T) {
	s, server := newStore(t, map[string][]byte{"a.jpg": []byte("first")})
	o := originAt(t, server, withKey)
	obj, err := o.Open(t.Context(), origins.Request{Key: "a.jpg"})
	if err != nil {
		t.Fatal(err)
	}
	obj.Body.Close()
	rest := origins.Request{Key: "a.jpg", Range: &origins.Range{Start: 2, Length: -1}, Match: obj.ETag}
	if got := content(t, o, rest); got != "rst" {
		t.Errorf("the rest of the same version: got %q", got)
	}
	// The validator of a request that reads on says nothing: with it the store would want either to hold.
	rest.Validator = origins.Validator{ETag: obj.ETag, Modified: obj.Modified}
	if got := content(t, o, rest); got != "rst" {
		t.Errorf("the rest of the same version, with a validator: got %q", got)
	}
	s.put("a.jpg", []byte("other"))
	if e := fails(t, o, rest); e.Kind != origins.Unknown || !strings.Contains(e.Error(), "412 ConditionNotMet") {
		t.Errorf("got %v", e)
	}
}

func TestANewSecretIsUsedFromTheNextRequestOn(t *testing.T) {
	s, server := newStore(t, map[string][]byte{"a.jpg": []byte("a")})
	key, sas := "d3Jvbmc=", "sig=wrong"
	byKey := originAt(t, server, func(c *Config) { c.Key = func() string { return key } })
	bySAS := originAt(t, server, func(c *Config) { c.SAS = func() string { return sas } })
	for _, o := range []*Origin{byKey, bySAS} {
		if e := fails(t, o, origins.Request{Key: "a.jpg"}); e.Kind != origins.Denied {
			t.Errorf("got %v, want denied", e)
		}
	}
	key, sas = goodKey+"\n", " ?"+goodSAS+"\n" // as files have it
	for _, o := range []*Origin{byKey, bySAS} {
		content(t, o, origins.Request{Key: "a.jpg"})
	}
	asked := len(s.seen())
	key, sas = "hunter2!", "hunter2"
	for _, o := range []*Origin{byKey, bySAS} {
		e := fails(t, o, origins.Request{Key: "a.jpg"})
		if e.Kind != origins.Denied || !strings.HasPrefix(e.Remedy, "correct ") {
			t.Errorf("got %v, remedy %q", e, e.Remedy)
		}
	}
	if n := len(s.seen()); n != asked {
		t.Errorf("%d requests were made with what can't be a secret", n-asked)
	}
}

func TestAPlusSignInASASIsOneOfBase64(t *testing.T) {
	_, server := newStore(t, map[string][]byte{"a.jpg": []byte("a")})
	sloppy := strings.ReplaceAll(goodSAS, "%2B", "+")
	if sloppy == goodSAS {
		t.Fatal("there is no plus sign in the SAS of this test")
	}
	content(t, originAt(t, server, func(c *Config) { c.SAS = always(sloppy) }), origins.Request{Key: "a.jpg"})
}

func TestTheEndOfAContextEndsTheWait(t *testing.T) {
	s, server := newStore(t, nil)
	s.override = func(_ http.ResponseWriter, r *http.Request) bool {
		<-r.Context().Done()
		return true
	}
	o := originAt(t, server, withSAS)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := o.Open(ctx, origins.Request{Key: "a.jpg"})
	if got := origins.KindOf(err); got != origins.Timeout {
		t.Errorf("got %v (%v), want timeout", got, err)
	}
	keepsQuiet(t, err)
	ctx, cancel = context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	_, err = o.Open(ctx, origins.Request{Key: "a.jpg"})
	if got := origins.KindOf(err); got != origins.Canceled {
		t.Errorf("got %v (%v), want canceled", got, err)
	}
	keepsQuiet(t, err)
}

func TestConfigMistakesAreNamed(t *testing.T) {
	for _, tt := range []struct {
		name   string
		config Config
		want   string
	}{
		{"no account", Config{Container: "c-1"}, "account is empty"},
		{"a URL as account", Config{Account: "https://mystore.blob.core.windows.net", Container: "c-1"}, "write mystore for"},
		{"upper case", Config{Account: "MyStore", Container: "c-1"}, "lower-case letters and digits"},
		{"no container", Config{Account: "mystore"}, "container is empty"},
		{"a short container", Config{Account: "mystore", Container: "ab"}, "3 to 63"},
		{"two hyphens", Config{Account: "mystore", Container: "my--pictures"}, "single hyphens"},
		{"a folder in the container", Config{Account: "mystore", Container: "pictures/large"}, "belongs into prefix"},
		{"a way out of the prefix", Config{Account: "mystore", Container: "pictures", Prefix: "a/../b"}, "dot segment"},
		{"endpoint without a scheme", Config{Account: "mystore", Container: "pictures", Endpoint: "127.0.0.1:10000"}, "endpoint is not a URL"},
		{"endpoint with a SAS", Config{Account: "mystore", Container: "pictures", Endpoint: "https://x.example?sig=hunter2"}, "into sas_token"},
		{"endpoint with a user", Config{Account: "mystore", Container: "pictures", Endpoint: "https://hunter2@x.example"}, "user name"},
		{"endpoint with a dot segment", Config{Account: "mystore", Container: "pictures", Endpoint: "https://x.example/.."}, "dot segment"},
		{"a token over http", Config{Account: "mystore", Container: "pictures", Endpoint: "http://x.example"}, "use https"},
		{"two credentials", Config{Account: "mystore", Container: "pictures", SAS: always(goodSAS), Key: always(goodKey)}, "sas_token and account_key exclude"},
		{"credentials and none", Config{Account: "mystore", Container: "pictures", Anonymous: true, Key: always(goodKey)}, "account_key and anonymous exclude"},
		{"a key without an account", Config{Container: "pictures", Endpoint: "https://x.example", Key: always(goodKey)}, "account is empty"},
		{"a key that isn't one", Config{Account: "mystore", Container: "pictures", Key: always("hunter2!")}, "account_key: the key is not in Base64"},
		{"an empty key", Config{Account: "mystore", Container: "pictures", Key: always("")}, "account_key: the key is not in Base64"},
		{"a SAS that is cut off", Config{Account: "mystore", Container: "pictures", SAS: always("?sv=hunter2&sp=r")}, "sas_token: the SAS is cut off"},
		{"a SAS with its URL", Config{Account: "mystore", Container: "pictures", SAS: always("https://x.example/c?" + goodSAS)}, "what follows its question mark"},
		{"a SAS that may not read", Config{Account: "mystore", Container: "pictures", SAS: always("sp=wl&sig=hunter2")}, "lacks the permission r"},
		{"a SAS for queues", Config{Account: "mystore", Container: "pictures", SAS: always("sp=r&ss=q&srt=o&sig=hunter2")}, "ss=b"},
		{"a SAS for containers only", Config{Account: "mystore", Container: "pictures", SAS: always("sp=rl&ss=bq&srt=sc&sig=hunter2")}, "srt=o"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := New(tt.config)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want %q", err, tt.want)
			}
			keepsQuiet(t, err)
		})
	}
}

func TestConfigsThatPeopleHaveAreTaken(t *testing.T) {
	for name, c := range map[string]Config{
		"the default credential": {Account: "mystore", Container: "pictures"},
		"a static web site":      {Account: "mystore", Container: "$web", Anonymous: true},
		"the root":               {Account: "mystore", Container: "$root", Anonymous: true, Prefix: "/"},
		"an emulator":            {Account: "imgacct", Container: "pictures", Endpoint: "http://127.0.0.1:10000/imgacct/", Key: always(goodKey)},
		"another cloud":          {Container: "pictures", Endpoint: "https://mystore.blob.core.chinacloudapi.cn", SAS: always("?" + goodSAS)},
		"a stored access policy": {Account: "mystore", Container: "pictures", SAS: always("sv=2024-11-04&sr=c&si=readers&sig=x")},
		"an expired SAS":         {Account: "mystore", Container: "pictures", SAS: always("sp=r&se=2020-01-01&sig=x")},
	} {
		if _, err := New(c); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnAnswerWhoseHeadersMakeNoSenseIsClosed(t *testing.T) {
	closed := false
	o, err := New(Config{Account: "mystore", Container: holder, Anonymous: true, Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		res := reply(r, http.StatusOK, "a picture")
		res.Header.Set("X-Ms-Blob-Sequence-Number", "hunter2")
		res.Body = &closing{res.Body, &closed}
		return res, nil
	})})
	if err != nil {
		t.Fatal(err)
	}
	if e := fails(t, o, origins.Request{Key: "a.jpg"}); e.Kind != origins.Unknown || !strings.Contains(e.Error(), "headers of the answer make no sense") {
		t.Errorf("got %v", e)
	}
	if !closed {
		t.Error("the body is still open, and so is its connection")
	}
}

// closing tells that it was closed.
type closing struct {
	io.ReadCloser

	closed *bool
}

func (c *closing) Close() error {
	*c.closed = true
	return c.ReadCloser.Close()
}
