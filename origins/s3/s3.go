// Package s3 is the origin that reads a bucket of Amazon S3, or of a store that speaks its protocol. It reads objects
// by their name, and does nothing else: nothing is listed or written.
package s3

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/remote"
)

// maxKey is how many bytes the name of an object can have.
const maxKey = 1024

// Config says which bucket, where it is and who asks.
type Config struct {
	Bucket string
	Region string // that requests are signed for, and of Amazon's endpoint
	Prefix string // folder in the bucket that keys are in; slashes around it don't matter; "" is the whole bucket

	Endpoint  string // URL of another store than Amazon's: http or https, a host and maybe a port; "" is Amazon S3
	PathStyle bool   // the bucket is in the path, not in the host name

	RequesterPays bool // the owner of the keys pays for requests
	Anonymous     bool // sign nothing; the bucket is public

	// Keys returns the keys as they are now. It is called at each request and must be quick. nil: what the SDK's
	// default chain finds: environment, shared files, web identity, the role of the container or of the machine.
	Keys func() Keys

	RoleARN    string // the role to assume with the keys, "" is none
	ExternalID string // that the role asks for, "" is none

	// Transport carries the requests to the store. It must not decompress; [remote.NewTransport] makes one that
	// doesn't. What the SDK asks for credentials (STS, metadata services) goes over the SDK's own.
	Transport http.RoundTripper
}

// Keys are what requests are signed with. They never print themselves.
type Keys struct {
	AccessKey    string
	SecretKey    string
	SessionToken string // of temporary keys
}

// String hides the keys from whatever prints them.
func (Keys) String() string { return "(keys)" }

// GoString hides the keys from %#v.
func (k Keys) GoString() string { return k.String() }

// Origin serves the objects of a bucket. The zero value is not useful; see [New].
type Origin struct {
	config Config
	client remote.Client[Keys, *s3.Client] // a client for each version of the keys
}

// New returns an Origin that does as c says. It reads no file and connects to nothing: that is left to the first Open.
func New(c Config) (*Origin, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	c.Prefix = strings.Trim(c.Prefix, "/")
	o := &Origin{config: c}
	o.client.Make = o.newClient
	return o, nil
}

// Open asks for the object, once.
func (o *Origin) Open(ctx context.Context, req origins.Request) (*origins.Object, error) {
	if err := ctx.Err(); err != nil {
		return nil, &origins.Error{Kind: origins.KindOf(err), Key: req.Key, Err: err}
	}
	if err := origins.CheckKey(req.Key); err != nil {
		return nil, err
	}
	if err := remote.CheckRange(req); err != nil {
		return nil, err
	}
	name := o.name(req.Key)
	if len(name) > maxKey {
		return nil, remote.Fail(origins.NotExist, req.Key, "the name of an object has at most %d bytes, prefix included", maxKey)
	}
	ctx = remote.WithFrom(ctx, req.From)
	obj, err := o.get(ctx, req, name)
	if errors.Is(err, remote.ErrEncodedPart) {
		whole := req
		whole.Range = nil
		return o.get(ctx, whole, name)
	}
	return obj, err
}

// name returns the name in the bucket of what is called key here.
func (o *Origin) name(key string) string {
	if o.config.Prefix == "" {
		return key
	}
	return o.config.Prefix + "/" + key
}

// get asks for what is called name in the bucket.
func (o *Origin) get(ctx context.Context, req origins.Request, name string) (*origins.Object, error) {
	client, err := o.client.Get(ctx, o.keys())
	if err != nil {
		return nil, o.fault(ctx, req, &credentialsError{noSDK, err})
	}
	out, err := client.GetObject(ctx, o.input(req, name))
	if err != nil {
		return nil, o.fault(ctx, req, err)
	}
	obj, err := remote.Object(ctx, req, answer(out))
	if err != nil {
		out.Body.Close()
		return nil, err
	}
	return obj, nil
}

// input returns req in the words of the SDK.
func (o *Origin) input(req origins.Request, name string) *s3.GetObjectInput {
	in := &s3.GetObjectInput{Bucket: &o.config.Bucket, Key: &name}
	if req.Range != nil {
		in.Range = aws.String(remote.RangeHeader(*req.Range))
	}
	if req.Match != "" {
		in.IfMatch = &req.Match
	}
	// Not both: where the two disagree the ETag decides (RFC 9110 §13.2.2), which not every store knows.
	switch v := req.Validator; {
	case v.ETag != "":
		in.IfNoneMatch = &v.ETag
	case !v.Modified.IsZero():
		in.IfModifiedSince = &v.Modified
	}
	if o.config.RequesterPays {
		in.RequestPayer = types.RequestPayerRequester
	}
	return in
}

// answer returns what the SDK brought, in the words that all stores have in common.
func answer(out *s3.GetObjectOutput) remote.Answer {
	a := remote.Answer{
		Body:     out.Body,
		Length:   -1,
		Range:    aws.ToString(out.ContentRange),
		Encoding: coding(aws.ToString(out.ContentEncoding)),
		Attributes: origins.Attributes{
			ContentType:  aws.ToString(out.ContentType),
			ETag:         aws.ToString(out.ETag),
			Modified:     aws.ToTime(out.LastModified),
			CacheControl: aws.ToString(out.CacheControl),
			Tags:         origins.Tags(out.Metadata["cache-tag"]),
			Private:      strings.EqualFold(strings.TrimSpace(out.Metadata["is-private-file"]), "true"),
		},
	}
	if out.ContentLength != nil {
		a.Length = *out.ContentLength
	}
	if raw, ok := awsmiddleware.GetRawResponse(out.ResultMetadata).(*smithyhttp.Response); ok {
		a.Partial = raw.StatusCode == http.StatusPartialContent
	}
	return a
}

// noCodings are words that uploads leave in Content-Encoding though they say nothing about what is stored: how it was
// sent to the store, or how the program that sent it held it in memory.
var noCodings = map[string]bool{"aws-chunked": true, "base64": true, "binary": true, "utf-8": true, "utf8": true}

// coding returns the Content-Encoding of an object, less what is none.
func coding(header string) string {
	var codings []string
	for word := range strings.SplitSeq(header, ",") {
		if word = strings.TrimSpace(word); word != "" && !noCodings[strings.ToLower(word)] {
			codings = append(codings, word)
		}
	}
	return strings.Join(codings, ",")
}

// Interface guards
var _ origins.Origin = (*Origin)(nil)
