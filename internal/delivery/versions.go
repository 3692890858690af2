package delivery

import (
	"net/url"
	"strings"
)

// Versions returns what of a raw query says that the original is a new one: the pairs called v, version and updatedAt, in
// their order. They are no part of keys; a value that wasn't seen yet has the original's origin asked.
func Versions(query string) string {
	versions, _ := splitVersions(query)
	return versions
}

// splitVersions parts the pairs of a raw query.
func splitVersions(query string) (versions, rest string) {
	if !strings.Contains(query, "v") && !strings.Contains(query, "%") && !strings.Contains(query, "updatedAt") {
		return "", query
	}
	var lists [2][]string
	for pair := range strings.SplitSeq(query, "&") {
		raw, _, _ := strings.Cut(pair, "=")
		name, err := url.PathUnescape(raw)
		i := 1
		if err == nil && (name == "v" || name == "version" || name == "updatedAt") {
			i = 0
		}
		lists[i] = append(lists[i], pair)
	}
	return strings.Join(lists[0], "&"), strings.Join(lists[1], "&")
}
