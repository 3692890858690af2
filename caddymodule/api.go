package caddymodule

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	lru "github.com/hashicorp/golang-lru/v2"
	"go.uber.org/zap"
)

func init() { caddy.RegisterModule(new(API)) }

// API answers what ImageKit's API answers about purging, so that its SDKs purge here when they are given this base URL:
//
//	POST <mount>/v1/files/purge              {"url": "https://..."} => 201 {"requestId": "..."}
//	GET  <mount>/v1/files/purge/<requestId>  => 200 {"status": "Pending"} or "Completed"
//	GET  <mount>/health                      => 200 {"status": "ok"}, without a key
//
// The mount is whatever stands before; a matcher or a site of its own keeps the paths apart from those of pictures.
// Requests for other paths go on to the next handler.
type API struct {
	// The keys that may purge: clients send one as the user name of HTTP Basic Auth, whose password is not looked at.
	// At least one; without colons. Supports `{env.*}`, `{file.*}` and `{system.*}`, resolved when the config is loaded.
	Keys []string `json:"keys"`

	// How many requests with a key are answered, all clients and keys together. Default: 10 in 1s.
	Rate *APIRate `json:"rate,omitempty"`

	hashes [][sha256.Size]byte
	limits *apiLimits
	logger *zap.Logger
}

// APIRate is a number of requests in a time; after a pause five times as many may come at once. Above it they are
// answered with status 429.
type APIRate struct {
	// How many requests. Placeholders are not supported.
	Requests int `json:"requests"`

	// In which time. Placeholders are not supported. Default: 1s.
	Window caddy.Duration `json:"window,omitempty"`
}

// CaddyModule returns the Caddy module information.
func (*API) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.imageorigin_api", New: func() caddy.Module { return new(API) }}
}

// Provision resolves the keys.
func (a *API) Provision(ctx caddy.Context) error {
	a.logger = ctx.Logger()
	if err := a.validate(); err != nil {
		return err
	}
	r := caddy.NewReplacer()
	a.hashes = nil
	for _, key := range a.Keys {
		if err := expand(r, "keys", &key); err != nil {
			return err
		}
		if key = strings.TrimRight(key, "\r\n"); key == "" { // files end in one
			return errNoKey
		}
		if err := checkKey(key); err != nil {
			return err
		}
		a.hashes = append(a.hashes, sha256.Sum256([]byte(key)))
	}
	rate := APIRate{}
	if a.Rate != nil {
		rate = *a.Rate
	}
	orDefault(&rate.Requests, defaultAPIRequests)
	orDefault(&rate.Window, defaultAPIWindow)
	var err error
	a.limits, err = newAPILimits(rate)
	return err
}

// The defaults of APIRate.
const (
	defaultAPIRequests = 10
	defaultAPIWindow   = caddy.Duration(time.Second)
)

var errNoKey = errors.New("keys: none is set; write key {env.NAME} with a secret that clients send")

// validate says what is wrong with the fields, as far as is known before the config is loaded.
func (a *API) validate() error {
	if len(a.Keys) == 0 {
		return errNoKey
	}
	for _, key := range a.Keys {
		if err := checkKey(key); !hasPlaceholder(key) && err != nil {
			return err
		}
	}
	if a.Rate != nil && (a.Rate.Requests < 0 || a.Rate.Window < 0) {
		return errors.New("rate: a number and a time are positive")
	}
	return nil
}

// checkKey says what is wrong with a key, without telling it.
func checkKey(key string) error {
	if key == "" {
		return errNoKey
	}
	if strings.ContainsFunc(key, func(r rune) bool { return r == ':' || r < ' ' || r == 0x7f }) { // RFC 7617 §2
		return errors.New("keys: one has a colon or a control character, which a user name can't have; choose another")
	}
	return nil
}

// ServeHTTP implements caddyhttp.MiddlewareHandler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	path := r.URL.Path
	if strings.HasSuffix(path, "/health") {
		return a.health(w, r)
	}
	id, ours := purgeID(path)
	if !ours {
		return next.ServeHTTP(w, r)
	}
	address := clientAddress(r)
	if !a.limits.mayTry(address) {
		return apiBusy(w, "Too many requests with a wrong key came from your address.")
	}
	if !a.authorized(r) {
		return a.refuse(w, r, address)
	}
	if !a.limits.mayAsk() {
		return apiBusy(w, "Too many requests came.")
	}
	switch {
	case id != "" && r.Method == http.MethodGet:
		return a.status(w, id)
	case id == "" && r.Method == http.MethodPost:
		return a.purge(w, r)
	case id != "":
		w.Header().Set("Allow", http.MethodGet)
	default:
		w.Header().Set("Allow", http.MethodPost)
	}
	return apiError(w, statusMethod, "The method is not allowed.", "Purge by POST /v1/files/purge, ask for the status by GET /v1/files/purge/{requestId}.")
}

// purgePath is where the API purges, behind what it is mounted on.
const purgePath = "/v1/files/purge"

// purgeID reports whether a path is that of purging; id is the request that it names.
func purgeID(path string) (id string, ours bool) {
	if strings.HasSuffix(path, purgePath) {
		return "", true
	}
	i := strings.LastIndexByte(path, '/')
	if i < 0 || !strings.HasSuffix(path[:i], purgePath) {
		return "", false
	}
	return path[i+1:], true
}

// health says that the process answers; it waits for no work.
func (a *API) health(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		return apiError(w, statusMethod, "The method is not allowed.", "Ask by GET.")
	}
	return apiAnswer(w, http.StatusOK, map[string]string{"status": "ok"})
}

// authorized reports whether the request has one of the keys, in a time that doesn't tell which, or how much of one.
func (a *API) authorized(r *http.Request) bool {
	user, _, ok := r.BasicAuth()
	hash := sha256.Sum256([]byte(user))
	found := 0
	for _, key := range a.hashes {
		found |= subtle.ConstantTimeCompare(hash[:], key[:])
	}
	return ok && found == 1
}

// refuse answers a request without a key, or with a wrong one. The former guesses nothing, and is not counted: clients may
// wait to be asked for a key.
func (a *API) refuse(w http.ResponseWriter, r *http.Request, address string) error {
	message := "Your request does not contain a key."
	if r.Header.Get("Authorization") != "" {
		message = "The key of your request is wrong."
		a.limits.failed(address)
		a.logger.Warn("wrong key", zap.String("client", address))
	}
	w.Header().Set("WWW-Authenticate", `Basic realm="imageorigin", charset="UTF-8"`)
	return apiError(w, statusUnauthorized, message, "Send a key of imageorigin_api as user name of HTTP Basic Auth; SDKs call it the private key.")
}

// maxAPIBody is how many bytes the body of a request may have.
const maxAPIBody = 64 << 10

// purge begins a purge, and answers without waiting for its end.
func (a *API) purge(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		URL string `json:"url"`
	}
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxAPIBody+1))
	switch {
	case err != nil:
		return invalidURL(w, fmt.Errorf("reading the request: %w", err))
	case len(raw) > maxAPIBody:
		return invalidURL(w, errors.New("the request is larger than 64 KiB"))
	}
	if err := json.Unmarshal(raw, &body); err != nil {
		return invalidURL(w, errors.New(`the body is no JSON object with a text "url"`))
	}
	if body.URL == "" {
		return invalidURL(w, errors.New(`the field "url" is missing or empty`))
	}
	j, _, err := submit(r.Context(), purgeAsk{URLs: []string{body.URL}})
	if wrong, ok := errors.AsType[*purgeError](err); ok {
		return invalidURL(w, wrong.err)
	}
	switch status := purgeStatus(err); {
	case err == nil:
	case status == statusTooMany:
		return apiBusy(w, "Too many purges are waiting.")
	default:
		a.logger.Error("purge was not taken", zap.Error(err))
		return apiError(w, status, "The purge could not be started.", "The server's log says why.")
	}
	return apiAnswer(w, statusTaken, map[string]string{"requestId": purgeRequests.add(j)})
}

// invalidURL answers as ImageKit does, and says why.
func invalidURL(w http.ResponseWriter, why error) error {
	return apiError(w, statusInvalid, "The URL is not valid for cache purging.", why.Error())
}

// status answers what became of a purge.
func (a *API) status(w http.ResponseWriter, id string) error {
	j := purgeRequests.find(id)
	switch {
	case j == nil:
		return apiError(w, statusUnknown, "No purge has this requestId.", "The last 10000 are known, for an hour.")
	case !j.finished():
		return apiAnswer(w, http.StatusOK, map[string]string{"status": "Pending"})
	case j.err != nil:
		return apiError(w, statusFailed, "The purge failed.", "The server's log says why; purge again.")
	}
	return apiAnswer(w, http.StatusOK, map[string]string{"status": "Completed"})
}

// apiBusy answers who asks too much.
func apiBusy(w http.ResponseWriter, message string) error {
	w.Header().Set("Retry-After", retryAPI)
	return apiError(w, statusTooMany, message, "Try again after a few seconds.")
}

// retryAPI is after how many seconds who was sent away may come back.
const retryAPI = "6"

func apiError(w http.ResponseWriter, status int, message, help string) error {
	return apiAnswer(w, status, map[string]string{"message": message, "help": help})
}

func apiAnswer(w http.ResponseWriter, status int, value any) error {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	return json.NewEncoder(w).Encode(value)
}

// clientAddress returns the address of the client, behind trusted proxies. Of IPv6 it is the network, all of whose
// addresses one client can have.
func clientAddress(r *http.Request) string {
	address, _ := caddyhttp.GetVar(r.Context(), caddyhttp.ClientIPVarKey).(string)
	if address == "" {
		address, _, _ = net.SplitHostPort(r.RemoteAddr)
	}
	if ip := net.ParseIP(address); ip != nil && ip.To4() == nil {
		return ip.Mask(net.CIDRMask(64, 128)).String()
	}
	return address
}

// requestLog knows the purges of the last hour by their numbers.
type requestLog struct{ jobs *lru.Cache[string, takenJob] }

type takenJob struct {
	*job
	at time.Time
}

const (
	keptRequests = 10_000
	requestsTime = time.Hour
)

// purgeRequests are those of the process: a reload doesn't forget them.
var purgeRequests = newRequestLog()

func newRequestLog() requestLog {
	jobs, err := lru.New[string, takenJob](keptRequests)
	if err != nil {
		panic("imageorigin: a log of requests needs room: " + err.Error())
	}
	return requestLog{jobs}
}

// add gives a job a number that nobody can guess.
func (l requestLog) add(j *job) string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	id := hex.EncodeToString(b[:])
	l.jobs.Add(id, takenJob{j, time.Now()})
	return id
}

// find returns the job of a number; nil is none.
func (l requestLog) find(id string) *job {
	taken, ok := l.jobs.Peek(id)
	if !ok || time.Since(taken.at) > requestsTime {
		return nil
	}
	return taken.job
}

// Interface guards.
var (
	_ caddy.Provisioner           = (*API)(nil)
	_ caddyhttp.MiddlewareHandler = (*API)(nil)
)
