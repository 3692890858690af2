package imageurl

import (
	"net/url"
	"strings"
)

// Transformed reports whether path and query of a URL, as [Parse] takes them, carry a transformation, right or wrong.
func Transformed(escaped, query string) bool {
	for raw := range strings.SplitSeq(escaped, "/") {
		if segment, err := url.PathUnescape(raw); err == nil && strings.HasPrefix(segment, "tr:") {
			return true
		}
	}
	for pair := range strings.SplitSeq(query, "&") {
		raw, _, _ := strings.Cut(pair, "=")
		if name, err := url.PathUnescape(raw); err == nil && name == "tr" {
			return true
		}
	}
	return false
}
