package stores_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"

	"github.com/imageorigin/imageorigin/e2e/stores"
	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/azure"
	"github.com/imageorigin/imageorigin/origins/gcs"
	"github.com/imageorigin/imageorigin/origins/remote"
	"github.com/imageorigin/imageorigin/origins/s3"
	"github.com/imageorigin/imageorigin/origins/web"
)

// store is one of the real servers, as the suite uses it.
type store interface {
	Put(key string, content []byte, contentType, cacheControl string)
}

// kind is an origin, and the server that stands for its store.
type kind struct {
	name    string
	start   func(t *testing.T) (s store, addr string)                  // a new store, and where its server is
	connect func(t *testing.T, s store, w way) (origins.Origin, error) // the origin
}

// roughTimes reports whether the server compares fractions of seconds, which the times of HTTP don't have: Versity's
// gateway then says that an object is newer than itself.
func (k kind) roughTimes() bool { return strings.HasPrefix(k.name, "s3_") }

// way is how an origin reaches its store.
type way struct {
	scheme    string
	addr      string // of the server, or of what stands before it
	transport http.RoundTripper
}

func (w way) base() string { return w.scheme + "://" + w.addr }

// over returns a way whose transport is as the host makes it, but for its resolver: all hosts are at addr.
func over(t *testing.T, scheme, addr string, c remote.TransportConfig) way {
	t.Helper()
	tr, err := remote.NewTransport(c)
	if err != nil {
		t.Fatal(err)
	}
	tr.DialContext = stores.DialWith(tr.DialContext, addr)
	t.Cleanup(tr.CloseIdleConnections)
	return way{scheme, addr, tr}
}

// direct is the way without anything special.
func direct(t *testing.T, addr string) way {
	t.Helper()
	return over(t, "http", addr, remote.TransportConfig{})
}

var kinds = []kind{
	{"s3_virtual_hosted", startS3, func(_ *testing.T, s store, w way) (origins.Origin, error) {
		b := s.(*stores.S3Store)
		return s3.New(s3.Config{
			Bucket: b.Bucket, Region: b.Region, Endpoint: w.scheme + "://" + b.Domain, Keys: keys(b.Reader), Transport: w.transport,
		})
	}},
	{"s3_path_style", startS3, func(_ *testing.T, s store, w way) (origins.Origin, error) {
		b := s.(*stores.S3Store)
		return s3.New(s3.Config{
			Bucket: b.Bucket, Region: b.Region, Endpoint: w.base(), PathStyle: true, Keys: keys(b.Reader), Transport: w.transport,
		})
	}},
	{"gcs", startGCS, func(_ *testing.T, s store, w way) (origins.Origin, error) {
		b := s.(*stores.GCSStore)
		key, err := gcs.NewKeyFile(b.KeyFile)
		if err != nil {
			return nil, err
		}
		return gcs.New(gcs.Config{Bucket: b.Bucket, Endpoint: b.Endpoint(w.base()), Key: key.Value, Transport: w.transport})
	}},
	{"azure_key", startAzure, func(_ *testing.T, s store, w way) (origins.Origin, error) {
		b := s.(*stores.AzureStore)
		return azure.New(azure.Config{
			Account: b.Account, Container: b.Container, Endpoint: b.Endpoint(w.base()), Key: func() string { return b.Key },
			Transport: asAzure{w.transport},
		})
	}},
	{"azure_sas", startAzure, func(_ *testing.T, s store, w way) (origins.Origin, error) {
		b := s.(*stores.AzureStore)
		signature := b.SAS(time.Now().Add(time.Hour), sas.ContainerPermissions{Read: true})
		return azure.New(azure.Config{
			Account: b.Account, Container: b.Container, Endpoint: b.Endpoint(w.base()), SAS: func() string { return signature },
			Transport: asAzure{w.transport},
		})
	}},
	{"web", startNginx, func(_ *testing.T, _ store, w way) (origins.Origin, error) {
		return web.New(web.Config{BaseURL: w.base(), Transport: w.transport})
	}},
}

func startS3(t *testing.T) (store, string) {
	s := stores.S3(t)
	return s, s.Addr
}

func startGCS(t *testing.T) (store, string) {
	s := stores.GCS(t)
	return s, s.Addr
}

func startAzure(t *testing.T) (store, string) {
	s := stores.Azure(t)
	return s, s.Addr
}

func startNginx(t *testing.T) (store, string) {
	s := stores.Nginx(t, t.TempDir())
	return s, s.Addr
}

func keys(k stores.Keys) func() s3.Keys {
	return func() s3.Keys { return s3.Keys{AccessKey: k.Access, SecretKey: k.Secret} }
}

// asAzure puts right what Azurite 3.37 gets wrong: it answers a range that starts right behind the end of a blob with a
// part of no bytes ("bytes 7-6/7"), where Azure answers 416, as Azurite itself does for any byte further on.
type asAzure struct{ http.RoundTripper }

func (a asAzure) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := a.RoundTripper.RoundTrip(r)
	if err != nil || resp.StatusCode != http.StatusPartialContent || resp.ContentLength != 0 {
		return resp, err
	}
	resp.StatusCode, resp.Status = http.StatusRequestedRangeNotSatisfiable, "416 Range Not Satisfiable"
	resp.Header.Del("Content-Range")
	resp.Header.Set("X-Ms-Error-Code", "InvalidRange")
	return resp, nil
}
