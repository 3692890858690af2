package delivery

import (
	"time"

	"github.com/imageorigin/imageorigin/caches"
	"github.com/imageorigin/imageorigin/origins"
)

// Keeping says what an endpoint remembers, where, and for how long. The zero Keeping remembers nothing.
type Keeping struct {
	// Fingerprint begins the names of the endpoint's originals in stores. Endpoints that ask the same origins in the same
	// way have the same, and share what they keep; one that is pointed elsewhere has another.
	Fingerprint string

	Results   caches.Store // what was made of pictures, and what is known of originals; nil: nothing is remembered
	Originals caches.Store // originals that are pictures; nil: none
	Files     caches.Store // other files, which pass through; nil: none

	MaxAge       time.Duration // an original counts as current for so long without its origin being asked
	Obey         bool          // where the origin's Cache-Control says how long, that counts instead of MaxAge
	Stale        time.Duration // and for so long afterwards it is sent all the same while the origin is asked (RFC 5861 §3)
	StaleIfError time.Duration // or while no origin can be asked (RFC 5861 §4)
	Degraded     time.Duration // in place of MaxAge where an origin that could not answer was passed over
	Miss         time.Duration // for so long a damaged picture isn't tried again

	// Origins are the names of the endpoint's origins, in the order in which they are asked, and Canonical the bases of
	// their canonical URLs, "" of those without; nil: they are as when the original was fetched.
	Origins, Canonical []string

	// Locals are the origins on this machine, in the order of all: they are asked at each request, which costs next to
	// nothing. Those before the origin that had the original are asked whether they have it by now, unless Unordered.
	Locals    []Local
	Unordered bool // the order of the origins isn't always kept (prefer_last_good)

	QueryCounts bool // some origin sees Request.Query
	HostCounts  bool // some origin sees Request.Host
}

// Local is an origin on this machine.
type Local struct {
	Name   string
	Place  int // among all origins of the endpoint, from 0
	Origin origins.Origin

	// Holds reports whether the original is certainly still the version that v names, at less cost than Origin; nil: that
	// can't be told.
	Holds func(key string, v origins.Validator) bool
}

// How says how a response came about, as Cache-Status tells it (RFC 9211 §2).
type How struct {
	Hit       bool   // from a store: nothing was fetched or made
	Forward   Reason // why not
	Stored    bool   // what was made is kept
	Collapsed bool   // another request's work was waited for

	Stuck bool // of an original that was kept, for its origin could not be asked

	Known bool          // Age and TTL are known
	Age   time.Duration // since the original was last known to be current (Age, RFC 9111 §5.1)
	TTL   time.Duration // until its origin is asked again; below 0 the response is stale
}

// Stale reports whether the original may have changed: its origin was due to be asked.
func (h How) Stale() bool { return h.Known && h.TTL < 0 }

// Reason says why a response did not come from a store, in the words of RFC 9211 §2.2.
type Reason string

// The reasons.
const (
	Bypass  Reason = "bypass"   // nothing of the kind is kept
	URIMiss Reason = "uri-miss" // nothing is known of the original
	Miss    Reason = "miss"     // of the original this was never made
	Expired Reason = "stale"    // the original was due to be asked for, and had changed
)
