// Package transform is the contract of the engines that decode, paint and encode pictures. What is to be done comes as
// a [plan.Plan]; transform/vipsexec does it with libvips.
package transform

import (
	"context"
	"os"
	"time"

	"github.com/imageorigin/imageorigin/transform/plan"
)

// Engine executes plans. Implementations are safe for concurrent use; every failure is an *Error.
type Engine interface {
	// Probe reads the header of a picture, no pixels.
	Probe(ctx context.Context, o Original) (plan.Source, error)

	// Look decodes, does what is before a trim and finds what that leaves: the smallest window that holds all pixels, of
	// all frames, which differ from the top left one of the first frame by more than the threshold, in a colour or in
	// opacity. Colours of what is invisible count for nothing, and so may specks. Where nothing differs it is the whole
	// picture.
	Look(ctx context.Context, in Inputs, l plan.Look) (plan.Window, error)

	// Render decodes, transforms and encodes. Bytes of the result belong to the caller.
	Render(ctx context.Context, in Inputs, p plan.Plan) (*Image, error)

	// Writable returns the formats that Render can encode, which depends on how libvips was built.
	Writable() plan.Set

	// Readable returns the formats that the engine decodes, as it is configured; files of others are no pictures to it
	// (Unsupported).
	Readable() plan.Set

	// Version names the engine and the libraries that decide its output's bytes; it is part of ETags.
	Version() string
}

// Original is the file of a picture. The engine neither changes nor keeps it.
type Original struct {
	Bytes []byte
	Page  int // the page or frame that Probe is asked about, from 0; beyond the last one it answers for the first

	// File, where it is not nil, begins with the same bytes, which stay as they are while the engine works: an engine in
	// another process maps it and copies nothing. Its offset means nothing and is not changed.
	File *os.File

	// Endpoint names for whom the work is done: a [Gate] is fair among endpoints.
	Endpoint string
}

// Inputs are the originals that a plan draws.
type Inputs struct {
	Base Original
}

// Image is an encoded result.
type Image struct {
	Bytes         []byte
	Format        plan.Format
	Width, Height int // pixels of one frame
	Frames        int

	Queued time.Duration // how long a [Gate] had it wait
}
