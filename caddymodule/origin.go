package caddymodule

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/imageorigin/imageorigin/origins"
)

// originNamespace is where the modules of origins register.
const originNamespace = "imageorigin.origins"

// Origin is where originals come from: the settings that every origin has, and its source.
type Origin struct {
	// Base URL of the page of truth for this origin's files: they are delivered with the header
	// `Link: <canonical/path>; rel="canonical"`. Supports `{env.*}`, `{file.*}` and `{system.*}`. Default: none.
	Canonical string `json:"canonical,omitempty"`

	// How long the origin may keep us waiting: until its answer begins, and later for at least 1 KiB a second. What the
	// client takes to receive the file doesn't count. Keep it well below the app's `limits.timeout`, so that another
	// origin can be asked. Placeholders are not supported. Default: 10s.
	Timeout caddy.Duration `json:"timeout,omitempty"`

	// Size in bytes above which a file of this origin is refused, whether it is a picture or not. Originals that are
	// transformed are bound by the app's `limits.source_size` as well. Placeholders are not supported. Default: none.
	MaxSize int64 `json:"max_size,omitempty"`

	// How often a request is repeated that failed in a way that may pass (throttled, overloaded, a connection that
	// broke), after a short pause that grows, and within `timeout`; and how often a file that breaks off while it is
	// read is continued where it broke off, if the origin still has the same version. 0 is never, 10 the most.
	// Placeholders are not supported. Default: 2.
	Retries *int `json:"retries,omitempty"`

	// Takes a refusal that may as well mean a missing file for a missing file: a bucket that may not be listed answers
	// 403 for both. Refused credentials stay an error. Placeholders are not supported. Default: false.
	MissingOnDenied bool `json:"missing_on_denied,omitempty"`

	// How many requests the origin may have in flight, from the question to the end of the file. Others wait, within
	// `timeout`. Placeholders are not supported. Default: 0, any number.
	MaxInFlight int `json:"max_in_flight,omitempty"`

	// When an origin that keeps failing is skipped for a while. Default: after 5 failures in a row, for 10s; sources on
	// this machine, and those that stand for many servers, are never skipped.
	Breaker *Breaker `json:"breaker,omitempty"`

	// The source itself; `type` says of which kind it is.
	Source json.RawMessage `json:"source" caddy:"namespace=imageorigin.origins inline_key=type"`
}

// Breaker says when an origin is skipped.
type Breaker struct {
	// Failures in a row after which the origin is skipped; 0 is never. A connection that can't be opened in time is
	// enough in itself, and so is an answer that is waited for in vain while nobody else gets one. Placeholders are not
	// supported.
	Failures int `json:"failures"`

	// How long it is skipped, until one request tries it again. Placeholders are not supported. Default: 10s.
	Window caddy.Duration `json:"window,omitempty"`
}

// NamedOrigin is an origin of an inline endpoint.
type NamedOrigin struct {
	// Name of the origin in logs, unique among the handler's origins. Placeholders are not supported.
	Name string `json:"name"`

	Origin
}

// The defaults of an Origin.
const (
	defaultOriginTimeout   = caddy.Duration(10 * time.Second) // how long it may keep us waiting
	defaultRetries         = 2
	maxRetries             = 10
	defaultBreakerFailures = 5
	defaultBreakerWindow   = caddy.Duration(10 * time.Second)
)

// origin is an Origin ready to be asked.
type origin struct {
	origins.Origin

	name, kind   string
	target       string                                     // what it reads from
	canonical    string                                     // base of the canonical URLs
	local        bool                                       // asking it costs nothing
	anywhere     bool                                       // it fetches whatever it is asked for
	readsQuery   bool                                       // the client's query can change what it answers
	forwardsHost bool                                       // and the client's Host
	holds        func(key string, v origins.Validator) bool // see delivery.Local; nil: it can't tell
}

// provision loads the source and puts what every origin has around it. It opens no connection.
func (o *Origin) provision(ctx caddy.Context, name string) (*origin, error) {
	raw := o.Source // Caddy takes it out of the config once it is loaded
	source, err := o.load(ctx)
	if err != nil {
		return nil, err
	}
	logger := ctx.Logger()
	local := isLocal(source)
	asked := source
	if o.MissingOnDenied {
		asked = origins.MissingOnDenied(asked)
	}
	asked = origins.Resume(origins.Retry(asked, *o.Retries), *o.Retries)
	asked = origins.Limit(origins.InFlight(asked, o.MaxInFlight), o.MaxSize, time.Duration(o.Timeout))
	asked = origins.Breaker(asked, o.breaker(source, local, tellSkipping(logger, name)))
	return &origin{
		Origin:       origins.Observe(origins.Named(asked, name, o.Canonical), report(logger)),
		name:         name,
		kind:         guestType(raw),
		target:       targetOf(source, raw),
		canonical:    o.Canonical,
		local:        local,
		anywhere:     goesAnywhere(source),
		readsQuery:   readsQuery(source),
		forwardsHost: forwardsHost(source),
		holds:        holdsOf(source),
	}, nil
}

// load resolves placeholders, judges the fields, fills in defaults and loads the source.
func (o *Origin) load(ctx caddy.Context) (origins.Origin, error) {
	if err := expand(caddy.NewReplacer(), "canonical", &o.Canonical); err != nil {
		return nil, err
	}
	if len(o.Source) == 0 {
		return nil, errors.New(`source: nothing is set; give an object with "type"`)
	}
	if err := o.validate(); err != nil {
		return nil, err
	}
	orDefault(&o.Timeout, defaultOriginTimeout)
	orDefault(&o.Retries, new(defaultRetries))
	module, err := ctx.LoadModule(o, "Source")
	if err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	source, ok := module.(origins.Origin)
	if !ok {
		return nil, fmt.Errorf("source: module %T is not an origin", module)
	}
	return source, nil
}

// isLocal reports whether a source reads this machine, so that asking it costs next to nothing. Sources may say so.
func isLocal(source origins.Origin) bool {
	s, ok := source.(interface{ Local() bool })
	return ok && s.Local()
}

// manyServers reports whether a source stands for many servers. Sources may say so.
func manyServers(source origins.Origin) bool {
	s, ok := source.(interface{ ManyServers() bool })
	return ok && s.ManyServers()
}

// breaker returns when the origin is skipped. One of many servers must not hide the others.
func (o *Origin) breaker(source origins.Origin, local bool, changed func(bool, time.Duration, error)) origins.BreakerConfig {
	b := Breaker{Failures: defaultBreakerFailures}
	switch {
	case o.Breaker != nil:
		b = *o.Breaker
	case local, manyServers(source):
		b.Failures = 0
	}
	orDefault(&b.Window, defaultBreakerWindow)
	return origins.BreakerConfig{Failures: b.Failures, Window: time.Duration(b.Window), Changed: changed}
}

// tellSkipping returns what tells the log when an origin is skipped, and when it is asked again.
func tellSkipping(logger *zap.Logger, name string) func(bool, time.Duration, error) {
	return func(open bool, window time.Duration, fault error) {
		if !open {
			logger.Info("origin answers again", zap.String("origin", name))
			return
		}
		logger.Warn("origin keeps failing and is skipped", zap.String("origin", name), zap.Duration("window", window),
			zap.Stringer("result", origins.KindOf(fault)), zap.NamedError("last_failure", cause(fault)), remedyField(fault))
	}
}

// report returns what tells the log about every answer of an origin: a failure at the level of the error table, whether
// or not another origin then has the file, so that an outage behind a fallback is seen.
func report(logger *zap.Logger) func(origins.Observation) {
	return func(seen origins.Observation) {
		level, message := zapcore.DebugLevel, "origin asked"
		switch {
		case errors.Is(seen.Err, origins.ErrSkipped):
			message = "origin skipped" // that it is was told when it began
		case seen.Err != nil && origins.KindOf(seen.Err) == origins.NotModified: // what was asked for
		case seen.Err != nil:
			level, message = originFaults[origins.KindOf(seen.Err)].level, "origin failed"
		}
		if c := logger.Check(level, message); c != nil {
			c.Write(zap.String("origin", seen.Origin), zap.String("key", seen.Key), zap.String("result", seen.Result()),
				zap.Duration("opened", seen.Opened), zap.Duration("total", seen.Total), zap.Int64("bytes", seen.Bytes),
				zap.Error(seen.Err), remedyField(seen.Err))
		}
	}
}

// remedyField says what to do about err, if its origin knows.
func remedyField(err error) zap.Field {
	if e, ok := errors.AsType[*origins.Error](err); ok && e.Remedy != "" {
		return zap.String("remedy", e.Remedy)
	}
	return zap.Skip()
}

// validate judges the host's own fields; the error names the field.
func (o *Origin) validate() error {
	switch {
	case o.Timeout < 0:
		return errors.New("timeout: a time can't be negative")
	case o.MaxSize < 0:
		return errors.New("max_size: a size can't be negative")
	case o.Retries != nil && (*o.Retries < 0 || *o.Retries > maxRetries):
		return fmt.Errorf("retries: %d is out of range; set a number from 0 to %d", *o.Retries, maxRetries)
	case o.MaxInFlight < 0:
		return errors.New("max_in_flight: a number can't be negative; leave it out for any number")
	case o.Breaker != nil && (o.Breaker.Failures < 0 || o.Breaker.Window < 0):
		return errors.New("breaker: neither failures nor window can be negative")
	}
	if err := checkCanonical(o.Canonical); err != nil {
		return fmt.Errorf("canonical: %w", err)
	}
	return nil
}

// checkCanonical says what is wrong with a base URL. One with a placeholder is judged when that is resolved.
func checkCanonical(base string) error {
	if base == "" || hasPlaceholder(base) {
		return nil
	}
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("%q is not a base URL; write it as https://www.example.com/path", base)
	}
	if u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return fmt.Errorf("%q: a base URL has neither user, query nor fragment", base)
	}
	return nil
}

// checkOriginName says what is wrong with the name of an origin.
func checkOriginName(name string) error {
	if !validName(name, "-_.") || len(name) > 100 {
		return fmt.Errorf("origin %q: a name is 1 to 100 letters, digits, hyphens, underscores and dots", name)
	}
	return nil
}
