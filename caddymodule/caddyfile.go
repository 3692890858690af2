package caddymodule

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"go.uber.org/zap"

	"github.com/imageorigin/imageorigin/internal/block"
)

func init() {
	httpcaddyfile.RegisterGlobalOption(appName, parseGlobal)
	httpcaddyfile.RegisterHandlerDirective(appName, parseHandler)
	httpcaddyfile.RegisterHandlerDirective("imageorigin_api", parseAPI)
	httpcaddyfile.RegisterDirectiveOrder("imageorigin_api", httpcaddyfile.Before, "reverse_proxy") // so before the next one
	httpcaddyfile.RegisterDirectiveOrder(appName, httpcaddyfile.Before, "reverse_proxy")
}

// Words of later versions: they are told apart from mistakes.
var laterLimits = []string{"layers"}

// parseGlobal reads the global option:
//
//	imageorigin {
//		origin   <name> <type> [<args...>] { … }
//		cache    <name> <type> [<args...>] { … }
//		library  <origin>
//		account  <id>
//		domains_file <path>
//		engine   <type> [<args...>] { … }
//		limits   { … }
//		endpoint <name> { … }
//		purge_webhook <url> { … }
//	}
func parseGlobal(d *caddyfile.Dispenser, existing any) (any, error) {
	d.Next() // the option's name
	if existing != nil {
		return nil, d.Errf("the global option %s stands twice; put everything into one block", appName)
	}
	if d.NextArg() {
		return nil, d.Errf("the global option %s takes no arguments; its settings stand in a block", appName)
	}
	g := globalBlock{
		app:        &App{Origins: map[string]*Origin{}, Caches: map[string]*Cache{}, Endpoints: map[string]*Endpoint{}},
		originAt:   map[string]block.Place{},
		cacheAt:    map[string]block.Place{},
		endpointAt: map[string]map[string]block.Place{},
	}
	set, err := block.Read(d, &g, globalOptions)
	if err != nil {
		return nil, err
	}
	if err := g.finish(set); err != nil {
		return nil, err
	}
	return httpcaddyfile.App{Name: appName, Value: caddyconfig.JSON(g.app, nil)}, nil
}

// globalBlock is the global option while it is read.
type globalBlock struct {
	app       *App
	origins   []string // names, in the order of their declaration
	endpoints []string // alike
	originAt  map[string]block.Place
	cacheAt   map[string]block.Place
	// By endpoint, where each of its options is set; "" is the endpoint itself.
	endpointAt map[string]map[string]block.Place
}

var globalOptions = []block.Option[*globalBlock]{
	{Usage: "origin <name> <type> [<args...>] { ... }", Many: true, Block: (*globalBlock).readOrigin},
	{Usage: "cache <name> <type> [<args...>] { ... }", Many: true, Block: (*globalBlock).readCache},
	{Usage: "library <origin>", Args: block.One(func(g *globalBlock) *string { return &g.app.Library })},
	{Usage: "account <id>", Args: block.One(func(g *globalBlock) *string { return &g.app.Account }), Check: func(g *globalBlock) error {
		return checkAccount(g.app.Account)
	}},
	{Usage: "domains_file <path>", Args: block.One(func(g *globalBlock) *string { return &g.app.DomainsFile })},
	{Usage: "engine <type> [<args...>] { ... }", Block: (*globalBlock).readEngine},
	{Usage: "limits { ... }", Block: (*globalBlock).readLimits},
	{Usage: "endpoint <name> { ... }", Many: true, Block: (*globalBlock).readEndpoint},
	{Usage: "purge_webhook <url> { ... }", Many: true, Block: (*globalBlock).readWebhook},
}

func (g *globalBlock) readOrigin(d *caddyfile.Dispenser) error {
	at := block.Here(d)
	if !d.NextArg() {
		return block.ErrCount
	}
	name := d.Val()
	if err := checkOriginName(name); err != nil {
		return d.WrapErr(err)
	}
	if first, ok := g.originAt[name]; ok {
		return d.Errf("origin %q is already declared at %s", name, first)
	}
	if !d.NextArg() {
		return block.ErrCount
	}
	origin, err := readOrigin(d, fmt.Sprintf("origin %q", name))
	if err != nil {
		return err
	}
	g.app.Origins[name], g.originAt[name] = origin, at
	g.origins = append(g.origins, name)
	return nil
}

func (g *globalBlock) readEngine(d *caddyfile.Dispenser) error {
	if !d.NextArg() {
		return block.ErrCount
	}
	if err := checkEngine(d.Val()); err != nil {
		return d.WrapErr(err)
	}
	raw, _, err := readGuest(engineNamespace, d.NextSegment())
	g.app.Engine = raw
	return err
}

func (g *globalBlock) readLimits(d *caddyfile.Dispenser) error {
	if d.NextArg() {
		return block.ErrCount
	}
	g.app.Limits = new(Limits)
	_, err := block.Read(d, g.app.Limits, limitOptions, laterLimits...)
	return err
}

func (g *globalBlock) readEndpoint(d *caddyfile.Dispenser) error {
	at := block.Here(d)
	args := d.RemainingArgs()
	if len(args) != 1 {
		return block.ErrCount
	}
	name := args[0]
	if err := checkEndpointName(name); err != nil {
		return d.WrapErr(err)
	}
	if first, ok := g.endpointAt[name]; ok {
		return d.Errf("endpoint %q is already declared at %s", name, first[""])
	}
	e := new(Endpoint)
	set, err := block.Read(d, e, endpointOptions)
	if err != nil {
		return err
	}
	if err := checkChains(e, set); err != nil {
		return err
	}
	if err := checkUntouchedAt(e, set); err != nil {
		return err
	}
	set[""] = at
	g.app.Endpoints[name], g.endpointAt[name] = e, set
	g.endpoints = append(g.endpoints, name)
	return nil
}

// finish judges the block as a whole, and adds the default endpoint where none is declared.
func (g *globalBlock) finish(set map[string]block.Place) error {
	if g.app.Library != "" && g.app.Origins[g.app.Library] == nil {
		return set["library"].Wrap(g.app.undeclared(g.app.Library))
	}
	bound := map[string]string{}
	for _, name := range g.endpoints {
		if err := g.checkEndpoint(name, bound); err != nil {
			return err
		}
	}
	g.addDefault()
	if e := g.app.Endpoints[defaultEndpoint]; e != nil && g.endpointAt[defaultEndpoint] == nil {
		for _, name := range e.order(g.app.Library) {
			if err := checkAnywhere(e, []string{name}, g.app.Origins); err != nil {
				return g.originAt[name].Wrap(err)
			}
		}
	}
	return nil
}

// checkEndpoint judges one endpoint beside the others; bound tells which endpoint a domain belongs to.
func (g *globalBlock) checkEndpoint(name string, bound map[string]string) error {
	e, at := g.app.Endpoints[name], g.endpointAt[name]
	if name == g.app.Account {
		return at[""].Wrap(errAccountName(name))
	}
	if len(e.Origins) == 0 && g.app.Library == "" {
		return at[""].Errf("endpoint %q has no origins; name at least one with the option origins, or set library", name)
	}
	for _, origin := range e.Origins {
		if g.app.Origins[origin] == nil {
			return at["origins"].Wrap(fmt.Errorf("endpoint %q: %w", name, g.app.undeclared(origin)))
		}
	}
	for _, host := range e.Domains {
		host = canonicalHost(host)
		if other, ok := bound[host]; ok {
			return at["domains"].Errf("domain %q belongs to endpoint %q already, at %s; a domain has one endpoint",
				host, other, g.endpointAt[other]["domains"])
		}
		bound[host] = name
	}
	if err := g.checkKeys(name); err != nil {
		return err
	}
	if err := checkAnywhere(e, e.order(g.app.Library), g.app.Origins); err != nil {
		return at[""].Wrap(fmt.Errorf("endpoint %q: %w", name, err))
	}
	warnMany(at["origins"], fmt.Sprintf("endpoint %q", name), e, 0, g.app.Library)
	return checkCachesOf(g.app, e, at)
}

// addDefault writes out what goes without saying: without an endpoint "default", the first declared origin answers
// there, after the library.
func (g *globalBlock) addDefault() {
	if g.app.Endpoints[defaultEndpoint] != nil || len(g.origins) == 0 {
		return
	}
	e := new(Endpoint)
	for _, name := range g.origins {
		if name != g.app.Library {
			e.Origins = []string{name}
			break
		}
	}
	g.app.Endpoints[defaultEndpoint] = e
}

// advisedOrigins is how many origins an endpoint may have without a warning.
const advisedOrigins = 2

// warnMany warns of an endpoint that asks many origins; more says how many it has beside those that it names.
func warnMany(at block.Place, what string, e *Endpoint, more int, library string) {
	n := len(e.Origins) + more
	if library != "" && !slices.Contains(e.Origins, library) {
		n++
	}
	if n > advisedOrigins {
		logWarning(at.Warning(fmt.Sprintf("%s asks up to %d origins one after the other: a file that only the last has waits for all of them; %d are advised",
			what, n, advisedOrigins)))
	}
}

// logWarning tells the person who adapts a Caddyfile. Caddy hands no list of warnings to global options and directives;
// its own ones log as well.
var logWarning = func(w caddyconfig.Warning) {
	caddy.Log().Named("config.adapter.caddyfile").Warn(w.Message, zap.String("file", w.File), zap.Int("line", w.Line))
}

var limitOptions = []block.Option[*Limits]{
	{Usage: "source_size <size>", Args: block.Size(func(l *Limits) *int64 { return &l.SourceSize })},
	{Usage: "source_pixels <number>", Args: block.Number(func(l *Limits) *int64 { return &l.SourcePixels })},
	{Usage: "output_pixels <number>", Args: block.Number(func(l *Limits) *int64 { return &l.OutputPixels })},
	{Usage: "output_side <number>", Args: block.Number(func(l *Limits) *int { return &l.OutputSide }), Check: (*Limits).validate},
	{Usage: "frames <number>", Args: block.Number(func(l *Limits) *int { return &l.Frames }), Check: (*Limits).validate},
	{Usage: "steps <number>", Args: block.Number(func(l *Limits) *int { return &l.Steps }), Check: (*Limits).validate},
	{Usage: "timeout <duration>", Args: block.Duration(func(l *Limits) *caddy.Duration { return &l.Timeout })},
	{Usage: "queue <number>", Args: block.Number(func(l *Limits) *int { return &l.Queue }), Check: (*Limits).validate},
	{Usage: "memory <size>", Args: block.Size(func(l *Limits) *int64 { return &l.Memory }), Check: (*Limits).validate},
}

// declared returns what the global option, which is read before any site, declares.
func declared(h httpcaddyfile.Helper) (*App, error) {
	app := new(App)
	if option, ok := h.Option(appName).(httpcaddyfile.App); ok {
		if err := json.Unmarshal(option.Value, app); err != nil {
			return nil, h.Errf("reading the global option %s: %w", appName, err)
		}
	}
	return app, nil
}
