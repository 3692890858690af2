package caddymodule

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"unicode"

	"github.com/caddyserver/caddy/v2"
	"golang.org/x/net/http/httpguts"
	"golang.org/x/net/idna"

	"github.com/imageorigin/imageorigin/origins"
)

// endpointChecks judge the fields of an endpoint one by one, before defaults are filled in. Whether the origins exist
// that it names is checked where they are known.
var endpointChecks = []struct {
	field string
	check func(e *Endpoint) error
}{
	{"origins", func(e *Endpoint) error { return checkUnique(e.Origins) }},
	{"fallback_on", func(e *Endpoint) error { return checkWords(e.FallbackOn, texts(origins.FallbackKinds())) }},
	{"domains", (*Endpoint).checkDomains},
	{"query", (*Endpoint).checkQuery},
	{"unnamed", func(e *Endpoint) error { return checkWord(e.Unnamed, unnamedWords) }},
	{"sign", (*Endpoint).checkSign},
	{"signed_only", func(e *Endpoint) error { return checkWord(e.SignedOnly, signedOnlyWords) }},
	{"url_endpoint", func(e *Endpoint) error { return checkCanonical(e.URLEndpoint) }},
	{"sizes", func(e *Endpoint) error { return e.Sizes.check() }},
	{"formats", (*Endpoint).checkFormats},
	{"quality", func(e *Endpoint) error { return checkQuality(e.Quality) }},
	{"save_data", func(e *Endpoint) error { return checkQuality(e.SaveData) }},
	{"cache_control", (*Endpoint).checkCacheControl},
	{"cdn_cache_control", (*Endpoint).checkCDNCacheControl},
	{"cdn_tags", func(e *Endpoint) error { return checkWord(e.CDNTags, cdnTags) }},
	{"results", func(e *Endpoint) error { return checkCacheList(e.Results) }},
	{"originals", func(e *Endpoint) error { return e.checkKept(e.Originals) }},
	{"files", func(e *Endpoint) error { return e.checkKept(e.Files) }},
	{"max_age", func(e *Endpoint) error { return checkTTL(e.MaxAge) }},
	{"stale", func(e *Endpoint) error { return checkTTL(e.Stale) }},
	{"stale_if_error", func(e *Endpoint) error { return checkTTL(e.StaleIfError) }},
	{"miss_ttl", func(e *Endpoint) error { return checkTTL(e.MissTTL) }},
	{"degraded_ttl", func(e *Endpoint) error { return checkTTL(e.DegradedTTL) }},
	{"prefer_last_good", func(e *Endpoint) error { return checkTTL(&e.PreferLastGood) }},
	{"default_image", (*Endpoint).checkDefaultImage},
	{"variants", func(e *Endpoint) error { return e.Variants.check() }},
	{"on_transform_error", func(e *Endpoint) error { return checkWord(e.OnTransformError, transformErrors) }},
	{"active_content", func(e *Endpoint) error { return checkWord(e.ActiveContent, activeContents) }},
	{"error_status", func(e *Endpoint) error { return checkWord(e.ErrorStatus, errorStatuses) }},
	{"req_from", (*Endpoint).checkReqFrom},
}

// validate judges all fields; the error names the field.
func (e *Endpoint) validate() error {
	for _, c := range endpointChecks {
		if err := c.check(e); err != nil {
			return fmt.Errorf("%s: %w", c.field, err)
		}
	}
	return nil
}

func (e *Endpoint) checkFormats() error {
	formats := e.Formats
	if e.smallest() {
		formats = formats[:len(formats)-1]
	}
	if slices.Contains(formats, smallest) || e.smallest() && len(formats) == 0 {
		return fmt.Errorf("%q stands once, behind the formats that it chooses from", smallest)
	}
	return checkWords(formats, texts(autoFormats))
}

// checkQuality judges a quality, which is 0 where none is set.
func checkQuality(quality int) error {
	if quality < 0 || quality > 100 {
		return fmt.Errorf("%d is out of range; set a number from 1 to 100", quality)
	}
	return nil
}

func (e *Endpoint) checkDomains() error {
	hosts := make([]string, len(e.Domains))
	for i, host := range e.Domains {
		if err := checkHost(host); err != nil {
			return err
		}
		hosts[i] = canonicalHost(host)
	}
	return checkUnique(hosts)
}

func (e *Endpoint) checkQuery() error {
	for _, name := range e.Query {
		switch {
		case (name == "all" || name == "none") && len(e.Query) > 1:
			return fmt.Errorf("%q stands alone; leave it out to name the parameters", name)
		case name == "" || strings.ContainsAny(name, "&=#?"):
			return fmt.Errorf("%q is not the name of a query parameter", name)
		case name == "tr" || strings.HasPrefix(name, "ik-"):
			return fmt.Errorf("%q belongs to the URL language and never reaches an origin", name)
		}
	}
	return checkUnique(e.Query)
}

func (e *Endpoint) checkCacheControl() error {
	if e.CacheControl == "" || e.CacheControl == "origin" {
		return nil
	}
	if !areDirectives(e.CacheControl) {
		return fmt.Errorf("%q is not a Cache-Control value; write \"origin\" or directives such as \"public, max-age=3600\"", e.CacheControl)
	}
	return nil
}

func (e *Endpoint) checkCDNCacheControl() error {
	if e.CDNCacheControl == "origin" || e.CDNCacheControl != "" && !areDirectives(e.CDNCacheControl) {
		return fmt.Errorf("%q is not a CDN-Cache-Control value; write directives such as \"max-age=86400\"", e.CDNCacheControl)
	}
	return nil
}

// areDirectives reports whether value is a list of directives as in Cache-Control.
func areDirectives(value string) bool {
	for directive := range strings.SplitSeq(value, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		if !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) || strings.Contains(value, " ") {
			return false
		}
	}
	return true
}

func (e *Endpoint) checkDefaultImage() error {
	key := strings.TrimPrefix(e.DefaultImage, "/")
	if e.DefaultImage != "" && (key == "." || !fs.ValidPath(key)) {
		return fmt.Errorf("%q is not the path of a picture; write it as in a URL of this endpoint, without \"..\" and empty parts", e.DefaultImage)
	}
	return nil
}

func (e *Endpoint) checkReqFrom() error {
	if !httpguts.ValidHeaderFieldValue(e.ReqFrom) {
		return fmt.Errorf("%q can't be sent in a header", e.ReqFrom)
	}
	return nil
}

// checkHost says what is wrong with a host name of `domains`. One with a placeholder is judged when that is resolved.
func checkHost(host string) error {
	if hasPlaceholder(host) {
		return nil
	}
	switch {
	case strings.Contains(host, "://"):
		return fmt.Errorf("%q has a scheme; write the host name alone", host)
	case strings.Contains(host, "/"):
		return fmt.Errorf("%q has a path; write the host name alone", host)
	case strings.Contains(host, ":"):
		return fmt.Errorf("%q has a port; write the host name alone", host)
	}
	name := strings.TrimPrefix(canonicalHost(host), "*.")
	if strings.ContainsFunc(host, func(r rune) bool { return r > unicode.MaxASCII }) {
		// Clients map more than capitals before they ask (UTS 46): letters with their marks apart, wide ones, the İ of Turkish.
		if asked, err := idna.Lookup.ToASCII(strings.TrimPrefix(host, "*.")); err == nil && asked != name {
			return fmt.Errorf("%q: clients ask for %q; write that", host, asked)
		}
	}
	labels := strings.Split(name, ".")
	for _, label := range labels {
		if label == "*" {
			return fmt.Errorf("%q: a wildcard stands for the whole first label, as in \"*.example.com\"", host)
		}
		if !validName(label, "-_") || len(label) > 63 {
			return fmt.Errorf("%q is not a host name", host)
		}
	}
	return nil
}

func checkTTL(ttl *caddy.Duration) error {
	if ttl != nil && *ttl < 0 {
		return errors.New("a time can't be negative")
	}
	return nil
}
