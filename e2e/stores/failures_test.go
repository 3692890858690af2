package stores_test

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"

	"github.com/imageorigin/imageorigin/e2e/faults"
	"github.com/imageorigin/imageorigin/e2e/stores"
	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/azure"
	"github.com/imageorigin/imageorigin/origins/gcs"
	"github.com/imageorigin/imageorigin/origins/remote"
	"github.com/imageorigin/imageorigin/origins/s3"
)

// refusal is what a store makes of a request.
type refusal struct {
	name   string
	origin origins.Origin
	key    string
	kind   origins.Kind
	hidden bool
	remedy string // a word that is in it; "" asks for none
}

// check opens the object and compares how that fails. Of what is secret nothing may stand in the error.
func (r refusal) check(t *testing.T, secrets ...string) {
	t.Helper()
	_, err := r.origin.Open(t.Context(), origins.Request{Key: r.key})
	e, ok := errors.AsType[*origins.Error](err)
	if !ok {
		t.Errorf("%s: got %v, want a failure of the kind %v", r.name, err, r.kind)
		return
	}
	if e.Kind != r.kind || e.Hidden != r.hidden || e.Transient || !strings.Contains(e.Remedy, r.remedy) || (e.Remedy == "") != (r.remedy == "") {
		t.Errorf("%s: got %+v, want the kind %v, hidden %v, and a remedy about %q", r.name, *e, r.kind, r.hidden, r.remedy)
	}
	for _, secret := range secrets {
		if text := e.Error() + e.Remedy; strings.Contains(text, secret) {
			t.Errorf("%s: the error holds a secret: %s", r.name, text)
		}
	}
}

func must(t *testing.T) func(o origins.Origin, err error) origins.Origin {
	return func(o origins.Origin, err error) origins.Origin {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
}

func TestS3ToldWhatIsWrong(t *testing.T) {
	b := stores.S3(t)
	b.Put("a.jpg", []byte("picture"), "", "")
	tr := direct(t, b.Addr).transport
	with := func(change func(c *s3.Config)) origins.Origin {
		c := s3.Config{Bucket: b.Bucket, Region: b.Region, Endpoint: b.URL, PathStyle: true, Keys: keys(b.Reader), Transport: tr}
		change(&c)
		return must(t)(s3.New(c))
	}
	stranger := with(func(c *s3.Config) { c.Keys = keys(b.Stranger) })
	wrongSecret := stores.Keys{Access: b.Reader.Access, Secret: "invented-wrong-secret"}
	unknown := stores.Keys{Access: "AKIAUNKNOWN", Secret: "invented-other-secret"}
	for _, r := range []refusal{
		{"a missing key", with(func(*s3.Config) {}), "b.jpg", origins.NotExist, false, ""},
		{"a missing bucket", with(func(c *s3.Config) { c.Bucket = "test-missing" }), "a.jpg", origins.Unknown, false, "bucket"},
		{"a user without a right", stranger, "a.jpg", origins.Denied, true, "s3:GetObject"},
		{"a user without a right, missing_on_denied", origins.MissingOnDenied(stranger), "b.jpg", origins.NotExist, false, ""},
		{"a wrong secret", with(func(c *s3.Config) { c.Keys = keys(wrongSecret) }), "a.jpg", origins.Denied, false, "secret_key"},
		{"an unknown key", with(func(c *s3.Config) { c.Keys = keys(unknown) }), "a.jpg", origins.Denied, false, "access_key"},
		{"no key", with(func(c *s3.Config) { c.Keys, c.Anonymous = nil, true }), "a.jpg", origins.Denied, true, "anonymous"},
		{"a wrong region", with(func(c *s3.Config) { c.Region = "us-west-2" }), "a.jpg", origins.Unknown, false, "region"},
	} {
		r.check(t, b.Reader.Secret, b.Stranger.Secret, wrongSecret.Secret, unknown.Secret, b.Reader.Access, unknown.Access, "Signature=")
	}
}

func TestGCSToldWhatIsWrong(t *testing.T) {
	b := stores.GCS(t)
	b.Put("a.jpg", []byte("picture"), "", "")
	tr := direct(t, b.Addr).transport
	with := func(file string, change func(c *gcs.Config)) origins.Origin {
		key, err := gcs.NewKeyFile(file)
		if err != nil {
			t.Fatal(err)
		}
		c := gcs.Config{Bucket: b.Bucket, Endpoint: b.Endpoint(b.URL), Key: key.Value, Transport: tr}
		change(&c)
		return must(t)(gcs.New(c))
	}
	as := func(*gcs.Config) {}
	key, err := os.ReadFile(b.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	line := strings.Split(strings.SplitAfter(string(key), `-----BEGIN PRIVATE KEY-----\n`)[1], `\n`)[0]
	for _, r := range []refusal{
		{"a missing key", with(b.KeyFile, as), "b.jpg", origins.NotExist, false, ""},
		{"a missing bucket", with(b.KeyFile, func(c *gcs.Config) { c.Bucket = "test-missing" }), "a.jpg", origins.Unknown, false, "bucket"},
		{"an account without a right", with(b.Stranger(), as), "a.jpg", origins.Denied, true, "storage.objectViewer"},
		{"nobody", with(b.KeyFile, func(c *gcs.Config) { c.Key, c.Anonymous = nil, true }), "a.jpg", origins.Denied, true, "anonymous"},
	} {
		r.check(t, line, "ya29.", "eyJ")
	}
	b.HideMissing()
	hidden := with(b.KeyFile, as)
	for _, r := range []refusal{
		{"a missing key that is hidden", hidden, "b.jpg", origins.Denied, true, "storage.objectViewer"},
		{"a missing key that is hidden, missing_on_denied", origins.MissingOnDenied(hidden), "b.jpg", origins.NotExist, false, ""},
	} {
		r.check(t, line, "ya29.", "eyJ")
	}
	b.Disable(true)
	refusal{"a disabled account", with(b.KeyFile, as), "a.jpg", origins.Denied, false, "key"}.check(t, line, "ya29.", "eyJ")
}

func TestAzureToldWhatIsWrong(t *testing.T) {
	b := stores.Azure(t)
	b.Put("a.jpg", []byte("picture"), "", "")
	tr := direct(t, b.Addr).transport
	with := func(change func(c *azure.Config)) origins.Origin {
		c := azure.Config{Account: b.Account, Container: b.Container, Endpoint: b.Endpoint(b.URL), Transport: tr}
		change(&c)
		return must(t)(azure.New(c))
	}
	signed := func(expiry time.Duration, permissions sas.ContainerPermissions) func(c *azure.Config) {
		signature := b.SAS(time.Now().Add(expiry), permissions)
		return func(c *azure.Config) { c.SAS = func() string { return signature } }
	}
	read := sas.ContainerPermissions{Read: true}
	wrongKey := base64.StdEncoding.EncodeToString([]byte("invented wrong key"))
	byKey := func(key string) func(c *azure.Config) {
		return func(c *azure.Config) { c.Key = func() string { return key } }
	}
	for _, r := range []refusal{
		{"a missing blob", with(byKey(b.Key)), "b.jpg", origins.NotExist, false, ""},
		{"a missing container", with(func(c *azure.Config) { byKey(b.Key)(c); c.Container = "test-missing" }), "a.jpg", origins.Unknown, false, "container"},
		{"a wrong key", with(byKey(wrongKey)), "a.jpg", origins.Denied, false, "key"},
		{"an expired SAS", with(signed(-time.Hour, read)), "a.jpg", origins.Denied, false, "sas_token"},
		{"a SAS and a missing blob", with(signed(time.Hour, read)), "b.jpg", origins.NotExist, false, ""},
		{"nobody", with(func(c *azure.Config) { c.Anonymous = true }), "a.jpg", origins.Denied, false, "anonymous"},
	} {
		r.check(t, b.Key, wrongKey, "sig=", "&se=")
	}
}

// TestFaultsOnTheWayAreToldApart puts what can happen to a connection between each origin and its server.
func TestFaultsOnTheWayAreToldApart(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			s, addr := kind.start(t)
			s.Put("a.jpg", []byte("picture"), "", "")
			p := faults.Start(t, addr)
			roots, err := os.ReadFile(p.CAFile())
			if err != nil {
				t.Fatal(err)
			}
			config := remote.TransportConfig{RootCAs: roots, ServerName: "localhost"}
			plain := must(t)(kind.connect(t, s, over(t, "http", p.Addr(), config)))
			secure := must(t)(kind.connect(t, s, over(t, "https", p.Addr(), config)))
			for _, tt := range []struct {
				fault     faults.Fault
				origin    origins.Origin
				kind      origins.Kind
				transient bool
				after     time.Duration
			}{
				{faults.Reset(), plain, origins.Unreachable, true, 0},
				{faults.Refuse(), plain, origins.Unreachable, false, 0},
				{faults.BlackHole(), plain, origins.Timeout, false, 0},
				{faults.Hang(), plain, origins.Timeout, false, 0},
				{faults.Latency(time.Minute), plain, origins.Timeout, false, 0},
				{faults.Unavailable(0), plain, origins.Unreachable, true, 0},
				{faults.Unavailable(7 * time.Second), plain, origins.Unreachable, true, 7 * time.Second},
				{faults.Answer(http.StatusInternalServerError, nil, "invented-secret"), plain, origins.Unknown, true, 0},
				{faults.Garbage(), secure, origins.Unreachable, false, 0},
				{faults.BadCertificate(), secure, origins.Unreachable, false, 0},
			} {
				if tt.fault.String() == faults.BlackHole().String() && !faults.CanBlackHole {
					continue
				}
				for _, o := range []origins.Origin{plain, secure} {
					if content, err := readAll(t, o); err != nil || string(content) != "picture" {
						t.Fatalf("before %v: got %q and %v", tt.fault, content, err)
					}
				}
				p.Set(tt.fault)
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				if tt.kind == origins.Timeout {
					ctx, cancel = context.WithTimeout(t.Context(), 200*time.Millisecond)
				}
				_, err := tt.origin.Open(ctx, origins.Request{Key: "a.jpg"})
				cancel()
				e, ok := errors.AsType[*origins.Error](err)
				if !ok || e.Kind != tt.kind || e.Transient != tt.transient || e.After != tt.after {
					t.Errorf("%v: got %#v (%v), want the kind %v, transient %v, after %v", tt.fault, e, err, tt.kind, tt.transient, tt.after)
				} else if strings.Contains(e.Error(), "invented-secret") {
					t.Errorf("%v: the error repeats what was answered: %v", tt.fault, e)
				}
				p.Heal()
			}

			p.Set(faults.Unavailable(0).Times(3))
			if content, err := readAll(t, origins.Retry(plain, 3)); err != nil || string(content) != "picture" {
				t.Errorf("retried behind a burst of three 503: got %q and %v", content, err)
			}
		})
	}
}
