package caddymodule

import (
	"errors"
	"fmt"
	"html"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/imageorigin/imageorigin/internal/delivery"
	"github.com/imageorigin/imageorigin/internal/imageurl"
	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax"
)

var (
	errNoEndpoint = errors.New("no endpoint is meant by this URL, and there is no default endpoint")
	errMethod     = errors.New("pictures are asked for by GET and HEAD")
	errRange      = errors.New("the range lies behind the end of the file")
	errNotPicture = errors.New("the file is not a picture that can be transformed")
)

// The statuses of what is no picture: the APIs for purging.
const (
	statusTaken        = http.StatusCreated
	statusInvalid      = http.StatusBadRequest
	statusUnauthorized = http.StatusUnauthorized
	statusUnknown      = http.StatusNotFound
	statusMethod       = http.StatusMethodNotAllowed
	statusTooMany      = http.StatusTooManyRequests
	statusFailed       = http.StatusInternalServerError
	statusUnavailable  = http.StatusServiceUnavailable
)

// purgeStatus returns the status that says why something was not purged.
func purgeStatus(err error) int {
	if _, ok := errors.AsType[*purgeError](err); ok {
		return statusInvalid
	}
	switch {
	case errors.Is(err, errPurgesBusy):
		return statusTooMany
	case errors.Is(err, errNoConfig):
		return statusUnavailable
	}
	return statusFailed
}

// statusClientClosed is what logs and metrics see when the client went away; nobody receives it.
const statusClientClosed = 499

// fault is a row of the error table: what a failure becomes for the client and for the log.
type fault struct {
	code     string // of the ik-error header, as ImageKit's
	imagekit int    // HTTP status where error_status is imagekit, the default
	native   int    // HTTP status where error_status is native
	text     string // told to the client; "" is the error's own text, which then names only what the client sent
	level    zapcore.Level
}

// The error table.
var (
	faultMissing    = fault{"ENOENT", 404, 404, "no origin has the file", zap.DebugLevel}
	faultNoEndpoint = fault{"ENOENT", 404, 404, "no endpoint is meant by this URL", zap.DebugLevel}
	faultDenied     = fault{"EACCES", 404, 403, "an origin refused access to the file", zap.WarnLevel}
	faultPrivate    = fault{"EACCES", 401, 401, "the file is private: only signed URLs may show it", zap.InfoLevel}
	faultSignature  = fault{"EACCES", 401, 401, "", zap.InfoLevel}
	faultPolicy     = fault{"EACCES", 403, 403, "", zap.InfoLevel}
	faultRefused    = fault{"ECONNREFUSED", 404, 502, "an origin can't be reached", zap.WarnLevel}
	faultTimeout    = fault{"ETIMEDOUT", 404, 504, "an origin did not answer in time", zap.WarnLevel}
	faultOrigin     = fault{"UNIDENTIFIED", 404, 502, "an origin failed", zap.ErrorLevel}
	faultOriginSize = fault{"ELIMIT", 400, 422, "the file is larger than its origin may serve (max_size)", zap.InfoLevel}
	faultMethod     = fault{"EINVAL", 405, 405, errMethod.Error(), zap.DebugLevel}
	faultRange      = fault{"EINVAL", 416, 416, errRange.Error(), zap.DebugLevel}
	faultKey        = fault{"EINVAL", 400, 400, "the path names no file that an origin could have", zap.DebugLevel}
	faultLimit      = fault{"ELIMIT", 400, 422, "", zap.InfoLevel}
	faultInvalid    = fault{"EINVAL", 400, 400, "", zap.DebugLevel}
	faultNotPicture = fault{"EINVAL", 415, 415, errNotPicture.Error(), zap.DebugLevel}
	faultNoStill    = fault{"EINVAL", 400, 415, "", zap.DebugLevel}
	faultBroken     = fault{"EDECODE", 404, 422, "the picture's data is damaged", zap.InfoLevel}
	faultSize       = fault{"ELIMIT", 400, 422, "the picture needs more than the limits allow", zap.InfoLevel}
	faultSlow       = fault{"ELIMIT", 400, 422, "the transformation took too long (limit timeout)", zap.InfoLevel}
	faultBusy       = fault{"EBUSY", 503, 503, "too many pictures are being made; try again", zap.WarnLevel}
	faultQueue      = fault{"EBUSY", 503, 503, "too many pictures are under way (limit queue); try again", zap.WarnLevel}
	faultVariants   = fault{"ELIMIT", 429, 429, "", zap.InfoLevel}
	faultCanceled   = fault{"", statusClientClosed, statusClientClosed, "", zap.DebugLevel}
	faultInternal   = fault{"UNIDENTIFIED", 500, 500, "the server failed; its log says why", zap.ErrorLevel}
)

var originFaults = map[origins.Kind]fault{
	origins.NotExist:    faultMissing,
	origins.Denied:      faultDenied,
	origins.Unreachable: faultRefused,
	origins.Timeout:     faultTimeout,
	origins.Unknown:     faultOrigin,
	origins.NotModified: faultOrigin, // nobody asked
	origins.TooLarge:    faultOriginSize,
	origins.Invalid:     faultKey,
	origins.Canceled:    faultCanceled,
}

var engineFaults = map[transform.Kind]fault{
	transform.Internal:    faultInternal,
	transform.Unsupported: faultNotPicture,
	transform.Broken:      faultBroken,
	transform.TooLarge:    faultSize,
	transform.Overloaded:  faultBusy,
	transform.Timeout:     faultSlow,
	transform.Canceled:    faultCanceled,
}

// faultOf finds the row for err.
func faultOf(err error) fault {
	switch {
	case errors.Is(err, errNoEndpoint):
		return faultNoEndpoint
	case errors.Is(err, errMethod):
		return faultMethod
	case errors.Is(err, errRange):
		return faultRange
	case errors.Is(err, errNotPicture):
		return faultNotPicture
	case errors.Is(err, delivery.ErrPrivate):
		return faultPrivate
	case errors.Is(err, errUnsigned):
		return faultSignature
	case errors.Is(err, errUnnamed), errors.Is(err, errUntouched):
		return faultPolicy
	case errors.Is(err, delivery.ErrNoStill):
		return faultNoStill
	case errors.Is(err, delivery.ErrBusy):
		return faultQueue
	}
	if _, ok := errors.AsType[*delivery.BudgetError](err); ok {
		return faultVariants
	}
	if e, ok := errors.AsType[*origins.Error](err); ok {
		return originFaults[e.Kind]
	}
	if _, ok := errors.AsType[*plan.LimitError](err); ok { // a gate's, too, which says more than its kind
		return faultLimit
	}
	if e, ok := errors.AsType[*transform.Error](err); ok {
		return engineFaults[e.Kind]
	}
	if e, ok := errors.AsType[*syntax.Error](err); ok {
		if e.Limit {
			return faultLimit
		}
		return faultInvalid
	}
	if _, ok := errors.AsType[*imageurl.SignatureError](err); ok {
		return faultSignature
	}
	if _, ok := errors.AsType[*imageurl.Error](err); ok {
		return faultInvalid
	}
	return faultInternal
}

// notFound reports whether err says for certain that there is no such file.
func notFound(err error) bool {
	f := faultOf(err)
	return f == faultMissing || f == faultNoEndpoint
}

// status returns the HTTP status that an endpoint, nil where none is meant, answers with.
func (f fault) status(e *endpoint) int {
	if e.native() {
		return f.native
	}
	return f.imagekit
}

// describe returns the value of the ik-error header: "CODE - message". Only what the client sent is quoted.
func (f fault) describe(err error) string {
	text := f.text
	if text == "" {
		text = err.Error()
	}
	return headerSafe(f.code + " - " + text)
}

// headerSafe replaces what may not stand in a header value (RFC 9110 §5.5).
func headerSafe(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r < 0x20, r >= 0x7f:
			return '?'
		}
		return r
	}, s)
}

// fail answers with err: headers here, status and body through Caddy's error handling.
func (x *exchange) fail(err error) error {
	f := faultOf(err)
	status := f.status(x.endpoint)
	x.code = f.code
	x.note()
	x.log(f, err)
	if f == faultCanceled {
		return caddyhttp.Error(statusClientClosed, err)
	}
	h := x.w.Header()
	h.Set("ik-error", f.describe(err))
	h.Set("X-Content-Type-Options", "nosniff")
	forgetDirections(h) // what the site has set for CDNs is about pictures
	h.Set("Cache-Control", x.errorCacheControl(f))
	if vary := varyHeaders(x.errorVary(err)); vary != "" {
		h.Add("Vary", vary)
	}
	if after := retryAfter(f, err); after != "" {
		h.Set("Retry-After", after)
	}
	if x.hasErrorRoute(status) {
		// {err.message} is for visitors, the cause is logged. It quotes their URL, and sites put it into pages as it is.
		return caddyhttp.Error(status, errors.New(html.EscapeString(f.describe(err))))
	}
	// Caddy answers unhandled errors without a body; one line of text is kinder.
	h.Set("Content-Type", "text/plain; charset=utf-8")
	body := f.body(status, err)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	x.w.WriteHeader(status)
	if x.r.Method != http.MethodHead {
		_, _ = x.w.Write([]byte(body)) // a client that went away needs no answer
	}
	return nil
}

// body is the line that a person reads: "Not Found" for all that is a 404 to ImageKit's clients too, the reason else.
func (f fault) body(status int, err error) string {
	if status == http.StatusNotFound {
		return http.StatusText(status) + "\n"
	}
	return f.describe(err) + "\n"
}

// errorCacheControl lets a certain absence be remembered shortly, and nothing else: a CDN must not keep an outage.
func (x *exchange) errorCacheControl(f fault) string {
	if f == faultMissing && x.endpoint != nil {
		control := fmt.Sprintf("public, max-age=%d", seconds(x.endpoint.config.MissTTL))
		if x.signed.ends() {
			control = bounded(control, x.signed.left(time.Now()))
		}
		return control
	}
	return "no-store"
}

// errorVary returns the hints that an error may depend on: those of its transformation and of what the endpoint does to
// all, if it is about what becomes of a picture.
func (x *exchange) errorVary(err error) plan.Vary {
	_, chain := errors.AsType[*syntax.Error](err)
	_, limit := errors.AsType[*plan.LimitError](err)
	_, engine := errors.AsType[*transform.Error](err)
	if !chain && !limit && !engine {
		return 0
	}
	return plan.VaryOf(x.address.Chain) | plan.VaryOf(x.endpoint.config.ready.always)
}

// hasErrorRoute reports whether the site handles errors of this status itself (handle_errors).
func (x *exchange) hasErrorRoute(status int) bool {
	server, _ := x.r.Context().Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server)
	if server == nil || server.Errors == nil {
		return false
	}
	r := server.Errors.WithError(x.r, caddyhttp.HandlerError{StatusCode: status}) // matchers read {err.status_code}
	return handles(server.Errors.Routes, r)
}

// handles reports whether r reaches a handler in routes. Caddyfiles put a site's routes into subroutes by host, with the
// matchers of statuses inside.
func handles(routes caddyhttp.RouteList, r *http.Request) bool {
	for _, route := range routes {
		if match, err := route.MatcherSets.AnyMatchWithError(r); err == nil && !match {
			continue
		}
		for _, handler := range route.Handlers {
			if sub, ok := handler.(*caddyhttp.Subroute); !ok || handles(sub.Routes, r) {
				return true
			}
		}
	}
	return false
}

// log writes what the operator should know: the cause in full, which the client isn't told. What origins do is logged
// where they are asked (report); here it is part of the story of one request.
func (x *exchange) log(f fault, err error) {
	level := f.level
	if f.code == codeBusy {
		level = x.logShed(err)
	}
	if _, ok := errors.AsType[*origins.Error](err); ok {
		level = zapcore.DebugLevel
	}
	if c := x.logger.Check(level, "request failed"); c != nil {
		c.Write(zap.String("code", f.code), zap.String("endpoint", x.endpointName()), zap.String("key", x.address.Key), zap.Error(err))
	}
}

func (x *exchange) endpointName() string {
	if x.endpoint == nil {
		return ""
	}
	return x.endpoint.name
}
