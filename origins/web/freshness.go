package web

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxAge is what an Age header counts for at most.
const maxAge = 365 * 24 * time.Hour

// age returns how old an answer says it is (RFC 9111 §5.1); 0 where it doesn't say, or not as a number of seconds. Of several
// numbers the first counts.
func age(h http.Header) time.Duration {
	first, _, _ := strings.Cut(h.Get("Age"), ",")
	seconds, err := strconv.ParseUint(strings.TrimSpace(first), 10, 32)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return maxAge
	case err != nil:
		return 0
	}
	return min(time.Duration(seconds)*time.Second, maxAge)
}

// cacheControl returns the Cache-Control of an answer, with what else it says about being kept in the same words, so that
// nobody behind us need read more: neither those who keep it here nor the clients, who never see the other headers.
//
//   - Expires without a max-age beside it is max-age (RFC 9111 §5.3), as much as it is behind Date; now stands in for a Date
//     that is missing. A time that makes no sense is over.
//   - Pragma: no-cache without Cache-Control is no-cache, which old servers mean by it.
//   - Vary: * is no-store: the answer was chosen by more than the request, and fits no other one (RFC 9110 §12.5.5). Every
//     other Vary is about headers that our requests have alike, and about Host, which is part of the request.
func cacheControl(h http.Header, now time.Time) string {
	text := strings.Join(h.Values("Cache-Control"), ", ")
	if strings.TrimSpace(text) == "" && has(h.Values("Pragma"), "no-cache") {
		text = "no-cache"
	}
	if expires := h.Values("Expires"); len(expires) > 0 && !has([]string{text}, "max-age") {
		text = with(text, fmt.Sprintf("max-age=%d", lifetime(expires[0], h.Get("Date"), now)))
	}
	if has(h.Values("Vary"), "*") && !has([]string{text}, "no-store") {
		text = with(text, "no-store")
	}
	return text
}

// with returns a list with one more element.
func with(list, element string) string {
	if strings.TrimSpace(list) == "" {
		return element
	}
	return list + ", " + element
}

// lifetime returns how many seconds lie between the times of two headers; 0 if the second comes first.
func lifetime(expires, date string, now time.Time) int64 {
	end, err := http.ParseTime(expires)
	if err != nil {
		return 0
	}
	if at, err := http.ParseTime(date); err == nil {
		now = at
	}
	return min(max(0, int64(end.Sub(now)/time.Second)), math.MaxInt32) // more, nobody need understand (RFC 9111 §1.2.2)
}

// has reports whether one of lists, which are those of a header, has an element called name, with a value or without.
func has(lists []string, name string) bool {
	for _, list := range lists {
		for element := range elements(list) {
			word, _, _ := strings.Cut(element, "=")
			if strings.EqualFold(strings.TrimSpace(word), name) {
				return true
			}
		}
	}
	return false
}

// elements returns those of a list between commas, where a comma in quotes is none.
func elements(list string) iter.Seq[string] {
	return func(yield func(string) bool) {
		start, quoted := 0, false
		for i := 0; i < len(list); i++ {
			switch c := list[i]; {
			case quoted && c == '\\':
				i++
			case c == '"':
				quoted = !quoted
			case c == ',' && !quoted:
				if !yield(list[start:i]) {
					return
				}
				start = i + 1
			}
		}
		yield(list[start:])
	}
}
