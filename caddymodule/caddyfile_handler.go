package caddymodule

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/imageorigin/imageorigin/internal/block"
)

// parseHandler reads the directive:
//
//	imageorigin [<matcher>] [<endpoint>] {
//		pass_thru
//		origin <type> [<args...>] { … }
//		<any option of an endpoint but domains>
//	}
//
// With an origin or an option of an endpoint, the block is an endpoint of this directive alone.
func parseHandler(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	h.Next() // the directive's name
	app, err := declared(h)
	if err != nil {
		return nil, err
	}
	b := handlerBlock{helper: h, handler: new(Handler), inline: new(Endpoint)}
	start := block.Here(h.Dispenser)
	args := h.RemainingArgs()
	if len(args) > 1 {
		return nil, h.Errf("wrong number of arguments; write imageorigin [<matcher>] [<endpoint>]")
	}
	if len(args) == 1 {
		if !validName(args[0], "-") {
			return nil, h.Errf("%q is neither a matcher (\"*\", or begins with \"/\" or \"@\") nor the name of an endpoint (letters, digits and hyphens)", args[0])
		}
		b.handler.Endpoint = args[0]
	}
	set, err := block.Read(h.Dispenser, &b, handlerOptions)
	if err != nil {
		return nil, err
	}
	if b.own(set) {
		return b.handler, b.finishInline(app, start, set)
	}
	return b.handler, checkHandler(app, b.handler.Endpoint, start)
}

// handlerBlock is the directive while it is read.
type handlerBlock struct {
	helper  httpcaddyfile.Helper
	handler *Handler
	inline  *Endpoint
}

var handlerOptions = append([]block.Option[*handlerBlock]{
	{Usage: "pass_thru", Args: func(b *handlerBlock, args []string) error {
		if len(args) > 0 {
			return block.ErrCount
		}
		b.handler.PassThru = true
		return nil
	}},
	{Usage: "origin <type> [<args...>] { ... }", Many: true, Block: (*handlerBlock).readOrigin},
}, block.Lift(endpointOptions, func(b *handlerBlock) *Endpoint { return b.inline })...)

// readOrigin reads an origin that has no name, and gives it one.
func (b *handlerBlock) readOrigin(d *caddyfile.Dispenser) error {
	if !d.NextArg() {
		return block.ErrCount
	}
	name := b.nextName()
	origin, err := readOrigin(d, fmt.Sprintf("origin %q", name))
	if err != nil {
		return err
	}
	b.handler.InlineOrigins = append(b.handler.InlineOrigins, NamedOrigin{Name: name, Origin: *origin})
	return nil
}

// counterKey is where the adapter's state keeps how many anonymous origins there are.
const counterKey = "imageorigin.inline_origins"

// nextName returns the name of an anonymous origin for logs, unique in the config. Caddy doesn't tell
// directives which site they stand in, so names are counted through. Named routes are read apart, with a state of
// their own, and have their own series.
func (b *handlerBlock) nextName() string {
	n, _ := b.helper.State[counterKey].(int)
	b.helper.State[counterKey] = n + 1
	if b.helper.IsNamedRoute() {
		return fmt.Sprintf("route#%d", n+1)
	}
	return fmt.Sprintf("inline#%d", n+1)
}

// own reports whether the block is an endpoint of its own.
func (b *handlerBlock) own(set map[string]block.Place) bool {
	for word := range set {
		if word != "pass_thru" {
			return true
		}
	}
	return false
}

// finishInline judges the endpoint that the block describes.
func (b *handlerBlock) finishInline(app *App, start block.Place, set map[string]block.Place) error {
	if b.handler.Endpoint != "" {
		return b.errNamed(app, start, set)
	}
	if at, ok := set["domains"]; ok {
		return at.Errf("domains has no use here: the address of the site says which hosts are served")
	}
	if len(b.inline.Origins) == 0 && len(b.handler.InlineOrigins) == 0 && app.Library == "" {
		return start.Errf("the endpoint in this block has no origins; add one with the option origin")
	}
	for _, name := range b.inline.Origins {
		if app.Origins[name] == nil {
			return set["origins"].Wrap(app.undeclared(name))
		}
	}
	if err := checkChains(b.inline, set); err != nil {
		return err
	}
	if err := checkUntouchedAt(b.inline, set); err != nil {
		return err
	}
	if err := checkCachesOf(app, b.inline, set); err != nil {
		return err
	}
	if err := checkSigning(b.inline, set, "the endpoint in this block"); err != nil {
		return err
	}
	if err := b.checkAnywhere(app, start); err != nil {
		return err
	}
	warnMany(start, "the endpoint in this block", b.inline, len(b.handler.InlineOrigins), app.Library)
	b.handler.Inline = b.inline
	return nil
}

// checkAnywhere refuses origins of the block, and those that it names, that fetch whatever they are asked for.
func (b *handlerBlock) checkAnywhere(app *App, start block.Place) error {
	names, all := b.inline.order(app.Library), maps.Clone(app.Origins)
	if all == nil {
		all = map[string]*Origin{}
	}
	for i := range b.handler.InlineOrigins {
		o := &b.handler.InlineOrigins[i]
		names, all[o.Name] = append(slices.Clip(names), o.Name), &o.Origin
	}
	if err := checkAnywhere(b.inline, names, all); err != nil {
		return start.Wrap(err)
	}
	return nil
}

// errNamed returns the error of a directive that names an endpoint and describes one as well.
func (b *handlerBlock) errNamed(app *App, start block.Place, set map[string]block.Place) error {
	if err := checkHandler(app, b.handler.Endpoint, start); err != nil {
		return err
	}
	var word string
	for other, at := range set {
		if other != "pass_thru" && !strings.Contains(other, " ") && (word == "" || at.Line() < set[word].Line()) {
			word = other
		}
	}
	return set[word].Errf("%s belongs into the block of endpoint %q in the global option imageorigin; here only pass_thru can stand beside a name",
		word, b.handler.Endpoint)
}

// checkHandler says what is wrong with a directive that has no endpoint of its own: name is the endpoint it is bound
// to, "" where the request chooses.
func checkHandler(app *App, name string, start block.Place) error {
	switch {
	case len(app.Endpoints) == 0 && name == "":
		return start.Errf("no endpoint is declared; add an origin in a block here, or declare origins in the global option imageorigin")
	case name == "" || app.Endpoints[name] != nil:
		return nil
	case len(app.Endpoints) == 0:
		return start.Errf("endpoint %q is not declared; declare it in the global option imageorigin", name)
	}
	return start.Errf("endpoint %q is not declared; declared: %s", name, strings.Join(slices.Sorted(maps.Keys(app.Endpoints)), ", "))
}
