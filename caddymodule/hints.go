package caddymodule

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// negotiable are the formats that clients name in Accept (RFC 9110 §12.5.1) when they can show them. The wildcards
// image/* and */* say nothing: every client sends them.
var negotiable = map[string]plan.Format{
	plan.JXL.MediaType():  plan.JXL,
	plan.AVIF.MediaType(): plan.AVIF,
	plan.WebP.MediaType(): plan.WebP,
}

// acceptedFormats reduces the Accept header to a small finite set, so that headers make no cache keys.
func acceptedFormats(h http.Header) plan.Set {
	var set plan.Set
	for _, line := range h.Values("Accept") {
		for item := range strings.SplitSeq(line, ",") {
			mediaType, parameters, _ := strings.Cut(item, ";")
			format, ok := negotiable[strings.ToLower(strings.TrimSpace(mediaType))]
			if ok && !refused(parameters) {
				set = set.With(format)
			}
		}
	}
	return set
}

// refused reports whether parameters of an Accept item hold a weight of zero.
func refused(parameters string) bool {
	for parameter := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		if strings.EqualFold(name, "q") {
			weight, err := strconv.ParseFloat(value, 64)
			return err != nil || weight <= 0
		}
	}
	return false
}

// wantedRange returns the part of the file that the client will read, if it is a single range from a given byte; HEAD
// reads nothing. It is a hint for the fetch: net/http does the answering.
func wantedRange(r *http.Request) *origins.Range {
	if r.Method == http.MethodHead {
		return &origins.Range{}
	}
	spec, ok := strings.CutPrefix(r.Header.Get("Range"), "bytes=")
	if !ok {
		return nil
	}
	first, last, ok := strings.Cut(spec, "-")
	if !ok {
		return nil
	}
	start, err := strconv.ParseInt(strings.TrimSpace(first), 10, 64)
	if err != nil || start < 0 {
		return &origins.Range{} // from the end, or several: nothing is known before the size is
	}
	end, err := strconv.ParseInt(strings.TrimSpace(last), 10, 64)
	if err != nil || end < start {
		return &origins.Range{Start: start, Length: -1}
	}
	return &origins.Range{Start: start, Length: end - start + 1}
}
