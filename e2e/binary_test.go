package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/imageorigin/imageorigin/e2e/stores"
)

// caddyBinary is the Caddy under test.
var caddyBinary string

func TestMain(m *testing.M) {
	code, err := runAll(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	os.Exit(code)
}

func runAll(m *testing.M) (int, error) {
	caddyBinary = os.Getenv("IMAGEORIGIN_CADDY")
	if caddyBinary == "" {
		dir, err := os.MkdirTemp("", "imageorigin-e2e")
		if err != nil {
			return 0, err
		}
		defer os.RemoveAll(dir)
		caddyBinary = filepath.Join(dir, "caddy")
		build := exec.Command("go", "build", "-o", caddyBinary, "./internal/cmd/caddy")
		build.Dir = ".."
		build.Env = append(os.Environ(), "CGO_ENABLED=1")
		if out, err := build.CombinedOutput(); err != nil {
			return 0, fmt.Errorf("building the binary: %w\n%s", err, out)
		}
	}
	if _, err := os.Stat(caddyBinary); err != nil {
		return 0, fmt.Errorf("IMAGEORIGIN_CADDY: %w", err)
	}
	return stores.Main(m), nil
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		Setup:               setup,
		Cmds:                commands,
		RequireExplicitExec: true,
	})
}
