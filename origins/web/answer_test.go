package web

import (
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

func TestPartsAreTheOnesThatWereAskedFor(t *testing.T) {
	for _, tt := range []struct {
		name     string
		asked    origins.Range
		status   int
		header   string
		body     string
		length   int64 // Content-Length, -2: as long as body
		want     *origins.Range
		size     int64
		fails    bool // on opening
		breaks   bool // on reading
		unranged bool // the request has no range
	}{
		{name: "exact", asked: origins.Range{Start: 2, Length: 3}, header: "bytes 2-4/10", body: "234", want: &origins.Range{Start: 2, Length: 3}, size: 10},
		{name: "open-ended", asked: origins.Range{Start: 7, Length: -1}, header: "bytes 7-9/10", body: "789", want: &origins.Range{Start: 7, Length: 3}, size: 10},
		{name: "over the end", asked: origins.Range{Start: 7, Length: 100}, header: "bytes 7-9/10", body: "789", want: &origins.Range{Start: 7, Length: 3}, size: 10},
		{name: "unknown size", asked: origins.Range{Start: 2, Length: 3}, header: "bytes 2-4/*", body: "234", want: &origins.Range{Start: 2, Length: 3}, size: -1},
		{name: "without a length", asked: origins.Range{Start: 2, Length: 3}, header: "bytes 2-4/10", body: "234", length: -1, want: &origins.Range{Start: 2, Length: 3}, size: 10},
		{name: "the whole instead", asked: origins.Range{Start: 2, Length: 3}, status: 200, body: "0123456789", size: 10},
		{name: "starts elsewhere", asked: origins.Range{Start: 2, Length: 3}, header: "bytes 3-5/10", body: "345", fails: true},
		{name: "shorter", asked: origins.Range{Start: 2, Length: 3}, header: "bytes 2-3/10", body: "23", fails: true},
		{name: "longer", asked: origins.Range{Start: 2, Length: 3}, header: "bytes 2-5/10", body: "2345", fails: true},
		{name: "longer, unknown size", asked: origins.Range{Start: 2, Length: 3}, header: "bytes 2-5/*", body: "2345", fails: true},
		{name: "ends early", asked: origins.Range{Start: 2, Length: -1}, header: "bytes 2-4/10", body: "234", fails: true},
		{name: "no Content-Range", asked: origins.Range{Start: 2, Length: 3}, body: "234", fails: true},
		{name: "another unit", asked: origins.Range{Start: 2, Length: 3}, header: "items 2-4/10", body: "234", fails: true},
		{name: "backwards", asked: origins.Range{Start: 2, Length: 3}, header: "bytes 4-2/10", body: "234", fails: true},
		{name: "negative", asked: origins.Range{Start: 2, Length: 3}, header: "bytes -2-4/10", body: "234", fails: true},
		{name: "signed", asked: origins.Range{Start: 2, Length: 3}, header: "bytes +2-4/10", body: "234", fails: true},
		{name: "beyond the size", asked: origins.Range{Start: 2, Length: 3}, header: "bytes 2-4/4", body: "234", fails: true},
		{name: "huge", asked: origins.Range{Start: 2, Length: 3}, header: "bytes 2-99999999999999999999/*", body: "234", fails: true},
		{name: "unsatisfied", asked: origins.Range{Start: 2, Length: 3}, header: "bytes */10", body: "", fails: true},
		{name: "multipart", asked: origins.Range{Start: 2, Length: 3}, header: "", body: "--x", fails: true},
		{name: "another Content-Length", asked: origins.Range{Start: 2, Length: 3}, header: "bytes 2-4/10", body: "23", fails: true},
		{name: "cut off", asked: origins.Range{Start: 2, Length: 3}, header: "bytes 2-4/10", body: "23", length: -1, breaks: true},
		{name: "overflowing", asked: origins.Range{Start: 2, Length: 3}, header: "bytes 2-4/10", body: "2345", length: -1, breaks: true},
		{name: "not asked for", unranged: true, header: "bytes 0-9/10", body: "0123456789", fails: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.status == 0 {
				tt.status = 206
			}
			res := response(tt.status, tt.body)
			if tt.header != "" {
				res.Header.Set("Content-Range", tt.header)
			}
			if tt.length != 0 {
				res.ContentLength = tt.length
			}
			req := origins.Request{Range: &tt.asked}
			if tt.unranged {
				req.Range = nil
			}
			obj, err := ask(t, res, req)
			if tt.fails {
				if err == nil || origins.KindOf(err) != origins.Unknown {
					t.Fatalf("got %v, want the answer refused as unknown", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			content, err := io.ReadAll(obj.Body)
			if tt.breaks {
				if err == nil || origins.KindOf(err) != origins.Unreachable {
					t.Errorf("read %q, %v, want it unreachable", content, err)
				}
				return
			}
			if string(content) != tt.body || err != nil {
				t.Errorf("read %q, %v, want %q", content, err, tt.body)
			}
			if obj.Size != tt.size || (obj.Range == nil) != (tt.want == nil) || tt.want != nil && *obj.Range != *tt.want {
				t.Errorf("got %+v of %d, want %+v of %d", obj.Range, obj.Size, tt.want, tt.size)
			}
		})
	}
}
