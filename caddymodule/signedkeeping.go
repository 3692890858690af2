package caddymodule

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/imageorigin/imageorigin/internal/delivery"
)

// noCopies is what all caches are told about private originals, and what is made of them.
const noCopies = "private, no-store"

// boundKeeping lets nobody keep an answer who may not: neither one of a private original nor, when its time is over, a
// signed one. It holds for what the site has set, too.
func (x *exchange) boundKeeping(h http.Header, resp *delivery.Response) {
	switch {
	case resp.Origin.Private:
		forgetDirections(h)
		h.Set("Cache-Control", noCopies)
		h.Del("Expires")
		h.Del("Age")
	case x.signed.ends():
		boundSigned(h, x.signed.left(time.Now()))
	}
}

// left returns for how many seconds the signature holds from now on.
func (s signed) left(now time.Time) int64 { return max(s.expires-now.Unix(), 0) }

// boundSigned changes headers so that no cache that obeys them keeps the answer longer than so many seconds. A time that
// counts from before now (Age) is then one that counts from now: it would end too late else.
func boundSigned(h http.Header, left int64) {
	age, _ := strconv.ParseInt(h.Get("Age"), 10, 64)
	for name, values := range h {
		if directsCaches(name) {
			h.Set(name, boundedAged(strings.Join(values, ", "), left, age))
		}
	}
	h.Del("Expires") // old caches may count by it
	h.Del("Age")
}

// forgetDirections removes all that tells caches what to do.
func forgetDirections(h http.Header) {
	for name := range h {
		if directsCaches(name) {
			h.Del(name)
		}
	}
}

// directsCaches reports whether a header, in canonical form, has directives for caches: all, or those that sites name, which
// then obey that header alone (RFC 9213, and Surrogate-Control before it).
func directsCaches(name string) bool {
	return name == "Cache-Control" || strings.HasSuffix(name, "-Cache-Control") || name == "Surrogate-Control"
}

// bounded returns a Cache-Control value that lets nobody keep an answer longer than left seconds.
func bounded(control string, left int64) string { return boundedAged(control, left, 0) }

// boundedAged returns a value by whose times an answer of now is kept as long as one of that age is by those of control, but
// no longer than left seconds. Caches that may send what is stale (RFC 5861) would do so beyond that, and those that are told
// no time may choose their own (RFC 9111 §4.2.2).
func boundedAged(control string, left, age int64) string {
	if secrecy(control) == "no-store" {
		return control
	}
	var kept []string
	timed, strict := false, false
	for directive := range strings.SplitSeq(control, ",") {
		directive = strings.TrimSpace(directive)
		name, value, _ := strings.Cut(directive, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		switch strings.ToLower(name) {
		case "":
			continue
		case "stale-while-revalidate", "stale-if-error":
			continue
		case "max-age", "s-maxage":
			timed = timed || strings.EqualFold(name, "max-age")
			seconds, err := strconv.ParseInt(strings.Trim(value, `"`), 10, 64)
			if err != nil || seconds < 0 {
				seconds = 0 // RFC 9111 §4.2.1: what can't be read is stale
			}
			directive = name + "=" + strconv.FormatInt(min(max(seconds-age, 0), left), 10)
		case "must-revalidate":
			strict = true
		}
		kept = append(kept, directive)
	}
	if !timed {
		kept = append(kept, "max-age="+strconv.FormatInt(left, 10))
	}
	if !strict {
		kept = append(kept, "must-revalidate")
	}
	return strings.Join(kept, ", ")
}
