package caddymodule

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/imageorigin/imageorigin/origins"
)

// The words that every origin has; all others belong to its source.
var originOptions = []option[*Origin]{
	{usage: "canonical <base_url>", args: one(func(o *Origin) *string { return &o.Canonical }), check: (*Origin).validate},
	{usage: "timeout <duration>", args: duration(func(o *Origin) *caddy.Duration { return &o.Timeout })},
	{usage: "max_size <size>", args: size(func(o *Origin) *int64 { return &o.MaxSize })},
}

// Words and types of later versions: they are told apart from mistakes.
var (
	laterOrigin      = []string{"retries", "missing_on_denied", "max_in_flight", "breaker"}
	laterOriginTypes = []string{"web_proxy", "s3", "s3_compatible", "gcs", "azure"}
)

// readOrigin reads an origin, of whose segment d stands on the type:
//
//	<type> [<args...>] {
//		canonical <base_url>
//		timeout   <duration>
//		max_size  <size>
//		<options of the source>
//	}
//
// The source gets its own part of the tokens, with their lines, so that its errors point to the right one. what names
// the origin in warnings.
func readOrigin(d *caddyfile.Dispenser, what string) (*Origin, error) {
	at := here(d)
	if err := checkOriginType(d.Val()); err != nil {
		return nil, d.WrapErr(err)
	}
	origin := new(Origin)
	tokens, err := takeOwn(d.NextSegment(), origin)
	if err != nil {
		return nil, err
	}
	raw, guest, err := readGuest(originNamespace, tokens)
	if err != nil {
		return nil, err
	}
	if _, ok := guest.(origins.Origin); !ok {
		return nil, at.errf("origin type %q: module %T is not an origin", at.token.Text, guest)
	}
	origin.Source = raw
	warnPlainSecrets(at, what, guest)
	return origin, nil
}

// takeOwn reads the host's words out of an origin's segment into origin, and returns what is left for the source. A
// block of which nothing is left goes, too.
func takeOwn(segment caddyfile.Segment, origin *Origin) ([]caddyfile.Token, error) {
	d := caddyfile.NewDispenser(segment)
	d.Next() // the type
	tokens := append([]caddyfile.Token{d.Token()}, d.RemainingArgsAsTokens()...)
	head := len(tokens)
	set := map[string]place{}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		i := slices.IndexFunc(originOptions, func(o option[*Origin]) bool { return o.word() == d.Val() })
		switch {
		case i >= 0:
			if err := originOptions[i].read(d, origin, set); err != nil {
				return nil, err
			}
		case slices.Contains(laterOrigin, d.Val()):
			return nil, d.Errf("option %q is not supported in this version; every origin has %s, and the options of its type", d.Val(), list(words(originOptions), "and"))
		default:
			tokens = append(tokens, d.NextSegment()...)
		}
	}
	if len(tokens) > head {
		tokens = slices.Insert(tokens, head, segment[head])
		tokens = append(tokens, segment[len(segment)-1])
	}
	return tokens, nil
}

// readGuest lets the module of a type, the first of tokens, read the tokens, and returns its JSON and the module.
func readGuest(namespace string, tokens []caddyfile.Token) (json.RawMessage, any, error) {
	kind := tokens[0].Text
	guest, err := caddyfile.UnmarshalModule(at(tokens), namespace+"."+kind)
	if err != nil {
		return nil, nil, err
	}
	var warnings []caddyconfig.Warning
	raw := caddyconfig.JSONModuleObject(guest, "type", kind, &warnings)
	if len(warnings) > 0 {
		return nil, nil, place{tokens[0]}.errf("encoding %s: %s", kind, warnings[0].Message)
	}
	return raw, guest, nil
}

// at returns a dispenser that stands on the first of tokens.
func at(tokens []caddyfile.Token) *caddyfile.Dispenser {
	d := caddyfile.NewDispenser(tokens)
	d.Next()
	return d
}

// checkOriginType says what is wrong with the type of an origin.
func checkOriginType(kind string) error {
	types := guestTypes(originNamespace)
	switch {
	case slices.Contains(types, kind):
		return nil
	case slices.Contains(laterOriginTypes, kind):
		return fmt.Errorf("origin type %q is not supported in this version, which has %s", kind, list(types, "and"))
	}
	return fmt.Errorf("unknown origin type %q; expected %s", kind, list(types, "or"))
}

// warnPlainSecrets warns where a source was given a secret as it is. Sources that take secrets implement Secrets.
func warnPlainSecrets(at place, what string, guest any) {
	holder, ok := guest.(interface{ Secrets() []string })
	if !ok {
		return
	}
	for _, secret := range holder.Secrets() {
		if secret != "" && !strings.Contains(secret, "{env.") && !strings.Contains(secret, "{file.") {
			logWarning(at.warning(what + ": a secret stands in the config as it is; write {env.NAME} or {file./path/of/the/secret} instead"))
			return
		}
	}
}
