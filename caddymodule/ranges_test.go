package caddymodule

import (
	"net/http"
	"testing"

	"github.com/imageorigin/imageorigin/origins"
)

func TestWantedRangeIsAHint(t *testing.T) {
	for _, tt := range []struct {
		method, value string
		want          *origins.Range
	}{
		{"GET", "", nil},
		{"HEAD", "", &origins.Range{}},
		{"GET", "bytes=0-99", &origins.Range{Start: 0, Length: 100}},
		{"GET", "bytes=100-", &origins.Range{Start: 100, Length: -1}},
		{"GET", "bytes=-100", &origins.Range{}},
		{"GET", "bytes=5-1", nil},
		{"GET", "Bytes = 5-", nil},
		{"GET", "BYTES=5-", &origins.Range{Start: 5, Length: -1}},
		{"GET", "bytes=0-9,20-29", &origins.Range{}},
		{"GET", "lines=1-2", nil},
	} {
		r, err := http.NewRequest(tt.method, "http://example.com/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if tt.value != "" {
			r.Header.Set("Range", tt.value)
		}
		got := wantedRange(r)
		if (got == nil) != (tt.want == nil) || got != nil && *got != *tt.want {
			t.Errorf("%s %q: got %v, want %v", tt.method, tt.value, got, tt.want)
		}
	}
}

func TestRangesThatMeanNothingAreIgnored(t *testing.T) {
	for _, tt := range []struct{ value, want string }{
		{"bytes=0-5", "bytes=0-5"},
		{"Bytes=0-5, -3", "bytes=0-5, -3"},
		{"bytes=-0", "bytes=9223372036854775807-"},
		{"bytes=0-5,-00, -0 ,1-2", "bytes=0-5,9223372036854775807-,9223372036854775807-,1-2"},
		{"items=0-5", ""},
		{"bytes", ""},
		{"bytes=", ""},
		{"bytes=-", ""},
		{"bytes=abc", ""},
		{"bytes=+1-2", ""},
		{"bytes=5-2", ""},
		{"bytes=1-99999999999999999999", ""},
		{"bytes=0-0,1-1,2-2,3-3,4-4,5-5", ""},
	} {
		r := &http.Request{Method: http.MethodGet, Header: http.Header{"Range": {tt.value}}}
		normaliseRange(r)
		if got := r.Header.Get("Range"); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.value, got, tt.want)
		}
	}
}

func TestRangesBehindTheEndAreUnsatisfiable(t *testing.T) {
	for _, tt := range []struct {
		value string
		size  int64
		want  bool
	}{
		{"bytes=9-", 10, false},
		{"bytes=10-", 10, true},
		{"bytes=-0", 10, true},
		{"bytes=-20", 10, false},
		{"bytes=-1", 0, true},
		{"bytes=0-", 0, true},
		{"bytes=10-,0-1", 10, false},
		{"bytes=10-", -1, false},
		{"nonsense", 10, false},
	} {
		r := &http.Request{Method: http.MethodGet, Header: http.Header{"Range": {tt.value}}}
		if got := unsatisfiable(r, tt.size); got != tt.want {
			t.Errorf("%q of %d: got %v, want %v", tt.value, tt.size, got, tt.want)
		}
	}
}
