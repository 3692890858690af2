package gcs

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/originstest"
)

func TestConformance(t *testing.T) {
	for _, tt := range []struct {
		name, prefix, folder string
		deaf                 bool
	}{
		{"the bucket's root", "", "", false},
		{"a folder", "/images/of us + more/", "images/of us + more/", false},
		{"an emulator that ignores conditions", "", "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var last *fake
			originstest.Run(t, originstest.Config{
				New: func(t *testing.T, files map[string][]byte) origins.Origin {
					last = newFake(t, tt.folder, files)
					last.deaf = tt.deaf
					return last.origin(t, func(c *Config) { c.Prefix = tt.prefix })
				},
				Replace: func(_ *testing.T, key string, content []byte) { last.put(tt.folder+key, content) },
			})
		})
	}
}

func TestKeysArriveAsStored(t *testing.T) {
	for _, key := range []string{
		"a b.jpg", "a+b.jpg", "a%2Bb.jpg", "a%20b.jpg", "#1.jpg", "what?.jpg", "caf\u00e9.jpg", "cafe\u0301.jpg",
		"\u5199\u771f/\u98a8\u666f.jpg", "\U0001f600.png", "a&b=c;d.jpg", "{x}.jpg", "*.jpg", "%.jpg", "a:b/c@d.jpg", "~'()!$,.jpg", `back\slash.jpg`,
		strings.Repeat("\u00e9", 512), strings.Repeat("d/", 511) + "ab",
	} {
		f := newFake(t, "", map[string][]byte{key: []byte("content of " + key)})
		if got, _ := fetch(t, f.origin(t), origins.Request{Key: key}); got != "content of "+key {
			t.Errorf("%q: got %q", key, got)
		}
	}
}

func TestNamesThatNoObjectCanHaveAreNotAskedFor(t *testing.T) {
	f := newFake(t, "", nil)
	o := f.origin(t, func(c *Config) { c.Prefix = "folder" })
	for _, tt := range []struct {
		name, key string
		want      origins.Kind
	}{
		{"1,025 bytes with the folder", strings.Repeat("x", 1025-len("folder/")), origins.NotExist},
		{"a line break", "a\nb.jpg", origins.NotExist},
		{"a carriage return", "a\rb.jpg", origins.NotExist},
		{"no UTF-8", "a\xffb.jpg", origins.NotExist},
		{"upwards", "../a.jpg", origins.Invalid},
		{"nothing", "", origins.NotExist},
	} {
		if e := refusal(t, o, origins.Request{Key: tt.key}); e.Kind != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, e.Kind, tt.want)
		}
	}
	if n := f.asked(); n != 0 {
		t.Errorf("%d requests were made", n)
	}
}

func TestWhatIsKnownOfAnObjectIsTold(t *testing.T) {
	f := newFake(t, "", map[string][]byte{"a.jpg": []byte("0123456789")})
	_, obj := fetch(t, f.origin(t, func(c *Config) { c.UserProject = "payer" }), origins.Request{Key: "a.jpg", From: "imageorigin"})
	want := origins.Attributes{
		Size: 10, ContentType: "image/jpeg", ETag: `"1700000000000001"`, Modified: modified, CacheControl: "public, max-age=60",
	}
	if obj.Attributes != want {
		t.Errorf("got %+v, want %+v", obj.Attributes, want)
	}
	r := f.last()
	if r.Header.Get("X-Req-From") != "imageorigin" || r.URL.Query().Get("userProject") != "payer" || r.Header.Get("Range") != "" {
		t.Errorf("the store got %s with %v", r.URL, r.Header)
	}
}

func TestVersionsAreGenerations(t *testing.T) {
	const current, stale = `"1700000000000001"`, `"1600000000000000"`
	for _, tt := range []struct {
		name  string
		req   origins.Request
		query string // that the store gets, in part; "": no condition
		want  origins.Kind
		found bool
	}{
		{"the current ETag", origins.Request{Validator: origins.Validator{ETag: current}}, "ifGenerationNotMatch=1700000000000001", origins.NotModified, false},
		{"an old ETag", origins.Request{Validator: origins.Validator{ETag: stale}}, "ifGenerationNotMatch=1600000000000000", 0, true},
		{"an old ETag with the right time", origins.Request{Validator: origins.Validator{ETag: stale, Modified: modified}}, "ifGenerationNotMatch=1600000000000000", 0, true},
		{"a foreign ETag", origins.Request{Validator: origins.Validator{ETag: `"abc"`, Modified: modified}}, "", 0, true},
		{"a weak ETag", origins.Request{Validator: origins.Validator{ETag: "W/" + current}}, "", 0, true},
		{"the time alone", origins.Request{Validator: origins.Validator{Modified: modified}}, "", origins.NotModified, false},
		{"an older time alone", origins.Request{Validator: origins.Validator{Modified: modified.Add(-time.Second)}}, "", 0, true},
		{"the version that is read", origins.Request{Match: current}, "ifGenerationMatch=1700000000000001", 0, true},
		{"another version than is read", origins.Request{Match: stale}, "ifGenerationMatch=1600000000000000", origins.Unknown, false},
		{"a version of another origin", origins.Request{Match: `"abc"`}, "", 0, true},
	} {
		for _, deaf := range []bool{false, true} {
			f := newFake(t, "", map[string][]byte{"a.jpg": []byte("0123456789")})
			f.deaf = deaf
			tt.req.Key = "a.jpg"
			obj, err := f.origin(t).Open(t.Context(), tt.req)
			if err == nil {
				obj.Body.Close()
			}
			if found := err == nil; found != tt.found || !found && origins.KindOf(err) != tt.want {
				t.Errorf("%s, deaf %v: got %v, want %v, found %v", tt.name, deaf, err, tt.want, tt.found)
			}
			query := f.last().URL.RawQuery
			if !strings.Contains(query, tt.query) || tt.query == "" && strings.Contains(query, "ifGeneration") {
				t.Errorf("%s: the store got %q, want %q in it", tt.name, query, tt.query)
			}
			if n := f.asked(); n != 1 {
				t.Errorf("%s: %d requests, want 1", tt.name, n)
			}
		}
	}
}

func TestObjectsStoredCompressedAreDecoded(t *testing.T) {
	plain := strings.Repeat("some text, ", 1000)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	io.WriteString(z, plain)
	z.Close()
	f := newFake(t, "", nil)
	f.objects["a.svg"] = stored{content: packed.Bytes(), generation: 5, encoding: "gzip"}
	o := f.origin(t)
	for _, part := range []*origins.Range{nil, {Start: 10, Length: 5}} {
		got, obj := fetch(t, o, origins.Request{Key: "a.svg", Range: part})
		if got != plain || obj.Size != -1 || obj.Range != nil {
			t.Errorf("range %v: got %d bytes of size %d, part %v", part, len(got), obj.Size, obj.Range)
		}
	}
	if got := f.last().Header.Get("Accept-Encoding"); got != "gzip" {
		t.Errorf("Accept-Encoding is %q: the store would decompress, and answer no range", got)
	}
}

func TestStoresThatIgnoreRangesAnswerTheWhole(t *testing.T) {
	f := newFake(t, "", nil)
	f.refuses = func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "0123456789") }
	got, obj := fetch(t, f.origin(t), origins.Request{Key: "a.jpg", Range: &origins.Range{Start: 5, Length: 2}})
	if got != "0123456789" || obj.Range != nil {
		t.Errorf("got %q, part %v, want the whole", got, obj.Range)
	}
}

func TestBytesThatDontFitTheChecksumAreAnError(t *testing.T) {
	for _, length := range []bool{true, false} {
		f := newFake(t, "", nil)
		f.refuses = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Goog-Hash", "crc32c=AAAAAA==")
			if !length {
				w.(http.Flusher).Flush()
			}
			io.WriteString(w, "0123456789")
		}
		obj, err := f.origin(t).Open(t.Context(), origins.Request{Key: "a.jpg"})
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.ReadAll(obj.Body)
		obj.Body.Close()
		if origins.KindOf(err) != origins.Unknown || err == nil || !strings.Contains(err.Error(), "checksum") {
			t.Errorf("got %v", err)
		}
	}
}

// breaking sends a part of what it announces, and breaks the connection.
func breaking(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("X-Goog-Generation", "1700000000000001")
	w.Header().Set("Content-Length", "10")
	io.WriteString(w, "01234")
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

func TestBodiesThatBreakAreToldAndNotReadOn(t *testing.T) {
	f := newFake(t, "", nil)
	f.refuses = breaking
	obj, err := f.origin(t).Open(t.Context(), origins.Request{Key: "a.jpg"})
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(obj.Body)
	if string(content) != "01234" || origins.KindOf(err) != origins.Unreachable || !strings.Contains(err.Error(), "unexpected EOF") {
		t.Errorf("got %q, %v, want what came, and why no more did", content, err)
	}
	if err := obj.Body.Close(); err != nil {
		t.Errorf("closing: %v", err)
	}
	if n := f.asked(); n != 1 {
		t.Errorf("%d requests were made, want 1", n)
	}
}

func TestResumedBodiesAreOfTheSameGeneration(t *testing.T) {
	f := newFake(t, "", map[string][]byte{"a.jpg": []byte("0123456789")})
	breaks := true
	f.refuses = func(w http.ResponseWriter, r *http.Request) {
		if breaks {
			breaks = false
			breaking(w, r)
		}
		f.serveContent(w, r)
	}
	got, _ := fetch(t, origins.Resume(f.origin(t), 2), origins.Request{Key: "a.jpg"})
	r := f.last()
	if got != "0123456789" || r.Header.Get("Range") != "bytes=5-9" || r.URL.Query().Get("ifGenerationMatch") != "1700000000000001" {
		t.Errorf("got %q by %q of %q", got, r.Header.Get("Range"), r.URL.RawQuery)
	}
}

func TestOneRequestIsMadeWhateverTheAnswer(t *testing.T) {
	for _, status := range []int{408, 429, 500, 502, 503, 504} {
		f := newFake(t, "", nil)
		f.refuses = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
		e := refusal(t, f.origin(t), origins.Request{Key: "a.jpg"})
		if n := f.asked(); n != 1 || !e.Transient {
			t.Errorf("%d: %d requests, transient %v, want 1 and true", status, n, e.Transient)
		}
	}
}

func TestTheEndOfAContextEndsWaiting(t *testing.T) {
	silent := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	for _, tt := range []struct {
		name string
		set  func(*fake)
	}{
		{"for the store", func(f *fake) { f.refuses = silent }},
		{"for a token", func(f *fake) {
			f.login = func(w http.ResponseWriter, r *http.Request) { time.Sleep(300 * time.Millisecond) }
		}},
	} {
		f := newFake(t, "", nil)
		tt.set(f)
		o := f.origin(t)
		for want, after := range map[origins.Kind]func(context.Context) (context.Context, context.CancelFunc){
			origins.Timeout: func(ctx context.Context) (context.Context, context.CancelFunc) {
				return context.WithTimeout(ctx, 20*time.Millisecond)
			},
			origins.Canceled: func(ctx context.Context) (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancel(ctx)
				time.AfterFunc(20*time.Millisecond, cancel)
				return ctx, cancel
			},
		} {
			ctx, cancel := after(t.Context())
			_, err := o.Open(ctx, origins.Request{Key: "a.jpg"})
			cancel()
			if origins.KindOf(err) != want {
				t.Errorf("%s: got %v, want %v", tt.name, err, want)
			}
		}
	}
}

func TestEmulatorVariableChangesNothing(t *testing.T) {
	other := newFake(t, "", map[string][]byte{"a.jpg": []byte("from the emulator")})
	other.public = true
	for _, value := range []string{other.URL, strings.TrimPrefix(other.URL, "http://")} {
		f := newFake(t, "", map[string][]byte{"a.jpg": []byte("from the store")})
		t.Setenv("STORAGE_EMULATOR_HOST", value)
		t.Setenv("STORAGE_EMULATOR_HOST_GRPC", value)
		got, _ := fetch(t, f.origin(t), origins.Request{Key: "a.jpg"})
		if authorization := f.last().Header.Get("Authorization"); got != "from the store" || authorization != "Bearer "+testToken {
			t.Errorf("%s: got %q with authorization %q", value, got, authorization)
		}
	}
	if n := other.asked(); n != 0 {
		t.Errorf("%d requests went to the emulator", n)
	}
}

func TestConfigMistakesAreNamed(t *testing.T) {
	key := func() []byte { return nil }
	for _, tt := range []struct {
		name string
		c    Config
		want string
	}{
		{"no bucket", Config{}, "bucket is empty"},
		{"a URL for a bucket", Config{Bucket: "gs://photos"}, "write the bucket's name alone"},
		{"a path for a bucket", Config{Bucket: "photos/2024"}, "the folder as prefix"},
		{"upper case", Config{Bucket: "Photos"}, "lower-case"},
		{"too short", Config{Bucket: "ab"}, "3 to 222"},
		{"a prefix that leads up", Config{Bucket: "photos", Prefix: "a/../.."}, "prefix"},
		{"a prefix that is too long", Config{Bucket: "photos", Prefix: strings.Repeat("a", 1025)}, "prefix"},
		{"an endpoint without scheme", Config{Bucket: "photos", Endpoint: "127.0.0.1:4443"}, "endpoint is no URL"},
		{"an endpoint of another scheme", Config{Bucket: "photos", Endpoint: "ftp://example.com"}, "endpoint is no URL"},
		{"an endpoint with a password", Config{Bucket: "photos", Endpoint: "https://u:hunter2@example.com"}, "endpoint has a user"},
		{"an endpoint with a query", Config{Bucket: "photos", Endpoint: "https://example.com/?key=hunter2"}, "endpoint has a user, a query"},
		{"nobody with a key", Config{Bucket: "photos", Anonymous: true, Key: key}, "anonymous sends no credentials"},
		{"nobody who pays", Config{Bucket: "photos", Anonymous: true, UserProject: "p"}, "remove anonymous"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := New(tt.c); err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %v, want %q in it and no secret", err, tt.want)
			}
		})
	}
}

func TestEndpointsAreCompleted(t *testing.T) {
	for text, want := range map[string]string{
		"":                                "https://storage.googleapis.com/storage/v1/",
		"https://storage.googleapis.com":  "https://storage.googleapis.com/storage/v1/",
		"http://127.0.0.1:4443/":          "http://127.0.0.1:4443/storage/v1/",
		"https://example.com/gcs/v1":      "https://example.com/gcs/v1/",
		"http://[::1]:4443/storage/v1///": "http://[::1]:4443/storage/v1/",
	} {
		if got, err := parseEndpoint(text); got != want || err != nil {
			t.Errorf("%q: got %q, %v, want %q", text, got, err, want)
		}
	}
}
