package azure

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/imageorigin/imageorigin/origins"
)

// tokenService lets the default credential log in at a service that carry is, and takes the credentials of developers
// out of the chain.
func tokenService(t *testing.T, environment bool, carry roundTripper) {
	t.Helper()
	for _, name := range []string{
		"AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_AUTHORITY_HOST", "AZURE_FEDERATED_TOKEN_FILE",
		"AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_USERNAME", "AZURE_PASSWORD", "IDENTITY_ENDPOINT", "MSI_ENDPOINT",
	} {
		t.Setenv(name, "")
	}
	t.Setenv("AZURE_TOKEN_CREDENTIALS", "prod")
	if environment {
		t.Setenv("AZURE_TENANT_ID", "11111111-1111-1111-1111-111111111111")
		t.Setenv("AZURE_CLIENT_ID", "22222222-2222-2222-2222-222222222222")
		t.Setenv("AZURE_CLIENT_SECRET", "hunter2")
		t.Setenv("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.com/")
	}
	before := http.DefaultClient.Transport
	t.Cleanup(func() { http.DefaultClient.Transport = before })
	http.DefaultClient.Transport = carry
}

// reply returns an answer in JSON.
func reply(r *http.Request, status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Request: r, Body: io.NopCloser(strings.NewReader(body)),
		Header: http.Header{"Content-Type": {"application/json"}}, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
}

// entra returns a service that issues tokens, and answers requests for them by status and body.
func entra(status int, body string) roundTripper {
	return func(r *http.Request) (*http.Response, error) {
		tenant := "https://login.microsoftonline.com/11111111-1111-1111-1111-111111111111"
		switch {
		case strings.HasSuffix(r.URL.Path, "/discovery/instance"):
			return reply(r, 200, `{"tenant_discovery_endpoint":"`+tenant+`/v2.0/.well-known/openid-configuration","api-version":"1.1","metadata":[]}`), nil
		case strings.HasSuffix(r.URL.Path, "/openid-configuration"):
			return reply(r, 200, `{"token_endpoint":"`+tenant+`/oauth2/v2.0/token","authorization_endpoint":"`+tenant+`/authorize","issuer":"`+tenant+`/v2.0"}`), nil
		}
		return reply(r, status, body), nil
	}
}

// secureStore starts a store that is spoken to with TLS, as tokens need it.
func secureStore(t *testing.T, s *store) *httptest.Server {
	server := httptest.NewTLSServer(s)
	t.Cleanup(server.Close)
	return server
}

func byIdentity(*Config) {}

func TestTheDefaultCredentialIsUsedWhereNothingIsSet(t *testing.T) {
	tokenService(t, true, entra(200, `{"access_token":"`+goodToken+`","token_type":"Bearer","expires_in":3600}`))
	s := &store{files: map[string][]byte{"a.jpg": []byte("a")}}
	o := originAt(t, secureStore(t, s), byIdentity)
	for range 3 {
		content(t, o, origins.Request{Key: "a.jpg", From: "imageorigin"})
	}
	if got := s.seen()[0].Header.Get("X-Req-From"); got != "imageorigin" {
		t.Errorf("x-req-from is %q", got)
	}
}

func TestATokenThatCanNotBeHadIsTold(t *testing.T) {
	refused := `{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret 'hunter2' provided."}`
	unreachable := func(r *http.Request) (*http.Response, error) {
		return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: r.URL.Host, IsNotFound: true}}
	}
	for _, tt := range []struct {
		name        string
		environment bool
		service     roundTripper
		want        origins.Kind
		text        string
		remedy      string
	}{
		{"no identity at all", false, unreachable, origins.Denied, "no identity that works", "managed identity"},
		{"a wrong secret", true, entra(401, refused), origins.Denied, "answers 401 AADSTS7000215", "AZURE_CLIENT_ID"},
		{"a service that can't be reached", true, unreachable, origins.Unreachable, "fetching a token", "host name"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tokenService(t, tt.environment, tt.service)
			s := &store{}
			e := fails(t, originAt(t, secureStore(t, s), byIdentity), origins.Request{Key: "a.jpg"})
			if e.Kind != tt.want || !strings.Contains(e.Error(), tt.text) || !strings.Contains(e.Remedy, tt.remedy) {
				t.Errorf("got %v, remedy %q", e, e.Remedy)
			}
			if n := len(s.seen()); n != 0 {
				t.Errorf("the store got %d requests", n)
			}
		})
	}
}

func TestAnIdentityServiceThatIsDownIsTransient(t *testing.T) {
	o := identity(originAt(t, secureStore(t, &store{}), byIdentity), func() (azcore.AccessToken, error) {
		return azcore.AccessToken{}, &azidentity.AuthenticationFailedError{RawResponse: reply(nil, 503, "hunter2")}
	})
	if e := fails(t, o, origins.Request{Key: "a.jpg"}); e.Kind != origins.Unreachable || !e.Transient {
		t.Errorf("got %v, transient %v", e, e.Transient)
	}
}

func TestWhatCredentialsSayIsNotRepeated(t *testing.T) {
	for _, err := range []error{
		azidentity.NewCredentialUnavailableError("hunter2"),
		&azidentity.AuthenticationFailedError{RawResponse: reply(nil, 400, "AADSTS90002: hunter2")},
		errors.New("hunter2"),
	} {
		o := identity(originAt(t, secureStore(t, &store{}), byIdentity), func() (azcore.AccessToken, error) { return azcore.AccessToken{}, err })
		if e := fails(t, o, origins.Request{Key: "a.jpg"}); e.Kind != origins.Denied || e.Remedy == "" {
			t.Errorf("got %v, remedy %q", e, e.Remedy)
		}
	}
}

func TestATokenThatTheStoreRefusesIsTold(t *testing.T) {
	for _, tt := range []struct {
		code   string
		status int
		remedy string
	}{
		{"InvalidAuthenticationInfo", 401, "tenant"},
		{"AuthorizationPermissionMismatch", 403, "Storage Blob Data Reader"},
	} {
		s := &store{}
		// A store that names another resource must not be given a token for it.
		s.override = answering(tt.status, tt.code, "WWW-Authenticate",
			`Bearer authorization_uri="https://login.microsoftonline.com/x/oauth2/authorize" resource_id="https://management.azure.com"`)
		asked := 0
		o := identity(originAt(t, secureStore(t, s), byIdentity), func() (azcore.AccessToken, error) {
			asked++
			return goodIdentity()
		})
		e := fails(t, o, origins.Request{Key: "a.jpg"})
		if e.Kind != origins.Denied || !strings.Contains(e.Remedy, tt.remedy) {
			t.Errorf("%s: got %v, remedy %q", tt.code, e, e.Remedy)
		}
		if n := len(s.seen()); n != 1 || asked != 1 {
			t.Errorf("%s: %d requests to the store and %d for a token, want one each", tt.code, n, asked)
		}
	}
}

func TestWhoWaitsForATokenWaitsNoLongerThanTheyWant(t *testing.T) {
	begun, goOn := make(chan bool), make(chan bool)
	o := identity(originAt(t, secureStore(t, &store{files: map[string][]byte{"a.jpg": []byte("a")}}), byIdentity), func() (azcore.AccessToken, error) {
		begun <- true
		<-goOn
		return goodIdentity()
	})
	first := make(chan error)
	go func() {
		obj, err := o.Open(t.Context(), origins.Request{Key: "a.jpg"})
		if err == nil {
			obj.Body.Close()
		}
		first <- err
	}()
	<-begun
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	release := time.AfterFunc(5*time.Second, func() { goOn <- true })
	_, err := o.Open(ctx, origins.Request{Key: "a.jpg"})
	if took := time.Since(began); origins.KindOf(err) != origins.Timeout || took > 3*time.Second {
		t.Errorf("who waits got %v after %v, want a timeout after 50ms", err, took)
	}
	if release.Stop() {
		goOn <- true
	}
	if err := <-first; err != nil {
		t.Errorf("who fetches got %v", err)
	}
}

func TestACredentialThatCanNotBeSetUpIsTriedAgain(t *testing.T) {
	s := &store{files: map[string][]byte{"a.jpg": []byte("a")}}
	o := originAt(t, secureStore(t, s), byIdentity)
	o.credential = func() (azcore.TokenCredential, error) { return nil, errors.New("hunter2") }
	if e := fails(t, o, origins.Request{Key: "a.jpg"}); e.Kind != origins.Denied || !strings.Contains(e.Remedy, "AZURE_") {
		t.Errorf("got %v, remedy %q", e, e.Remedy)
	}
	content(t, identity(o, goodIdentity), origins.Request{Key: "a.jpg"})
}

func TestNothingIsAskedOfTheNetworkBeforeTheFirstRequest(t *testing.T) {
	var asked atomic.Int32
	tokenService(t, true, func(*http.Request) (*http.Response, error) {
		asked.Add(1)
		return nil, errors.New("no network here")
	})
	o, err := New(Config{Account: "mystore", Container: holder, Transport: http.DefaultClient.Transport})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.client.Get(t.Context(), credentials{}); err != nil {
		t.Fatal(err)
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("making the client sends %d requests", n)
	}
}

func TestTheTimesOfASASAreReadInAllForms(t *testing.T) {
	want := time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)
	for _, text := range []string{"2026-03-04", "2026-03-04T00:00Z", "2026-03-04T00:00:00Z", "2026-03-04T00:00:00.0000000Z", "2026-03-04T01:00:00+01:00"} {
		s, err := parseSAS("sp=r&sig=x&se=" + url.QueryEscape(text))
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := s.time("se"); !ok || !got.Equal(want) {
			t.Errorf("%s: got %v, %v", text, got, ok)
		}
	}
}
