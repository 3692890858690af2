// Package gcs is the origin that reads a bucket of Google Cloud Storage.
package gcs

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"cloud.google.com/go/storage"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/remote"
)

const (
	defaultEndpoint = "https://storage.googleapis.com/storage/v1/"
	maxName         = 1024 // bytes that the name of an object may have
)

var errAnonymous = errors.New("anonymous sends no credentials; remove it, or remove them")

// Config says which bucket is read, and as whom.
type Config struct {
	Bucket string // the name alone
	Prefix string // stands before each key, as a folder; slashes around it don't matter

	// Endpoint is the URL of the JSON API: http or https, a host, and a path unless it is /storage/v1/. "": Google's.
	Endpoint string

	// Anonymous sends no credentials, for buckets that everybody may read. Key and UserProject are then empty.
	Anonymous bool

	// Key returns the JSON of a service account's key, as it is now: it is asked for each object, and may change. See
	// [KeyFile] and [ServiceAccount]. nil: the application default credentials.
	Key func() []byte

	// UserProject is the project that pays for reading a bucket whose requesters pay. "": the bucket's owner does.
	UserProject string

	// Transport carries the requests for objects, not those for tokens. It must not decompress; [remote.NewTransport]
	// makes one that doesn't.
	Transport http.RoundTripper
}

// Origin serves the objects of a bucket. The zero value is not useful; see [New].
type Origin struct {
	bucket      string
	prefix      string // "", or ending in a slash
	endpoint    string
	anonymous   bool
	key         func() []byte
	defaults    defaultsFile // of application default credentials
	userProject string
	transport   http.RoundTripper

	client remote.Client[settings, *storage.BucketHandle]
}

// New returns an Origin that does as c says. It connects to nothing, and looks for no credentials: both is for the
// first Open.
func New(c Config) (*Origin, error) {
	if err := checkBucket(c.Bucket); err != nil {
		return nil, err
	}
	endpoint, err := parseEndpoint(c.Endpoint)
	if err != nil {
		return nil, err
	}
	o := &Origin{
		bucket: c.Bucket, endpoint: endpoint, anonymous: c.Anonymous, key: c.Key, userProject: c.UserProject,
		transport: c.Transport,
	}
	if prefix := strings.Trim(c.Prefix, "/"); prefix != "" {
		if origins.CheckKey(prefix) != nil || !storable(prefix) {
			return nil, fmt.Errorf("prefix %q is no folder of a bucket; write it like images/products", c.Prefix)
		}
		o.prefix = prefix + "/"
	}
	switch {
	case c.Anonymous && c.Key != nil:
		return nil, errAnonymous
	case c.Anonymous && c.UserProject != "":
		return nil, errors.New("user_project pays for accounts only; remove anonymous, and set credentials")
	}
	o.client.Make = o.connect
	return o, nil
}

// checkBucket refuses what is no name of a bucket.
func checkBucket(name string) error {
	switch {
	case name == "":
		return errors.New("bucket is empty; write the bucket's name, as in: origin photos gcs my-bucket")
	case strings.Contains(name, "://"):
		return fmt.Errorf("bucket %q is a URL; write the bucket's name alone", name)
	case strings.Contains(name, "/"):
		return fmt.Errorf("bucket %q holds a slash; write the bucket's name alone, and the folder as prefix", name)
	}
	for _, c := range []byte(name) {
		if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || strings.IndexByte("-_.", c) >= 0) {
			return fmt.Errorf("bucket %q is no name of a bucket, which has lower-case letters, digits, -, _ and dots only", name)
		}
	}
	if len(name) < 3 || len(name) > 222 {
		return fmt.Errorf("bucket %q is no name of a bucket, which has 3 to 222 characters", name)
	}
	return nil
}

// parseEndpoint returns the URL of the JSON API, with a slash at the end. Its errors don't repeat text, which may hold
// a password.
func parseEndpoint(text string) (string, error) {
	if text == "" {
		return defaultEndpoint, nil
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return "", errors.New("endpoint is no URL; write it like https://storage.googleapis.com")
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "", errors.New("endpoint has a user, a query or a fragment; write scheme and host alone")
	}
	if strings.HasSuffix(u.Hostname(), ".storage.googleapis.com") {
		return "", errors.New("endpoint has the bucket in its host; leave endpoint out, and write the name as bucket")
	}
	path := strings.Trim(u.Path, "/")
	if u.Hostname() == "storage.googleapis.com" && path != "" && path != "storage/v1" {
		return "", errors.New("endpoint has the bucket in its path; leave endpoint out, and write the name as bucket")
	}
	if path == "" {
		path = "storage/v1"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/" + path + "/"}).String(), nil
}

// storable reports whether an object can be called name.
func storable(name string) bool {
	return len(name) <= maxName && utf8.ValidString(name) && !strings.ContainsAny(name, "\r\n")
}

// Open asks the store for the object.
func (o *Origin) Open(ctx context.Context, req origins.Request) (*origins.Object, error) {
	if err := origins.CheckKey(req.Key); err != nil {
		return nil, err
	}
	if !storable(o.prefix + req.Key) {
		return nil, remote.Fail(origins.NotExist, req.Key, "no object of Cloud Storage has such a name")
	}
	if err := remote.CheckRange(req); err != nil {
		return nil, err
	}
	obj, err := o.read(ctx, req)
	if errors.Is(err, remote.ErrEncodedPart) {
		req.Range = nil
		obj, err = o.read(ctx, req)
	}
	return obj, err
}

// read makes one request.
func (o *Origin) read(ctx context.Context, req origins.Request) (*origins.Object, error) {
	bucket, err := o.client.Get(ctx, o.settings())
	if err != nil {
		return nil, unmade(ctx, req.Key, err)
	}
	a := new(attempt)
	if req.Range != nil {
		a.rangeHeader = remote.RangeHeader(*req.Range)
	}
	object := bucket.Object(o.prefix + req.Key)
	if conditions := conditionsOf(req); conditions != (storage.Conditions{}) {
		object = object.If(conditions)
	}
	reader, err := object.NewReader(a.in(remote.WithFrom(ctx, req.From)))
	if err != nil {
		return nil, o.failed(ctx, req, a, err)
	}
	body := &body{reader: reader, attempt: a, key: req.Key}
	obj, err := open(ctx, req, a, body)
	if err != nil {
		body.Close()
		return nil, err
	}
	return obj, nil
}

// conditionsOf returns what the store is asked to check. It takes one condition on the generation.
func conditionsOf(req origins.Request) storage.Conditions {
	if generation := generationOf(req.Match); generation > 0 {
		return storage.Conditions{GenerationMatch: generation}
	}
	return storage.Conditions{GenerationNotMatch: generationOf(req.Validator.ETag)}
}

// etagOf returns a generation as an ETag: the store's own one changes with the metadata, too, and is of no use in its
// conditions. "" for text that is no generation.
func etagOf(generation string) string {
	if n, err := strconv.ParseInt(generation, 10, 64); err != nil || n <= 0 {
		return ""
	}
	return `"` + generation + `"`
}

// generationOf is the reverse of etagOf: 0 for an ETag that is none of ours.
func generationOf(etag string) int64 {
	if len(etag) < 3 || etag[0] != '"' || etag[len(etag)-1] != '"' {
		return 0
	}
	n, err := strconv.ParseInt(etag[1:len(etag)-1], 10, 64)
	if err != nil || n <= 0 || etagOf(strconv.FormatInt(n, 10)) != etag {
		return 0
	}
	return n
}

// open makes an object of the answer that a holds.
func open(ctx context.Context, req origins.Request, a *attempt, body *body) (*origins.Object, error) {
	attributes := origins.Attributes{
		ContentType:  a.header.Get("Content-Type"),
		ETag:         etagOf(a.header.Get("X-Goog-Generation")),
		CacheControl: a.header.Get("Cache-Control"),
		Tags:         origins.Tags(a.header.Values("X-Goog-Meta-Cache-Tag")...),
	}
	if modified, err := http.ParseTime(a.header.Get("Last-Modified")); err == nil {
		attributes.Modified = modified
	}
	// Emulators of the store ignore conditions.
	if current(req.Validator, attributes) {
		return nil, remote.Unchanged(req.Key, attributes)
	}
	if generationOf(req.Match) > 0 && req.Match != attributes.ETag {
		return nil, changed(req.Key)
	}
	return remote.Object(ctx, req, remote.Answer{
		Body: body, Length: a.length, Range: a.header.Get("Content-Range"), Partial: a.status == http.StatusPartialContent,
		Encoding: a.header.Get("Content-Encoding"), Attributes: attributes,
	})
}

// current reports whether v names the version that has the attributes: by the ETag, and by the time only if v has no
// ETag (RFC 9110 §13.2.2).
func current(v origins.Validator, attributes origins.Attributes) bool {
	if v.ETag != "" {
		return v.ETag == attributes.ETag
	}
	return !v.Modified.IsZero() && !attributes.Modified.IsZero() &&
		!attributes.Modified.After(v.Modified.Truncate(time.Second))
}

// changed is the error of an object that is another version than the one that a part is wanted of.
func changed(key string) *origins.Error {
	return remote.Fail(origins.Unknown, key, "the object changed since it was first read")
}

// Interface guards
var _ origins.Origin = (*Origin)(nil)
