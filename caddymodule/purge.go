package caddymodule

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/imageorigin/imageorigin/caches"
	"github.com/imageorigin/imageorigin/internal/block"
	"github.com/imageorigin/imageorigin/internal/delivery"
	"github.com/imageorigin/imageorigin/internal/imageurl"
	"github.com/imageorigin/imageorigin/origins"
)

// purgeAsk is what a person wants to have purged: of the fields exactly one is set.
type purgeAsk struct {
	URLs       []string // absolute, or paths; with a transformation, or a trailing "*"
	Endpoint   string
	Tags       []string
	Everything bool
}

// purge is what an ask means to a config.
type purge struct {
	patterns []caches.Pattern
	misses   []func()    // each makes origins be asked again for what they did not have
	targets  []string    // what is meant, in words for people
	broad    bool        // all entries of a store may have to be looked at
	notice   purgeNotice // for those who keep copies in front of us
}

// purgeNotice is what webhooks are told: the words in which a CDN can be asked to drop its copies.
type purgeNotice struct {
	URLs       []string  `json:"urls"`     // as they were asked for
	Prefixes   []string  `json:"prefixes"` // beginnings of URLs, without the "*"
	Tags       []string  `json:"tags"`     // as in Cache-Tag
	Endpoint   string    `json:"endpoint"` // all that is the endpoint's; "" is none
	Everything bool      `json:"everything"`
	Time       time.Time `json:"time"` // when it was done
}

// purgeError says what is wrong with an ask.
type purgeError struct {
	field string // of the JSON, in which all asks can be written
	err   error
}

// Error names the field.
func (e *purgeError) Error() string { return e.field + ": " + e.err.Error() }

// Unwrap returns what is wrong.
func (e *purgeError) Unwrap() error { return e.err }

// variantNamer is the stage of the pipeline that knows under which names results are kept.
type variantNamer interface {
	Variants(ctx context.Context, req *delivery.Request) (names []string, all bool)
}

// sourceTag returns the word by which responses name their original, "<fingerprint>/<path>", in Cache-Tag.
func sourceTag(source string) string {
	sum := sha256.Sum256([]byte(source))
	return "io-" + hex.EncodeToString(sum[:8])
}

// endpointTag returns the word by which responses name their endpoint in Cache-Tag.
func endpointTag(name string) string { return "io-" + name }

// planPurge finds out what is to be dropped, by the same rules by which visitors' URLs are routed. Errors are
// *purgeError, unless ctx ends.
func (a *App) planPurge(ctx context.Context, ask purgeAsk) (*purge, error) {
	p := &purge{notice: purgeNotice{URLs: []string{}, Prefixes: []string{}, Tags: []string{}}}
	switch {
	case ask.Everything:
		p.broad, p.notice.Everything = true, true
		p.add(caches.Pattern{}, "everything")
		p.forgetAll(a.everyEndpoint())
	case len(ask.Tags) > 0:
		if err := p.addTags(ask.Tags); err != nil {
			return nil, &purgeError{"tags", err}
		}
		p.forgetAll(a.everyEndpoint()) // which files the tags stand at, the misses don't tell
	case ask.Endpoint != "":
		if err := a.addEndpoint(p, ask.Endpoint); err != nil {
			return nil, &purgeError{"endpoint", err}
		}
	case len(ask.URLs) > 0:
		for _, text := range ask.URLs {
			if err := a.addURL(ctx, p, text); err != nil {
				return nil, &purgeError{"urls", fmt.Errorf("%q: %w", text, err)}
			}
		}
	default:
		return nil, &purgeError{"urls", errors.New(`nothing is named; give "url", "urls", "endpoint", "tag", "tags" or "everything": true`)}
	}
	slices.Sort(p.notice.Tags)
	p.notice.Tags = slices.Compact(p.notice.Tags)
	return p, ctx.Err()
}

// say tells what is meant, once.
func (p *purge) say(words string) {
	if !slices.Contains(p.targets, words) {
		p.targets = append(p.targets, words)
	}
}

// add adds a pattern, once, and what it is in words.
func (p *purge) add(match caches.Pattern, words string) {
	p.say(words)
	if !slices.ContainsFunc(p.patterns, func(other caches.Pattern) bool { return samePattern(match, other) }) {
		p.patterns = append(p.patterns, match)
	}
}

// samePattern reports whether two patterns fit the same entries.
func samePattern(a, b caches.Pattern) bool {
	if (a.Variant == nil) != (b.Variant == nil) || a.Variant != nil && *a.Variant != *b.Variant {
		return false
	}
	a.Variant, b.Variant = nil, nil
	return a == b
}

func (p *purge) addTags(tags []string) error {
	p.broad = true
	for _, tag := range tags {
		if !origins.IsTag(tag) {
			return fmt.Errorf("%q is not a tag: one word of visible ASCII of at most %d bytes, without commas and spaces; several are several words", tag, origins.MaxTag)
		}
		p.add(caches.Pattern{Tag: tag}, "tag "+tag)
		p.notice.Tags = append(p.notice.Tags, tag)
	}
	return nil
}

// inlineName is the name of the endpoints of handlers, of which there may be several.
const inlineName = "inline"

func (a *App) addEndpoint(p *purge, name string) error {
	var found []*endpoint
	var names []string
	for _, e := range a.everyEndpoint() {
		if e.name == name {
			found = append(found, e)
		}
		if !slices.Contains(names, e.name) {
			names = append(names, e.name)
		}
	}
	if len(found) == 0 {
		return fmt.Errorf("%q is not declared; declared: %s", name, block.List(names, "and"))
	}
	p.broad, p.notice.Endpoint = true, name
	p.notice.Tags = append(p.notice.Tags, endpointTag(name))
	for _, e := range found {
		p.addPrefix(e, "")
	}
	return nil
}

// everyEndpoint returns all endpoints of the config, declared ones by name first.
func (a *App) everyEndpoint() []*endpoint {
	var all []*endpoint
	for _, name := range slices.Sorted(maps.Keys(a.endpoints)) {
		all = append(all, a.endpoints[name])
	}
	for _, e := range a.bound {
		if !slices.Contains(all, e) {
			all = append(all, e)
		}
	}
	return all
}

// addPrefix adds all originals of an endpoint whose key begins so.
func (p *purge) addPrefix(e *endpoint, key string) {
	p.forgetAll([]*endpoint{e})
	words := fmt.Sprintf("endpoint %s: all", e.name)
	if key != "" {
		words = fmt.Sprintf("endpoint %s: all that begins with %s", e.name, key)
	}
	if print := e.delivery.Keeping.Fingerprint; print != "" {
		p.add(caches.Pattern{Source: print + "/" + key, Prefix: true}, words)
		return
	}
	p.say(words + " (nothing is kept there)")
}

// forgetAll has the endpoints' origins asked again for all that they did not have.
func (p *purge) forgetAll(endpoints []*endpoint) {
	for _, e := range endpoints {
		if o, ok := e.delivery.Origin.(origins.Forgetter); ok {
			p.misses = append(p.misses, o.Clear)
		}
	}
}

// addURL adds what a URL serves. Handlers that are bound to an endpoint answer whatever their route lets in, which isn't
// known here: every URL is tried on each of their endpoints, too. That purges too much at worst, never too little.
func (a *App) addURL(ctx context.Context, p *purge, text string) error {
	u, err := parsePurged(text)
	if err != nil {
		return err
	}
	prefix, err := isPrefix(u)
	if err != nil {
		return err
	}
	add := func(bound *endpoint) error {
		if prefix {
			return a.addURLPrefix(p, bound, u)
		}
		return a.addOriginal(ctx, p, bound, u)
	}
	first := add(nil)
	fits := first == nil
	for _, e := range a.bound {
		err := add(e)
		fits = fits || err == nil
		if errors.Is(first, errNoEndpoint) && err != nil {
			first = err // says more
		}
	}
	if !fits {
		return first
	}
	if prefix {
		p.notice.Prefixes = append(p.notice.Prefixes, strings.TrimSuffix(text, "*"))
	} else {
		p.notice.URLs = append(p.notice.URLs, text)
	}
	return ctx.Err()
}

// parsePurged reads a URL as a browser and an HTTP server would.
func parsePurged(text string) (*url.URL, error) {
	request, _, _ := strings.Cut(text, "#")
	u, err := url.ParseRequestURI(request)
	if cause, ok := errors.AsType[*url.Error](err); ok {
		err = cause.Err // the URL is told already
	}
	switch {
	case text == "":
		return nil, errors.New("the URL is empty")
	case !strings.HasPrefix(text, "/") && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == ""):
		return nil, errors.New("that is neither an http or https URL nor a path; write https://images.example.com/a.jpg or /a.jpg")
	case err != nil:
		return nil, err
	}
	return u, nil
}

// isPrefix reports whether all is meant that begins with the URL.
func isPrefix(u *url.URL) (bool, error) {
	path := u.EscapedPath()
	switch i := strings.IndexByte(path, '*'); {
	case i < 0 && strings.HasSuffix(u.RawQuery, "*"):
		return false, errors.New(`"*" stands at the end of a path; leave the query out`)
	case i < 0:
		return false, nil
	case i < len(path)-1:
		return false, errors.New(`"*" stands at the end and nowhere else; write a star in a name as %2A`)
	case u.RawQuery != "" || u.ForceQuery:
		return false, errors.New(`"*" means all variants of all files whose path begins so; leave the query out`)
	}
	return true, nil
}

// addURLPrefix adds what the URLs serve that begin as u does, less the star. The first segment names an endpoint only
// where it is whole: /shop* are files of the default endpoint, /shop/* is the endpoint shop.
func (a *App) addURLPrefix(p *purge, bound *endpoint, u *url.URL) error {
	path := strings.TrimSuffix(u.EscapedPath(), "*")
	e := bound
	if e == nil {
		if e, path = a.router.routePrefix(u.Host, path); e == nil {
			return errNoEndpoint
		}
	}
	for segment := range strings.SplitSeq(path, "/") {
		if text, err := url.PathUnescape(segment); err == nil && strings.HasPrefix(text, "tr:") {
			return errors.New(`"*" stands for originals with all their variants; leave the transformation out`)
		}
	}
	if strings.HasPrefix(strings.TrimLeft(path, "/"), "ik-seo/") {
		return errors.New(`"*" stands for names of originals, and ik-seo hides them; write the path without it`)
	}
	address, err := imageurl.Parse(path, "")
	if err != nil {
		return err
	}
	p.broad = true
	p.addPrefix(e, address.Key)
	return nil
}

// routePrefix does as [router.route] for the beginning of a path, whose last segment may not be whole.
func (rt *router) routePrefix(host, path string) (*endpoint, string) {
	whole := strings.LastIndexByte(path, '/') + 1
	e, rest := rt.route(host, path[:whole])
	return e, rest + path[whole:]
}

// addOriginal adds what one URL serves: where it has a transformation that variant, else all of the original.
func (a *App) addOriginal(ctx context.Context, p *purge, bound *endpoint, u *url.URL) error {
	e, address, err := a.router.locate(bound, u.Host, u)
	if err != nil {
		return err
	}
	if address.Key == "" {
		return errors.New(`the path names no file; write a "*" behind it for all files`)
	}
	req := e.request(address, http.Header{})
	req.Host = u.Host
	p.forget(e, req)
	words := fmt.Sprintf("endpoint %s: %s", e.name, address.Key)
	if e.delivery.Keeping.Fingerprint == "" {
		p.say(words + " (nothing is kept there)")
		return nil
	}
	source := req.Source()
	p.notice.Tags = append(p.notice.Tags, sourceTag(source))
	names, all := []string(nil), true
	if namer, ok := a.pipeline.(variantNamer); ok && (len(address.Chain) > 0 || address.Thumbnail) {
		names, all = namer.Variants(ctx, req)
	}
	if all || len(names) == 0 {
		// Also where nothing is known of the original: what is being made of it at this moment must not be kept.
		p.add(caches.Pattern{Source: source}, words+", all variants")
		return nil
	}
	for _, name := range names {
		p.add(caches.Pattern{Source: source, Variant: &name}, words+", "+variantWords(address))
	}
	return nil
}

// variantWords says which variant of an original an address asks for.
func variantWords(a imageurl.Address) string {
	words := "the variant"
	if len(a.Chain) > 0 {
		words += " " + a.Chain.String()
	}
	if a.Thumbnail {
		words += " as a still"
	}
	return words
}

// forget has the endpoint's origins asked again for the file of a request. Where they see the query or the host, what they
// did not have may have been asked for with others.
func (p *purge) forget(e *endpoint, req *delivery.Request) {
	o, ok := e.delivery.Origin.(origins.Forgetter)
	switch {
	case !ok:
	case e.delivery.Keeping.QueryCounts || e.delivery.Keeping.HostCounts:
		p.misses = append(p.misses, o.Clear)
	default:
		p.misses = append(p.misses, func() { o.Forget(origins.Request{Key: req.Key}) })
		if req.Query != "" || req.Host != "" {
			p.misses = append(p.misses, func() { o.Forget(origins.Request{Key: req.Key, Query: req.Query, Host: req.Host}) })
		}
	}
}
