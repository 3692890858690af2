package caddymodule

import (
	"fmt"
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/imageorigin/imageorigin/internal/block"
)

// readWebhook reads
//
//	purge_webhook <url> {
//		header <name> <value>
//	}
func (g *globalBlock) readWebhook(d *caddyfile.Dispenser) error {
	at := block.Here(d)
	args := d.RemainingArgs()
	if len(args) != 1 {
		return block.ErrCount
	}
	hook := PurgeWebhook{URL: args[0]}
	if _, err := block.Read(d, &hook, webhookOptions); err != nil {
		return err
	}
	if err := hook.validate(); err != nil {
		return at.Errf("purge_webhook: %w", err)
	}
	for _, name := range hook.literalSecrets() {
		warnPlainSecret(at, "purge_webhook", "header "+name)
	}
	g.app.PurgeWebhooks = append(g.app.PurgeWebhooks, hook)
	return nil
}

var webhookOptions = []block.Option[*PurgeWebhook]{
	{Usage: "header <name> <value>", Each: true, Args: readWebhookHeader},
}

func readWebhookHeader(w *PurgeWebhook, args []string) error {
	if len(args) != 2 {
		return block.ErrCount
	}
	if w.Header == nil {
		w.Header = map[string]string{}
	}
	name := http.CanonicalHeaderKey(args[0])
	if _, again := w.Header[name]; again {
		return fmt.Errorf("%s stands twice", name)
	}
	w.Header[name] = args[1]
	return nil
}

// parseAPI reads the directive:
//
//	imageorigin_api [<matcher>] {
//		key  <key...>
//		rate <number> <window>
//	}
func parseAPI(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	h.Next() // the directive's name
	at := block.Here(h.Dispenser)
	if h.NextArg() {
		return nil, h.Errf("wrong number of arguments; write imageorigin_api [<matcher>]")
	}
	api := new(API)
	set, err := block.Read(h.Dispenser, api, apiOptions)
	if err != nil {
		return nil, err
	}
	if len(api.Keys) == 0 {
		return nil, at.Errf("imageorigin_api has no key; write key {env.NAME} in its block, with a secret that clients send")
	}
	for _, key := range api.Keys {
		if literalSecret(key) {
			warnPlainSecret(set["key"], "imageorigin_api", "key")
			break
		}
	}
	return api, nil
}

var apiOptions = []block.Option[*API]{
	{Usage: "key <key...>", Many: true, Args: readAPIKeys, Check: (*API).validate},
	{Usage: "rate <number> <window>", Args: readAPIRate},
}

func readAPIKeys(a *API, args []string) error {
	if len(args) == 0 {
		return block.ErrCount
	}
	a.Keys = append(a.Keys, args...)
	return nil
}

func readAPIRate(a *API, args []string) error {
	if len(args) != 2 {
		return block.ErrCount
	}
	a.Rate = new(APIRate)
	if err := block.Number(func(r *APIRate) *int { return &r.Requests })(a.Rate, args[:1]); err != nil {
		return err
	}
	return block.Duration(func(r *APIRate) *caddy.Duration { return &r.Window })(a.Rate, args[1:])
}
