package caddymodule_test

import (
	"fmt"
	"os"
	"testing"
)

// TestMain keeps what configs of tests write, such as the cache on disk, out of the user's data directory.
func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "imageorigin-test")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		for _, name := range []string{"XDG_DATA_HOME", "XDG_CONFIG_HOME"} {
			if err := os.Setenv(name, dir); err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
		}
		return m.Run()
	}())
}
