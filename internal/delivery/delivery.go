// Package delivery is the straight line from an address to finished bytes: fetch the original, see what it is, plan,
// render. It knows no HTTP and no Caddy. Each stage is a [Deliverer]; the terminal one is [Render].
package delivery

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax"
)

// Deliverer answers "give me finished bytes". Implementations are safe for concurrent use.
type Deliverer interface {
	// Deliver returns the response to req; the caller closes it. Errors are *origins.Error, *syntax.Error,
	// *plan.LimitError, *transform.Error, *BudgetError, ErrNoStill or ErrPrivate.
	Deliver(ctx context.Context, req *Request) (*Response, error)
}

// Endpoint is what the stages need to know of a URL endpoint. It is not changed after it is made.
type Endpoint struct {
	Name         string
	Origin       origins.Origin // its origins, as one
	Formats      []plan.Format  // candidates of f-auto, best first; empty is webp
	Quality      int            // 1…100; 0 is 80
	QualityExact bool           // the quality holds for pictures of less quality too
	SaveData     int            // quality for clients that save data, 1…100; 0: as for the others
	Smallest     bool           // of the formats that suit, the smallest file and not the first
	DefaultImage string         // key of the picture that stands in where no origin has the file; "" is none
	Untouched    bool           // where the engine fails, the original is sent as it is
	Variants     Budget
	Limits       Limits
	Keeping      Keeping

	// Always is done to every picture, after what was asked for. It holds no orig-true; requests of an endpoint that has
	// it must not, either. Its items have no place (-1).
	Always syntax.Chain
}

// Limits bound one request. Zero is no limit.
type Limits struct {
	plan.Limits
	SourceSize int64         // bytes of an original that is transformed; pass-through files are not held and not bound
	Timeout    time.Duration // fetching, waiting and rendering together, until the first byte
}

// ErrPrivate is the error of asking for what an origin marks as private by a request that may not see it.
var ErrPrivate = errors.New("the origin marks the file as private, and the URL is neither signed nor of named transformations alone")

// refuses reports whether the request may not see an original.
func (r *Request) refuses(a origins.Attributes) bool { return r.Public && a.Private }

// Request asks for one picture or file of an endpoint.
type Request struct {
	Endpoint *Endpoint
	Key      string       // as origins.Request.Key
	Chain    syntax.Chain // empty: as the endpoint delivers it by default
	Still    bool         // a still picture of one page, the one that Chain says, is asked for: never another kind of file
	Accept   plan.Set     // formats that the client's Accept header names
	Width    int          // how wide the client shows the picture, in pixels of its screen; 0 is unknown
	DPR      float64      // the pixel ratio of the client's screen; 0 is unknown
	SaveData bool         // the client asks for less data
	Query    string       // raw query that origins may see
	Versions string       // what of the client's query says that the original is a new one; see Versions
	Host     string       // the client's Host
	From     string       // as origins.Request.From
	Public   bool         // anybody can make it: what its origin marks as private is refused (ErrPrivate), before anything is made of it, and Endpoint.Variants holds

	// Range is the part that the client will read, if it said so: no more of a pass-through file is then asked of the
	// origin. Length 0 is nothing at all, for HEAD.
	Range *origins.Range
}

// Response is finished bytes and what is known of them.
type Response struct {
	// Content is the body. Where the size is known it seeks, and parts that are skipped are not fetched.
	Content io.ReadSeekCloser
	Size    int64 // bytes; -1 is unknown, and then Content doesn't seek

	ContentType string
	ETag        string // strong and quoted, "" if the original has no validator
	Modified    time.Time
	Origin      origins.Attributes // of the original
	Transformed bool               // Content was encoded by us
	Image       bool               // Content is a picture
	Unsupported bool               // a transformation was asked of what is not a picture; Content is the original
	Vary        plan.Vary          // what of the client could have changed the answer
	Warnings    []string           // for ik-warning

	Format        plan.Format // of a picture
	Width, Height int         // of a transformed picture
	Plan          plan.Plan   // what was done
	Missing       error       // the default image stands in: why
	Failed        error       // the original is sent as it is, in place of what was asked for: why
	Source        string      // the original's name in stores, by which caches in front purge it too
	How           How
	Timing        Timing
}

// Timing says where the time went.
type Timing struct {
	Cache          time.Duration // looking for it in stores
	Download       time.Duration // opening and reading the original
	Queue          time.Duration // waiting for a slot
	Transformation time.Duration // decoding, painting, encoding
}

// Close closes Content.
func (r *Response) Close() error { return r.Content.Close() }
