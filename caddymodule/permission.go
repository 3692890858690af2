package caddymodule

import (
	"context"
	"errors"
	"fmt"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddytls"
	"go.uber.org/zap"

	"github.com/imageorigin/imageorigin/internal/block"
)

func init() { caddy.RegisterModule(new(Permission)) }

// Permission allows certificates on demand for the domains of endpoints, and for no other name: those of the option
// `domains` and those of the `domains_file`, as they stand in certificates, so in lower case and in punycode. A name is
// never allowed because it falls under a wildcard, unless `on_demand_wildcards` says so, and IP addresses never are.
type Permission struct {
	// Names that fall under a wildcard among the domains, by one label, are allowed as well. Whoever asks for such names
	// then has this server try for a certificate of each, also where the DNS has none of them: certificate authorities limit
	// how many are tried for, and how many a domain gets in a week.
	// Default: false.
	OnDemandWildcards bool `json:"on_demand_wildcards,omitempty"`

	app *App
}

// CaddyModule returns the Caddy module information.
func (*Permission) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "tls.permission.imageorigin", New: func() caddy.Module { return new(Permission) }}
}

var permissionOptions = []block.Option[*Permission]{
	{Usage: "on_demand_wildcards", Args: block.Flag(func(p *Permission) *bool { return &p.OnDemandWildcards })},
}

// UnmarshalCaddyfile reads what stands in the global option on_demand_tls:
//
//	permission imageorigin {
//		on_demand_wildcards
//	}
func (p *Permission) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the module's name
	if d.NextArg() {
		return d.Errf("permission %s takes no arguments; its settings stand in a block", appName)
	}
	_, err := block.Read(d, p, permissionOptions)
	return err
}

// Provision finds the app of the same config. Each config's TLS app asks the permission of that config, so during a reload
// the old listeners go by the old domains and the new ones by the new.
func (p *Permission) Provision(ctx caddy.Context) error {
	app, err := ctx.App(appName)
	if err != nil {
		return err
	}
	p.app = app.(*App)
	t := p.app.router.domains.Load()
	if p.app.DomainsFile == "" && len(t.exact) == 0 && (len(t.wild) == 0 || !p.OnDemandWildcards) {
		ctx.Logger().Warn("no certificate can be had on demand: bind domains to an endpoint by its option domains, or by domains_file",
			zap.Int("wildcards", len(t.wild)))
	}
	return nil
}

// The reasons for which a certificate is refused.
var (
	errNoDomain     = errors.New("it is not a domain of an endpoint")
	errOnlyWildcard = errors.New("it is a domain of an endpoint only by a wildcard, and on_demand_wildcards is not set")
	errIsAddress    = errors.New("it is an IP address")
)

// CertificateAllowed implements caddytls.OnDemandPermission. Refusals wrap caddytls.ErrPermissionDenied.
func (p *Permission) CertificateAllowed(_ context.Context, name string) error {
	if reason := p.app.router.domains.Load().certifiable(name, p.OnDemandWildcards); reason != nil {
		return fmt.Errorf("%w: %q: %w", caddytls.ErrPermissionDenied, name, reason)
	}
	return nil
}

// Interface guards.
var (
	_ caddytls.OnDemandPermission = (*Permission)(nil)
	_ caddy.Provisioner           = (*Permission)(nil)
	_ caddyfile.Unmarshaler       = (*Permission)(nil)
)
