package caddymodule

import (
	"fmt"
	"strconv"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/imageorigin/imageorigin/internal/block"
)

// endpointOptions are the words of an endpoint, in the global option and in the block of the directive alike.
var endpointOptions = []block.Option[*Endpoint]{
	{Usage: "description <text>", Args: block.One(func(e *Endpoint) *string { return &e.Description })},
	{Usage: "origins <name...>", Args: block.Some(func(e *Endpoint) *[]string { return &e.Origins }), Check: (*Endpoint).validate},
	{Usage: "fallback_on <kind...>", Args: block.Some(func(e *Endpoint) *[]string { return &e.FallbackOn }), Check: (*Endpoint).validate},
	{Usage: "domains <host...>", Args: block.Some(func(e *Endpoint) *[]string { return &e.Domains }), Check: (*Endpoint).validate},
	{Usage: "domains_file <path>", Elsewhere: "stands beside the endpoints, in the global option imageorigin: its lines name a domain and its endpoint"},
	{Usage: "query none|all|<name...>", Args: block.Some(func(e *Endpoint) *[]string { return &e.Query }), Check: (*Endpoint).validate},
	{Usage: "transform <name> <chain>", Each: true, Args: readTransform},
	{Usage: "unnamed allow|deny", Args: block.One(func(e *Endpoint) *string { return &e.Unnamed }), Check: (*Endpoint).validate},
	{Usage: "always <chain>", Args: block.One(func(e *Endpoint) *string { return &e.Always })},
	{Usage: "sign <key...>", Args: block.Some(func(e *Endpoint) *[]string { return &e.Sign }), Check: (*Endpoint).validate},
	{Usage: "signed_only [images|all]", Args: readSignedOnly, Check: (*Endpoint).validate},
	{Usage: "url_endpoint <url>", Args: block.One(func(e *Endpoint) *string { return &e.URLEndpoint }), Check: (*Endpoint).validate},
	{Usage: "shared_key", Args: block.Flag(func(e *Endpoint) *bool { return &e.SharedKey })},
	{Usage: "sizes <width...> [snap|strict]", Args: readSizes},
	{Usage: "formats <format...> [smallest]", Args: block.Some(func(e *Endpoint) *[]string { return &e.Formats }), Check: (*Endpoint).validate},
	{Usage: "quality <1-100> [exact]", Args: readQuality},
	{Usage: "save_data [<1-100>]", Args: readSaveData},
	{Usage: "cache_control origin|<value>", Args: readDirectives(func(e *Endpoint) *string { return &e.CacheControl }), Check: (*Endpoint).validate},
	{Usage: "cdn_cache_control <value>", Args: readDirectives(func(e *Endpoint) *string { return &e.CDNCacheControl }), Check: (*Endpoint).validate},
	{Usage: "cdn_tags cache-tag|surrogate-key|off", Args: block.One(func(e *Endpoint) *string { return &e.CDNTags }), Check: (*Endpoint).validate},
	{Usage: "results <cache...>|off", Args: block.Some(func(e *Endpoint) *[]string { return &e.Results }), Check: (*Endpoint).validate},
	{Usage: "originals <cache...>|off", Args: block.Some(func(e *Endpoint) *[]string { return &e.Originals }), Check: (*Endpoint).validate},
	{Usage: "files <cache...>|off", Args: block.Some(func(e *Endpoint) *[]string { return &e.Files }), Check: (*Endpoint).validate},
	{Usage: "max_age <duration>|origin [<duration>]", Args: readMaxAge, Check: (*Endpoint).validate},
	{Usage: "stale <duration>", Args: readTTL(func(e *Endpoint) **caddy.Duration { return &e.Stale }), Check: (*Endpoint).validate},
	{Usage: "stale_if_error <duration>", Args: readTTL(func(e *Endpoint) **caddy.Duration { return &e.StaleIfError }), Check: (*Endpoint).validate},
	{Usage: "miss_ttl <duration>", Args: readTTL(func(e *Endpoint) **caddy.Duration { return &e.MissTTL }), Check: (*Endpoint).validate},
	{Usage: "degraded_ttl <duration>", Args: readTTL(func(e *Endpoint) **caddy.Duration { return &e.DegradedTTL }), Check: (*Endpoint).validate},
	{Usage: "prefer_last_good [<duration>]", Args: readPreferLastGood},
	{Usage: "default_image <path>", Args: block.One(func(e *Endpoint) *string { return &e.DefaultImage }), Check: (*Endpoint).validate},
	{Usage: "variants <number> <window>", Args: readVariants, Check: (*Endpoint).validate},
	{Usage: "on_transform_error original|error", Args: block.One(func(e *Endpoint) *string { return &e.OnTransformError }), Check: (*Endpoint).validate},
	{Usage: "active_content block|allow", Args: block.One(func(e *Endpoint) *string { return &e.ActiveContent }), Check: (*Endpoint).validate},
	{Usage: "error_status imagekit|native", Args: block.One(func(e *Endpoint) *string { return &e.ErrorStatus }), Check: (*Endpoint).validate},
	{Usage: "req_from off|<value>", Args: block.One(func(e *Endpoint) *string { return &e.ReqFrom }), Check: (*Endpoint).validate},
}

// readTransform reads a transformation and its name. It is judged when all of them are known.
func readTransform(e *Endpoint, args []string) error {
	if len(args) != 2 {
		return block.ErrCount
	}
	if len(e.Transforms) == maxTransforms {
		return errTransforms
	}
	if e.Transforms == nil {
		e.Transforms = map[string]string{}
	}
	e.Transforms[args[0]] = args[1]
	return nil
}

// readQuality reads a quality, and whether it is a ceiling.
func readQuality(e *Endpoint, args []string) (err error) {
	switch {
	case len(args) == 0 || len(args) > 2:
		return block.ErrCount
	case len(args) == 2 && args[1] != "exact":
		return fmt.Errorf("unknown value %q; expected exact or nothing behind the number", args[1])
	}
	e.QualityExact = len(args) == 2
	e.Quality, err = qualityNumber(args[0])
	return err
}

// defaultSaveData is the quality for clients that save data where the option says none.
const defaultSaveData = 50

// readSaveData reads a quality that may be left out.
func readSaveData(e *Endpoint, args []string) (err error) {
	switch len(args) {
	case 0:
		e.SaveData = defaultSaveData
	case 1:
		e.SaveData, err = qualityNumber(args[0])
	default:
		err = block.ErrCount
	}
	return err
}

// qualityNumber reads a quality; 0 would say in JSON that none is set.
func qualityNumber(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 100 {
		return 0, fmt.Errorf("%q is out of range; set a number from 1 to 100", text)
	}
	return n, nil
}

// defaultPreferLastGood is how long the last good origin is asked first where the option says no time.
const defaultPreferLastGood = caddy.Duration(10 * time.Minute)

// readPreferLastGood reads a time that may be left out.
func readPreferLastGood(e *Endpoint, args []string) error {
	if e.PreferLastGood = defaultPreferLastGood; len(args) == 0 {
		return nil
	}
	return block.Duration(func(e *Endpoint) *caddy.Duration { return &e.PreferLastGood })(e, args)
}

// readTTL reads a time that may be 0.
func readTTL(field func(*Endpoint) **caddy.Duration) func(*Endpoint, []string) error {
	return func(e *Endpoint, args []string) error {
		if len(args) != 1 {
			return block.ErrCount
		}
		t, err := caddy.ParseDuration(args[0])
		if err != nil {
			return fmt.Errorf("%q is not a time; write it as 0, 30s, 5m or 1d", args[0])
		}
		*field(e) = new(caddy.Duration(t))
		return nil
	}
}
