package stores

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"
)

const azureAccount = "inventedaccount"

// AzureStore is a container of an account on Azurite, which checks account keys and shared access signatures.
type AzureStore struct {
	Addr      string // host:port of the server
	URL       string // http:// and the same
	Account   string
	Key       string // of the account, in base64
	Container string

	t      testing.TB
	client *azblob.Client
	shared *azblob.SharedKeyCredential
}

// Azure returns a new, empty container.
func Azure(t testing.TB) *AzureStore {
	t.Helper()
	server, err := azureServer()
	must(t, "Azurite", err)
	s := &AzureStore{Addr: server.addr, URL: "http://" + server.addr, Account: azureAccount, Key: server.key, Container: unique(), t: t}
	if s.shared, err = azblob.NewSharedKeyCredential(s.Account, s.Key); err != nil {
		t.Fatal(err)
	}
	options := &azblob.ClientOptions{ClientOptions: azcore.ClientOptions{
		Transport: &http.Client{Transport: azureTransport()},
		Retry:     policy.RetryOptions{MaxRetries: -1},
	}}
	if s.client, err = azblob.NewClientWithSharedKeyCredential(s.Endpoint(s.URL), s.shared, options); err != nil {
		t.Fatal(err)
	}
	if _, err := s.client.CreateContainer(within(t), s.Container, nil); err != nil {
		t.Fatalf("creating the container: %v", err)
	}
	return s
}

// Endpoint returns the URL of the account below base, which is [AzureStore.URL] or that of something that stands before it.
func (s *AzureStore) Endpoint(base string) string { return base + "/" + s.Account }

// Put stores a blob. An empty contentType or cacheControl is not sent.
func (s *AzureStore) Put(key string, content []byte, contentType, cacheControl string) {
	s.t.Helper()
	headers := &blob.HTTPHeaders{}
	if contentType != "" {
		headers.BlobContentType = &contentType
	}
	if cacheControl != "" {
		headers.BlobCacheControl = &cacheControl
	}
	_, err := s.client.UploadBuffer(within(s.t), s.Container, key, content, &azblob.UploadBufferOptions{HTTPHeaders: headers})
	if err != nil {
		s.t.Fatalf("storing %q: %v", key, err)
	}
}

// Delete removes a blob.
func (s *AzureStore) Delete(key string) {
	s.t.Helper()
	if _, err := s.client.DeleteBlob(within(s.t), s.Container, key, nil); err != nil {
		s.t.Fatalf("removing %q: %v", key, err)
	}
}

// SAS returns a shared access signature of the container, a query without its question mark, that ends when said.
func (s *AzureStore) SAS(expiry time.Time, permissions sas.ContainerPermissions) string {
	s.t.Helper()
	query, err := sas.BlobSignatureValues{
		Protocol:      sas.ProtocolHTTPSandHTTP,
		StartTime:     expiry.Add(-48 * time.Hour).UTC(),
		ExpiryTime:    expiry.UTC(),
		Permissions:   permissions.String(),
		ContainerName: s.Container,
	}.SignWithSharedKey(s.shared)
	if err != nil {
		s.t.Fatalf("signing: %v", err)
	}
	return query.Encode()
}

var azureTransport = sync.OnceValue(transport)

// azurite is the running server.
type azurite struct{ addr, key string }

var azuriteListens = regexp.MustCompile(`successfully listens on http://(127\.0\.0\.1:\d+)`)

// azureServer starts the server. It chooses its port by itself and tells it.
var azureServer = sync.OnceValues(func() (azurite, error) {
	node, err := installed("node")
	if err != nil {
		return azurite{}, err
	}
	program, err := built("azurite/node_modules/azurite/dist/src/blob/main.js")
	if err != nil {
		return azurite{}, err
	}
	dir, err := tempDir("azure", func(string) error { return nil })
	if err != nil {
		return azurite{}, err
	}
	secret := make([]byte, 64)
	_, _ = rand.Read(secret) // never fails
	a := azurite{key: base64.StdEncoding.EncodeToString(secret)}
	// The SDK speaks a newer version of the protocol than the server knows by name.
	server, err := start(dir, []string{"AZURITE_ACCOUNTS=" + azureAccount + ":" + a.key}, node, program,
		"--blobHost", "127.0.0.1", "--blobPort", "0", "--inMemoryPersistence", "--silent", "--disableTelemetry",
		"--skipApiVersionCheck")
	if err != nil {
		return azurite{}, fmt.Errorf("starting: %w", err)
	}
	err = server.await(func() bool {
		match := azuriteListens.FindStringSubmatch(server.output.String())
		if match != nil {
			a.addr = match[1]
		}
		return match != nil
	})
	if err != nil {
		return azurite{}, err
	}
	running.add(server.stop)
	return a, nil
})
