package s3

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/originstest"
)

// quiet keeps the environment and the home folder of whoever runs the test out of it.
func quiet(t *testing.T) {
	for _, name := range []string{
		"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION",
		"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_STS", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE",
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CA_BUNDLE",
	} {
		t.Setenv(name, "")
	}
	dir := t.TempDir()
	t.Setenv("AWS_CONFIG_FILE", dir+"/config")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", dir+"/credentials")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
}

func TestConformance(t *testing.T) {
	quiet(t)
	for _, tt := range []struct {
		name   string
		tls    bool
		folder string
		change func(*Config)
	}{
		{"bucket in the host", false, "", func(*Config) {}},
		{"bucket in the path", false, "", func(c *Config) { c.PathStyle = true }},
		{"prefix, bucket in the host", false, "a folder/100%25/ü/", func(c *Config) { c.Prefix = "/a folder/100%25/ü/" }},
		{"prefix, bucket in the path", false, "a+b/", func(c *Config) { c.Prefix, c.PathStyle = "a+b", true }},
		{"Amazon", true, "", func(c *Config) { c.Endpoint = "" }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var f *fake
			originstest.Run(t, originstest.Config{
				New: func(t *testing.T, files map[string][]byte) origins.Origin {
					f = newFake(t, nil, tt.tls)
					for key, content := range files {
						f.put(tt.folder+key, content, nil)
					}
					if tt.folder != "" {
						// Beside the folder, so that whoever leaves it finds something.
						f.put("a.jpg", []byte("another"), nil)
						f.put("missing.jpg", []byte("another"), nil)
						f.put("etc/passwd", []byte("another"), nil)
					}
					return f.origin(t, tt.change)
				},
				Replace: func(_ *testing.T, key string, content []byte) { f.put(tt.folder+key, content, nil) },
			})
		})
	}
}

func TestNamesReachTheStoreAsStored(t *testing.T) {
	names := []string{
		"a b+c%2Bd#e?f&g=h;i,j@k:l!m$n'o(p)q*r~s[t]u{v}w|x^y`z\"<>.jpg", "caf\u00e9.jpg", "cafe\u0301.jpg", "写真/風景 🌄.jpg",
		"%2F%2f/%00/%.jpg", `back\slash.jpg`, "\xff\xfe not utf-8.jpg", "new\nline\ttab.jpg", "x-id=GetObject", " ", "+",
		strings.Repeat("é", 512), strings.Repeat("%", 1024),
	}
	for _, pathStyle := range []bool{false, true} {
		f := newFake(t, nil, false)
		o := f.origin(t, func(c *Config) { c.PathStyle = pathStyle })
		for _, name := range names {
			f.put(name, []byte(name), nil)
			if got := fetch(t, o, origins.Request{Key: name}); got != name {
				t.Errorf("path style %v: got the content of %q, want that of %q", pathStyle, got, name)
			}
		}
	}
}

func TestTheBucketIsWhereItIsReached(t *testing.T) {
	quiet(t)
	for _, tt := range []struct {
		endpoint, bucket string
		pathStyle        bool
		want             string
	}{
		{"", "pictures", false, "https://pictures.s3.eu-west-1.amazonaws.com/a%2Bb.jpg"},
		{"", "my.pictures", false, "https://s3.eu-west-1.amazonaws.com/my.pictures/a%2Bb.jpg"}, // no certificate has two dots
		{"https://s3.example.com", "pictures", false, "https://pictures.s3.example.com/a%2Bb.jpg"},
		{"https://s3.example.com/", "pictures", true, "https://s3.example.com/pictures/a%2Bb.jpg"},
		{"https://s3.example.com", "my.pictures", false, "https://s3.example.com/my.pictures/a%2Bb.jpg"},
		{"http://s3.example.com", "my.pictures", false, "http://s3.example.com/my.pictures/a%2Bb.jpg"},
		{"http://192.0.2.1:9000", "pictures", false, "http://192.0.2.1:9000/pictures/a%2Bb.jpg"},
		{"http://[2001:db8::1]:9000", "pictures", false, "http://[2001:db8::1]:9000/pictures/a%2Bb.jpg"},
		{"https://s3.example.com", "Old_Pictures", true, "https://s3.example.com/Old_Pictures/a%2Bb.jpg"},
	} {
		var got string
		o, err := New(Config{
			Bucket: tt.bucket, Region: region, Endpoint: tt.endpoint, PathStyle: tt.pathStyle, Keys: func() Keys { return rightKeys },
			Transport: trip(func(r *http.Request) (*http.Response, error) {
				got, _, _ = strings.Cut(r.URL.String(), "?")
				return nil, errors.New("enough")
			}),
		})
		if err != nil {
			t.Fatal(err)
		}
		if e := refusedAs(t, o, origins.Request{Key: "a+b.jpg"}); got != tt.want {
			t.Errorf("%+v: got %s, want %s; %v", tt, got, tt.want, e)
		}
	}
}

func TestLongNamesDoNotExistAndAreNotAskedFor(t *testing.T) {
	f := newFake(t, nil, false)
	o := f.origin(t, func(c *Config) { c.Prefix = "folder/" })
	fits := strings.Repeat("x", maxKey-len("folder/"))
	f.put("folder/"+fits, []byte("long"), nil)
	if got := fetch(t, o, origins.Request{Key: fits}); got != "long" {
		t.Errorf("got %q", got)
	}
	if e := refusedAs(t, o, origins.Request{Key: fits + "x"}); e.Kind != origins.NotExist {
		t.Errorf("got %v", e)
	}
	if n := len(f.seen()); n != 1 {
		t.Errorf("%d requests arrived, want 1", n)
	}
}

func TestRequestsSayWhoAsksBesideAValidSignature(t *testing.T) {
	f := newFake(t, map[string][]byte{"a.jpg": []byte("a")}, false)
	o := f.origin(t, nil)
	fetch(t, o, origins.Request{Key: "a.jpg", From: "imagekit"}) // the fake checks the signature
	r := f.last(t)
	if got := r.Header.Get("X-Req-From"); got != "imagekit" {
		t.Errorf("x-req-from is %q", got)
	}
	if strings.Contains(r.Header.Get("Authorization"), "x-req-from") {
		t.Error("x-req-from is signed")
	}
	fetch(t, o, origins.Request{Key: "a.jpg"})
	if got, there := f.last(t).Header["X-Req-From"]; there {
		t.Errorf("x-req-from is %q, want none", got)
	}
}

func TestTheFakeKnowsAWrongSignature(t *testing.T) {
	f := newFake(t, map[string][]byte{"a.jpg": []byte("a")}, false)
	o := f.origin(t, func(c *Config) {
		c.Keys = func() Keys { return Keys{AccessKey: rightKeys.AccessKey, SecretKey: otherKeys.SecretKey} }
	})
	if e := refusedAs(t, o, origins.Request{Key: "a.jpg"}); !strings.Contains(e.Error(), "SignatureDoesNotMatch") {
		t.Errorf("got %v", e)
	}
}

func TestRequestsAskForWhatIsNeededOnly(t *testing.T) {
	f := newFake(t, map[string][]byte{"a.jpg": []byte("0123456789")}, false)
	modified := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
	for _, tt := range []struct {
		name   string
		change func(*Config)
		req    origins.Request
		header map[string]string // "" is none
	}{
		{"the whole", nil, origins.Request{}, map[string]string{
			"Range": "", "If-Match": "", "If-None-Match": "", "If-Modified-Since": "", "X-Amz-Request-Payer": "", "X-Amz-Checksum-Mode": "",
		}},
		{"a part", nil, origins.Request{Range: &origins.Range{Start: 2, Length: 3}}, map[string]string{"Range": "bytes=2-4"}},
		{"by ETag", nil, origins.Request{Validator: origins.Validator{ETag: `"x"`, Modified: modified}}, map[string]string{"If-None-Match": `"x"`, "If-Modified-Since": ""}},
		{"by time", nil, origins.Request{Validator: origins.Validator{Modified: time.Unix(1e9, 0)}}, map[string]string{"If-None-Match": "", "If-Modified-Since": "Sun, 09 Sep 2001 01:46:40 GMT"}},
		{"of a version", nil, origins.Request{Match: `"781e5e245d69b566979b86e28d23f2c7"`}, map[string]string{"If-Match": `"781e5e245d69b566979b86e28d23f2c7"`}},
		{"at our cost", func(c *Config) { c.RequesterPays = true }, origins.Request{}, map[string]string{"X-Amz-Request-Payer": "requester"}},
		{"unsigned", func(c *Config) { c.Keys, c.Anonymous = nil, true }, origins.Request{}, map[string]string{"Authorization": ""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f.public = true
			tt.req.Key = "a.jpg"
			fetch(t, f.origin(t, tt.change), tt.req)
			r := f.last(t)
			if r.Method != http.MethodGet {
				t.Errorf("the method is %s", r.Method)
			}
			for name, want := range tt.header {
				if got := r.Header.Get(name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
		})
	}
}

func TestAnotherVersionThanTheOneOfAPartIsAFault(t *testing.T) {
	f := newFake(t, map[string][]byte{"a.jpg": []byte("0123456789")}, false)
	e := refusedAs(t, f.origin(t, nil), origins.Request{Key: "a.jpg", Match: `"old"`, Range: &origins.Range{Start: 2, Length: -1}})
	if e.Kind != origins.Unknown || e.Transient {
		t.Errorf("got %v, transient %v", e, e.Transient)
	}
}

func TestAttributesAreThoseOfTheStore(t *testing.T) {
	f := newFake(t, nil, false)
	f.put("a.jpg", []byte("abc"), http.Header{
		"Content-Type": {"image/jpeg"}, "Cache-Control": {"max-age=60"}, "X-Amz-Meta-Is-Private-File": {"True"}, "Etag": {`"tag"`},
	})
	f.put("b.jpg", []byte("abc"), http.Header{"X-Amz-Meta-Is-Private-File": {"no"}})
	o := f.origin(t, nil)
	obj, err := o.Open(t.Context(), origins.Request{Key: "a.jpg"})
	if err != nil {
		t.Fatal(err)
	}
	obj.Body.Close()
	want := origins.Attributes{
		Size: 3, ContentType: "image/jpeg", ETag: `"tag"`, Modified: f.objects["a.jpg"].modified.UTC(), CacheControl: "max-age=60", Private: true,
	}
	if obj.Attributes != want {
		t.Errorf("got %+v, want %+v", obj.Attributes, want)
	}
	if obj, err = o.Open(t.Context(), origins.Request{Key: "b.jpg"}); err != nil || obj.Private {
		t.Fatalf("got %v, %v", obj, err)
	}
	obj.Body.Close()
}

func TestCompressedObjectsAreDecoded(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	fmt.Fprint(z, "<svg/>")
	z.Close()
	for _, tt := range []struct{ name, coding, stored, want string }{
		{"gzip", "gzip", packed.String(), "<svg/>"},
		{"gzip, sent in pieces", "gzip,aws-chunked", packed.String(), "<svg/>"},
		{"sent in pieces", "aws-chunked", "<svg/>", "<svg/>"},
		{"a word that says nothing", "base64", "<svg/>", "<svg/>"},
		{"no word", " , ", "<svg/>", "<svg/>"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(t, nil, false)
			f.put("a.svg", []byte(tt.stored), http.Header{"Content-Encoding": {tt.coding}})
			o := f.origin(t, nil)
			if got := fetch(t, o, origins.Request{Key: "a.svg"}); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			// A part of a compressed form is no part of the object: the whole is asked for instead.
			obj, err := o.Open(t.Context(), origins.Request{Key: "a.svg", Range: &origins.Range{Start: 1, Length: 3}})
			if err != nil {
				t.Fatal(err)
			}
			defer obj.Body.Close()
			if compressed := strings.Contains(tt.coding, "gzip"); compressed != (obj.Range == nil) {
				t.Errorf("got the part %+v", obj.Range)
			}
		})
	}
}

func TestEachOpenAsksOnce(t *testing.T) {
	quiet(t)
	t.Setenv("AWS_MAX_ATTEMPTS", "5")
	for _, endpoint := range []string{"", "http://store.test:9000"} {
		f := newFake(t, nil, endpoint == "")
		f.answer = func(w http.ResponseWriter, _ *http.Request) {
			fail(w, http.StatusInternalServerError, "InternalError", "")
		}
		e := refusedAs(t, f.origin(t, func(c *Config) { c.Endpoint = endpoint }), origins.Request{Key: "a.jpg"})
		if n := len(f.seen()); n != 1 || !e.Transient {
			t.Errorf("%d requests arrived, want 1; transient is %v", n, e.Transient)
		}
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	other := newFake(t, nil, false)
	f := newFake(t, nil, false)
	f.answer = func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+"/x", http.StatusTemporaryRedirect)
	}
	if e := refusedAs(t, f.origin(t, nil), origins.Request{Key: "a.jpg"}); e.Kind != origins.Unknown {
		t.Errorf("got %v", e)
	}
	if n := len(f.seen()) + len(other.seen()); n != 1 {
		t.Errorf("%d requests arrived, want 1", n)
	}
}

func TestEndlessErrorDocumentsEnd(t *testing.T) {
	f := newFake(t, nil, false)
	f.answer = func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprint(w, "<Error><Code>InternalError</Code><Message>")
		for range 64 { // of 1 MiB
			if _, err := w.Write(bytes.Repeat([]byte("x"), 1<<20)); err != nil {
				return
			}
		}
	}
	if e := refusedAs(t, f.origin(t, nil), origins.Request{Key: "a.jpg"}); e.Kind != origins.Unknown || !e.Transient {
		t.Errorf("got %v", e)
	}
}

func TestACutOffBodyIsAFailure(t *testing.T) {
	f := newFake(t, nil, false)
	f.answer = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		fmt.Fprint(w, "0123456789")
	}
	obj, err := f.origin(t, nil).Open(t.Context(), origins.Request{Key: "a.jpg"})
	if err != nil {
		t.Fatal(err)
	}
	defer obj.Body.Close()
	buf := make([]byte, 200)
	n := 0
	for err == nil {
		var m int
		m, err = obj.Body.Read(buf[n:])
		n += m
	}
	if origins.KindOf(err) != origins.Unreachable || n != 10 {
		t.Errorf("got %d bytes and %v", n, err)
	}
}
