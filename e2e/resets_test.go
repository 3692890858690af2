package e2e

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"

	"github.com/imageorigin/imageorigin/e2e/faults"
	"github.com/imageorigin/imageorigin/e2e/stores"
)

// TestNoShortBodyEndsAsASuccess asks 500 times through a proxy that resets every fifth connection in mid-body. What
// arrives as a success is the whole picture; everything else is told as an error.
func TestNoShortBodyEndsAsASuccess(t *testing.T) {
	const requests = 500
	original := bytes.Clone(pngOf(t, 40, 40))
	// Behind the picture's end, so that decoders don't mind: sockets' buffers would hide a reset of a small file.
	filler := rand.New(rand.NewPCG(1, 2))
	for len(original) < 300<<10 {
		original = append(original, byte(filler.Uint32()))
	}
	for name, setUp := range brokenStores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxy, options := setUp(t, original)
			s := startSite(t, options+"\nendpoint default {\norigins store\nerror_status native\n}")
			proxy.Set(faults.ResetInBody(faults.Anywhere).Chance(0.2))
			whole, errors := 0, map[string]int{}
			for i := range requests {
				path, transformed := "/tr:orig-true/big.png", i%2 == 1
				if transformed {
					path = "/tr:w-20/big.png"
				}
				r := s.get(path)
				switch {
				case r.err != nil:
					errors["broken off"]++
				case r.status != http.StatusOK:
					errors[fmt.Sprint(r.status, " ", r.header.Get("ik-error"))]++
				case transformed:
					if width, height, _, err := measure(r.body); err != nil || width != 20 || height != 20 {
						t.Fatalf("request %d: got %dx%d as a success, %v", i, width, height, err)
					}
					whole++
				case !bytes.Equal(r.body, original):
					t.Fatalf("request %d: got %d bytes as a success, want %d", i, len(r.body), len(original))
				default:
					whole++
				}
			}
			made := proxy.Counts().Faults
			t.Logf("%d whole, %v; %d connections were reset", whole, errors, made)
			if made < requests/10 {
				t.Errorf("only %d connections were reset", made)
			}
			// With two resumptions a file is lost once in 0.2³.
			if whole < requests*95/100 {
				t.Errorf("only %d of %d requests were answered", whole, requests)
			}
		})
	}
}

// brokenStores set up a store with big.png and an origin "store" that reads it through the proxy.
var brokenStores = map[string]func(t *testing.T, content []byte) (*faults.Proxy, string){
	"s3": func(t *testing.T, content []byte) (*faults.Proxy, string) {
		store := stores.S3(t)
		fill(store, content)
		proxy := faults.Start(t, store.Addr)
		return proxy, fmt.Sprintf("origin store s3_compatible {\nbucket %s\nendpoint %s\nregion %s\npath_style\naccess_key %s\nsecret_key %s\n}",
			store.Bucket, proxy.URL(), store.Region, store.Reader.Access, store.Reader.Secret)
	},
	"gcs": func(t *testing.T, content []byte) (*faults.Proxy, string) {
		store := stores.GCS(t)
		fill(store, content)
		proxy := faults.Start(t, store.Addr)
		return proxy, fmt.Sprintf("origin store gcs {\nbucket %s\nendpoint %s\ncredentials_file %s\n}",
			store.Bucket, proxy.URL(), store.KeyFile)
	},
	"azure": func(t *testing.T, content []byte) (*faults.Proxy, string) {
		store := stores.Azure(t)
		fill(store, content)
		proxy := faults.Start(t, store.Addr)
		return proxy, fmt.Sprintf("origin store azure {\naccount %s\ncontainer %s\nendpoint %s\nsas_token %q\n}",
			store.Account, store.Container, store.Endpoint(proxy.URL()), store.SAS(time.Now().Add(time.Hour), sas.ContainerPermissions{Read: true}))
	},
	"web": func(t *testing.T, content []byte) (*faults.Proxy, string) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "big.png"), content, 0o644); err != nil {
			t.Fatal(err)
		}
		proxy := faults.Start(t, stores.Nginx(t, dir).Addr)
		return proxy, "origin store web " + proxy.URL()
	},
}

// putter is a store of package stores.
type putter interface {
	Put(key string, content []byte, contentType, cacheControl string)
}

func fill(store putter, content []byte) {
	store.Put("big.png", content, "image/png", "")
}
