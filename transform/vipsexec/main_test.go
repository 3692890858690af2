package vipsexec_test

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imageorigin/imageorigin/transform/vipsexec"
)

// child is what this process does instead of running tests, where a test has started it to do it alone.
var child func() int

// TestMain checks that the tests, which render whatever can be rendered and fail in whatever way can be failed, leave
// nothing open in libvips.
func TestMain(m *testing.M) {
	if code, served := vipsexec.ServeAsWorker(); served {
		os.Exit(code)
	}
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
	run := m.Run
	if child != nil {
		run = child
	}
	code := run()
	// Threads of libvips give back what they hold when they end, which may be a moment after the work.
	for end := time.Now().Add(5 * time.Second); open() != before && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
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
