// Package azure is the origin that reads the blobs of a container of Azure Blob Storage.
package azure

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"golang.org/x/net/http/httpguts"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/remote"
)

// maxName is the length of the longest name that a blob can have, in characters.
const maxName = 1024

// Config says where the blobs are and who asks for them. At most one of SAS, Key and Anonymous is set; with none of
// them requests carry a token of the machine's default credential.
type Config struct {
	Account   string // name of the storage account; may be empty where Endpoint is set and Key is not
	Container string
	Prefix    string // folder in the container, with or without slashes around it; "" is the container
	Endpoint  string // URL of the account's blob service; "" is https://<account>.blob.core.windows.net

	// SAS returns the shared access signature, with a question mark before it or without, and Key a key of the
	// account. They are called for each request, so that a new one is used from then on.
	SAS func() string
	Key func() string

	Anonymous bool // send no credentials, to a container that is public

	// Transport carries the requests to the store, not those for tokens. It must not decompress;
	// [remote.NewTransport] makes one that doesn't.
	Transport http.RoundTripper
}

// Origin reads blobs. The zero value is not useful; see [New].
type Origin struct {
	account   string
	container string
	prefix    string   // "" or ends in a slash
	endpoint  *url.URL // of the account, without a slash at the end
	fixed     bool     // endpoint was written, not derived from account
	auth      auth
	transport policy.Transporter
	client    remote.Client[credentials, *container.Client]

	now        func() time.Time
	credential func() (azcore.TokenCredential, error) // the default one
}

// New returns an Origin that does as c says. It connects to nothing. Its errors hold no part of a SAS or a key.
func New(c Config) (*Origin, error) {
	o := &Origin{
		account: c.Account, container: c.Container, fixed: c.Endpoint != "", now: time.Now,
		credential: defaultCredential, transport: storeTransport{remote.NewHTTPClient(c.Transport)},
	}
	o.client.Make = o.newClient
	var err error
	if o.endpoint, err = parseEndpoint(c.Endpoint, c.Account); err != nil {
		return nil, err
	}
	if err := checkContainer(c.Container); err != nil {
		return nil, err
	}
	if err := checkPath(o.endpoint, c.Account, c.Container); err != nil {
		return nil, err
	}
	if o.prefix, err = cleanPrefix(c.Prefix); err != nil {
		return nil, err
	}
	if o.auth, err = newAuth(c); err != nil {
		return nil, err
	}
	if o.auth.kind == byDefault && o.endpoint.Scheme != "https" {
		return nil, errors.New("endpoint is http, where a token would be read by anybody on the way; use https, or set sas_token, account_key or anonymous")
	}
	return o, nil
}

var (
	accountName   = regexp.MustCompile(`^[a-z0-9]{3,24}$`)
	containerName = regexp.MustCompile(`^(\$root|\$web|[a-z0-9]+(-[a-z0-9]+)*)$`)
)

// parseEndpoint returns the URL of the account's blob service. Its errors don't repeat text, which may hold a SAS.
func parseEndpoint(text, account string) (*url.URL, error) {
	if text == "" {
		switch {
		case account == "":
			return nil, errors.New("account is empty; set the name of the storage account, or endpoint")
		case !accountName.MatchString(account):
			return nil, errors.New("account is not a name of 3 to 24 lower-case letters and digits; write mystore for https://mystore.blob.core.windows.net")
		}
		return &url.URL{Scheme: "https", Host: account + ".blob.core.windows.net"}, nil
	}
	const like = "write it like https://mystore.blob.core.windows.net"
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return nil, errors.New("endpoint is not a URL with http:// or https:// and a host; " + like)
	case u.RawQuery != "" || u.ForceQuery:
		return nil, errors.New("endpoint has a query; write a SAS into sas_token instead")
	case u.User != nil || u.Fragment != "":
		return nil, errors.New("endpoint has a user name or a fragment (#…); " + like)
	}
	if rest, dfs := strings.CutSuffix(u.Hostname(), ".dfs.core.windows.net"); dfs {
		return nil, fmt.Errorf("endpoint is that of the Data Lake API; write endpoint https://%s.blob.core.windows.net", rest)
	}
	for segment := range strings.SplitSeq(u.Path, "/") {
		if segment == "." || segment == ".." {
			return nil, errors.New("endpoint has a dot segment; write the path that it means")
		}
	}
	escaped := strings.TrimRight(u.EscapedPath(), "/")
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), escaped
	return u, nil
}

// checkPath refuses an endpoint that the container is in already, as portals show it. An emulator has the account there.
func checkPath(endpoint *url.URL, account, container string) error {
	if path := strings.Trim(endpoint.Path, "/"); container != "" && (path == container && path != account || path == account+"/"+container) {
		return errors.New("endpoint has the container in its path already; write scheme and host only")
	}
	return nil
}

// checkContainer says what is wrong with the name of a container.
func checkContainer(name string) error {
	switch {
	case name == "":
		return errors.New("container is empty; set the name of the container")
	case !containerName.MatchString(name) || len(name) < 3 || len(name) > 63:
		return fmt.Errorf("container %q is not a name of 3 to 63 lower-case letters, digits and single hyphens between them; a folder in the container belongs into prefix", name)
	}
	return nil
}

// cleanPrefix returns prefix as it stands before each key.
func cleanPrefix(prefix string) (string, error) {
	prefix = strings.Trim(prefix, "/")
	if prefix == "" {
		return "", nil
	}
	if err := origins.CheckKey(prefix); err != nil {
		return "", errors.New("prefix has an empty segment, a dot segment or a NUL byte; write it like images/large")
	}
	return prefix + "/", nil
}

// Open asks the store for a blob.
func (o *Origin) Open(ctx context.Context, req origins.Request) (*origins.Object, error) {
	if err := origins.CheckKey(req.Key); err != nil {
		return nil, err
	}
	if err := remote.CheckRange(req); err != nil {
		return nil, err
	}
	name := o.prefix + req.Key
	if utf8.RuneCountInString(name) > maxName || !utf8.ValidString(name) {
		return nil, remote.Fail(origins.NotExist, req.Key, "no blob has a name of more than %d characters, or one that isn't UTF-8", maxName)
	}
	current, err := o.auth.current()
	if err != nil {
		return nil, unusable(req.Key, err)
	}
	client, err := o.client.Get(ctx, current)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, remote.Broken(ctx, req.Key, ctx.Err())
	case err != nil:
		return nil, unusable(req.Key, err)
	}
	obj, err := o.fetch(ctx, client.NewBlobClient(name), req)
	if errors.Is(err, remote.ErrEncodedPart) {
		req.Range = nil
		return o.Open(ctx, req)
	}
	return obj, err
}

// fetch sends one request.
func (o *Origin) fetch(ctx context.Context, client *blob.Client, req origins.Request) (*origins.Object, error) {
	var raw *http.Response // what the library makes of it leaves out the status
	asked := policy.WithCaptureResponse(remote.WithFrom(ctx, req.From), &raw)
	res, err := client.DownloadStream(asked, question(req))
	switch {
	case err != nil:
		if raw != nil {
			raw.Body.Close() // which the library leaves open where it can't read a header
		}
		return nil, o.failure(ctx, req.Key, err)
	case res.Body == nil:
		// The library takes 304 for a success without a body.
		if v := req.Validator; v.ETag == "" && v.Modified.IsZero() {
			return nil, remote.Fail(origins.Unknown, req.Key, "azure answers 304 though nothing was said of a version")
		}
		return nil, remote.Unchanged(req.Key, origins.Attributes{CacheControl: raw.Header.Get("Cache-Control")})
	}
	if behind(req.Range, raw.Header.Get("Content-Range")) {
		res.Body.Close()
		return nil, remote.Fail(origins.Invalid, req.Key, "the range begins at the end of the blob")
	}
	obj, err := remote.Object(ctx, req, remote.Answer{
		Body:       res.Body,
		Length:     raw.ContentLength,
		Range:      raw.Header.Get("Content-Range"),
		Partial:    raw.StatusCode == http.StatusPartialContent,
		Encoding:   strings.Join(raw.Header.Values("Content-Encoding"), ","),
		Attributes: attributes(raw.Header),
	})
	if err == nil {
		err = part(req, obj)
	}
	if err != nil {
		res.Body.Close()
		return nil, err
	}
	return obj, nil
}

// behind reports whether a part is the one of no bytes with which Azurite answers a range that begins where the blob
// ends. The store itself answers 416.
func behind(asked *origins.Range, contentRange string) bool {
	return asked != nil && contentRange == fmt.Sprintf("bytes %d-%d/%d", asked.Start, asked.Start-1, asked.Start)
}

// part sees to a range that is the whole blob, which the library can't ask for otherwise than by no range.
func part(req origins.Request, obj *origins.Object) error {
	if req.Range == nil || obj.Range != nil || obj.Size < 0 || *req.Range != (origins.Range{Length: -1}) {
		return nil
	}
	whole, err := req.Range.Within(obj.Size)
	if err != nil {
		return remote.Fail(origins.Invalid, req.Key, "a range of an empty blob")
	}
	obj.Range = &whole
	return nil
}

// question returns req as the library takes it. There is one condition at most: of several, the store wants any to hold
// where HTTP lets the ETag decide.
func question(req origins.Request) *blob.DownloadStreamOptions {
	o := &blob.DownloadStreamOptions{}
	if r := req.Range; r != nil {
		o.Range = blob.HTTPRange{Offset: r.Start, Count: blob.CountToEnd}
		// One that reaches behind the largest number ends with the blob, too.
		if r.Length > 0 && r.Start+r.Length > 0 {
			o.Range.Count = r.Length
		}
	}
	conditions := &blob.ModifiedAccessConditions{}
	switch v := req.Validator; {
	case usable(req.Match):
		conditions.IfMatch = (*azcore.ETag)(&req.Match)
	case usable(v.ETag):
		conditions.IfNoneMatch = (*azcore.ETag)(&v.ETag)
	case !v.Modified.IsZero():
		at := v.Modified.UTC()
		conditions.IfModifiedSince = &at
	default:
		return o
	}
	o.AccessConditions = &blob.AccessConditions{ModifiedAccessConditions: conditions}
	return o
}

// usable reports whether a header can carry the tag.
func usable(etag string) bool { return etag != "" && httpguts.ValidHeaderFieldValue(etag) }

// attributes returns what the headers of an answer say about the blob.
func attributes(h http.Header) origins.Attributes {
	a := origins.Attributes{
		ContentType:  h.Get("Content-Type"),
		ETag:         h.Get("ETag"),
		CacheControl: h.Get("Cache-Control"),
		Tags:         origins.Tags(h.Get("X-Ms-Meta-Cachetag"), h.Get("X-Ms-Meta-Cache_tag")),
		Private:      strings.EqualFold(strings.TrimSpace(h.Get("X-Ms-Meta-Is_private_file")), "true"),
	}
	if t, err := http.ParseTime(h.Get("Last-Modified")); err == nil {
		a.Modified = t
	}
	return a
}

// Interface guards
var _ origins.Origin = (*Origin)(nil)
