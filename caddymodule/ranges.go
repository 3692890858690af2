package caddymodule

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/imageorigin/imageorigin/origins"
)

// maxRanges is how many ranges of one file a request may ask for; with more it gets the whole (RFC 9110 §14.2 lets a
// server ignore ranges). Each may cost a request to the origin.
const maxRanges = 5

// byteRange is one item of a Range header (RFC 9110 §14.1.2).
type byteRange struct {
	first, last int64 // -1 where it stands for none: "5-" has no last, "-5" no first
}

// rangesOf reads the Range header; ok is false where it is absent, malformed or of another unit than bytes, all of which
// a server ignores (§14.2).
func rangesOf(r *http.Request) (ranges []byteRange, ok bool) {
	unit, specs, ok := strings.Cut(r.Header.Get("Range"), "=")
	if !ok || !strings.EqualFold(unit, "bytes") {
		return nil, false
	}
	for spec := range strings.SplitSeq(specs, ",") {
		b, ok := parseRange(strings.TrimSpace(spec))
		if !ok || len(ranges) == maxRanges {
			return nil, false
		}
		ranges = append(ranges, b)
	}
	return ranges, true
}

func parseRange(spec string) (byteRange, bool) {
	first, last, ok := strings.Cut(spec, "-")
	b := byteRange{-1, -1}
	for _, part := range []struct {
		text string
		to   *int64
	}{{first, &b.first}, {last, &b.last}} {
		if part.text == "" {
			continue
		}
		v, err := strconv.ParseUint(part.text, 10, 63)
		if err != nil {
			return b, false
		}
		*part.to = int64(v)
	}
	return b, ok && (b.first >= 0 || b.last >= 0) && (b.first < 0 || b.last < 0 || b.first <= b.last)
}

// normaliseRange leaves a Range header only where it will be obeyed, written as net/http reads it.
func normaliseRange(r *http.Request) {
	if r.Header.Get("Range") == "" {
		return
	}
	ranges, ok := rangesOf(r)
	if !ok || r.Method != http.MethodGet {
		r.Header.Del("Range") // §14.2: ranges mean something to GET alone
		return
	}
	_, specs, _ := strings.Cut(r.Header.Get("Range"), "=")
	if slices.Contains(ranges, byteRange{-1, 0}) {
		// No range is the last 0 bytes (§14.1.2), but net/http sends a part from behind the end to before it.
		list := strings.Split(specs, ",")
		for i, b := range ranges {
			if b == (byteRange{-1, 0}) {
				list[i] = behindAll
			}
		}
		specs = strings.Join(list, ",")
	}
	r.Header.Set("Range", "bytes="+specs)
}

// behindAll is a range that no file holds.
const behindAll = "9223372036854775807-"

// wantedRange returns the part of the file that the client will read, if it is a single range from a given byte; HEAD
// reads nothing. It is a hint for the fetch: net/http does the answering.
func wantedRange(r *http.Request) *origins.Range {
	if r.Method == http.MethodHead {
		return &origins.Range{}
	}
	ranges, ok := rangesOf(r)
	switch {
	case !ok:
		return nil
	case len(ranges) > 1 || ranges[0].first < 0: // where it begins isn't known before the size is
		return &origins.Range{}
	case ranges[0].last < 0:
		return &origins.Range{Start: ranges[0].first, Length: -1}
	}
	return &origins.Range{Start: ranges[0].first, Length: ranges[0].last - ranges[0].first + 1}
}

// unsatisfiable reports whether none of the ranges asked for lies in a file of size bytes. Where the request has
// conditions, net/http judges both together.
func unsatisfiable(r *http.Request, size int64) bool {
	ranges, ok := rangesOf(r)
	if !ok || size < 0 {
		return false
	}
	for _, condition := range []string{"If-Range", "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"} {
		if r.Header.Get(condition) != "" {
			return false
		}
	}
	for _, b := range ranges {
		if b.first >= 0 && b.first < size || b.first < 0 && b.last > 0 && size > 0 {
			return false
		}
	}
	return true
}
