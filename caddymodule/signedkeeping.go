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
		h.Set("Cache-Control", noCopies)
		h.Del("Cdn-Cache-Control")
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
	for _, name := range []string{"Cache-Control", "Cdn-Cache-Control"} {
		if value := strings.Join(h.Values(name), ", "); value != "" {
			h.Set(name, boundedAged(value, left, age))
		}
	}
	h.Del("Age")
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
