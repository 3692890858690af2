// Package vipsexec executes plans with libvips, in this process. It is the only package that uses cgo.
//
// What in-process execution can't do: a crash in a decoder ends the process, memory is bounded by the plans' pixel
// limits alone, and a context that ends stops pixel work within milliseconds but not an encoder, which runs to its end.
package vipsexec

import (
	"context"
	"runtime"
	"sync"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// Config is what an Engine can be told.
type Config struct {
	Workers int // pictures worked on at once; 0 is the number of CPUs. The engine itself doesn't count: see [Engine.Slots]

	// Inputs are the formats that are decoded; those that this libvips can't decode are an error. 0 is all that it can but
	// PDF, which is a page description language with all that goes with it.
	Inputs plan.Set

	// Version and Writable are what an engine of the same binary, libvips and machine has found out already, so that the first
	// engine of this process needn't encode samples. Version "" is nothing.
	Version  string
	Writable plan.Set
}

// Engine executes plans with libvips. It is safe for concurrent use. Make one with [New].
type Engine struct {
	workers int
	inputs  plan.Set
	closed  sync.Once
}

// New starts libvips, once a process and for good, and returns an engine. What is written is the same for all engines of a
// process. Of the loaders of libvips, those are open that some engine reads with; [Engine.Close] gives them back.
func New(cfg Config) (*Engine, error) {
	if err := start(); err != nil {
		return nil, err
	}
	find(cfg.Version, cfg.Writable)
	workers := cfg.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	inputs, err := inputsOf(cfg.Inputs)
	if err != nil {
		return nil, err
	}
	openLoaders(inputs)
	return &Engine{workers: workers, inputs: inputs}, nil
}

// LogTo has log receive the warnings of libvips from now on, from any goroutine. libvips has one log a process.
func LogTo(log func(message string)) { receiver.Store(&log) }

// Slots returns how many pictures should be worked on at once; a [transform.Gate] sees to it.
func (e *Engine) Slots() int { return e.workers }

// Writable returns the formats that this libvips encodes: each was tried at the start.
func (e *Engine) Writable() plan.Set { return found.writable }

// Readable returns the formats that the engine decodes: Config.Inputs, as far as this libvips can.
func (e *Engine) Readable() plan.Set { return e.inputs }

// Version names libvips, our settings and, by a hash of what they made of a small picture, its encoders.
func (e *Engine) Version() string { return found.version }

// Probe reads the header of o. Bytes that are no picture of an allowed format are Unsupported, those that begin like one
// and can't be read are Broken.
func (e *Engine) Probe(ctx context.Context, o transform.Original) (s plan.Source, err error) {
	const op = "reading the header"
	if err := ctx.Err(); err != nil {
		return plan.Source{}, failed(transform.KindOf(err), op, err)
	}
	if err := e.admit(o.Bytes); err != nil {
		return plan.Source{}, err
	}
	defer recovered(op, &err)
	return probe(o.Bytes, o.Page)
}

// Look computes the picture that l describes and finds what a trim leaves of it. A context that ends stops it.
func (e *Engine) Look(ctx context.Context, in transform.Inputs, l plan.Look) (w plan.Window, err error) {
	const op = "looking for what to trim"
	if err := ctx.Err(); err != nil {
		return plan.Window{}, failed(transform.KindOf(err), op, err)
	}
	if err := e.admit(in.Base.Bytes); err != nil {
		return plan.Window{}, err
	}
	defer recovered(op, &err)
	runtime.LockOSThread() // as in Render
	defer runtime.UnlockOSThread()

	j := &job{ctx: ctx, src: in.Base.Bytes, plan: plan.Plan{Load: l.Load, Ops: l.Ops, Width: l.Width, Height: l.Height, Frames: l.Frames}}
	defer j.close()
	defer context.AfterFunc(ctx, j.kill)()
	if err := j.run(); err != nil {
		return plan.Window{}, err
	}
	if w, err = j.findTrim(float64(l.Threshold)); err != nil {
		return plan.Window{}, j.blame(op, err)
	}
	return w, nil
}

// Render executes p. When ctx ends meanwhile, pixel work stops and the error is Canceled or Timeout; an encoder that has
// begun goes on to its end first.
func (e *Engine) Render(ctx context.Context, in transform.Inputs, p plan.Plan) (out *transform.Image, err error) {
	if err := ctx.Err(); err != nil {
		return nil, failed(transform.KindOf(err), "rendering", err)
	}
	if err := e.admit(in.Base.Bytes); err != nil {
		return nil, err
	}
	defer recovered("rendering", &err)

	// libvips keeps buffers by thread; a goroutine that wanders would leave some on each.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	j := &job{ctx: ctx, src: in.Base.Bytes, plan: p}
	defer j.close()
	defer context.AfterFunc(ctx, j.kill)()
	if err := j.run(); err != nil {
		return nil, err
	}
	data, o, err := j.encode()
	if err != nil {
		return nil, err
	}
	return &transform.Image{Bytes: data, Format: o.Format, Width: p.Width, Height: p.Height, Frames: j.frames}, nil
}

var _ transform.Engine = (*Engine)(nil)

// vipsTypes are the loaders that govips is to find for a format; what it finds must agree with what we sniffed.
var vipsTypes = map[plan.Format]vips.ImageType{
	plan.JPEG: vips.ImageTypeJPEG,
	plan.PNG:  vips.ImageTypePNG,
	plan.GIF:  vips.ImageTypeGIF,
	plan.WebP: vips.ImageTypeWEBP,
	plan.AVIF: vips.ImageTypeAVIF,
	plan.HEIC: vips.ImageTypeHEIF,
	plan.TIFF: vips.ImageTypeTIFF,
	plan.SVG:  vips.ImageTypeSVG,
	plan.JXL:  vips.ImageTypeJXL,
	plan.PDF:  vips.ImageTypePDF,
}
