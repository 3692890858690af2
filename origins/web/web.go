// Package web is the origins that ask web servers: one appends the key to a base URL, which the request never leaves;
// the other takes the key for a URL.
package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

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

	// Current returns Header and Auth as they are now, where they change while the origin lives. Names, and whether
	// there is an Auth, stay. nil: they don't change.
	Current func() (map[string]string, Auth)

	// Transport carries the requests to the server of BaseURL. It must not decompress; [remote.NewTransport] makes one
	// that doesn't.
	Transport http.RoundTripper

	// Abroad carries the requests to where redirects lead besides that server, which is not the operator's choice: it
	// should be guarded. nil: they are not followed, whatever Redirects says.
	Abroad http.RoundTripper
}

// Origin serves what lies below a base URL. The zero value is not useful; see [New].
type Origin struct {
	base        *url.URL
	forwardHost bool
	fixed       sending                          // what Current doesn't replace
	current     func() (map[string]string, Auth) // nil: all of it is fixed
	redirects   policy
	transport   http.RoundTripper
	abroad      http.RoundTripper
}

// New returns an Origin that does as c says. Its errors never hold a value of a header, a password or a token.
func New(c Config) (*Origin, error) {
	base, err := parseBase(c.BaseURL)
	if err != nil {
		return nil, err
	}
	o := &Origin{base: base, forwardHost: c.ForwardHost, current: c.Current, transport: c.Transport, abroad: c.Abroad}
	if o.redirects, err = newPolicy(base, c.Redirects); err != nil {
		return nil, err
	}
	if c.Abroad == nil {
		o.redirects.any, o.redirects.hosts = false, nil
	}
	if c.Current != nil {
		c.Header, c.Auth = c.Current()
	}
	if o.fixed, err = newSending(c.Header, c.Auth); err != nil {
		return nil, err
	}
	if o.forwardHost && o.fixed.host != "" {
		return nil, errors.New("forward_host and header Host contradict each other; remove one of them")
	}
	return o, nil
}

// Open asks the server for the object, and follows it where it may move to.
func (o *Origin) Open(ctx context.Context, req origins.Request) (*origins.Object, error) {
	if err := origins.CheckKey(req.Key); err != nil {
		return nil, err
	}
	s, err := o.sending(req)
	if err != nil {
		return nil, err
	}
	return open(ctx, req, route{
		first: o.target(req.Key, req.Query),
		next: func(from *url.URL, location string) (*url.URL, error) {
			return o.redirects.next(req.Key, from, location)
		},
		via: func(target *url.URL, left bool) carrier {
			switch {
			case !o.redirects.home(target):
				return carrier{transport: o.abroad, foreign: true}
			case left:
				// Another server chose where on this one to go. It must not do so with our credentials.
				return carrier{transport: o.transport}
			}
			return carrier{transport: o.transport, sending: s}
		},
	})
}

// sending returns what the server of the base URL is sent, as it is now.
func (o *Origin) sending(req origins.Request) (sending, error) {
	s := o.fixed
	if o.current != nil {
		var err error
		if s, err = newSending(o.current()); err != nil {
			return s, &origins.Error{
				Kind: origins.Denied, Key: req.Key, Err: fmt.Errorf("reading the credentials again: %w", err),
				Remedy: "correct the file that the value is read from",
			}
		}
	}
	if o.forwardHost && req.Host != "" && httpguts.ValidHostHeader(req.Host) {
		s.host = req.Host
	}
	return s, nil
}

// target returns the URL of an object.
func (o *Origin) target(key, query string) *url.URL {
	u := *o.base
	u.Path = o.base.Path + "/" + key
	u.RawPath = o.base.EscapedPath() + "/" + origins.EscapeKey(key)
	u.RawQuery = cleanQuery(query)
	return &u
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
