package azure

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/log"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/imageorigin/imageorigin/origins/remote"
)

// tokenScope is what a token is asked for: the storage of all accounts, in all clouds.
const tokenScope = "https://storage.azure.com/.default"

// The SDK logs to standard error what it is told by AZURE_SDK_GO_LOGGING, URLs with their signatures among it. There is
// one listener in a process.
func init() { log.SetListener(func(log.Event, string) {}) }

// authKind is how requests say who asks.
type authKind uint8

const (
	byDefault authKind = iota // by a token
	bySAS
	byKey
	byNobody
)

// auth holds the credentials of a configuration.
type auth struct {
	kind    authKind
	account string
	sas     func() string
	key     func() string
}

// credentials are what a client is made of.
type credentials struct {
	query string // a SAS
	key   string
}

// newAuth returns the credentials of c, after a look at what they are now.
func newAuth(c Config) (auth, error) {
	a := auth{account: c.Account, sas: c.SAS, key: c.Key}
	var set []string
	if c.SAS != nil {
		a.kind, set = bySAS, append(set, "sas_token")
	}
	if c.Key != nil {
		a.kind, set = byKey, append(set, "account_key")
	}
	if c.Anonymous {
		a.kind, set = byNobody, append(set, "anonymous")
	}
	if len(set) > 1 {
		return a, errors.New(strings.Join(set, " and ") + " exclude each other; keep one of them")
	}
	if a.kind == byKey && c.Account == "" {
		return a, errors.New("account is empty, whose name account_key signs with; set it besides endpoint")
	}
	_, err := a.current()
	return a, err
}

// current returns what the credentials are now.
func (a auth) current() (credentials, error) {
	switch a.kind {
	case bySAS:
		s, err := parseSAS(a.sas())
		if err != nil {
			return credentials{}, &badCredentials{"sas_token", err.Error()}
		}
		return credentials{query: s.query()}, nil
	case byKey:
		key := strings.TrimSpace(a.key())
		if _, err := container.NewSharedKeyCredential(a.account, key); err != nil || key == "" {
			return credentials{}, &badCredentials{"account_key", "the key is not in Base64; copy key1 or key2 of the storage account"}
		}
		return credentials{key: key}, nil
	}
	return credentials{}, nil
}

// badCredentials are credentials that can't be used, whatever the store says.
type badCredentials struct{ field, why string }

func (e *badCredentials) Error() string { return e.field + ": " + e.why }

// newClient makes a client of the library. It asks nobody for anything: tokens are fetched by requests.
func (o *Origin) newClient(_ context.Context, c credentials) (*container.Client, error) {
	options := &container.ClientOptions{ClientOptions: azcore.ClientOptions{
		Transport: o.transport,
		Retry:     policy.RetryOptions{MaxRetries: -1}, // whoever calls us knows how long it may take
		Telemetry: policy.TelemetryOptions{ApplicationID: "imageorigin"},
	}}
	target := o.endpoint.String() + "/" + o.container
	switch o.auth.kind {
	case byKey:
		shared, err := container.NewSharedKeyCredential(o.account, c.key)
		if err != nil {
			return nil, err
		}
		return container.NewClientWithSharedKeyCredential(target, shared, options)
	case bySAS:
		return container.NewClientWithNoCredential(target+"?"+c.query, options)
	case byDefault:
		inner, err := o.credential()
		if err != nil {
			return nil, &badCredentials{"default credential", "it can't be set up; correct the environment variables AZURE_…"}
		}
		options.PerRetryPolicies = []policy.Policy{authorization{&remote.Tokens{Fetch: credential{inner}.fetch}}}
	}
	return container.NewClientWithNoCredential(target, options)
}

// defaultCredential returns what finds out who this machine is: environment, workload identity, managed identity,
// developer tools. It does so when a token is needed.
func defaultCredential() (azcore.TokenCredential, error) {
	return azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{
		ClientOptions: azcore.ClientOptions{
			Transport: tokenTransport{http.DefaultClient},
			Retry:     policy.RetryOptions{MaxRetries: -1},
			Telemetry: policy.TelemetryOptions{ApplicationID: "imageorigin"},
		},
	})
}

// authorization puts a token into requests. The policies of the library don't do: one lets whoever waits for a token
// hang on whoever fetches it, beyond the end of their context, and the other asks for a token for whatever resource a
// 401 of the store names.
type authorization struct{ tokens *remote.Tokens }

// Do sends a request.
func (a authorization) Do(req *policy.Request) (*http.Response, error) {
	token, err := a.tokens.Get(req.Raw().Context())
	if err != nil {
		return nil, err
	}
	req.Raw().Header.Set("Authorization", "Bearer "+token)
	res, err := req.Next()
	if err == nil && res.StatusCode == http.StatusUnauthorized {
		a.tokens.Forget(token)
	}
	return res, err
}

// credential marks the failures of a credential, which would otherwise pass for those of the store.
type credential struct{ azcore.TokenCredential }

// fetch fetches a token.
func (c credential) fetch(ctx context.Context) (remote.Token, error) {
	var broken error
	token, err := c.GetToken(context.WithValue(ctx, brokenKey{}, &broken), policy.TokenRequestOptions{Scopes: []string{tokenScope}})
	if err != nil {
		return remote.Token{}, newTokenError(err, broken)
	}
	return remote.Token{Value: token.Token, Ends: token.ExpiresOn}, nil
}

// tokenError is a token that can't be had. Its text leaves out that of the cause, which holds answers of servers and
// outputs of commands.
type tokenError struct {
	broken error  // how the last connection failed; nil: it did not
	status int    // that the service which issues tokens answers; 0: it doesn't
	code   string // of that answer; "" is none
}

// newTokenError returns the failure of a credential. Many requests wait for it, so what can be read once only, the
// answer, is read here.
func newTokenError(err, broken error) *tokenError {
	failed, ok := errors.AsType[*azidentity.AuthenticationFailedError](err)
	switch {
	case ok && failed.RawResponse != nil:
		e := &tokenError{status: failed.RawResponse.StatusCode}
		if page, err := runtime.Payload(failed.RawResponse); err == nil {
			e.code = string(entraCode.Find(page))
		}
		return e
	case ok:
		return &tokenError{broken: broken}
	}
	return &tokenError{}
}

func (*tokenError) Error() string { return "no token can be had" }

type brokenKey struct{}

// tokenTransport carries the requests for tokens and notes how they fail, of which the library keeps the text only.
type tokenTransport struct{ *http.Client }

// Do sends a request.
func (t tokenTransport) Do(r *http.Request) (*http.Response, error) {
	res, err := t.Client.Do(r)
	if broken, ok := r.Context().Value(brokenKey{}).(*error); ok {
		*broken = err
	}
	return res, err
}

// The page of an error is read up to maxPage, and waited for as long as patience lasts.
const (
	maxPage  = 16 << 10
	patience = 100 * time.Millisecond
)

// storeTransport carries the requests to the store. The library reads the body of whatever isn't a success to its end,
// and takes a body that breaks for a request that failed: it gets no more than the page of an error has.
type storeTransport struct{ *http.Client }

// Do sends a request.
func (t storeTransport) Do(r *http.Request) (*http.Response, error) {
	res, err := t.Client.Do(r)
	if err != nil || res.StatusCode == http.StatusOK || res.StatusCode == http.StatusPartialContent {
		return res, err
	}
	body := res.Body
	if res.Header.Get("X-Ms-Error-Code") != "" {
		// The header has said all. The body is read because that keeps the connection.
		impatient := time.AfterFunc(patience, func() { body.Close() })
		defer impatient.Stop()
	}
	page, _ := io.ReadAll(io.LimitReader(body, maxPage))
	body.Close()
	res.Body = io.NopCloser(bytes.NewReader(page))
	return res, nil
}
