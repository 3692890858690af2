package stores_test

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"cloud.google.com/go/storage"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"

	"github.com/imageorigin/imageorigin/e2e/faults"
	"github.com/imageorigin/imageorigin/e2e/stores"
)

// gcsClient returns a client of the SDK that asks below base, with the credentials in a file or, without, none.
func gcsClient(t *testing.T, s *stores.GCSStore, base, keyFile string, scopes ...string) *storage.Client {
	t.Helper()
	options := []option.ClientOption{option.WithEndpoint(s.Endpoint(base)), storage.WithJSONReads()}
	if keyFile == "" {
		options = append(options, option.WithoutAuthentication())
	} else {
		options = append(options, option.WithAuthCredentialsFile(option.ServiceAccount, keyFile), option.WithScopes(scopes...))
	}
	c, err := storage.NewClient(t.Context(), options...)
	if err != nil {
		t.Fatal(err)
	}
	c.SetRetry(storage.WithPolicy(storage.RetryNever))
	t.Cleanup(func() { c.Close() })
	return c
}

// gcsGet reads an object, and returns its content or what is wrong in a word.
func gcsGet(t *testing.T, o *storage.ObjectHandle) (content, wrong string) {
	t.Helper()
	r, err := o.NewReader(t.Context())
	if err != nil {
		var api *googleapi.Error
		switch {
		case errors.Is(err, storage.ErrObjectNotExist):
			return "", "missing"
		case errors.As(err, &api):
			return "", http.StatusText(api.Code)
		case strings.Contains(err.Error(), "invalid_grant"):
			return "", "invalid grant"
		}
		t.Fatalf("reading: %v", err)
	}
	defer r.Close()
	body, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("reading: %v", err)
	}
	return string(body), ""
}

func TestGCSChecksWhoAsks(t *testing.T) {
	s := stores.GCS(t)
	s.Put("a.jpg", []byte("picture"), "image/jpeg", "max-age=60")
	forged := strings.NewReplacer(s.Email, "nobody@example.iam.gserviceaccount.com")
	data, err := os.ReadFile(s.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	unknown := t.TempDir() + "/key.json"
	if err := os.WriteFile(unknown, []byte(forged.Replace(string(data))), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, bucket, key, file, scope string
		content, wrong                 string
	}{
		{"the reader", s.Bucket, "a.jpg", s.KeyFile, storage.ScopeReadOnly, "picture", ""},
		{"a missing key", s.Bucket, "b.jpg", s.KeyFile, storage.ScopeReadOnly, "", "missing"},
		{"a missing bucket", "test-missing", "a.jpg", s.KeyFile, storage.ScopeReadOnly, "", "missing"},
		{"nobody", s.Bucket, "a.jpg", "", "", "", "Unauthorized"},
		{"the stranger", s.Bucket, "a.jpg", s.Stranger(), storage.ScopeReadOnly, "", "Forbidden"},
		{"an unknown account", s.Bucket, "a.jpg", unknown, storage.ScopeReadOnly, "", "invalid grant"},
		{"a scope that asks for too much", s.Bucket, "a.jpg", s.KeyFile, storage.ScopeFullControl, "", "invalid grant"},
	} {
		c := gcsClient(t, s, s.URL, tt.file, tt.scope)
		content, wrong := gcsGet(t, c.Bucket(tt.bucket).Object(tt.key))
		if content != tt.content || wrong != tt.wrong {
			t.Errorf("%s: got %q and %q, want %q and %q", tt.name, content, wrong, tt.content, tt.wrong)
		}
	}
}

func TestGCSCredentialsCanBeTakenAway(t *testing.T) {
	s := stores.GCS(t)
	s.Put("a.jpg", []byte("picture"), "", "")
	get := func(file string) string {
		t.Helper()
		content, wrong := gcsGet(t, gcsClient(t, s, s.URL, file, storage.ScopeReadOnly).Bucket(s.Bucket).Object("a.jpg"))
		return content + wrong
	}
	longLived := gcsClient(t, s, s.URL, s.KeyFile, storage.ScopeReadOnly).Bucket(s.Bucket)
	read := func(key string) string {
		t.Helper()
		content, wrong := gcsGet(t, longLived.Object(key))
		return content + wrong
	}
	for _, step := range []struct {
		name      string
		got, want string
	}{
		{"at first", read("a.jpg"), "picture"},
		{"disabled, with a new token", func() string { s.Disable(true); return get(s.KeyFile) }(), "invalid grant"},
		{"disabled, with an old token", read("a.jpg"), "picture"},
		{"revoked, with an old token", func() string { s.Revoke(); return read("a.jpg") }(), "Unauthorized"},
		{"enabled again", func() string { s.Disable(false); return get(s.KeyFile) }(), "picture"},
		{"rotated, with the new key", func() string { return get(s.Rotate()) }(), "picture"},
		{"rotated, with the old key", get(s.KeyFile), "invalid grant"},
		{"public, with no key", func() string { s.Public(); return get("") }(), "picture"},
	} {
		if step.got != step.want {
			t.Errorf("%s: got %q, want %q", step.name, step.got, step.want)
		}
	}
	s = stores.GCS(t)
	longLived = gcsClient(t, s, s.URL, s.KeyFile, storage.ScopeReadOnly).Bucket(s.Bucket)
	s.HideMissing()
	if got := read("missing.jpg"); got != "Forbidden" {
		t.Errorf("a missing key of a bucket that hides them: got %q", got)
	}
}

func TestGCSReaderMayOnlyRead(t *testing.T) {
	s := stores.GCS(t)
	b := gcsClient(t, s, s.URL, s.KeyFile, storage.ScopeReadOnly).Bucket(s.Bucket)
	var api *googleapi.Error
	if _, err := b.Objects(t.Context(), nil).Next(); !errors.As(err, &api) || api.Code != http.StatusForbidden {
		t.Errorf("listing: got %v, want 403", err)
	}
	if err := b.Object("x").Delete(t.Context()); !errors.As(err, &api) || api.Code != http.StatusForbidden {
		t.Errorf("removing: got %v, want 403", err)
	}
}

func TestGCSKeepsWhatWasStored(t *testing.T) {
	s := stores.GCS(t)
	s.Put("a.jpg", []byte("picture"), "image/jpeg", "max-age=60")
	proxy := faults.Start(t, s.Addr)
	for _, base := range []string{s.URL, proxy.URL()} {
		b := gcsClient(t, s, base, s.KeyFile, storage.ScopeReadOnly).Bucket(s.Bucket)
		r, err := b.Object("a.jpg").NewRangeReader(t.Context(), 1, 3)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r)
		r.Close()
		if err != nil || string(body) != "ict" || r.Attrs.ContentType != "image/jpeg" || r.Attrs.CacheControl != "max-age=60" {
			t.Errorf("got %q, %v, %+v", body, err, r.Attrs)
		}
		for _, tt := range []struct {
			name       string
			conditions storage.Conditions
			want       string
		}{
			{"the same generation", storage.Conditions{GenerationNotMatch: r.Attrs.Generation}, "Not Modified"},
			{"another generation", storage.Conditions{GenerationNotMatch: 5}, "picture"},
			{"only the same generation", storage.Conditions{GenerationMatch: r.Attrs.Generation}, "picture"},
			{"only another generation", storage.Conditions{GenerationMatch: 5}, "Precondition Failed"},
		} {
			if content, wrong := gcsGet(t, b.Object("a.jpg").If(tt.conditions)); content+wrong != tt.want {
				t.Errorf("%s: got %q, want %q", tt.name, content+wrong, tt.want)
			}
		}
		for _, key := range awkward {
			s.Put(key, []byte(key), "", "")
			if content, wrong := gcsGet(t, b.Object(key)); content != key {
				t.Errorf("%q: got %q and %q", key, content, wrong)
			}
		}
	}
	s.Delete("a.jpg")
	if _, wrong := gcsGet(t, gcsClient(t, s, s.URL, s.KeyFile, storage.ScopeReadOnly).Bucket(s.Bucket).Object("a.jpg")); wrong != "missing" {
		t.Errorf("after it was removed: got %q", wrong)
	}
}
