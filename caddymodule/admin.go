package caddymodule

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
)

func init() { caddy.RegisterModule(new(Admin)) }

// Admin adds to Caddy's admin API
//
//	POST /imageorigin/purge    drops what is remembered
//	GET  /imageorigin/status   says what is
//
// It has no settings, and is there wherever the admin API is on. The config that was loaded last answers.
type Admin struct{}

// CaddyModule returns the Caddy module information.
func (*Admin) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "admin.api.imageorigin", New: func() caddy.Module { return new(Admin) }}
}

// The paths of the admin API.
const (
	adminPurge  = "/imageorigin/purge"
	adminStatus = "/imageorigin/status"
)

// Routes implements caddy.AdminRouter.
func (*Admin) Routes() []caddy.AdminRoute {
	return []caddy.AdminRoute{
		{Pattern: adminPurge, Handler: caddy.AdminHandlerFunc(servePurge)},
		{Pattern: adminStatus, Handler: caddy.AdminHandlerFunc(serveStatus)},
	}
}

// What one request may bring.
const (
	maxPurgeBody = 1 << 20 // bytes
	maxPurgeURLs = 1000
)

// purgeBody is the body of a request to purge, exactly one of whose fields is set.
type purgeBody struct {
	URL        string   `json:"url,omitempty"`
	URLs       []string `json:"urls,omitempty"`
	Endpoint   string   `json:"endpoint,omitempty"`
	Tag        string   `json:"tag,omitempty"`
	Tags       []string `json:"tags,omitempty"`
	Everything bool     `json:"everything,omitempty"`
}

// purgeAnswer is what is answered when it is done.
type purgeAnswer struct {
	Purged  int      `json:"purged"`  // entries that were dropped, from the store that had most
	TookMS  int64    `json:"took_ms"` // without the time that it waited for others
	Targets []string `json:"targets"` // what was meant
}

// purgeFields are the fields of a request, for errors.
const purgeFields = `"url", "urls", "endpoint", "tag", "tags" or "everything": true`

// readAsk reads the body of a request to purge. Errors are *purgeError.
func readAsk(r io.Reader) (purgeAsk, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxPurgeBody+1))
	switch {
	case err != nil:
		return purgeAsk{}, &purgeError{"body", err}
	case len(raw) > maxPurgeBody:
		return purgeAsk{}, &purgeError{"body", errors.New("it is larger than 1 MiB; send several requests")}
	}
	var body purgeBody
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&body); err != nil {
		return purgeAsk{}, &purgeError{"body", fmt.Errorf("%s; send a JSON object with one of %s", strings.TrimPrefix(err.Error(), "json: "), purgeFields)}
	}
	if decoder.More() {
		return purgeAsk{}, &purgeError{"body", errors.New("something stands behind the JSON object; send one object")}
	}
	return body.ask()
}

// ask says what the body asks for.
func (b *purgeBody) ask() (purgeAsk, error) {
	var set []string
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"url", b.URL != ""},
		{"urls", b.URLs != nil},
		{"endpoint", b.Endpoint != ""},
		{"tag", b.Tag != ""},
		{"tags", b.Tags != nil},
		{"everything", b.Everything},
	} {
		if f.set {
			set = append(set, f.name)
		}
	}
	if len(set) == 0 {
		return purgeAsk{}, &purgeError{"body", fmt.Errorf("nothing is named; give one of %s", purgeFields)}
	}
	if len(set) > 1 {
		return purgeAsk{}, &purgeError{set[1], fmt.Errorf("it stands beside %q; give one of %s, and several in several requests", set[0], purgeFields)}
	}
	ask := purgeAsk{URLs: b.URLs, Endpoint: b.Endpoint, Tags: b.Tags, Everything: b.Everything}
	switch {
	case b.URL != "":
		ask.URLs = []string{b.URL}
	case b.Tag != "":
		ask.Tags = []string{b.Tag}
	}
	for _, list := range [][]string{ask.URLs, ask.Tags} {
		if list != nil && len(list) == 0 {
			return purgeAsk{}, &purgeError{set[0], errors.New("the list is empty; name at least one")}
		}
		if len(list) > maxPurgeURLs {
			return purgeAsk{}, &purgeError{set[0], fmt.Errorf("%d stand there; send at most %d in one request, or purge a prefix or an endpoint", len(list), maxPurgeURLs)}
		}
	}
	return ask, nil
}

func servePurge(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodPost {
		return wrongMethod(w, http.MethodPost)
	}
	ask, err := readAsk(r.Body)
	if err != nil {
		return adminError(w, err)
	}
	j, targets, err := submit(r.Context(), ask)
	if err != nil {
		return adminError(w, err)
	}
	select {
	case <-j.done:
	case <-r.Context().Done():
		return nil // nobody reads the answer; the purge goes on
	}
	if j.err != nil {
		return adminError(w, fmt.Errorf("purging: %w; %d entries were dropped before that, and the rest may still be served: purge again", j.err, j.dropped))
	}
	return writeJSON(w, purgeAnswer{Purged: j.dropped, TookMS: j.took.Milliseconds(), Targets: targets})
}

// wrongMethod returns the error of a request by another method.
func wrongMethod(w http.ResponseWriter, allowed string) error {
	w.Header().Set("Allow", allowed)
	return caddy.APIError{HTTPStatus: statusMethod, Err: fmt.Errorf("the method is wrong; send %s", allowed)}
}

// adminError returns err as Caddy's admin API answers it.
func adminError(w http.ResponseWriter, err error) error {
	status := purgeStatus(err)
	if status == statusTooMany {
		w.Header().Set("Retry-After", retryPurge)
	}
	return caddy.APIError{HTTPStatus: status, Err: err}
}

// retryPurge is after how many seconds who was sent away may come back.
const retryPurge = "60"

func writeJSON(w http.ResponseWriter, value any) error {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	return json.NewEncoder(w).Encode(value)
}

// Status is what GET /imageorigin/status answers.
type Status struct {
	Caches    []CacheStatus    `json:"caches"`
	Endpoints []EndpointStatus `json:"endpoints"`

	DomainsFile *DomainsFileStatus `json:"domains_file,omitempty"` // nil: the config has none

	Admission *AdmissionStatus `json:"admission,omitempty"` // nil: the server is of an earlier version
	Engine    any              `json:"engine,omitempty"`    // how the engine's processes are; nil: it has none
}

// DomainsFileStatus says what of the domains file is in force.
type DomainsFileStatus struct {
	Path    string `json:"path"`
	Domains int    `json:"domains"`         // that are bound, with those of the option domains
	Error   string `json:"error,omitempty"` // why it is not what the file says now
}

// CacheStatus says how full a cache is.
type CacheStatus struct {
	Name    string `json:"name"`
	Entries int64  `json:"entries"`
	Bytes   int64  `json:"bytes"`
	Limit   int64  `json:"limit"`   // bytes that it may take; 0 is no limit
	Evicted int64  `json:"evicted"` // entries dropped for room since the start
}

// EndpointStatus says what an endpoint asks, and where it remembers. A cache that is several has the names of all of them,
// nearest first; "" is none.
type EndpointStatus struct {
	Name        string   `json:"name"`
	Domains     []string `json:"domains,omitempty"`
	Origins     []string `json:"origins"`
	Fingerprint string   `json:"fingerprint,omitempty"` // begins the names of its originals in caches
	Results     string   `json:"results,omitempty"`
	Originals   string   `json:"originals,omitempty"`
	Files       string   `json:"files,omitempty"`
}

func serveStatus(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet {
		return wrongMethod(w, http.MethodGet)
	}
	a := running.inForce()
	if a == nil {
		return adminError(w, errNoConfig)
	}
	return writeJSON(w, a.status())
}

func (a *App) status() Status {
	s := Status{Caches: []CacheStatus{}, Endpoints: []EndpointStatus{}}
	for _, name := range slices.Sorted(maps.Keys(a.inUse)) {
		stats := a.inUse[name].Stats()
		s.Caches = append(s.Caches, CacheStatus{
			Name: name, Entries: stats.Entries, Bytes: stats.Bytes, Limit: stats.Limit, Evicted: stats.Evicted,
		})
	}
	for _, e := range a.everyEndpoint() {
		s.Endpoints = append(s.Endpoints, EndpointStatus{
			Name:        e.name,
			Domains:     e.config.Domains,
			Origins:     slices.Clone(e.asks),
			Fingerprint: e.delivery.Keeping.Fingerprint,
			Results:     tiersText(e.config.Results),
			Originals:   tiersText(e.config.Originals),
			Files:       tiersText(e.config.Files),
		})
	}
	if f := a.domains; f != nil {
		s.DomainsFile = f.status()
	}
	s.Admission = admission()
	if w, ok := a.guest.(workers); ok {
		s.Engine = w.WorkerStatus()
	}
	return s
}

// tiersText returns the names of caches, "" of none.
func tiersText(names []string) string {
	if !stored(names) {
		return ""
	}
	return strings.Join(names, " ")
}

// Interface guards.
var _ caddy.AdminRouter = (*Admin)(nil)
