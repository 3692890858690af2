package caddymodule

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2"
)

// Words of later versions: they are told apart from mistakes.
var laterEndpoint = []string{
	"domains_file", "url_endpoint", "always", "sizes", "transform", "unnamed", "sign", "signed_only", "max_age", "stale",
	"stale_if_error", "prefer_last_good", "on_transform_error", "results", "originals",
}

// endpointOptions are the words of an endpoint, in the global option and in the block of the directive alike.
var endpointOptions = []option[*Endpoint]{
	{usage: "description <text>", args: one(func(e *Endpoint) *string { return &e.Description })},
	{usage: "origins <name...>", args: some(func(e *Endpoint) *[]string { return &e.Origins }), check: (*Endpoint).validate},
	{usage: "fallback_on <kind...>", args: some(func(e *Endpoint) *[]string { return &e.FallbackOn }), check: (*Endpoint).validate},
	{usage: "domains <host...>", args: some(func(e *Endpoint) *[]string { return &e.Domains }), check: (*Endpoint).validate},
	{usage: "query none|all|<name...>", args: some(func(e *Endpoint) *[]string { return &e.Query }), check: (*Endpoint).validate},
	{usage: "formats <format...>", args: some(func(e *Endpoint) *[]string { return &e.Formats }), check: (*Endpoint).validate},
	{usage: "quality <1-100>", args: readQuality},
	{usage: "cache_control origin|<value>", args: readCacheControl, check: (*Endpoint).validate},
	{usage: "miss_ttl <duration>", args: readTTL(func(e *Endpoint) **caddy.Duration { return &e.MissTTL }), check: (*Endpoint).validate},
	{usage: "degraded_ttl <duration>", args: readTTL(func(e *Endpoint) **caddy.Duration { return &e.DegradedTTL }), check: (*Endpoint).validate},
	{usage: "default_image <path>", args: one(func(e *Endpoint) *string { return &e.DefaultImage }), check: (*Endpoint).validate},
	{usage: "active_content block|allow", args: one(func(e *Endpoint) *string { return &e.ActiveContent }), check: (*Endpoint).validate},
	{usage: "error_status imagekit|native", args: one(func(e *Endpoint) *string { return &e.ErrorStatus }), check: (*Endpoint).validate},
	{usage: "req_from off|<value>", args: one(func(e *Endpoint) *string { return &e.ReqFrom }), check: (*Endpoint).validate},
}

// readCacheControl reads the value in quotes, or its directives one after the other.
func readCacheControl(e *Endpoint, args []string) error {
	if len(args) == 0 {
		return errCount
	}
	e.CacheControl = strings.Join(args, " ")
	return nil
}

// readQuality reads a quality; 0 would say in JSON that none is set.
func readQuality(e *Endpoint, args []string) error {
	if len(args) != 1 {
		return errCount
	}
	n, err := strconv.Atoi(args[0])
	if err != nil || n < 1 || n > 100 {
		return fmt.Errorf("%q is out of range; set a number from 1 to 100", args[0])
	}
	e.Quality = n
	return nil
}

// readTTL reads a time that may be 0.
func readTTL(field func(*Endpoint) **caddy.Duration) func(*Endpoint, []string) error {
	return func(e *Endpoint, args []string) error {
		if len(args) != 1 {
			return errCount
		}
		t, err := caddy.ParseDuration(args[0])
		if err != nil {
			return fmt.Errorf("%q is not a time; write it as 0, 30s, 5m or 1d", args[0])
		}
		*field(e) = new(caddy.Duration(t))
		return nil
	}
}
