package caddymodule

import (
	"strconv"
	"strings"
	"time"

	"github.com/imageorigin/imageorigin/internal/delivery"
	"github.com/imageorigin/imageorigin/origins"
)

// The words for how an answer came about, in Server-Timing, the access log and {http.imageorigin.cache}.
const (
	cacheHit       = "hit"       // from a store
	cacheStale     = "stale"     // from a store, past its time
	cacheMiss      = "miss"      // made for this request
	cacheCollapsed = "collapsed" // made for another request at the same time
	cacheBypass    = "bypass"    // nothing of the kind is remembered
)

// cacheWord says in one word how an answer came about.
func cacheWord(resp *delivery.Response) string {
	how := resp.How
	switch {
	case how.Hit && how.Stale():
		return cacheStale
	case how.Hit:
		return cacheHit
	case bypassed(resp):
		return cacheBypass
	case how.Collapsed:
		return cacheCollapsed
	}
	return cacheMiss
}

// bypassed reports whether no store was asked: the endpoint remembers nothing, or nothing of the kind.
func bypassed(resp *delivery.Response) bool {
	return !resp.How.Hit && (resp.How.Forward == "" || resp.How.Forward == delivery.Bypass)
}

// cacheStatus is our member of Cache-Status (RFC 9211 §2). It names no key and no store.
func cacheStatus(resp *delivery.Response) string {
	how := resp.How
	switch {
	case how.Hit && !how.Known:
		return "imageorigin; hit"
	case how.Hit:
		text := append(make([]byte, 0, 48), "imageorigin; hit; ttl="...)
		return string(strconv.AppendInt(text, wholeSeconds(how.TTL), 10))
	case bypassed(resp):
		return "imageorigin; fwd=bypass"
	}
	text := "imageorigin; fwd=" + string(how.Forward)
	if how.Stored {
		text += "; stored"
	}
	if how.Collapsed {
		text += "; collapsed"
	}
	if how.Stuck {
		text += "; ttl=" + strconv.FormatInt(wholeSeconds(how.TTL), 10)
	}
	return text
}

// wholeSeconds rounds down, so that what is stale never reads as fresh: half a second past its time is -1.
func wholeSeconds(d time.Duration) int64 {
	s := int64(d / time.Second)
	if d%time.Second < 0 {
		s--
	}
	return s
}

// serverTiming reports where the time went, in milliseconds (W3C Server Timing); "" if nothing took any.
func serverTiming(resp *delivery.Response) string {
	text := make([]byte, 0, 128)
	add := func(metric string, d time.Duration) {
		if len(text) > 0 {
			text = append(text, ", "...)
		}
		text = append(text, metric...)
		text = append(text, ";dur="...)
		text = strconv.AppendFloat(text, milliseconds(d), 'f', 1, 64)
	}
	word, t := cacheWord(resp), resp.Timing
	if word != cacheBypass {
		add("cache;desc="+word, t.Cache)
	}
	if resp.How.Hit {
		return string(text)
	}
	if t.Download > 0 || word == cacheBypass {
		add("download", t.Download)
	}
	if t.Queue >= leastQueue {
		add("queue", t.Queue)
	}
	if t.Transformation > 0 {
		add("transformation", t.Transformation)
	}
	return string(text)
}

// leastQueue is the shortest wait for a slot that is told: a shorter one reads as 0.0 ms.
const leastQueue = 50 * time.Microsecond

// The forms in which CDNs read tags: the endpoint's option cdn_tags.
const (
	cacheTag     = "cache-tag"     // Cache-Tag: a,b,c
	surrogateKey = "surrogate-key" // Surrogate-Key: a b c
)

// cdnTags returns the header by which a CDN in front can purge an answer, and its value; "" without one.
func (x *exchange) cdnTags(resp *delivery.Response) (name, value string) {
	separator := ""
	switch x.endpoint.config.CDNTags {
	case cacheTag:
		name, separator = "Cache-Tag", ","
	case surrogateKey:
		name, separator = "Surrogate-Key", " "
	default:
		return "", ""
	}
	return name, strings.Join(tagsOf(x.endpoint.name, resp.Source, resp.Origin), separator)
}

// tagsOf returns the words by which an answer can be purged: of its original, of its endpoint, of its origin.
func tagsOf(endpoint, source string, a origins.Attributes) []string {
	var tags []string
	if source != "" {
		tags = append(tags, sourceTag(source))
	}
	tags = append(tags, endpointTag(endpoint))
	for word := range strings.FieldsSeq(a.Tags) {
		if origins.IsTag(word) { // guests may not have asked
			tags = append(tags, word)
		}
	}
	return tags
}
