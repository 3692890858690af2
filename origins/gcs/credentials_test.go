package gcs

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/origins"
)

var pictures = map[string][]byte{"a.jpg": []byte("a picture")}

func TestOneTokenServesManyRequests(t *testing.T) {
	f := newFake(t, "", pictures)
	o := f.origin(t)
	var readers sync.WaitGroup
	for range 20 {
		readers.Go(func() {
			obj, err := o.Open(t.Context(), origins.Request{Key: "a.jpg"})
			if err != nil {
				t.Error(err)
				return
			}
			obj.Body.Close()
		})
	}
	readers.Wait()
	if f.logins != 1 {
		t.Errorf("%d tokens were fetched for 20 requests", f.logins)
	}
}

func TestTokensThatEndAreFetchedAnew(t *testing.T) {
	f := newFake(t, "", pictures)
	f.login = func(w http.ResponseWriter, _ *http.Request) {
		f.mu.Lock()
		f.logins++
		f.mu.Unlock()
		fmt.Fprintf(w, `{"access_token":%q,"expires_in":1}`, testToken)
	}
	o := f.origin(t)
	fetch(t, o, origins.Request{Key: "a.jpg"})
	time.Sleep(1100 * time.Millisecond)
	fetch(t, o, origins.Request{Key: "a.jpg"})
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.logins < 2 {
		t.Errorf("%d tokens were fetched, want another one after the end of the first", f.logins)
	}
}

func TestWhoLeavesDoesntTakeTheTokenOfOthersAway(t *testing.T) {
	f := newFake(t, "", pictures)
	begun, goOn := make(chan bool), make(chan bool)
	f.login = func(w http.ResponseWriter, r *http.Request) {
		begun <- true
		<-goOn
		f.serveToken(w, r)
	}
	o := f.origin(t)
	ctx, leave := contextOf(t)
	left := make(chan error)
	go func() {
		_, err := o.Open(ctx, origins.Request{Key: "a.jpg"})
		left <- err
	}()
	<-begun
	stays := make(chan error)
	go func() {
		obj, err := o.Open(t.Context(), origins.Request{Key: "a.jpg"})
		if err == nil {
			obj.Body.Close()
		}
		stays <- err
	}()
	leave()
	if err := <-left; origins.KindOf(err) != origins.Canceled {
		t.Errorf("who left got %v", err)
	}
	close(goOn)
	if err := <-stays; err != nil || f.logins != 1 {
		t.Errorf("who stayed got %v, after %d logins", err, f.logins)
	}
}

func TestAnonymousSendsNothing(t *testing.T) {
	f := newFake(t, "", pictures)
	f.public = true
	fetch(t, f.origin(t, anonymously), origins.Request{Key: "a.jpg"})
	if got := f.last().Header.Get("Authorization"); got != "" || f.logins != 0 {
		t.Errorf("sent %q, after %d logins", got, f.logins)
	}
}

func TestReplacedKeyFileWorksAtTheNextRequest(t *testing.T) {
	f := newFake(t, "", pictures)
	right, _ := newRSA(t)
	f.known = &right.PublicKey // which the first key isn't
	name := writeFile(t, "key.json", f.account(t).JSON())
	file, err := NewKeyFile(name)
	if err != nil {
		t.Fatal(err)
	}
	o := f.origin(t, func(c *Config) { c.Key = file.Value })
	if e := refusal(t, o, origins.Request{Key: "a.jpg"}); e.Kind != origins.Denied {
		t.Fatalf("with a key that Google doesn't know: %v", e)
	}
	for _, broken := range []string{"", `{"type":"service_account","client_`} {
		if err := os.WriteFile(name, []byte(broken), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := file.Value(); !bytes.Contains(got, []byte("PRIVATE KEY")) {
			t.Errorf("in the middle of a rotation: the key is %q", got)
		}
	}
	first, _ := testKey(t)
	f.known = &first.PublicKey
	if err := os.WriteFile(name+".new", f.account(t).JSON(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(name+".new", name); err != nil {
		t.Fatal(err)
	}
	fetch(t, o, origins.Request{Key: "a.jpg"})
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	fetch(t, o, origins.Request{Key: "a.jpg"})
}

func TestKeysNeverPrintThemselves(t *testing.T) {
	f := newFake(t, "", nil)
	file, err := NewKeyFile(writeFile(t, "key.json", f.account(t).JSON()))
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(verb, file); got != "(key of a service account)" {
			t.Errorf("%s prints %s", verb, got)
		}
	}
}

func TestKeysAreChecked(t *testing.T) {
	_, good := testKey(t)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(curve)
	if err != nil {
		t.Fatal(err)
	}
	ec := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	for _, tt := range []struct {
		name string
		text string
		want string // "": nothing is wrong
	}{
		{"as Google hands it out", `{"type":"service_account","project_id":"p","client_email":"a@b","private_key":` + quote(good) + `,"client_id":"1","universe_domain":"googleapis.com"}`, ""},
		{"line breaks as \\n", string(ServiceAccount{ClientEmail: "a@b", PrivateKey: strings.ReplaceAll(strings.TrimSpace(good), "\n", `\n`)}.JSON()), ""},
		{"no JSON", "hunter2", "no JSON"},
		{"another type", `{"type":"authorized_user","refresh_token":"hunter2"}`, "GOOGLE_APPLICATION_CREDENTIALS"},
		{"workload identity", `{"type":"external_account"}`, "GOOGLE_APPLICATION_CREDENTIALS"},
		{"a client of OAuth", `{"web":{"client_secret":"hunter2"}}`, "no key of a service account"},
		{"no address", `{"type":"service_account","client_email":"hunter2"}`, "client_email"},
		{"no PEM", `{"type":"service_account","client_email":"a@b","private_key":"hunter2"}`, "PEM form"},
		{"a damaged key", `{"type":"service_account","client_email":"a@b","private_key":` + quote(good[:200]+"AAAA"+good[204:]) + `}`, "damaged"},
		{"no RSA key", `{"type":"service_account","client_email":"a@b","private_key":` + quote(ec) + `}`, "no private RSA key"},
		{"no URL", `{"type":"service_account","client_email":"a@b","token_uri":"hunter2","private_key":` + quote(good) + `}`, "token_uri is no URL"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := NewKeyFile(writeFile(t, "key.json", []byte(tt.text)))
			if tt.want == "" && err != nil {
				t.Errorf("got %v", err)
			}
			if tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2")) {
				t.Errorf("got %v, want %q in it and no secret", err, tt.want)
			}
		})
	}
	if _, err := NewKeyFile(t.TempDir() + "/missing.json"); err == nil || !strings.Contains(err.Error(), "reading credentials_file") {
		t.Errorf("a file that isn't there: got %v", err)
	}
}

// quote returns text as JSON.
func quote(text string) string {
	quoted, _ := json.Marshal(text)
	return string(quoted)
}

func TestDefaultCredentialsAreLookedForAtTheFirstRequest(t *testing.T) {
	f := newFake(t, "", pictures)
	name := t.TempDir() + "/key.json"
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", name)
	o := f.origin(t, func(c *Config) { c.Key = nil })
	e := refusal(t, o, origins.Request{Key: "a.jpg"})
	if e.Kind != origins.Denied || !strings.Contains(e.Error(), "no such file") || !strings.Contains(e.Remedy, "environment variable") {
		t.Errorf("without a file: got %v; %s", e, e.Remedy)
	}
	for _, tt := range []struct{ name, content, want string }{
		{"half a file", `{"type":`, "holds no credentials"},
		{"a file of an unknown type", `{"type":"hunter2"}`, "holds no credentials"},
	} {
		if err := os.WriteFile(name, []byte(tt.content), 0o600); err != nil {
			t.Fatal(err)
		}
		if e := refusal(t, o, origins.Request{Key: "a.jpg"}); e.Kind != origins.Denied || !strings.Contains(e.Error(), tt.want) {
			t.Errorf("%s: got %v", tt.name, e)
		}
	}
	if err := os.WriteFile(name, f.account(t).JSON(), 0o600); err != nil {
		t.Fatal(err)
	}
	fetch(t, o, origins.Request{Key: "a.jpg"})

	// Another key, which Google doesn't know: a token of the first one is not used on.
	other := f.account(t)
	_, other.PrivateKey = newRSA(t)
	if err := os.WriteFile(name, other.JSON(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(name, time.Time{}, time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if e := refusal(t, o, origins.Request{Key: "a.jpg"}); e.Kind != origins.Denied {
		t.Errorf("after the key was replaced: got %v", e)
	}
}

// metadata is the metadata service of a machine of Google's.
func metadata(token http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Metadata-Flavor", "Google")
		if strings.HasSuffix(r.URL.Path, "/token") {
			token(w, r)
		}
	})
}

func TestServiceAccountOfTheMachineIsUsed(t *testing.T) {
	f := newFake(t, "", pictures)
	attached := false
	var scopes string
	service := httptest.NewServer(metadata(func(w http.ResponseWriter, r *http.Request) {
		if !attached {
			http.NotFound(w, r)
			return
		}
		scopes = r.URL.Query().Get("scopes")
		fmt.Fprintf(w, `{"access_token":%q,"expires_in":3600,"token_type":"Bearer"}`, testToken)
	}))
	defer service.Close()
	t.Setenv("GCE_METADATA_HOST", strings.TrimPrefix(service.URL, "http://"))
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", "")
	t.Setenv("HOME", t.TempDir())
	o := f.origin(t, func(c *Config) { c.Key = nil })
	if e := refusal(t, o, origins.Request{Key: "a.jpg"}); e.Kind != origins.Denied || e.Remedy == "" {
		t.Errorf("without a service account: got %v; %s", e, e.Remedy)
	}
	attached = true
	fetch(t, o, origins.Request{Key: "a.jpg"})
	if scopes != "https://www.googleapis.com/auth/devstorage.read_only" {
		t.Errorf("the scope is %q", scopes)
	}
}

func TestLibrariesLogNoCredentials(t *testing.T) {
	t.Setenv("GOOGLE_SDK_GO_LOGGING_LEVEL", "debug") // at which they log whole requests and answers, to the standard error
	name := writeFile(t, "stderr", nil)
	log, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	stderr := os.Stderr
	os.Stderr = log
	defer func() { os.Stderr = stderr }()

	f := newFake(t, "", pictures)
	fetch(t, f.origin(t), origins.Request{Key: "a.jpg"})
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", writeFile(t, "key.json", f.account(t).JSON()))
	fetch(t, f.origin(t, func(c *Config) { c.Key = nil }), origins.Request{Key: "a.jpg"})
	logged, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{testToken, "assertion", "Authorization", testEmail} {
		if bytes.Contains(logged, []byte(secret)) {
			t.Errorf("%q is in the log:\n%s", secret, logged)
		}
	}
}

func TestRefusedTokensAreExplained(t *testing.T) {
	answer := func(status int, body string, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(status)
			io.WriteString(w, body)
		}
	}
	grant := func(description string) string {
		return `{"error":"invalid_grant","error_description":"` + description + ` hunter2"}`
	}
	for _, tt := range []struct {
		name      string
		login     http.HandlerFunc
		want      origins.Kind
		text      string
		remedy    string
		transient bool
	}{
		{"a deleted key", answer(400, grant("Invalid JWT Signature.")), origins.Denied, "400 invalid_grant", "key or its service account was deleted", false},
		{"a deleted account", answer(400, grant("Invalid grant: account not found")), origins.Denied, "400 invalid_grant", "clock is wrong", false},
		{"a wrong clock, by the sentence", answer(400, grant("Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.")), origins.Denied, "400 invalid_grant", "set this machine's clock", false},
		{"a wrong clock, by the date", answer(400, grant("x"), "Date", time.Now().Add(3*time.Hour).UTC().Format(http.TimeFormat)), origins.Denied, "400 invalid_grant", "off by 3h", false},
		{"an account that is disabled", answer(401, `{"error":"unauthorized_client"}`), origins.Denied, "401 unauthorized_client", "correct the key", false},
		{"a code that is none", answer(400, `{"error":"hunter2 hunter2"}`), origins.Denied, "answers 400", "correct the key", false},
		{"a document of another API", answer(400, `{"error":{"code":400,"message":"hunter2"}}`), origins.Denied, "answers 400", "correct the key", false},
		{"nothing there", answer(404, "hunter2"), origins.Denied, "answers 404", "token_uri", false},
		{"a redirect", answer(307, "", "Location", "http://127.0.0.1:1/hunter2"), origins.Denied, "answers 307", "token_uri", false},
		{"too many", answer(429, "", "Retry-After", "3"), origins.Unreachable, "answers 429", "", true},
		{"overloaded", answer(503, "hunter2"), origins.Unreachable, "answers 503", "", true},
		{"broken", answer(500, "hunter2"), origins.Unknown, "answers 500", "", true},
		{"no JSON", answer(200, "hunter2"), origins.Denied, "no token", "service account", false},
		{"no token", answer(200, "{}"), origins.Denied, "no token", "service account", false},
		{"no answer", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, origins.Unreachable, "asking the token endpoint", "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(t, "", pictures)
			f.login = tt.login
			o := f.origin(t)
			e := refusal(t, o, origins.Request{Key: "a.jpg"})
			if e.Kind != tt.want || e.Transient != tt.transient || e.Hidden || !strings.Contains(e.Error(), tt.text) || !strings.Contains(e.Remedy, tt.remedy) {
				t.Errorf("got %v, remedy %q, transient %v", e, e.Remedy, e.Transient)
			}
			if n := f.asked(); n != 0 {
				t.Errorf("%d requests went to the store", n)
			}
			f.setLogin(nil)
			fetch(t, o, origins.Request{Key: "a.jpg"}) // the next attempt is a new one
		})
	}
}

func TestUnreachableTokenEndpointIsToldFromTheStore(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "http://" + listener.Addr().String()
	listener.Close()
	f := newFake(t, "", pictures)
	for _, tt := range []struct {
		name   string
		origin *Origin
		token  bool
	}{
		{"the token endpoint", f.origin(t, func(c *Config) {
			account := f.account(t)
			account.TokenURI = nobody
			c.Key = account.JSON
		}), true},
		{"the store", f.origin(t, func(c *Config) { c.Endpoint = nobody }), false},
	} {
		e := refusal(t, tt.origin, origins.Request{Key: "a.jpg"})
		if e.Kind != origins.Unreachable || strings.Contains(e.Error(), "token endpoint") != tt.token || !strings.Contains(e.Remedy, "nothing listens") {
			t.Errorf("%s: got %v; %s", tt.name, e, e.Remedy)
		}
	}
}
