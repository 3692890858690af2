package caddymodule

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/imageorigin/imageorigin/internal/delivery"
	"github.com/imageorigin/imageorigin/internal/imageurl"
)

func init() { caddy.RegisterModule(new(Handler)) }

// Handler answers requests for pictures and other files of one URL endpoint, or of all endpoints of the app.
//
// It sets the placeholders {http.imageorigin.endpoint}, .origin, .key, .transform, .format, .width, .height,
// .degraded, .cache and .error, and adds one object "imageorigin" to the access log.
type Handler struct {
	// Name of the endpoint that answers here, whatever the host; the whole path is then the file's. Default: the
	// endpoint that the host is bound to, else the one that the first path segment names, else "default". Placeholders
	// are not supported.
	Endpoint string `json:"endpoint,omitempty"`

	// An endpoint of this handler alone; excludes `endpoint`. Default: none.
	Inline *Endpoint `json:"inline,omitempty"`

	// Origins of the inline endpoint that have no name in the app, tried after those that it names, in order.
	InlineOrigins []NamedOrigin `json:"inline_origins,omitempty"`

	// Go on to the next handler, instead of answering 404, where no origin has the file or no endpoint is meant.
	// Default: false.
	PassThru bool `json:"pass_thru,omitempty"`

	app    *App
	bound  *endpoint // nil: routed by the request
	logger *zap.Logger
}

// CaddyModule returns the Caddy module information.
func (*Handler) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.imageorigin", New: func() caddy.Module { return new(Handler) }}
}

// Provision finds the handler's endpoint in the app, or builds it.
func (h *Handler) Provision(ctx caddy.Context) error {
	h.logger = ctx.Logger()
	app, err := ctx.App("imageorigin")
	if err != nil {
		return err
	}
	h.app = app.(*App)
	switch {
	case h.Inline != nil && h.Endpoint != "":
		return fmt.Errorf("endpoint %q and an inline endpoint exclude each other", h.Endpoint)
	case h.Inline == nil && len(h.InlineOrigins) > 0:
		return fmt.Errorf("inline_origins without an inline endpoint")
	case h.Inline != nil:
		h.bound, err = h.app.inlineEndpoint(ctx, h.Inline, h.InlineOrigins)
		return err
	case len(h.app.endpoints) == 0:
		return errors.New("no endpoint is declared in apps.imageorigin.endpoints; declare one there, or give the handler an inline one")
	case h.Endpoint != "":
		if h.bound = h.app.endpoints[h.Endpoint]; h.bound == nil {
			return fmt.Errorf("endpoint %q is not declared in apps.imageorigin.endpoints; declared: %s",
				h.Endpoint, strings.Join(slices.Sorted(maps.Keys(h.app.endpoints)), ", "))
		}
		h.app.bind(h.bound)
	}
	return nil
}

// ServeHTTP implements caddyhttp.MiddlewareHandler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	x := &exchange{Handler: h, w: w, r: r}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		return x.fail(errMethod)
	}
	resp, err := x.deliver()
	if err != nil {
		if h.PassThru && notFound(err) {
			x.passed, x.code = true, faultOf(err).code
			x.note()
			return next.ServeHTTP(w, r)
		}
		return x.fail(err)
	}
	defer resp.Close()
	return x.respond(resp)
}

// exchange is one request on its way through the handler.
type exchange struct {
	*Handler
	w        http.ResponseWriter
	r        *http.Request
	endpoint *endpoint // nil where none is meant
	address  imageurl.Address
	response *delivery.Response // nil on failure
	code     string             // ik-error's code, of a failure
	passed   bool               // the next handler answers
	signed   signed
}

// deliver finds endpoint and address and fetches the answer.
func (x *exchange) deliver() (*delivery.Response, error) {
	var err error
	if x.endpoint, x.address, err = x.app.router.locate(x.bound, x.r.Host, x.r.URL); x.endpoint == nil {
		return nil, err
	}
	if err := x.verify(); err != nil {
		return nil, err
	}
	if err := x.demand(err); err != nil {
		return nil, err
	}
	if err != nil { // a mistake in the URL, which nobody is told who may not ask
		return nil, err
	}
	req := x.endpoint.request(x.address, x.r.Header)
	req.Host = x.r.Host
	req.Range = wantedRange(x.r)
	req.Public = !x.mayShowPrivate()
	if x.response, err = x.app.pipeline.Deliver(x.r.Context(), req); err != nil {
		return nil, err
	}
	if x.response.Unsupported && x.endpoint.native() {
		x.response.Close()
		x.response = nil
		return nil, errNotPicture
	}
	return x.response, nil
}

// Interface guards
var (
	_ caddy.Provisioner           = (*Handler)(nil)
	_ caddyhttp.MiddlewareHandler = (*Handler)(nil)
)
