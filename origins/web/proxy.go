package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/remote"
)

// ProxyConfig says which servers a [Proxy] may ask.
type ProxyConfig struct {
	// Hosts are the only ones that keys and redirects may name: "images.example.com", "*.example.com" for the names
	// with exactly one label more, each on the usual port of http and of https, or with a port of its own behind a
	// colon; "https://" before it leaves http out. An address is meant only by an entry that is it. There must be one,
	// unless Anywhere.
	Hosts []string

	// Anywhere lets keys and redirects name every host, where Hosts is empty. Whoever sets it answers for it that keys come
	// from nobody but those who may ask for anything.
	Anywhere bool

	// Transport carries the requests. It should be guarded, and must not decompress; [remote.NewTransport] makes one
	// like that.
	Transport http.RoundTripper
}

// Proxy is the origin whose keys are absolute URLs. The zero value is not useful; see [NewProxy].
type Proxy struct {
	hosts     []pattern
	anywhere  bool
	transport http.RoundTripper
}

// NewProxy returns a Proxy that does as c says.
func NewProxy(c ProxyConfig) (*Proxy, error) {
	if len(c.Hosts) == 0 && !c.Anywhere {
		return nil, errors.New("hosts is empty, and without a list this server would fetch whatever anybody asks it for; write the hosts that it may ask, such as images.example.com or *.example.com")
	}
	p := &Proxy{transport: c.Transport, anywhere: len(c.Hosts) == 0}
	for _, text := range c.Hosts {
		host, err := parsePattern(text)
		if err != nil {
			return nil, err
		}
		p.hosts = append(p.hosts, host)
	}
	return p, nil
}

// Open asks the server that the key names. A key that is no URL doesn't exist here, so that other origins can stand
// beside this one.
func (p *Proxy) Open(ctx context.Context, req origins.Request) (*origins.Object, error) {
	address, query, _ := strings.Cut(req.Key, "?")
	// Errors tell the key as far as the query, which may be a signature.
	req.Key, req.Query = address, joinQueries(query, req.Query)
	target, err := parseTarget(address, req.Query)
	if err != nil {
		return nil, err
	}
	if err := p.check(address, target, "%s is not asked: it is not on the list"); err != nil {
		return nil, err
	}
	return open(ctx, req, route{
		first: target,
		next: func(from *url.URL, location string) (*url.URL, error) {
			return p.next(address, from, location)
		},
		via: func(*url.URL, bool) carrier { return carrier{transport: p.transport, foreign: true} },
	})
}

// next returns where a redirect leads to, or why it isn't followed. Its errors name hosts only.
func (p *Proxy) next(key string, from *url.URL, location string) (*url.URL, error) {
	to, err := locate(key, from, location)
	if err != nil {
		return nil, err
	}
	if canonicalHost(to) != nil {
		return nil, remote.Fail(origins.Denied, key, "redirect to what is no host is not followed")
	}
	return to, p.check(key, to, "redirect to %s is not followed: it is not on the list")
}

// check returns an error unless the list allows u. format says what is not done with its host.
func (p *Proxy) check(key string, u *url.URL, format string) error {
	if p.anywhere {
		return nil
	}
	for _, host := range p.hosts {
		if host.matches(u) {
			return nil
		}
	}
	server := u.Scheme + "://" + u.Host
	e := remote.Fail(origins.Denied, key, format, server)
	e.Remedy = "if everybody may see through this server what " + server + " has, add it to the hosts of this origin"
	return e
}

// parseTarget returns the URL that key, which has no query, is. Keys come decoded, so what no URL may hold is escaped
// again; but escapes that are left stay, for the whole URL may have been encoded, with its own escapes in it.
func parseTarget(key, query string) (*url.URL, error) {
	scheme, rest, _ := strings.Cut(key, ":")
	scheme = strings.ToLower(scheme)
	if scheme != "http" && scheme != "https" || !strings.HasPrefix(rest, "/") {
		return nil, remote.Fail(origins.NotExist, key, "the key is no absolute URL; write it like https://www.example.com/a.jpg")
	}
	// Servers in front of this one make one slash of two.
	rest = strings.TrimPrefix(rest[1:], "/")
	authority, path := rest, ""
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		authority, path = rest[:i], rest[i+1:]
	}
	if authority == "" {
		return nil, remote.Fail(origins.NotExist, key, "the URL has no host; write it like https://www.example.com/a.jpg")
	}
	u := &url.URL{Scheme: scheme, Host: authority, RawQuery: cleanQuery(query)}
	if err := canonicalHost(u); err != nil {
		return nil, remote.Fail(origins.Denied, key, "the URL is not asked for: %w", err)
	}
	u.RawPath = "/" + escapeAgain(path)
	var err error
	if u.Path, err = url.PathUnescape(u.RawPath); err != nil {
		return nil, remote.Fail(origins.Invalid, key, "the path of the URL: %w", err)
	}
	return u, checkPath(key, u.Path)
}

// checkPath returns an error if path, decoded as its server will, has a segment that no key may have, as
// [origins.CheckKey] says. Only empty ones are the server's business.
func checkPath(key, path string) error {
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "" {
			continue
		}
		if err := origins.CheckKey(segment); err != nil {
			return remote.Fail(origins.KindOf(err), key, "the path of the URL: %w", errors.Unwrap(err))
		}
	}
	return nil
}

// escapeAgain escapes path as [origins.EscapeKey] does, less the escapes that it has.
func escapeAgain(path string) string {
	var b strings.Builder
	for {
		i := strings.IndexByte(path, '%')
		if i < 0 {
			b.WriteString(origins.EscapeKey(path))
			return b.String()
		}
		b.WriteString(origins.EscapeKey(path[:i]))
		path = path[i:]
		if len(path) > 2 && isHex(path[1]) && isHex(path[2]) {
			b.WriteString(path[:3])
			path = path[3:]
			continue
		}
		b.WriteString("%25")
		path = path[1:]
	}
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// joinQueries returns the query of a key and that of the request as one.
func joinQueries(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "&" + b
}

// Interface guards
var _ origins.Origin = (*Proxy)(nil)
