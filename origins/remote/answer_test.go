package remote

import (
	"io"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/origins"
)

// answer returns an answer whose body is as long as announced.
func answer(body, encoding string) Answer {
	return Answer{Body: io.NopCloser(strings.NewReader(body)), Length: int64(len(body)), Encoding: encoding}
}

func TestPartsAreTheOnesThatWereAskedFor(t *testing.T) {
	for _, tt := range []struct {
		name     string
		asked    origins.Range
		header   string
		body     string
		length   int64 // as announced; 0: that of body
		want     *origins.Range
		size     int64
		fails    bool // on opening
		breaks   bool // on reading
		unranged bool // the request has no range
		whole    bool // the answer is no part
	}{
		{name: "exact", asked: origins.Range{Start: 2, Length: 3}, header: "bytes 2-4/10", body: "234", want: &origins.Range{Start: 2, Length: 3}, size: 10},
		{name: "open-ended", asked: origins.Range{Start: 7, Length: -1}, header: "bytes 7-9/10", body: "789", want: &origins.Range{Start: 7, Length: 3}, size: 10},
		{name: "over the end", asked: origins.Range{Start: 7, Length: 100}, header: "bytes 7-9/10", body: "789", want: &origins.Range{Start: 7, Length: 3}, size: 10},
		{name: "unknown size", asked: origins.Range{Start: 2, Length: 3}, header: "bytes 2-4/*", body: "234", want: &origins.Range{Start: 2, Length: 3}, size: -1},
		{name: "without a length", asked: origins.Range{Start: 2, Length: 3}, header: "bytes 2-4/10", body: "234", length: -1, want: &origins.Range{Start: 2, Length: 3}, size: 10},
		{name: "the whole instead", asked: origins.Range{Start: 2, Length: 3}, whole: true, body: "0123456789", size: 10},
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
			a := answer(tt.body, "")
			a.Partial, a.Range = !tt.whole, tt.header
			if tt.length != 0 {
				a.Length = tt.length
			}
			req := origins.Request{Key: "a.jpg", Range: &tt.asked}
			if tt.unranged {
				req.Range = nil
			}
			obj, err := Object(t.Context(), req, a)
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

func TestRangesThatNoObjectHoldsAreInvalid(t *testing.T) {
	for _, tt := range []struct {
		name  string
		asked *origins.Range
		ok    bool
	}{
		{"the whole", nil, true},
		{"a part", &origins.Range{Start: 5, Length: 1}, true},
		{"up to the end", &origins.Range{Start: 5, Length: -1}, true},
		{"no byte", &origins.Range{Start: 5}, false},
		{"before the start", &origins.Range{Start: -1, Length: 1}, false},
		{"a length below zero", &origins.Range{Length: -2}, false},
	} {
		err := CheckRange(origins.Request{Key: "a.jpg", Range: tt.asked})
		if (err == nil) != tt.ok || err != nil && origins.KindOf(err) != origins.Invalid {
			t.Errorf("%s: got %v", tt.name, err)
		}
	}
}
