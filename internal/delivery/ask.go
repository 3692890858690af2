package delivery

import (
	"context"
	"time"

	"github.com/imageorigin/imageorigin/transform/plan"
)

// Source returns the name of the original in stores: "<fingerprint>/<key>".
func (r *Request) Source() string { return r.source(r.Key) }

func (r *Request) source(key string) string { return r.Endpoint.Keeping.Fingerprint + "/" + key }

// aside stands for what else decides which original is meant; "" is nothing. Values that only say that the original is a
// new one are no part of it.
func (r *Request) aside() string {
	k, query, host := r.Endpoint.Keeping, "", ""
	if k.QueryCounts {
		_, query = splitVersions(r.Query)
	}
	if k.HostCounts {
		host = r.Host
	}
	if query == "" && host == "" {
		return ""
	}
	return digest(query, host)
}

// ask is one request on its way.
type ask struct {
	*Cache
	req   *Request
	keep  *Keeping
	key   string
	name  name
	chain string // canonical text
	start time.Time

	client  context.Context // ends when the client leaves
	known   *known          // of the original; nil is nothing
	due     bool            // its origins were due to be asked
	reload  bool            // what is known of the original can't be had
	anew    bool            // and what they said before the request came is not good enough
	stuck   bool            // they could not, and the original is the one that was kept
	holding *original       // that the request shares
	part    part            // in the last flight
	miss    *miss           // its place among those under way; nil: nobody needs to be waited for
}

func (c *Cache) ask(req *Request, key string) *ask {
	return &ask{
		Cache: c, req: req, keep: &req.Endpoint.Keeping, key: key,
		name: name{req.source(key), req.aside()}, chain: req.Chain.String(), start: time.Now(),
	}
}

func (a *ask) knownRecord() *record {
	if a.known == nil {
		return nil
	}
	return a.known.record
}

// left is how much of the time for the request is left; 0 is no limit.
func (a *ask) left() time.Duration {
	limit := a.req.Endpoint.Limits.Timeout
	if limit <= 0 {
		return 0
	}
	return max(limit-time.Since(a.start), time.Millisecond)
}

// clock bounds work for the request by the time that is left for it.
func (a *ask) clock(ctx context.Context) (context.Context, *deadline) {
	ctx, clock := withDeadline(ctx, a.left())
	clock.limit = a.req.Endpoint.Limits.Timeout
	return ctx, clock
}

// shows reports whether what the record is of is a picture to the request.
func (a *ask) shows(r *record) bool { return a.req.shows(r.Format, a.engine.Readable()) }

// flaw names why nothing can be made of the original. What is wrong with the stills of a document is nothing to those who
// ask for the document.
func (a *ask) flaw() string {
	if a.req.wantsStill() {
		return a.name.flaw("still")
	}
	return a.name.flaw("")
}

// forResult reports whether an original is fetched to make something of it, as far as that is known: of one that nothing is
// known of yet it is taken to be so.
func (a *ask) forResult() bool {
	r := a.knownRecord()
	return !plan.WantsOriginal(a.req.Chain) && (r == nil || a.shows(r))
}
