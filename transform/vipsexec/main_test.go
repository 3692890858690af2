package vipsexec_test

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imageorigin/imageorigin/transform/vipsexec"
)

// TestMain checks that the tests, which render whatever can be rendered and fail in whatever way can be failed, leave
// nothing open in libvips.
func TestMain(m *testing.M) {
	if !runConfined() {
		return
	}
	if _, err := vipsexec.New(vipsexec.Config{}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if file := os.Getenv(heldEnv); file != "" {
		if err := json.NewEncoder(os.Stdout).Encode(measureHeld(file)); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	before := open()
	code := m.Run()
	if after := open(); after != before && code == 0 {
		fmt.Fprintf(os.Stderr, "libvips has more open than before:\nbefore %+v\nafter  %+v\n", before, after)
		code = 1
	}
	os.Exit(code)
}

type opened struct{ mem, files, allocs, images int64 }

func open() opened {
	var stats vips.MemoryStats
	vips.ReadVipsMemStats(&stats)
	return opened{stats.Mem, stats.Files, stats.Allocs, vips.OpenImageRefs()}
}
