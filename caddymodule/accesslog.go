package caddymodule

import (
	"strconv"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/imageorigin/imageorigin/internal/delivery"
)

// note tells the rest of Caddy what the handler did: one object in the access log, and placeholders.
func (x *exchange) note() {
	ctx := x.r.Context()
	if extra, ok := ctx.Value(caddyhttp.ExtraLogFieldsCtxKey).(*caddyhttp.ExtraLogFields); ok {
		extra.Set(zap.Object("imageorigin", x))
	}
	if repl, ok := ctx.Value(caddy.ReplacerCtxKey).(*caddy.Replacer); ok {
		x.offerPlaceholders(repl)
	}
}

// MarshalLogObject implements zapcore.ObjectMarshaler.
func (x *exchange) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	enc.AddString("endpoint", x.endpointName())
	enc.AddString("key", x.address.Key)
	if len(x.address.Chain) > 0 {
		enc.AddString("transform", x.address.Chain.String())
	}
	if x.code != "" {
		enc.AddString("error", x.code)
	}
	if x.passed {
		enc.AddBool("passed", true)
	}
	r := x.response
	if r == nil {
		return nil
	}
	enc.AddString("origin", r.Origin.Origin)
	if r.Image {
		enc.AddString("format", r.Format.String())
	}
	if r.Width > 0 {
		enc.AddInt("width", r.Width)
		enc.AddInt("height", r.Height)
	}
	if r.Origin.Degraded {
		enc.AddBool("degraded", true)
	}
	word := cacheWord(r)
	enc.AddString("cache", word)
	if word != cacheBypass {
		enc.AddFloat64("cache_ms", milliseconds(r.Timing.Cache))
	}
	if !r.How.Hit {
		enc.AddFloat64("download_ms", milliseconds(r.Timing.Download))
	}
	if r.Timing.Queue >= leastQueue {
		enc.AddFloat64("queue_ms", milliseconds(r.Timing.Queue))
	}
	if r.Timing.Transformation > 0 {
		enc.AddFloat64("transformation_ms", milliseconds(r.Timing.Transformation))
	}
	return nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// subject is the request that the placeholders speak of. They are made when they are asked for, which they rarely are.
type subject struct{ *exchange }

// placeholders begins the names of our placeholders; by itself it is the name of the subject, which has no text.
const placeholders = "http.imageorigin."

// String implements fmt.Stringer.
func (*subject) String() string { return "" }

// offerPlaceholders lets repl know our placeholders. Where another handler of ours has done so before, it has passed the
// request on, or failed: from now on they are about x.
func (x *exchange) offerPlaceholders(repl *caddy.Replacer) {
	if before, ok := repl.Get(placeholders); ok {
		before.(*subject).exchange = x
		return
	}
	t := &subject{x}
	repl.Map(func(key string) (any, bool) {
		name, ours := strings.CutPrefix(key, placeholders)
		switch {
		case !ours:
			return nil, false
		case name == "":
			return t, true
		}
		return t.placeholder(name)
	})
}

// placeholder returns the value of {http.imageorigin.<name>}.
func (x *exchange) placeholder(name string) (value any, known bool) {
	switch name {
	case "endpoint":
		return x.endpointName(), true
	case "key":
		return x.address.Key, true
	case "transform":
		return x.address.Chain.String(), true
	case "error":
		return x.code, true
	}
	r := x.response
	if r == nil {
		r = new(delivery.Response)
	}
	switch name {
	case "origin":
		return r.Origin.Origin, true
	case "degraded":
		return strconv.FormatBool(r.Origin.Degraded), true
	case "format":
		if !r.Image {
			return "", true
		}
		return r.Format.String(), true
	case "width":
		return side(r.Width), true
	case "height":
		return side(r.Height), true
	case "cache":
		if x.response == nil {
			return "", true
		}
		return cacheWord(r), true
	}
	return nil, false
}

// side is a width or a height in text; "" if it isn't known.
func side(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
