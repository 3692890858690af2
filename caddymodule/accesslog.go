package caddymodule

import (
	"strconv"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// note tells the rest of Caddy what the handler did: one object in the access log, and placeholders.
func (x *exchange) note() {
	ctx := x.r.Context()
	if extra, ok := ctx.Value(caddyhttp.ExtraLogFieldsCtxKey).(*caddyhttp.ExtraLogFields); ok {
		extra.Set(zap.Object("imageorigin", x))
	}
	if repl, ok := ctx.Value(caddy.ReplacerCtxKey).(*caddy.Replacer); ok {
		x.setPlaceholders(repl)
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
	enc.AddFloat64("download_ms", milliseconds(r.Timing.Download))
	if r.Timing.Transformation > 0 {
		enc.AddFloat64("transformation_ms", milliseconds(r.Timing.Transformation))
	}
	return nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func (x *exchange) setPlaceholders(repl *caddy.Replacer) {
	set := func(name, value string) { repl.Set("http.imageorigin."+name, value) }
	set("endpoint", x.endpointName())
	set("key", x.address.Key)
	set("transform", x.address.Chain.String())
	set("error", x.code)
	var origin, format, width, height string
	degraded := false
	if r := x.response; r != nil {
		origin, degraded = r.Origin.Origin, r.Origin.Degraded
		if r.Image {
			format = r.Format.String()
		}
		if r.Width > 0 {
			width, height = strconv.Itoa(r.Width), strconv.Itoa(r.Height)
		}
	}
	set("origin", origin)
	set("format", format)
	set("width", width)
	set("height", height)
	set("degraded", strconv.FormatBool(degraded))
}
