package caddymodule

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/imageorigin/imageorigin/internal/block"
	"github.com/imageorigin/imageorigin/origins"
)

// The words that every origin has; all others belong to its source.
var originOptions = []block.Option[*Origin]{
	{Usage: "canonical <base_url>", Args: block.One(func(o *Origin) *string { return &o.Canonical }), Check: (*Origin).validate},
	{Usage: "timeout <duration>", Args: block.Duration(func(o *Origin) *caddy.Duration { return &o.Timeout })},
	{Usage: "max_size <size>", Args: block.Size(func(o *Origin) *int64 { return &o.MaxSize })},
	{Usage: "retries <number>", Args: readRetries, Check: (*Origin).validate},
	{Usage: "missing_on_denied", Args: block.Flag(func(o *Origin) *bool { return &o.MissingOnDenied })},
	{Usage: "max_in_flight <number>", Args: block.Number(func(o *Origin) *int { return &o.MaxInFlight })},
	{Usage: "breaker off|<failures> <window>", Args: readBreaker},
}

func readRetries(o *Origin, args []string) error {
	if len(args) != 1 {
		return block.ErrCount
	}
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return fmt.Errorf("%q is not a number; write 0 for none", args[0])
	}
	o.Retries = &n
	return nil
}

func readBreaker(o *Origin, args []string) error {
	o.Breaker = new(Breaker)
	if len(args) == 1 && args[0] == "off" {
		return nil
	}
	if len(args) != 2 {
		return block.ErrCount
	}
	if err := block.Number(func(b *Breaker) *int { return &b.Failures })(o.Breaker, args[:1]); err != nil {
		return err
	}
	return block.Duration(func(b *Breaker) *caddy.Duration { return &b.Window })(o.Breaker, args[1:])
}

// readOrigin reads an origin, of whose segment d stands on the type:
//
//	<type> [<args...>] {
//		<options of every origin>
//		<options of the source>
//	}
//
// The source gets its own part of the tokens, with their lines, so that its errors point to the right one. what names
// the origin in warnings.
func readOrigin(d *caddyfile.Dispenser, what string) (*Origin, error) {
	at := block.Here(d)
	if err := checkOriginType(d.Val()); err != nil {
		return nil, d.WrapErr(err)
	}
	origin := new(Origin)
	tokens, err := takeOwn(d.NextSegment(), origin)
	if err != nil {
		return nil, err
	}
	raw, guest, err := readGuest(originNamespace, tokens)
	if unknown, ok := errors.AsType[*block.UnknownError](err); ok {
		// The source knows its own words only.
		return nil, unknown.At.Wrap(&block.UnknownError{At: unknown.At, Valid: slices.Concat(unknown.Valid, block.Words(originOptions))})
	}
	if err != nil {
		return nil, err
	}
	if _, ok := guest.(origins.Origin); !ok {
		return nil, at.Errf("origin type %q: module %T is not an origin", at.Text(), guest)
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
	set := map[string]block.Place{}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		i := slices.IndexFunc(originOptions, func(o block.Option[*Origin]) bool { return o.Word() == d.Val() })
		if i < 0 && slices.Contains(block.Words(endpointOptions), d.Val()) {
			return nil, d.Errf("option %s belongs to an endpoint, not to an origin", d.Val())
		}
		if i < 0 {
			tokens = append(tokens, d.NextSegment()...)
			continue
		}
		if err := originOptions[i].Read(d, origin, set); err != nil {
			return nil, err
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
		return nil, nil, block.PlaceOf(tokens[0]).Errf("encoding %s: %s", kind, warnings[0].Message)
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
	if slices.Contains(types, kind) {
		return nil
	}
	return fmt.Errorf("unknown origin type %q; expected %s", kind, block.List(types, "or"))
}

// warnPlainSecrets warns where a source was given secrets as they are. Sources that take some implement Secrets, which
// returns what they were given by the names of the options.
func warnPlainSecrets(at block.Place, what string, guest any) {
	holder, ok := guest.(interface{ Secrets() map[string]string })
	if !ok {
		return
	}
	secrets := holder.Secrets()
	for _, option := range slices.Sorted(maps.Keys(secrets)) {
		if literalSecret(secrets[option]) {
			warnPlainSecret(at, what, option)
		}
	}
}

// warnPlainSecret warns of one secret that stands in the config as it is.
func warnPlainSecret(at block.Place, what, option string) {
	logWarning(at.Warning(fmt.Sprintf("%s: %s stands in the config as it is, and it is a secret; write {env.NAME} or {file./path/of/the/secret} instead", what, option)))
}

// literalSecret reports whether text is a secret that stands in a config as it is.
func literalSecret(text string) bool {
	return text != "" && !strings.Contains(text, "{env.") && !strings.Contains(text, "{file.")
}
