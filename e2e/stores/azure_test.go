package stores_test

import (
	"encoding/base64"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"

	"github.com/imageorigin/imageorigin/e2e/faults"
	"github.com/imageorigin/imageorigin/e2e/stores"
)

var azureOptions = &azblob.ClientOptions{ClientOptions: azcore.ClientOptions{Retry: policy.RetryOptions{MaxRetries: -1}}}

// azureClient returns a client of the SDK that asks below base with an account key.
func azureClient(t *testing.T, s *stores.AzureStore, base, key string) *azblob.Client {
	t.Helper()
	credential, err := azblob.NewSharedKeyCredential(s.Account, key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := azblob.NewClientWithSharedKeyCredential(s.Endpoint(base), credential, azureOptions)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// azureSASClient returns one that has a shared access signature, or nothing.
func azureSASClient(t *testing.T, s *stores.AzureStore, signature string) *azblob.Client {
	t.Helper()
	endpoint := s.Endpoint(s.URL)
	if signature != "" {
		endpoint += "?" + signature
	}
	c, err := azblob.NewClientWithNoCredential(endpoint, azureOptions)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// azureGet reads a blob, and returns its content or the code of the error.
func azureGet(t *testing.T, c *azblob.Client, container, key string) (content, code string) {
	t.Helper()
	out, err := c.DownloadStream(t.Context(), container, key, nil)
	if err != nil {
		var response *azcore.ResponseError
		if !errors.As(err, &response) {
			t.Fatalf("reading %q: %v", key, err)
		}
		return "", response.ErrorCode
	}
	defer out.Body.Close()
	body, err := io.ReadAll(out.Body)
	if err != nil {
		t.Fatalf("reading %q: %v", key, err)
	}
	return string(body), ""
}

func TestAzureChecksWhoAsks(t *testing.T) {
	s := stores.Azure(t)
	s.Put("a.jpg", []byte("picture"), "image/jpeg", "max-age=60")
	tomorrow, yesterday := time.Now().Add(24*time.Hour), time.Now().Add(-24*time.Hour)
	read, write := sas.ContainerPermissions{Read: true}, sas.ContainerPermissions{Write: true}
	wrongKey := base64.StdEncoding.EncodeToString([]byte("invented"))
	for _, tt := range []struct {
		name           string
		client         *azblob.Client
		container, key string
		content, code  string
	}{
		{"the account's key", azureClient(t, s, s.URL, s.Key), s.Container, "a.jpg", "picture", ""},
		{"a missing blob", azureClient(t, s, s.URL, s.Key), s.Container, "b.jpg", "", "BlobNotFound"},
		{"a missing container", azureClient(t, s, s.URL, s.Key), "test-missing", "a.jpg", "", "ContainerNotFound"},
		{"a wrong key", azureClient(t, s, s.URL, wrongKey), s.Container, "a.jpg", "", "AuthorizationFailure"},
		{"a signature", azureSASClient(t, s, s.SAS(tomorrow, read)), s.Container, "a.jpg", "picture", ""},
		{"a signature and a missing blob", azureSASClient(t, s, s.SAS(tomorrow, read)), s.Container, "b.jpg", "", "BlobNotFound"},
		{"an expired signature", azureSASClient(t, s, s.SAS(yesterday, read)), s.Container, "a.jpg", "", "AuthorizationFailure"},
		{"a signature for writing", azureSASClient(t, s, s.SAS(tomorrow, write)), s.Container, "a.jpg", "", "AuthorizationPermissionMismatch"},
		{"nothing", azureSASClient(t, s, ""), s.Container, "a.jpg", "", "AuthorizationFailure"},
	} {
		content, code := azureGet(t, tt.client, tt.container, tt.key)
		if content != tt.content || code != tt.code {
			t.Errorf("%s: got %q and %q, want %q and %q", tt.name, content, code, tt.content, tt.code)
		}
	}
}

func TestAzureKeepsWhatWasStored(t *testing.T) {
	s := stores.Azure(t)
	s.Put("a.jpg", []byte("picture"), "image/jpeg", "max-age=60")
	proxy := faults.Start(t, s.Addr)
	for _, base := range []string{s.URL, proxy.URL()} {
		c := azureClient(t, s, base, s.Key)
		out, err := c.DownloadStream(t.Context(), s.Container, "a.jpg", &azblob.DownloadStreamOptions{Range: azblob.HTTPRange{Offset: 1, Count: 3}})
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(out.Body)
		out.Body.Close()
		if err != nil || string(body) != "ict" || *out.ContentType != "image/jpeg" || *out.CacheControl != "max-age=60" {
			t.Errorf("got %q, %v, %v, %v", body, err, *out.ContentType, *out.CacheControl)
		}
		for _, key := range awkward {
			s.Put(key, []byte(key), "", "")
			if content, code := azureGet(t, c, s.Container, key); content != key {
				t.Errorf("%q: got %q and %q", key, content, code)
			}
		}
	}
	s.Delete("a.jpg")
	if _, code := azureGet(t, azureClient(t, s, s.URL, s.Key), s.Container, "a.jpg"); code != "BlobNotFound" {
		t.Errorf("after it was removed: got %q", code)
	}
}
