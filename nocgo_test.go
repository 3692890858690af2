//go:build !cgo

package imageorigin_test

import (
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"

	_ "github.com/imageorigin/imageorigin"
)

func TestConfigWithoutCgoSaysHowToRebuild(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	err := caddy.Validate(&caddy.Config{
		Admin:   &caddy.AdminConfig{Disabled: true},
		AppsRaw: caddy.ModuleMap{"imageorigin": []byte(`{}`)},
	})
	const want = "this binary was built without cgo; rebuild with CGO_ENABLED=1 (xcaddy needs it in the environment) and libvips"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}
