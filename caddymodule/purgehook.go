package caddymodule

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"
	"golang.org/x/net/http/httpguts"
)

// PurgeWebhook is an address that is told of each purge by a POST request, whose body is
//
//	{"urls": [...], "prefixes": [...], "tags": [...], "endpoint": "", "everything": false, "time": "2026-01-02T03:04:05Z"}
//
// It is told when the purge is done here: what it makes a CDN ask for again is made anew. An answer other than 2xx makes
// it be told again, three times in all; what fails is logged, and is no failure of the purge.
type PurgeWebhook struct {
	// The address, http or https. Redirects are not followed. Supports `{env.*}`, `{file.*}` and `{system.*}`, resolved
	// when the config is loaded.
	URL string `json:"url"`

	// Headers that are sent, such as `Authorization`. Values support the same placeholders. Default: none.
	Header map[string]string `json:"header,omitempty"`
}

// validate says what is wrong. What holds a placeholder is judged when that is resolved.
func (w *PurgeWebhook) validate() error {
	if u, err := url.Parse(w.URL); !hasPlaceholder(w.URL) && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		return errors.New("that is no http or https URL; write it as https://hooks.example.com/purge")
	} else if err == nil && u.User != nil {
		return errors.New("credentials stand in the URL; send them in a header: Authorization")
	}
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(w.Header)) {
		canonical := http.CanonicalHeaderKey(name)
		switch {
		case !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(w.Header[name]):
			return fmt.Errorf("header %s can't be sent: a name is one word, and a value has no line breaks", name)
		case canonical == "Host" || canonical == "Content-Length" || canonical == "Content-Type":
			return fmt.Errorf("header %s is set by the request itself; leave it out", name)
		case seen[canonical]:
			return fmt.Errorf("header %s stands twice", name)
		}
		seen[canonical] = true
	}
	return nil
}

// literalSecrets returns the names of the headers that are secrets and stand in the config as they are.
func (w *PurgeWebhook) literalSecrets() []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(w.Header)) {
		lower := strings.ToLower(name)
		secret := func(word string) bool { return strings.Contains(lower, word) }
		if slices.ContainsFunc([]string{"authorization", "cookie", "key", "token", "secret", "password"}, secret) && literalSecret(w.Header[name]) {
			names = append(names, name)
		}
	}
	return names
}

// How webhooks are told.
const (
	hookWaiting = 1000             // notices for one, above which the latest are dropped
	hookTimeout = 10 * time.Second // for one attempt
)

// hookPauses are before each attempt.
var hookPauses = []time.Duration{0, time.Second, 5 * time.Second}

// webhooks are those of a config. A nil *webhooks has none.
type webhooks struct {
	list []*webhook
	end  context.CancelFunc // nil while they are not at work
	work sync.WaitGroup
}

// webhook tells one address of purges, one after the other.
type webhook struct {
	url     string
	name    string // what logs may say of the URL
	header  http.Header
	client  *http.Client
	logger  *zap.Logger
	pauses  []time.Duration
	waiting chan purgeNotice
	unsent  *purgeNotice // what was under way at the stop
}

func newWebhooks(configs []PurgeWebhook, logger *zap.Logger) (*webhooks, error) {
	hooks := new(webhooks)
	for i := range configs {
		h, err := newWebhook(configs[i], logger)
		if err != nil {
			return nil, fmt.Errorf("purge_webhooks: %d: %w", i+1, err)
		}
		hooks.list = append(hooks.list, h)
	}
	return hooks, nil
}

func newWebhook(config PurgeWebhook, logger *zap.Logger) (*webhook, error) {
	r := caddy.NewReplacer()
	config.Header = maps.Clone(config.Header)
	if err := expand(r, "url", &config.URL); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(config.Header)) {
		value := config.Header[name]
		if err := expand(r, "header "+name, &value); err != nil {
			return nil, err
		}
		config.Header[name] = strings.TrimRight(value, "\r\n") // files end in one
	}
	if err := config.validate(); err != nil {
		return nil, err
	}
	u, err := url.Parse(config.URL)
	if err != nil {
		return nil, errors.New("that is no URL") // which may hold a secret
	}
	h := &webhook{
		url:  config.URL,
		name: (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String(),
		header: http.Header{
			"Content-Type": {"application/json"},
			"User-Agent":   {appName},
		},
		client: &http.Client{
			Timeout:       hookTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		logger:  logger,
		pauses:  hookPauses,
		waiting: make(chan purgeNotice, hookWaiting),
	}
	for name, value := range config.Header {
		h.header.Set(name, value)
	}
	return h, nil
}

// start begins to tell.
func (w *webhooks) start() {
	if w == nil || w.end != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.end = cancel
	for _, h := range w.list {
		w.work.Go(func() { h.run(ctx) })
	}
}

// stop ends it, and returns when it has ended.
func (w *webhooks) stop() {
	if w == nil || w.end == nil {
		return
	}
	w.end()
	w.work.Wait()
	w.end = nil
}

// post has all be told.
func (w *webhooks) post(n purgeNotice) {
	if w == nil {
		return
	}
	for _, h := range w.list {
		h.post(n)
	}
}

// handOver gives what was not told before the stop to those of the next config that have the same address. Without any
// that is logged.
func (w *webhooks) handOver(next *webhooks) {
	if w == nil {
		return
	}
	for _, h := range w.list {
		rest := h.rest()
		if len(rest) == 0 {
			continue
		}
		heir := -1
		if next != nil {
			heir = slices.IndexFunc(next.list, func(other *webhook) bool { return other.url == h.url })
		}
		if heir < 0 {
			h.logger.Warn("purges were not told to a webhook, which is gone from the config or stops with the server; purge there by hand",
				zap.String("webhook", h.name), zap.Int("purges", len(rest)))
			continue
		}
		for _, n := range rest {
			next.list[heir].post(n)
		}
	}
}

// rest takes what is waiting.
func (h *webhook) rest() []purgeNotice {
	var rest []purgeNotice
	if h.unsent != nil {
		rest, h.unsent = append(rest, *h.unsent), nil
	}
	for {
		select {
		case n := <-h.waiting:
			rest = append(rest, n)
		default:
			return rest
		}
	}
}

func (h *webhook) post(n purgeNotice) {
	select {
	case h.waiting <- n:
	default:
		h.logger.Error("too many purges wait for a webhook, this one is dropped; see why it is slow, and purge there by hand",
			zap.String("webhook", h.name), zap.Int("waiting", hookWaiting), zap.Strings("urls", shortened(n.URLs)), zap.Strings("tags", shortened(n.Tags)))
	}
}

// run tells until ctx ends.
func (h *webhook) run(ctx context.Context) {
	for {
		var n purgeNotice
		select {
		case <-ctx.Done():
			return
		case n = <-h.waiting:
		}
		err := h.tell(ctx, n)
		if ctx.Err() != nil && err != nil {
			h.unsent = &n
			return
		}
		if err != nil {
			h.logger.Error("webhook was not told of a purge; what it stands for may serve old copies: purge there by hand", zap.String("webhook", h.name),
				zap.Strings("urls", shortened(n.URLs)), zap.Strings("tags", shortened(n.Tags)), zap.Error(err), zap.String("remedy", hookRemedy(err)))
		}
	}
}

// hookError is an answer that is none.
type hookError struct{ status int }

// Error names the status.
func (e *hookError) Error() string {
	return fmt.Sprintf("it answered %d %s", e.status, http.StatusText(e.status))
}

// final reports whether asking again won't help.
func (e *hookError) final() bool {
	return e.status < 500 && e.status != 408 && e.status != 429 // RFC 9110 §15.5.9, RFC 6585 §4
}

// hookRemedy says what to look at.
func hookRemedy(err error) string {
	e, ok := errors.AsType[*hookError](err)
	switch {
	case !ok:
		return "is the address of purge_webhook right, and does it answer this machine within 10s?"
	case e.status < 400:
		return "redirects are not followed: write the address that it leads to into purge_webhook"
	case e.status == 401 || e.status == 403:
		return "is the secret in a header of purge_webhook the right one?"
	case e.final():
		return "is the address of purge_webhook right, and does it take a POST request with JSON?"
	}
	return "it failed three times: see its own log"
}

// tell delivers a notice, in several attempts.
func (h *webhook) tell(ctx context.Context, n purgeNotice) error {
	body, err := json.Marshal(n)
	if err != nil {
		return err
	}
	for _, pause := range h.pauses {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		if err = h.send(ctx, body); err == nil {
			return nil
		}
		if e, ok := errors.AsType[*hookError](err); ok && e.final() {
			return err
		}
	}
	return err
}

func (h *webhook) send(ctx context.Context, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, bytes.NewReader(body))
	if err != nil {
		return withoutURL(err)
	}
	req.Header = h.header.Clone()
	resp, err := h.client.Do(req)
	if err != nil {
		return withoutURL(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // so that the connection can be used again
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return &hookError{resp.StatusCode}
	}
	return nil
}

// withoutURL returns what is behind an error of net/http, whose text has the URL with its query.
func withoutURL(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}
