package vipsexec

/*
#cgo pkg-config: vips
#include <stdlib.h>
#include <vips/vips.h>
*/
import "C"

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imageorigin/imageorigin/transform/plan"
)

// The classes of libvips that may be open; each stands for its File, Buffer and Source forms. Everything else that loads or
// saves is blocked, what later versions bring included. Savers are open always, loaders where some engine reads what they load.
var (
	loaders = []string{
		"VipsForeignLoadJpeg",
		"VipsForeignLoadPng",
		"VipsForeignLoadWebp",
		"VipsForeignLoadNsgif",
		"VipsForeignLoadHeif", // HEIC and AVIF
		"VipsForeignLoadTiff",
		"VipsForeignLoadSvg",
		"VipsForeignLoadJxl",
		"VipsForeignLoadPdf",
	}
	savers = []string{
		"VipsForeignSaveJpeg",
		"VipsForeignSavePng",
		"VipsForeignSaveWebp",
		"VipsForeignSaveHeif", // used for AVIF only
		"VipsForeignSaveCgif",
		"VipsForeignSaveJxl",
	}
)

// Allowed returns the classes of libvips' loaders and savers that may be open; all others are blocked.
func Allowed() (loading, saving []string) {
	return slices.Clone(loaders), slices.Clone(savers)
}

// receiver gets the warnings of libvips; see LogTo.
var receiver atomic.Pointer[func(message string)]

// found is what the encoders of this process can do.
var found struct {
	sync.Once
	writable plan.Set
	version  string
}

// find finds that out, once, unless it is known.
func find(version string, writable plan.Set) {
	found.Do(func() {
		if version == "" {
			writable, version = tryEncoders()
		}
		found.writable, found.version = writable, version
	})
}

// start runs once: govips can't start again after an end, so there is none.
var start = sync.OnceValue(func() error {
	vips.LoggingSettings(func(domain string, _ vips.LogLevel, message string) {
		if log := receiver.Load(); log != nil {
			(*log)(domain + ": " + message)
		}
	}, vips.LogLevelWarning)
	// One thread a job: jobs run side by side. No operation cache: no two jobs share an input, and it would keep
	// originals alive.
	if err := vips.Startup(&vips.Config{ConcurrencyLevel: 1}); err != nil {
		return fmt.Errorf("starting libvips: %w", err)
	}
	// The order matters: the coarse locks first, then the exceptions. libvips marks JXL, SVG and PDF as untrusted.
	// Loaders are opened with the engines that read what they load: see openLoaders.
	C.vips_block_untrusted_set(C.TRUE)
	setBlocked("VipsForeignLoad", true)
	setBlocked("VipsForeignSave", true)
	for _, class := range savers {
		setBlocked(class, false)
	}
	return nil
})

// setBlocked closes or opens an operation class of libvips with all its subclasses. A name that this libvips doesn't know is
// ignored by it.
func setBlocked(class string, blocked bool) {
	name := C.CString(class)
	defer C.free(unsafe.Pointer(name))
	state := C.gboolean(C.FALSE)
	if blocked {
		state = C.TRUE
	}
	C.vips_operation_block_set(name, state)
}
