package stores_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/e2e/faults"
	"github.com/imageorigin/imageorigin/e2e/stores"
	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/azure"
	"github.com/imageorigin/imageorigin/origins/gcs"
	"github.com/imageorigin/imageorigin/origins/remote"
	"github.com/imageorigin/imageorigin/origins/s3"
)

// odd are keys as users have them, beside those that the conformance suite asks every store for.
var odd = []string{
	"%2B.jpg", "a+b%2Bc%252B.jpg", "ü/ü #1?.jpg", "e\u0301 é.jpg", "写真 😀.jpg", "a b&c=d;e,f:g@h$i!j*k'l(m)n\"o.jpg",
	long(1024), "é" + long(1022),
}

// long returns a key of so many bytes, none of whose segments is longer than a file system takes.
func long(bytes int) string {
	segments := strings.Repeat(strings.Repeat("k", 199)+"/", bytes/200+1)
	return segments[:bytes-4] + ".jpg"
}

func TestOddKeysReachTheStoreAsTheyAreStored(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			s, addr := kind.start(t)
			o := must(t)(kind.connect(t, s, direct(t, addr)))
			for _, key := range odd {
				s.Put(key, []byte("content of "+key), "", "")
				if content, err := read(t, o, key); content != "content of "+key {
					t.Errorf("%.60q: got %.60q, %v", key, content, err)
				}
			}
		})
	}
}

// TestPrefixIsAFolderOfItsOwn asks below a prefix for what is there, what is beside it, and for ways out.
func TestPrefixIsAFolderOfItsOwn(t *testing.T) {
	const prefix = "images"
	for name, connect := range map[string]func(t *testing.T, tr http.RoundTripper) (store, origins.Origin, error){
		"s3": func(t *testing.T, tr http.RoundTripper) (store, origins.Origin, error) {
			b := stores.S3(t)
			o, err := s3.New(s3.Config{
				Bucket: b.Bucket, Region: b.Region, Endpoint: b.URL, PathStyle: true, Keys: keys(b.Reader), Prefix: prefix, Transport: tr,
			})
			return b, o, err
		},
		"gcs": func(t *testing.T, tr http.RoundTripper) (store, origins.Origin, error) {
			b := stores.GCS(t)
			key, err := gcs.NewKeyFile(b.KeyFile)
			if err != nil {
				return nil, nil, err
			}
			o, err := gcs.New(gcs.Config{Bucket: b.Bucket, Endpoint: b.URL, Key: key.Value, Prefix: prefix, Transport: tr})
			return b, o, err
		},
		"azure": func(t *testing.T, tr http.RoundTripper) (store, origins.Origin, error) {
			b := stores.Azure(t)
			o, err := azure.New(azure.Config{
				Account: b.Account, Container: b.Container, Endpoint: b.Endpoint(b.URL), Key: func() string { return b.Key }, Prefix: prefix, Transport: tr,
			})
			return b, o, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			tr, err := remote.NewTransport(remote.TransportConfig{})
			if err != nil {
				t.Fatal(err)
			}
			defer tr.CloseIdleConnections()
			s, o, err := connect(t, tr)
			if err != nil {
				t.Fatal(err)
			}
			for _, key := range []string{"images/a #1.jpg", "a.jpg", "images-private/a.jpg"} {
				s.Put(key, []byte(key), "", "")
			}
			if content, err := read(t, o, "a #1.jpg"); content != "images/a #1.jpg" {
				t.Errorf("got %q, %v", content, err)
			}
			for _, key := range []string{
				"a.jpg", "../a.jpg", "..%2fa.jpg", "%2e%2e/a.jpg", "x/../../a.jpg", "/a.jpg", "../images-private/a.jpg",
				"-private/a.jpg", `..\a.jpg`, "./../a.jpg",
			} {
				if content, err := read(t, o, key); err == nil {
					t.Errorf("%q: got %q", key, content)
				}
			}
		})
	}
}

// TestEveryStoreHearsWhoAsks looks at the requests on their way: they are signed, and say x-req-from.
func TestEveryStoreHearsWhoAsks(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			s, addr := kind.start(t)
			s.Put("a.jpg", []byte("picture"), "", "")
			p := faults.Start(t, addr)
			heard := make(chan string, 10)
			p.Set(faults.Latency(0).Only(func(r *http.Request) bool {
				heard <- r.Header.Get("X-Req-From")
				return false
			}))
			o := must(t)(kind.connect(t, s, direct(t, p.Addr())))
			obj, err := o.Open(t.Context(), origins.Request{Key: "a.jpg", From: "imagekit"})
			if err != nil {
				t.Fatal(err)
			}
			obj.Body.Close()
			if got := <-heard; got != "imagekit" {
				t.Errorf("x-req-from is %q", got)
			}
		})
	}
}

// TestBodiesThatNobodyReadsAreNotFetched closes a large object early: the connection ends, instead of being read to the
// object's end.
func TestBodiesThatNobodyReadsAreNotFetched(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			s, addr := kind.start(t)
			s.Put("a.jpg", make([]byte, 32<<20), "", "")
			p := faults.Start(t, addr)
			o := must(t)(kind.connect(t, s, direct(t, p.Addr())))
			for i := range 2 {
				obj, err := o.Open(t.Context(), origins.Request{Key: "a.jpg"})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := obj.Body.Read(make([]byte, 10)); err != nil {
					t.Fatal(err)
				}
				obj.Body.Close()
				if got := p.Counts().Connections; got != i+1 {
					t.Errorf("after %d requests: %d connections", i+1, got)
				}
			}
		})
	}
}

// read returns the object called key.
func read(t *testing.T, o origins.Origin, key string) (string, error) {
	t.Helper()
	obj, err := o.Open(t.Context(), origins.Request{Key: key})
	if err != nil {
		return "", err
	}
	defer obj.Body.Close()
	content, err := io.ReadAll(obj.Body)
	return string(content), err
}
