package gcs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"cloud.google.com/go/auth"
	"cloud.google.com/go/auth/credentials"
	"cloud.google.com/go/storage"
	"google.golang.org/api/option"

	"github.com/imageorigin/imageorigin/origins/remote"
)

// tokenTimeout bounds a login, of which there may be more than one for a token.
const tokenTimeout = 30 * time.Second

// defaultsVariable names the file of application default credentials.
const defaultsVariable = "GOOGLE_APPLICATION_CREDENTIALS"

// quiet is for libraries that log requests, tokens and signed ones among them, where GOOGLE_SDK_GO_LOGGING_LEVEL says so.
var quiet = slog.New(slog.DiscardHandler)

// settings are what a client is made of: when they change, it is made anew.
type settings struct {
	key      string // JSON; "" is none
	defaults stamp
}

// settings returns the settings as they are now.
func (o *Origin) settings() settings {
	switch {
	case o.anonymous:
		return settings{}
	case o.key != nil:
		return settings{key: string(o.key())}
	}
	return settings{defaults: o.defaults.stamp()}
}

// stamp tells whether a file is another one than before.
type stamp struct {
	name     string
	modified time.Time
	size     int64
}

// defaultsFile is the file of application default credentials, if the environment names one. The zero value is useful.
type defaultsFile struct {
	mu   sync.Mutex
	last stamp
}

// stamp returns the file's stamp; the last one while it is missing, as in the middle of a rotation.
func (f *defaultsFile) stamp() stamp {
	name := os.Getenv(defaultsVariable)
	if name == "" {
		return stamp{}
	}
	info, err := os.Stat(name)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil {
		f.last = stamp{name, info.ModTime(), info.Size()}
	}
	return f.last
}

// credentialsError says why there are no credentials. It repeats nothing of them.
type credentialsError struct {
	cause  error
	remedy string
}

func (e *credentialsError) Error() string { return e.cause.Error() }

// connect makes a client for the bucket.
func (o *Origin) connect(ctx context.Context, s settings) (*storage.BucketHandle, error) {
	t := &transport{base: o.transport}
	if !o.anonymous {
		found, err := o.find(s)
		if err != nil {
			return nil, err
		}
		t.tokens = tokensOf(found)
	}
	// Nothing of the environment may change where requests go and what they carry, which STORAGE_EMULATOR_HOST would:
	// the endpoint is always said, and the client is ours. So is the authentication; with the library's own one it would
	// look for default credentials whatever we say.
	client, err := storage.NewClient(ctx, option.WithHTTPClient(remote.NewHTTPClient(t)), option.WithEndpoint(o.endpoint),
		option.WithoutAuthentication(), option.WithLogger(quiet), storage.WithJSONReads(), storage.WithDisabledClientMetrics())
	if err != nil {
		return nil, fmt.Errorf("making the client: %w", err)
	}
	client.SetRetry(storage.WithPolicy(storage.RetryNever))
	bucket := client.Bucket(o.bucket)
	if o.userProject != "" {
		bucket = bucket.UserProject(o.userProject)
	}
	return bucket, nil
}

// find returns what gives tokens. For default credentials it may ask the network.
func (o *Origin) find(s settings) (auth.TokenProvider, error) {
	options := &credentials.DetectOptions{Scopes: []string{storage.ScopeReadOnly}, Logger: quiet}
	if o.key == nil {
		return findDefault(options)
	}
	// Not the library's errors, which may repeat a part of the key.
	if err := checkKey([]byte(s.key)); err != nil {
		return nil, &credentialsError{err, "correct credentials_file, or client_email and private_key"}
	}
	options.Client = tokenClient
	found, err := credentials.NewCredentialsFromJSON(credentials.ServiceAccount, []byte(s.key), options)
	if err != nil {
		return nil, &credentialsError{errors.New("the key can't be used"), "download a new key of the service account"}
	}
	return found, nil
}

// findDefault returns the application default credentials. They fetch their tokens by the library's own client: some
// of them come from a metadata service, which ours doesn't connect to.
func findDefault(options *credentials.DetectOptions) (auth.TokenProvider, error) {
	found, err := credentials.DetectDefault(options)
	if err == nil {
		return found, nil
	}
	if os.Getenv(defaultsVariable) == "" {
		return nil, &credentialsError{
			errors.New("there are no application default credentials"),
			"set credentials_file, or client_email and private_key; attach a service account to this machine; or set anonymous for a public bucket",
		}
	}
	cause := errors.New("the file that " + defaultsVariable + " names holds no credentials")
	if missing, ok := errors.AsType[*fs.PathError](err); ok {
		cause = fmt.Errorf("%s: %w", defaultsVariable, missing)
	}
	return nil, &credentialsError{cause, "correct the environment variable or the file, or set credentials_file"}
}

// tokenClient fetches the tokens of service accounts. It follows no redirects: what it sends is a login.
var tokenClient = newTokenClient()

func newTokenClient() *http.Client {
	t, err := remote.NewTransport(remote.TransportConfig{})
	if err != nil {
		panic(err) // the defaults are right
	}
	return &http.Client{
		Transport: t, Timeout: tokenTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// tokensOf returns what hands out the tokens of provider. Shortly before one ends the provider still returns that, and
// fetches the next one in the meantime.
func tokensOf(provider auth.TokenProvider) *remote.Tokens {
	return &remote.Tokens{Fetch: func(ctx context.Context) (remote.Token, error) {
		token, err := provider.Token(ctx)
		if err != nil || token == nil {
			return remote.Token{}, err
		}
		return remote.Token{Value: token.Value, Ends: token.Expiry}, nil
	}}
}

// tokenError is a request that wasn't sent for want of a token.
type tokenError struct{ error }

func (e *tokenError) Unwrap() error { return e.error }
