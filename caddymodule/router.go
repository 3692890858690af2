package caddymodule

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/imageorigin/imageorigin/internal/delivery"
	"github.com/imageorigin/imageorigin/internal/imageurl"
	"github.com/imageorigin/imageorigin/origins"
)

// endpoint is an Endpoint ready to serve.
type endpoint struct {
	name     string
	config   *Endpoint // defaults filled in
	delivery *delivery.Endpoint
	query    queryPolicy

	asks []string // names of its origins, in their order
	keys [][]byte // that sign its URLs; nil: signatures mean nothing
}

// newEndpoint makes a configured endpoint ready: config has its defaults and is valid; own are origins of its own, asked
// after those that it names.
func (a *App) newEndpoint(ctx caddy.Context, name string, config *Endpoint, own []*origin) (*endpoint, error) {
	var list []*origin
	for _, n := range config.order(a.Library) {
		o, ok := a.origins[n]
		if !ok {
			return nil, fmt.Errorf("origins: %w", a.undeclared(n))
		}
		list = append(list, o)
	}
	list = append(list, own...)
	if len(list) == 0 {
		return nil, fmt.Errorf("origins: %w", errNoOrigins)
	}
	for _, o := range list {
		if o.anywhere && config.SignedOnly != signedOnlyAll {
			return nil, errAnywhere(o.name)
		}
	}
	e := a.withoutOrigins(name, config)
	e.delivery.Origin = config.origin(list)
	e.asks = slices.Clone(config.order(a.Library))
	var err error
	if e.keys, err = a.claimKeys(caddy.NewReplacer(), name, config); err != nil {
		return nil, err
	}
	if e.delivery.Keeping, err = a.keeping(ctx, config, list); err != nil {
		return nil, err
	}
	return e, nil
}

// withoutOrigins returns all of an endpoint but origins and caches, for those who open none: config has its defaults and is
// valid, and so are a's limits.
func (a *App) withoutOrigins(name string, config *Endpoint) *endpoint {
	limits := a.Limits.delivery()
	limits.Sizes = config.Sizes.ladder()
	return &endpoint{
		name:   name,
		config: config,
		query:  config.Query,
		delivery: &delivery.Endpoint{
			Name:         name,
			Formats:      config.autoFormats(),
			Smallest:     config.smallest(),
			Quality:      config.Quality,
			QualityExact: config.QualityExact,
			SaveData:     config.SaveData,
			DefaultImage: config.DefaultImage,
			Untouched:    config.OnTransformError == originalOnError,
			Variants:     config.Variants.budget(),
			Limits:       limits,
			Always:       config.ready.always,
		},
	}
}

// request returns what is to be delivered for an address of the endpoint and the headers of a client.
func (e *endpoint) request(a imageurl.Address, h http.Header) *delivery.Request {
	return &delivery.Request{
		Endpoint: e.delivery,
		Key:      a.Key,
		Chain:    a.Chain,
		Still:    a.Thumbnail,
		Accept:   acceptedFormats(h),
		Width:    hintedWidth(h),
		DPR:      hintedDPR(h),
		SaveData: savesData(h),
		Query:    e.query.filter(a.Query),
		Versions: delivery.Versions(a.Query),
		From:     e.config.reqFrom(),
	}
}

// memory is how many files an endpoint remembers as missing at an origin, and how many as found there. An entry takes
// about 200 bytes.
const memory = 1 << 14

// origin makes one origin out of those of the endpoint.
func (e *Endpoint) origin(list []*origin) origins.Origin {
	asked := make([]origins.Origin, len(list))
	for i, o := range list {
		asked[i] = o
		if !o.local {
			// Each by itself: the sizes of a picture that a later origin has don't ask the ones before it again and again.
			asked[i] = origins.Negative(o, time.Duration(*e.MissTTL), memory)
		}
	}
	if e.PreferLastGood > 0 {
		return origins.LastGood(asked, time.Duration(e.PreferLastGood), memory, e.fallbackKinds()...)
	}
	return origins.Fallback(asked, e.fallbackKinds()...)
}

// inlineEndpoint makes the endpoint of one handler.
func (a *App) inlineEndpoint(ctx caddy.Context, config *Endpoint, anonymous []NamedOrigin) (*endpoint, error) {
	if err := config.prepareInline(caddy.NewReplacer(), anonymous); err != nil {
		return nil, fmt.Errorf("inline endpoint: %w", err)
	}
	own := make([]*origin, len(anonymous))
	for i := range anonymous {
		o, err := anonymous[i].provision(ctx, anonymous[i].Name)
		if err != nil {
			return nil, fmt.Errorf("origin %q: %w", anonymous[i].Name, err)
		}
		own[i] = o
	}
	e, err := a.newEndpoint(ctx, inlineName, config, own)
	if err != nil {
		return nil, fmt.Errorf("inline endpoint: %w", err)
	}
	for _, o := range anonymous {
		e.asks = append(e.asks, o.Name)
	}
	a.bind(e)
	return e, nil
}

// bind notes that a handler answers with this endpoint alone.
func (a *App) bind(e *endpoint) {
	if !slices.Contains(a.bound, e) {
		a.bound = append(a.bound, e)
	}
}

// native reports whether errors are answered with the plain HTTP statuses rather than ImageKit's.
func (e *endpoint) native() bool { return e != nil && e.config.ErrorStatus == "native" }

// router finds the endpoint that a request means: the one its host is bound to, else the one its first path segment
// names, else the default.
type router struct {
	byName   map[string]*endpoint
	domains  atomic.Pointer[domainTable]
	account  string    // a first segment equal to it is dropped; "" is none
	standard *endpoint // the default one; nil without
}

func newRouter(byName map[string]*endpoint, account string) *router {
	rt := &router{byName: byName, account: account, standard: byName[defaultEndpoint]}
	rt.domains.Store(newDomainTable(byName, 0))
	return rt
}

// bindMore puts the domains into force that the endpoints name and those in the text of a domains file. An error leaves in
// force what was.
func (rt *router) bindMore(text string) error {
	// Room for as many domains as there are lines, unless most of those must be empty.
	t := newDomainTable(rt.byName, min(strings.Count(text, "\n"), len(text)/32))
	if err := t.parse(text, rt.byName); err != nil {
		return err
	}
	rt.domains.Store(t)
	return nil
}

// locate returns the endpoint that a request means, which is bound where that is not nil, and what its URL says there. The
// endpoint is told beside an error, too, unless the error is that none is meant.
func (rt *router) locate(bound *endpoint, host string, u *url.URL) (*endpoint, imageurl.Address, error) {
	// Taken before it is found out what is meant: under a newer list it may be found, but never under an older one.
	located := rt.domains.Load().located
	asked := asked{bound, host, u.EscapedPath(), u.RawQuery}
	if l, ok := located.Get(asked); ok {
		return l.endpoint, l.address, nil
	}
	asked = asked.detached()
	e, a, err := rt.find(asked)
	if err == nil && asked.size() <= maxAsked && len(a.Chain.String()) <= maxChain {
		located.Add(asked, meant{e, a})
	}
	return e, a, err
}

// asked is what a request says of what it means, and meant what that is: reading a URL costs as much as all else that is
// done for a result that is in memory.
type (
	asked struct {
		bound             *endpoint
		host, path, query string
	}
	meant struct {
		endpoint *endpoint
		address  imageurl.Address // nobody changes what it holds
	}
)

// Bounds of what is remembered of URLs. One takes about a kibibyte, and nine at most: named transformations and many short
// steps make far more of a chain than its text takes.
const (
	maxLocated = 1 << 12
	maxAsked   = 1 << 9 // bytes of host, path and query
	maxChain   = 1 << 8 // bytes of the canonical text
)

// size is how many bytes a client sent.
func (a asked) size() int { return len(a.host) + len(a.path) + len(a.query) }

// detached returns texts of their own: those of a request are parts of its first line, which would be kept with them.
func (a asked) detached() asked {
	a.host, a.path, a.query = strings.Clone(a.host), strings.Clone(a.path), strings.Clone(a.query)
	return a
}

// find does what locate says.
func (rt *router) find(asked asked) (*endpoint, imageurl.Address, error) {
	e, path := asked.bound, asked.path
	if e == nil {
		if e, path = rt.route(asked.host, path); e == nil {
			return nil, imageurl.Address{}, errNoEndpoint
		}
	}
	a, err := imageurl.Parse(path, asked.query)
	if err == nil {
		err = e.admit(&a)
	}
	return e, a, err
}

// route returns the endpoint, nil if none is meant, and what remains of the percent-encoded path.
func (rt *router) route(host, path string) (*endpoint, string) {
	if e := rt.bound(host); e != nil {
		return e, path
	}
	first, rest := cutSegment(path)
	if rt.account != "" && first == rt.account {
		path = rest
		first, rest = cutSegment(path)
	}
	if e := rt.byName[first]; e != nil && e != rt.standard {
		return e, rest
	}
	return rt.standard, path
}

// bound returns the endpoint that a Host header is bound to, nil if none.
func (rt *router) bound(host string) *endpoint { return rt.domains.Load().endpoint(host) }

// hostOf returns a Host header in the form of canonicalHost: no port, no trailing dot.
func hostOf(header string) string {
	if host, _, err := net.SplitHostPort(header); err == nil {
		header = host
	}
	return canonicalHost(strings.TrimSuffix(header, "."))
}

// cutSegment returns the first segment of a percent-encoded path, decoded, and the path behind it.
func cutSegment(path string) (first, rest string) {
	raw, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	first, err := url.PathUnescape(raw)
	if err != nil {
		return "", path
	}
	return first, "/" + rest
}

// queryPolicy says which further query parameters origins see: the endpoint's option query.
type queryPolicy []string

// filter returns the pairs of a raw query that origins see.
func (p queryPolicy) filter(query string) string {
	if query == "" || slices.Equal(p, queryPolicy{"none"}) {
		return ""
	}
	if slices.Equal(p, queryPolicy{"all"}) {
		return query
	}
	var kept []string
	for pair := range strings.SplitSeq(query, "&") {
		raw, _, _ := strings.Cut(pair, "=")
		if name, err := url.QueryUnescape(raw); err == nil && slices.Contains(p, name) {
			kept = append(kept, pair)
		}
	}
	return strings.Join(kept, "&")
}
