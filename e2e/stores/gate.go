package stores

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// readOnly is the scope that suffices for reading objects.
const readOnly = "https://www.googleapis.com/auth/devstorage.read_only"

// gate stands before fake-gcs-server and adds what that lacks of Google Cloud Storage: a token endpoint that checks what
// service accounts sign (RFC 7523), credentials on every request (401 without valid ones, 403 without the right), a
// refusal of everything but reading, preconditions on the generation of what is read, and the words about missing buckets.
type gate struct {
	addr     string
	listener net.Listener
	server   *http.Server

	mu       sync.Mutex
	accounts map[string]*account // by e-mail
	tokens   map[string]string   // the e-mail of whom each was issued to
	buckets  map[string]*guarded
}

// account is a service account.
type account struct {
	key      *rsa.PublicKey
	disabled bool
}

// guarded is a bucket that not everyone may read.
type guarded struct {
	reader      string // the e-mail
	public      bool
	hideMissing bool
}

func newGate() (*gate, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return &gate{
		addr: listener.Addr().String(), listener: listener,
		accounts: map[string]*account{}, tokens: map[string]string{}, buckets: map[string]*guarded{},
	}, nil
}

// serve begins to answer, for the server at addr.
func (g *gate) serve(addr string) {
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = "http", addr
			r.Out.Host = g.addr // the server tells buckets by host names from others by this one
		},
		ModifyResponse: g.modify,
		Transport:      transport(),
	}
	g.server = &http.Server{
		ReadHeaderTimeout: 10 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/token" {
				g.token(w, r)
			} else if status, message := g.admit(r); status != http.StatusOK {
				refuse(w, status, message)
			} else {
				proxy.ServeHTTP(w, r)
			}
		}),
	}
	go func() { _ = g.server.Serve(g.listener) }() // until close
}

func (g *gate) close() {
	if g.server != nil {
		g.server.Close()
	}
	g.listener.Close()
}

func (g *gate) tokenURI() string { return "http://" + g.addr + "/token" }

// enroll sets the key of an account and returns the key's name.
func (g *gate) enroll(email string, key *rsa.PublicKey) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.accounts[email] = &account{key: key}
	return fingerprint(key)
}

func (g *gate) disable(email string, disabled bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.accounts[email].disabled = disabled
}

func (g *gate) revoke(email string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for token, of := range g.tokens {
		if of == email {
			delete(g.tokens, token)
		}
	}
}

func (g *gate) guard(bucket, reader string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.buckets[bucket] = &guarded{reader: reader}
}

func (g *gate) change(bucket string, f func(*guarded)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f(g.buckets[bucket])
}

// token issues an access token to the account that has signed the request.
func (g *gate) token(w http.ResponseWriter, r *http.Request) {
	email, wrong := g.verify(r.PostFormValue("grant_type"), r.PostFormValue("assertion"))
	w.Header().Set("Content-Type", "application/json")
	if wrong != "" {
		w.WriteHeader(http.StatusBadRequest)
		writeJSON(w, map[string]string{"error": "invalid_grant", "error_description": wrong})
		return
	}
	token := "ya29.invented-" + rand.Text()
	g.mu.Lock()
	g.tokens[token] = email
	g.mu.Unlock()
	writeJSON(w, map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": 3600})
}

// verify checks a signed assertion. It returns whose it is, or what is wrong with it, in Google's words where it has some.
func (g *gate) verify(grant, assertion string) (email, wrong string) {
	if grant != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
		return "", "Invalid grant_type: " + grant
	}
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 {
		return "", "Invalid JWT: it has not three parts"
	}
	var header struct{ Alg, Kid string }
	var claims struct {
		Iss, Aud, Scope string
		Iat, Exp        int64
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err := errors.Join(err, decode(parts[0], &header), decode(parts[1], &claims)); err != nil {
		return "", "Invalid JWT: " + err.Error()
	}
	g.mu.Lock()
	known, ok := g.accounts[claims.Iss]
	var a account
	if ok {
		a = *known
	}
	g.mu.Unlock()
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	now := time.Now().Unix()
	switch {
	case !ok:
		return "", "Invalid grant: account not found"
	case a.disabled:
		return "", "Invalid grant: account disabled"
	case header.Alg != "RS256" || header.Kid != fingerprint(a.key) || rsa.VerifyPKCS1v15(a.key, crypto.SHA256, digest[:], signature) != nil:
		return "", "Invalid JWT Signature."
	case claims.Aud != g.tokenURI():
		return "", "Invalid JWT: the audience is " + claims.Aud
	case claims.Iat > now+60 || claims.Exp < now || claims.Exp > claims.Iat+3660:
		return "", "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe."
	case claims.Scope != readOnly:
		// Google would issue it; that less is enough is what the tests want to know.
		return "", "Invalid scope: " + claims.Scope + ", where " + readOnly + " suffices"
	}
	return claims.Iss, ""
}

// decode decodes a part of a JWT.
func decode(part string, into any) error {
	data, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

// admit decides whether a request may pass.
func (g *gate) admit(r *http.Request) (status int, message string) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return http.StatusForbidden, "Request had insufficient authentication scopes."
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	name, object := target(r)
	bucket, exists := g.buckets[name]
	token, presented := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	email, valid := g.tokens[token]
	switch {
	case exists && bucket.public && object:
		return http.StatusOK, ""
	case !presented:
		return http.StatusUnauthorized, "Anonymous caller does not have storage.objects.get access to the Google Cloud Storage object."
	case !valid:
		return http.StatusUnauthorized, "Invalid Credentials"
	case !exists:
		return http.StatusNotFound, "The specified bucket does not exist."
	case bucket.reader != email || !object:
		return http.StatusForbidden, email + " does not have access to the Google Cloud Storage object."
	}
	return http.StatusOK, ""
}

// target returns which bucket a request is for, and whether it is for an object in it, in the JSON API or in the XML one.
func target(r *http.Request) (bucket string, object bool) {
	parts := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	if parts[0] == "download" {
		parts = parts[1:]
	}
	if len(parts) > 2 && slices.Equal(parts[:3], []string{"storage", "v1", "b"}) {
		parts = slices.Delete(parts[2:], 0, 1)
		if len(parts) > 1 && parts[1] == "o" {
			parts = slices.Delete(parts, 1, 2)
		}
	}
	return parts[0], len(parts) > 1 && parts[1] != ""
}

// modify lets preconditions hold, which the server knows for writing only, and hides what is missing from those who may
// not know.
func (g *gate) modify(resp *http.Response) error {
	name, _ := target(resp.Request)
	g.mu.Lock()
	hide := g.buckets[name] != nil && g.buckets[name].hideMissing
	g.mu.Unlock()
	generation := resp.Header.Get("X-Goog-Generation")
	query := resp.Request.URL.Query()
	switch {
	case resp.StatusCode == http.StatusNotFound && hide:
		return replace(resp, http.StatusForbidden, "the caller does not have storage.objects.list access to the Google Cloud Storage bucket.")
	case resp.StatusCode/100 != 2 || generation == "":
		return nil
	case query.Has("ifGenerationMatch") && query.Get("ifGenerationMatch") != generation:
		return replace(resp, http.StatusPreconditionFailed, "At least one of the pre-conditions you specified did not hold.")
	case query.Get("ifGenerationNotMatch") == generation:
		return replace(resp, http.StatusNotModified, "")
	}
	return nil
}

// replace makes another answer of one.
func replace(resp *http.Response, status int, message string) error {
	resp.Body.Close()
	var body []byte
	if status != http.StatusNotModified {
		body = failure(status, message)
	}
	resp.StatusCode, resp.Status = status, strconv.Itoa(status)+" "+http.StatusText(status)
	resp.Body = io.NopCloser(bytes.NewReader(body))
	resp.ContentLength = int64(len(body))
	resp.Header.Set("Content-Length", strconv.Itoa(len(body)))
	resp.Header.Del("Content-Range")
	resp.Header.Set("Content-Type", "application/json; charset=UTF-8")
	return nil
}

func refuse(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	if status == http.StatusUnauthorized {
		w.Header().Set("Www-Authenticate", `Bearer realm="https://accounts.google.com/"`)
	}
	w.WriteHeader(status)
	_, _ = w.Write(failure(status, message))
}

// failure is how the JSON API tells what is wrong.
func failure(status int, message string) []byte {
	reason := map[int]string{
		http.StatusUnauthorized: "required", http.StatusForbidden: "forbidden", http.StatusNotFound: "notFound",
		http.StatusPreconditionFailed: "conditionNotMet",
	}[status]
	var b bytes.Buffer
	writeJSON(&b, map[string]any{"error": map[string]any{
		"code": status, "message": message,
		"errors": []map[string]string{{"message": message, "domain": "global", "reason": reason}},
	}})
	return b.Bytes()
}

func writeJSON(w io.Writer, v any) {
	_ = json.NewEncoder(w).Encode(v) // a client that has gone away needs no answer
}
