// Package web is the origin that asks a web server: the key is appended to a base URL, which the request never leaves.
package web

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/imageorigin/imageorigin/origins"
)

// Config says where the server is and how to talk to it.
type Config struct {
	BaseURL     string            // http or https, with a path or without; no user, query or fragment
	ForwardHost bool              // send the client's Host instead of that of BaseURL
	Header      map[string]string // further request headers; Host replaces that of BaseURL
	Auth        Auth
	Redirects   Redirects

	// Transport carries the requests. It must not decompress; [NewTransport] makes one that doesn't.
	Transport http.RoundTripper
}

// Auth is what the Authorization header says. The zero value sends none.
type Auth struct {
	User, Password string // basic
	Token          string // bearer
}

// header returns the value of the header, "" for none.
func (a Auth) header() string {
	switch {
	case a.Token != "":
		return "Bearer " + a.Token
	case a.User != "" || a.Password != "":
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(a.User+":"+a.Password))
	}
	return ""
}

// Origin serves what lies below a base URL. The zero value is not useful; see [New].
type Origin struct {
	base        *url.URL
	forwardHost bool
	host        string      // replaces that of base; "" doesn't
	header      http.Header // sent to base only
	redirects   policy
	transport   http.RoundTripper
}

// New returns an Origin that does as c says. Its errors never hold a value of a header, a password or a token.
func New(c Config) (*Origin, error) {
	base, err := parseBase(c.BaseURL)
	if err != nil {
		return nil, err
	}
	o := &Origin{base: base, forwardHost: c.ForwardHost, header: http.Header{}, transport: c.Transport}
	if o.redirects, err = newPolicy(base, c.Redirects); err != nil {
		return nil, err
	}
	for name, value := range c.Header {
		if err := o.addHeader(name, value); err != nil {
			return nil, err
		}
	}
	if value := c.Auth.header(); value != "" {
		if o.header.Get("Authorization") != "" {
			return nil, errors.New("auth and header Authorization say the same thing; remove one of them")
		}
		if !httpguts.ValidHeaderFieldValue(value) {
			return nil, errors.New("the token of auth contains characters that no header can carry")
		}
		o.header.Set("Authorization", value)
	}
	if o.forwardHost && o.host != "" {
		return nil, errors.New("forward_host and header Host contradict each other; remove one of them")
	}
	return o, nil
}

// reserved are the request headers that are the origin's own business.
var reserved = []string{
	"Accept-Encoding", "Connection", "Content-Length", "Expect", "If-Match", "If-Modified-Since", "If-None-Match",
	"If-Range", "If-Unmodified-Since", "Keep-Alive", "Proxy-Connection", "Range", "Te", "Trailer", "Transfer-Encoding",
	"Upgrade",
}

func (o *Origin) addHeader(name, value string) error {
	canonical := http.CanonicalHeaderKey(name)
	switch {
	case !httpguts.ValidHeaderFieldName(name):
		return fmt.Errorf("header %q is not a name that a header can have", name)
	case !httpguts.ValidHeaderFieldValue(value):
		return fmt.Errorf("the value of header %s contains characters that no header can carry", name)
	case slices.Contains(reserved, canonical):
		return fmt.Errorf("header %s is set as each request needs it; remove it", name)
	case canonical == "Host":
		if !httpguts.ValidHostHeader(value) || value == "" {
			return errors.New("header Host is not a host name; write it like www.example.com")
		}
		o.host = value
	default:
		if _, ok := o.header[canonical]; ok {
			return fmt.Errorf("header %s is set twice", canonical)
		}
		o.header.Set(canonical, value)
	}
	return nil
}

// Open asks the server for the object, and follows it where it may move to.
func (o *Origin) Open(ctx context.Context, req origins.Request) (*origins.Object, error) {
	if err := origins.CheckKey(req.Key); err != nil {
		return nil, err
	}
	if req.Range != nil && (req.Range.Start < 0 || req.Range.Length == 0 || req.Range.Length < -1) {
		return nil, fail(origins.Invalid, req.Key, "range from %d, length %d", req.Range.Start, req.Range.Length)
	}
	res, err := o.fetch(ctx, req)
	if err != nil {
		return nil, err
	}
	obj, err := answer(res, req)
	if err == nil {
		obj.Body = origins.NewBody(ctx, req.Key, obj.Body)
		return obj, nil
	}
	dismiss(res.Body)
	if errors.Is(err, errEncodedPart) {
		req.Range = nil
		return o.Open(ctx, req)
	}
	return nil, err
}

// fetch sends the request and follows redirects. The caller closes the body of the response.
func (o *Origin) fetch(ctx context.Context, req origins.Request) (*http.Response, error) {
	target := o.target(req.Key, req.Query)
	for hops := 0; ; hops++ {
		res, err := o.transport.RoundTrip(o.request(ctx, target, req))
		if err != nil {
			return nil, broken(ctx, req.Key, err)
		}
		if !isRedirect(res.StatusCode) {
			return res, nil
		}
		dismiss(res.Body)
		if hops == maxHops {
			return nil, fail(origins.Unknown, req.Key, "more than %d redirects", maxHops)
		}
		if target, err = o.redirects.next(req.Key, target, res.Header.Get("Location")); err != nil {
			return nil, err
		}
	}
}

// dismiss closes the body of an answer that nobody wants, an error page mostly. It reads a page of usual size, because
// closing a body early costs the connection, and missing files are common where origins stand in a row. It doesn't
// wait for a page that doesn't come: the status has said all.
func dismiss(body io.ReadCloser) {
	impatient := time.AfterFunc(100*time.Millisecond, func() { body.Close() })
	io.CopyN(io.Discard, body, 16<<10)
	impatient.Stop()
	body.Close()
}

// request returns the request for target. What only the server of the base URL may see goes to no other.
func (o *Origin) request(ctx context.Context, target *url.URL, req origins.Request) *http.Request {
	r := (&http.Request{
		Method: http.MethodGet, URL: target, Host: target.Host, Header: http.Header{},
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	r.Header.Set("User-Agent", "imageorigin")
	if o.redirects.home(target) {
		for name, values := range o.header {
			r.Header[name] = values
		}
		switch {
		case o.host != "":
			r.Host = o.host
		case o.forwardHost && req.Host != "" && httpguts.ValidHostHeader(req.Host):
			r.Host = req.Host
		}
	}
	// What we ask for is what is stored: a part, a size or an ETag of a compressed form would be of no use.
	r.Header.Set("Accept-Encoding", "identity")
	if httpguts.ValidHeaderFieldValue(req.From) && req.From != "" {
		r.Header.Set("X-Req-From", req.From)
	}
	if req.Range != nil {
		r.Header.Set("Range", rangeHeader(*req.Range))
	}
	if v := req.Validator; v.ETag != "" && httpguts.ValidHeaderFieldValue(v.ETag) {
		r.Header.Set("If-None-Match", v.ETag)
	}
	if v := req.Validator; !v.Modified.IsZero() {
		r.Header.Set("If-Modified-Since", v.Modified.UTC().Format(http.TimeFormat))
	}
	return r
}

// target returns the URL of an object.
func (o *Origin) target(key, query string) *url.URL {
	u := *o.base
	u.Path = o.base.Path + "/" + key
	u.RawPath = o.base.EscapedPath() + "/" + origins.EscapeKey(key)
	u.RawQuery = cleanQuery(query)
	return &u
}

// cleanQuery returns query with what has no business in a request line escaped.
func cleanQuery(query string) string {
	var b strings.Builder
	for i := range len(query) {
		if c := query[i]; c <= ' ' || c >= 0x7f || c == '#' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// parseBase returns text as a base URL, whose path doesn't end in a slash. Its errors don't repeat text, which may
// hold a password.
func parseBase(text string) (*url.URL, error) {
	const like = "write it like https://www.example.com/media"
	if text == "" {
		return nil, errors.New("base_url is empty; " + like)
	}
	u, err := url.Parse(text)
	switch {
	case !hasScheme(text), err == nil && u.Scheme == "":
		return nil, errors.New("base_url has no scheme; write http:// or https:// before it")
	case err != nil || u.Opaque != "":
		return nil, errors.New("base_url is not a URL; " + like)
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("base_url has the scheme %q; use http or https", u.Scheme)
	case u.Hostname() == "":
		return nil, errors.New("base_url has no host; " + like)
	case u.User != nil:
		return nil, errors.New("base_url has a user name or password; use auth basic <user> <password>")
	case u.RawQuery != "" || u.ForceQuery:
		return nil, errors.New("base_url has a query, which can't stand before the key; remove it, or send what it says with header")
	case u.Fragment != "":
		return nil, errors.New("base_url has a fragment (#…), which servers never see; remove it")
	}
	for segment := range strings.SplitSeq(u.Path, "/") {
		if segment == "." || segment == ".." {
			return nil, errors.New("base_url has a dot segment; write the path that it means")
		}
	}
	escaped := strings.TrimRight(u.EscapedPath(), "/")
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), escaped
	return u, nil
}

// hasScheme reports whether text begins with what was meant as a scheme. url.Parse can't tell: it takes the host of
// localhost:8081 for one, and refuses 127.0.0.1:8081.
func hasScheme(text string) bool {
	scheme, rest, ok := strings.Cut(text, ":")
	return ok && (strings.HasPrefix(rest, "//") || scheme == "http" || scheme == "https")
}

// Interface guards
var _ origins.Origin = (*Origin)(nil)
