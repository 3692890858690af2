package caddymodule

import (
	"net/http"
	"strconv"
	"strings"

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
