package s3

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"

	"github.com/imageorigin/imageorigin/origins/remote"
)

// sessionName is what Amazon's logs call the sessions of an assumed role.
const sessionName = "imageorigin"

// credentialsTimeout bounds each request for credentials. The SDK makes it for all who wait, by nobody's request, and
// without an end of its own: a service that falls silent would be waited for until the server is started again.
const credentialsTimeout = 10 * time.Second

// maxErrorDocument is how much of an error's document is read: the SDK would read all that is sent.
const maxErrorDocument = 64 << 10

// keys returns the keys as they are now, and none where the default chain finds them.
func (o *Origin) keys() Keys {
	if o.config.Keys == nil {
		return Keys{}
	}
	return o.config.Keys()
}

// newClient returns a client that signs with keys, or with the role that they may assume. Everything that the SDK
// caches hangs on it, so that other keys, which get another client, never meet what was cached for these.
func (o *Origin) newClient(ctx context.Context, keys Keys) (*s3.Client, error) {
	c := o.config
	if c.Endpoint != "" && c.RoleARN == "" && (c.Anonymous || c.Keys != nil) {
		// Everything is said: what the environment says about Amazon's services is not asked.
		return s3.New(s3.Options{Region: c.Region, Credentials: c.provider(keys)}, o.adjust), nil
	}
	sdk, err := c.load(ctx, keys)
	if err != nil {
		return nil, err
	}
	if c.Endpoint != "" {
		return s3.New(s3.Options{Region: c.Region, Credentials: sdk.Credentials}, o.adjust), nil
	}
	return s3.NewFromConfig(sdk, o.adjust), nil
}

// provider returns where the keys come from, nil for the default chain.
func (c Config) provider(keys Keys) aws.CredentialsProvider {
	switch {
	case c.Anonymous:
		return aws.AnonymousCredentials{}
	case c.Keys != nil:
		return credentials.NewStaticCredentialsProvider(keys.AccessKey, keys.SecretKey, keys.SessionToken)
	}
	return nil
}

// load returns what the SDK finds in environment and shared files, completed by what the configuration says.
func (c Config) load(ctx context.Context, keys Keys) (aws.Config, error) {
	options := []func(*config.LoadOptions) error{
		config.WithRegion(c.Region),
		config.WithLogger(logging.Nop{}), // it would write to standard error
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTimeout(credentialsTimeout)),
	}
	if p := c.provider(keys); p != nil {
		options = append(options, config.WithCredentialsProvider(p))
	}
	sdk, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return sdk, err
	}
	if c.RoleARN != "" {
		role := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(sdk), c.RoleARN, func(r *stscreds.AssumeRoleOptions) {
			r.RoleSessionName = sessionName
			if c.ExternalID != "" {
				r.ExternalID = &c.ExternalID
			}
		})
		// What is signed now is looked at by the store a moment later.
		sdk.Credentials = aws.NewCredentialsCache(role, func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = time.Minute })
	}
	return sdk, nil
}

// adjust sets what holds for each client.
func (o *Origin) adjust(options *s3.Options) {
	c := o.config
	options.HTTPClient = boundedClient{remote.NewHTTPClient(c.Transport)}
	options.Logger, options.ClientLogMode = logging.Nop{}, 0
	if c.Endpoint != "" {
		options.BaseEndpoint = &c.Endpoint
	}
	options.UsePathStyle = c.PathStyle
	if !c.Anonymous {
		options.Credentials = tellingProvider{options.Credentials}
	}
	// Whoever holds an Origin decides about a second attempt.
	options.Retryer, options.RetryMaxAttempts = aws.NopRetryer{}, 0
	// Stores other than Amazon's refuse the newer checksums, or send ones that don't fit.
	options.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
	options.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
	options.DisableLogOutputChecksumValidationSkipped = true
}

// tellingProvider marks its failures, which the SDK mixes with those of requests.
type tellingProvider struct{ aws.CredentialsProvider }

// Retrieve returns the credentials.
func (p tellingProvider) Retrieve(ctx context.Context) (aws.Credentials, error) {
	c, err := p.CredentialsProvider.Retrieve(ctx)
	if err != nil {
		return c, &credentialsError{noKeys, err}
	}
	return c, nil
}

// credentialsError is the failure to come by credentials. Its text doesn't repeat the cause, which may quote what is
// none of a log's business.
type credentialsError struct {
	text  string
	cause error
}

// The texts of a credentialsError.
const (
	noKeys = "there are no credentials"
	noSDK  = "the SDK can't be set up" // from environment and shared files
)

func (e *credentialsError) Error() string { return e.text }

// Unwrap returns the cause.
func (e *credentialsError) Unwrap() error { return e.cause }

// boundedClient bounds the documents that errors come with.
type boundedClient struct{ *http.Client }

// Do sends r.
func (c boundedClient) Do(r *http.Request) (*http.Response, error) {
	res, err := c.Client.Do(r)
	if err == nil && res.StatusCode >= http.StatusMultipleChoices {
		res.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(res.Body, maxErrorDocument), res.Body}
	}
	return res, err
}
