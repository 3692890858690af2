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
	// client takes to receive the file doesn't count. Placeholders are not supported. Default: 30s.
	Timeout caddy.Duration `json:"timeout,omitempty"`

	// Size in bytes above which a file of this origin is refused, whether it is a picture or not. Originals that are
	// transformed are bound by the app's `limits.source_size` as well. Placeholders are not supported. Default: none.
	MaxSize int64 `json:"max_size,omitempty"`

	// The source itself; `type` says of which kind it is.
	Source json.RawMessage `json:"source" caddy:"namespace=imageorigin.origins inline_key=type"`
}

// NamedOrigin is an origin of an inline endpoint.
type NamedOrigin struct {
	// Name of the origin in logs and metrics, unique among the handler's origins. Placeholders are not supported.
	Name string `json:"name"`

	Origin
}

// defaultOriginTimeout is how long an origin may keep us waiting where its config doesn't say.
const defaultOriginTimeout = caddy.Duration(30 * time.Second)

// provision loads the source and puts what every origin has around it. It opens no connection.
func (o *Origin) provision(ctx caddy.Context, name string) (origins.Origin, error) {
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
	module, err := ctx.LoadModule(o, "Source")
	if err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	source, ok := module.(origins.Origin)
	if !ok {
		return nil, fmt.Errorf("source: module %T is not an origin", module)
	}
	limited := origins.Limit(source, o.MaxSize, time.Duration(o.Timeout))
	return origins.Observe(origins.Named(limited, name, o.Canonical), report(ctx.Logger())), nil
}

// report returns what tells the log about every answer of an origin: a failure at the level of the error table, whether
// or not another origin then has the file, so that an outage behind a fallback is seen.
func report(logger *zap.Logger) func(origins.Observation) {
	return func(seen origins.Observation) {
		level, message := zapcore.DebugLevel, "origin asked"
		if seen.Err != nil {
			level, message = originFaults[origins.KindOf(seen.Err)].level, "origin failed"
		}
		if c := logger.Check(level, message); c != nil {
			c.Write(zap.String("origin", seen.Origin), zap.String("key", seen.Key), zap.String("result", seen.Result()),
				zap.Duration("opened", seen.Opened), zap.Duration("total", seen.Total), zap.Int64("bytes", seen.Bytes), zap.Error(seen.Err))
		}
	}
}

// validate judges the host's own fields; the error names the field.
func (o *Origin) validate() error {
	switch {
	case o.Timeout < 0:
		return errors.New("timeout: a time can't be negative")
	case o.MaxSize < 0:
		return errors.New("max_size: a size can't be negative")
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
