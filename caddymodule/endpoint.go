package caddymodule

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"golang.org/x/net/idna"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// Endpoint is one URL endpoint: which origins are asked, and how the answers are delivered. It stands under its name in
// the app's `endpoints`, where the endpoint named `default` answers when no other matches, or as `inline` in a handler.
//
// Placeholders are supported in `domains`, `req_from`, `url_endpoint` and `sign`: `{env.*}`, `{file.*}` and `{system.*}`, resolved when the
// config is loaded.
type Endpoint struct {
	// What the endpoint is for, in your words. Nothing depends on it.
	Description string `json:"description,omitempty"`

	// Names of the origins to ask, in order of preference. The first that has the file answers. The app's `library`
	// is asked before them. Default for `inline`: all of the handler's `inline_origins`.
	Origins []string `json:"origins,omitempty"`

	// After which failures of an origin the next one is asked: `not_exist`, `denied`, `unreachable`, `timeout`,
	// `unknown`. Default: after all of them.
	FallbackOn []string `json:"fallback_on,omitempty"`

	// Host names that belong to this endpoint alone: a request to one of them carries no endpoint name in its path.
	// A first label of `*` stands for any one label. Inline endpoints have none: the site's address says it. Default:
	// none.
	Domains []string `json:"domains,omitempty"`

	// Which query parameters, other than those that imageorigin itself understands, web origins get to see: the names
	// of the parameters, or `all`, or `none`. Default: `all`.
	Query []string `json:"query,omitempty"`

	// Transformations that have names, as `n-<name>` in URLs asks for them: letters, digits and `_`, case-sensitive. They
	// are written as behind `tr:` in URLs, with or without that, and may themselves ask for others by name. At most 250.
	// Default: none.
	Transforms map[string]string `json:"transforms,omitempty"`

	// What becomes of transformations in URLs other than by name: `allow`, or `deny`, which answers them with status 403.
	// Default: `allow`.
	Unnamed string `json:"unnamed,omitempty"`

	// A transformation that is applied to every picture of the endpoint, after that of the URL, which can't prevent it:
	// `orig-true` is refused, and SVG originals become pixels where it changes any. It is written as those of `transforms`
	// are, and may ask for them by name. Default: none.
	Always string `json:"always,omitempty"`

	// The keys that sign URLs (`ik-s`), 1 to 16 of at least 8 bytes: the first is the one that `caddy imageorigin sign` takes,
	// and each opens URLs that are signed with it. They are secrets. A wrong or expired signature is answered with status
	// 401. Default: none, so that signatures mean nothing.
	Sign []string `json:"sign,omitempty"`

	// Which URLs are answered only if they are signed: `all`, or `images`, which are all but those of files whose extension
	// is that of something else, such as `.mp4` and `.pdf`. Needs `sign`. Default: none.
	SignedOnly string `json:"signed_only,omitempty"`

	// The URL that clients see before what is signed, as SDKs are told it (`urlEndpoint`): for where a proxy takes a part
	// of it away, and where it could be one of several. Default: told by the request.
	URLEndpoint string `json:"url_endpoint,omitempty"`

	// Another endpoint has one of the keys of `sign`, so that a signature for a file of one opens the file of that name of
	// the other. Each of them has to say so. Default: false, and then such a config is refused.
	SharedKey bool `json:"shared_key,omitempty"`

	// The widths that steps of URLs may ask for. The endpoint's own transformations are not bound by it. Default: all.
	Sizes *Sizes `json:"sizes,omitempty"`

	// Candidates of the automatic format, best first: `jxl`, `avif`, `webp`. The first that the client accepts and
	// that suits the picture is taken. With `smallest` behind them the picture is encoded in each that it could be, and
	// in the format for clients that accept none, and the smallest file is sent. Default: `webp`.
	Formats []string `json:"formats,omitempty"`

	// Quality of lossy encodings where the URL says none, 1 to 100. A JPEG that has less itself, and is not scaled down,
	// gets its own. Default: 80.
	Quality int `json:"quality,omitempty"`

	// `quality` is meant for JPEG pictures of less quality too. Default: false.
	QualityExact bool `json:"quality_exact,omitempty"`

	// Quality of lossy encodings for clients that send `Save-Data: on`, where the URL says none, 1 to 100; the smaller
	// of the two counts. Default: those of all clients.
	SaveData int `json:"save_data,omitempty"`

	// Value of the Cache-Control header that clients get, or `origin` to pass on what the origin says. Default:
	// `public, max-age=31536000, must-revalidate`.
	CacheControl string `json:"cache_control,omitempty"`

	// Value of the CDN-Cache-Control header (RFC 9213), which caches in front of this server obey instead of
	// Cache-Control. Placeholders are not supported. Default: none.
	CDNCacheControl string `json:"cdn_cache_control,omitempty"`

	// The header by whose words a CDN in front of this server can be purged: `cache-tag`, `surrogate-key` or `off`.
	// Default: `off`.
	CDNTags string `json:"cdn_tags,omitempty"`

	// Names of the caches that keep what was made of pictures, and what is known of originals, nearest first; `off` alone
	// is none. Default: `memory` and `disk`, as far as the binary has them.
	Results []string `json:"results,omitempty"`

	// Names of the caches that keep originals that are pictures, nearest first, so that further sizes cost no fetch;
	// `off` alone is none. Default: `off`.
	Originals []string `json:"originals,omitempty"`

	// Names of the caches that keep other files, which pass through, such as video and PDF, nearest first, within the
	// bounds of these caches; `off` alone is none. Default: `off`.
	Files []string `json:"files,omitempty"`

	// For how long what is kept is delivered without its origin being asked whether it has changed; 0 asks each time.
	// Sources on this machine are always asked. Default: 24h.
	MaxAge *caddy.Duration `json:"max_age,omitempty"`

	// What the origin's Cache-Control says counts, and `max_age` where it says nothing. Default: false.
	MaxAgeOrigin bool `json:"max_age_origin,omitempty"`

	// For how long beyond `max_age` it is still delivered while its origin is being asked, so that nobody waits for the
	// answer; 0 is not at all. Default: 1h.
	Stale *caddy.Duration `json:"stale,omitempty"`

	// For how long beyond `max_age` it is still delivered where no origin can be asked; 0 is not at all. Default: 24h.
	StaleIfError *caddy.Duration `json:"stale_if_error,omitempty"`

	// For how long we, and clients, may keep the answer that an origin doesn't have a file; 0 is not at all. Sources on
	// this machine are always asked. Default: 30s.
	MissTTL *caddy.Duration `json:"miss_ttl,omitempty"`

	// For how long we, and clients, may keep a file that was found only because an origin before it could not answer; 0 is not
	// at all. Default: 1m.
	DegradedTTL *caddy.Duration `json:"degraded_ttl,omitempty"`

	// For how long the origin that had a file is asked first for it, before the order counts again: for endpoints most
	// of whose files are in a later origin. 0 is not at all. Default: 0.
	PreferLastGood caddy.Duration `json:"prefer_last_good,omitempty"`

	// Key of the picture that is delivered, transformed as the URL asks, where no origin has the file. It is looked up
	// in the endpoint's own origins. Default: none.
	DefaultImage string `json:"default_image,omitempty"`

	// How many different results of one file may be made within a time for URLs that anybody can make: those that are neither
	// signed nor of named transformations alone. Further ones are answered with status 429; what is kept is always sent.
	// Default: any number.
	Variants *Variants `json:"variants,omitempty"`

	// What is sent where a transformation fails, because the picture is damaged, the engine crashes or takes too long:
	// `error`, or `original`, which is the file as it is. That has no place beside `always` and `signed_only`. It is never
	// done for SVG, for what is over a limit, and for what its origin marks as private. Default: `error`.
	OnTransformError string `json:"on_transform_error,omitempty"`

	// What becomes of files that a browser could run as a page of your site (HTML, XHTML, XML, SVG, JavaScript): with
	// `block` they are delivered under a Content-Security-Policy that forbids it, with `allow` as they are. Default:
	// `block`.
	ActiveContent string `json:"active_content,omitempty"`

	// Which statuses failures get: `imagekit` answers 404 for every failure of an origin, as ImageKit does, `native`
	// tells them apart (403, 502, 504). The `ik-error` header names the cause either way. Default: `imagekit`.
	ErrorStatus string `json:"error_status,omitempty"`

	// Value of the `x-req-from` header that all origins but folders are sent; `off` sends none. Default: `imagekit`.
	ReqFrom string `json:"req_from,omitempty"`

	ready chains // what Transforms and Always hold, made by prepare
}

// defaultEndpoint is the name of the endpoint that answers when no other matches.
const defaultEndpoint = "default"

// The defaults of an Endpoint.
const (
	defaultCacheControl = "public, max-age=31536000, must-revalidate"
	defaultMissTTL      = caddy.Duration(30 * time.Second)
	defaultDegradedTTL  = caddy.Duration(time.Minute)
	defaultMaxAge       = caddy.Duration(24 * time.Hour)
	defaultStale        = caddy.Duration(time.Hour)
	defaultStaleIfError = caddy.Duration(24 * time.Hour)
	defaultReqFrom      = "imagekit"
)

// The words that options accept.
var (
	autoFormats    = []plan.Format{plan.JXL, plan.AVIF, plan.WebP}
	activeContents = []string{"block", "allow"}
	errorStatuses  = []string{"imagekit", "native"}
	cdnTags        = []string{"off", cacheTag, surrogateKey}
)

// smallest is the word behind the formats that has the smallest file sent.
const smallest = "smallest"

// prepare resolves placeholders, judges all fields and fills in defaults.
func (e *Endpoint) prepare(r *caddy.Replacer) error {
	if err := e.expand(r); err != nil {
		return err
	}
	if err := e.validate(); err != nil {
		return err
	}
	if err := checkSigns(e); err != nil {
		return err
	}
	var err error
	if e.ready, err = e.compile(); err != nil {
		return err
	}
	if err := checkUntouched(e); err != nil {
		return err
	}
	e.setDefaults()
	return nil
}

// prepareInline does the same for the endpoint of one handler, which has origins of its own.
func (e *Endpoint) prepareInline(r *caddy.Replacer, own []NamedOrigin) error {
	if len(e.Domains) > 0 {
		return errors.New("domains: an inline endpoint has none; match hosts in the route that the handler is in")
	}
	names := slices.Clone(e.Origins)
	for _, origin := range own {
		if !validName(origin.Name, "-_.#") {
			return fmt.Errorf("inline_origins: name %q is not made of letters, digits, hyphens, underscores, dots and #", origin.Name)
		}
		names = append(names, origin.Name)
	}
	if err := checkUnique(names); err != nil {
		return fmt.Errorf("inline_origins: name %w", err)
	}
	return e.prepare(r)
}

// setDefaults fills in what is not set, and brings values into the form in which they are used.
func (e *Endpoint) setDefaults() {
	if len(e.Query) == 0 {
		e.Query = []string{"all"}
	}
	orDefault(&e.Unnamed, unnamedWords[0])
	if len(e.Formats) == 0 {
		e.Formats = []string{plan.WebP.String()}
	}
	if len(e.FallbackOn) == 0 {
		e.FallbackOn = texts(origins.FallbackKinds())
	}
	orDefault(&e.Quality, plan.DefaultQuality)
	orDefault(&e.MissTTL, new(defaultMissTTL))
	orDefault(&e.DegradedTTL, new(defaultDegradedTTL))
	e.setKeepingDefaults()
	orDefault(&e.CacheControl, defaultCacheControl)
	orDefault(&e.OnTransformError, transformErrors[0])
	orDefault(&e.ActiveContent, activeContents[0])
	orDefault(&e.ErrorStatus, errorStatuses[0])
	orDefault(&e.ReqFrom, defaultReqFrom)
	e.DefaultImage = strings.TrimPrefix(e.DefaultImage, "/")
	e.URLEndpoint = strings.TrimRight(e.URLEndpoint, "/")
	for i, host := range e.Domains {
		e.Domains[i] = canonicalHost(host)
	}
}

// setKeepingDefaults fills in what is kept, and for how long.
func (e *Endpoint) setKeepingDefaults() {
	if len(e.Results) == 0 {
		e.Results = availableBuiltIn()
	}
	for _, names := range []*[]string{&e.Results, &e.Originals, &e.Files} {
		if len(*names) == 0 {
			*names = []string{noCache}
		}
	}
	orDefault(&e.MaxAge, new(defaultMaxAge))
	orDefault(&e.Stale, new(defaultStale))
	orDefault(&e.StaleIfError, new(defaultStaleIfError))
	orDefault(&e.CDNTags, cdnTags[0])
}

// expand resolves the placeholders of e.
func (e *Endpoint) expand(r *caddy.Replacer) error {
	if err := expand(r, "req_from", &e.ReqFrom); err != nil {
		return err
	}
	if err := expand(r, "url_endpoint", &e.URLEndpoint); err != nil {
		return err
	}
	for i := range e.Domains {
		if err := expand(r, "domains", &e.Domains[i]); err != nil {
			return err
		}
	}
	return nil
}

// expand replaces the placeholders in the value of a field; an unknown or an empty one is an error.
func expand(r *caddy.Replacer, field string, value *string) error {
	text, err := r.ReplaceOrErr(*value, true, true)
	if err != nil {
		return fmt.Errorf("%s: resolving placeholders: %w", field, err)
	}
	*value = text
	return nil
}

// fallbackKinds returns the kinds after which the next origin is asked.
func (e *Endpoint) fallbackKinds() []origins.Kind {
	var kinds []origins.Kind
	for _, kind := range origins.FallbackKinds() {
		if slices.Contains(e.FallbackOn, kind.String()) {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// smallest reports whether the smallest file is sent, not the first format that suits.
func (e *Endpoint) smallest() bool {
	return len(e.Formats) > 0 && e.Formats[len(e.Formats)-1] == smallest
}

// autoFormats returns the candidates of the automatic format, best first.
func (e *Endpoint) autoFormats() []plan.Format {
	var formats []plan.Format
	for _, name := range e.Formats {
		if format, err := plan.ParseFormat(name); err == nil {
			formats = append(formats, format)
		}
	}
	return formats
}

// reqFrom returns the value of x-req-from; "" sends none.
func (e *Endpoint) reqFrom() string {
	if e.ReqFrom == "off" {
		return ""
	}
	return e.ReqFrom
}

// order returns the names of the origins that are asked, first to last: library, where there is one, before its own.
func (e *Endpoint) order(library string) []string {
	if library == "" {
		return e.Origins
	}
	names := []string{library}
	for _, name := range e.Origins {
		if name != library {
			names = append(names, name)
		}
	}
	return names
}

// canonicalHost returns host as it is compared: lower case and in punycode.
func canonicalHost(host string) string {
	host = strings.ToLower(host)
	if ascii, err := idna.ToASCII(host); err == nil {
		return ascii
	}
	return host
}
