package web

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/imageorigin/imageorigin/origins"
)

// ask returns what an origin makes of res.
func ask(t *testing.T, res *http.Response, req origins.Request) (*origins.Object, error) {
	t.Helper()
	if req.Key == "" {
		req.Key = "a.jpg"
	}
	o := newOrigin(t, Config{BaseURL: "https://example.com", Transport: roundTrip(func(*http.Request) *http.Response { return res })})
	return origins.Named(o, "o", "").Open(t.Context(), req)
}

func TestStatusDecidesTheKind(t *testing.T) {
	for _, tt := range []struct {
		kind     origins.Kind
		statuses []int
	}{
		{origins.NotExist, []int{404, 410}},
		{origins.Denied, []int{401, 403, 407, 451}},
		{origins.Timeout, []int{408, 504, 522, 524}},
		{origins.Unreachable, []int{429, 502, 503, 521, 523}},
		{origins.Invalid, []int{416}},
		{origins.Unknown, []int{201, 202, 204, 205, 226, 300, 304, 305, 400, 402, 405, 406, 409, 412, 414, 418, 431, 500, 501, 505, 520, 599}},
	} {
		for _, status := range tt.statuses {
			_, err := ask(t, response(status, "error page"), origins.Request{})
			if err == nil || origins.KindOf(err) != tt.kind {
				t.Errorf("%d: got %v, want %v", status, err, tt.kind)
			}
		}
	}
	for _, status := range []int{200, 203} {
		obj, err := ask(t, response(status, "content"), origins.Request{})
		if err != nil {
			t.Errorf("%d: %v", status, err)
			continue
		}
		if content, err := io.ReadAll(obj.Body); string(content) != "content" || err != nil {
			t.Errorf("%d: got %q, %v", status, content, err)
		}
	}
}

func TestNotModifiedOnlyIfAsked(t *testing.T) {
	for _, tt := range []struct {
		name      string
		validator origins.Validator
		want      origins.Kind
	}{
		{"asked", origins.Validator{Origin: "o", ETag: `"x"`}, origins.NotModified},
		{"not asked", origins.Validator{}, origins.Unknown},
		{"asked about another origin's copy", origins.Validator{Origin: "p", ETag: `"x"`}, origins.Unknown},
	} {
		if _, err := ask(t, response(304, ""), origins.Request{Validator: tt.validator}); origins.KindOf(err) != tt.want || err == nil {
			t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestHeadersBecomeAttributes(t *testing.T) {
	obj, err := ask(t, response(200, "12345",
		"Content-Type", "image/jpeg", "ETag", `W/"x"`, "Last-Modified", "Fri, 02 Jan 2026 02:04:05 GMT",
		"Cache-Control", "public", "Cache-Control", "max-age=5", "Is-Private-File", "true"), origins.Request{})
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintf("%d %s %s %d %s %v", obj.Size, obj.ContentType, obj.ETag, obj.Modified.Unix(), obj.CacheControl, obj.Private)
	if want := `5 image/jpeg W/"x" 1767319445 public, max-age=5 true`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	obj, err = ask(t, response(200, "", "Last-Modified", "yesterday", "Is-Private-File", "no"), origins.Request{})
	if err != nil || !obj.Modified.IsZero() || obj.Private || obj.ETag != "" || obj.Size != 0 {
		t.Errorf("got %+v, %v, want nothing known but the size", obj, err)
	}
}

func TestPartOfACompressedFormIsFetchedWhole(t *testing.T) {
	varied := bytes.Repeat([]byte("picture "), 5000)
	asked := 0
	o := newOrigin(t, Config{BaseURL: "https://example.com", Transport: roundTrip(func(r *http.Request) *http.Response {
		asked++
		if r.Header.Get("Range") != "" {
			return response(206, "xyz", "Content-Encoding", "gzip", "Content-Range", "bytes 2-4/100")
		}
		return response(200, string(compress(varied, gzip.BestSpeed)), "Content-Encoding", "gzip")
	})})
	obj, err := o.Open(t.Context(), origins.Request{Key: "a.svg", Range: &origins.Range{Start: 2, Length: 3}})
	if err != nil {
		t.Fatal(err)
	}
	defer obj.Body.Close()
	if content, err := io.ReadAll(obj.Body); !bytes.Equal(content, varied) || err != nil || obj.Range != nil || asked != 2 {
		t.Errorf("got %d bytes, %v, range %v after %d requests", len(content), err, obj.Range, asked)
	}
}
