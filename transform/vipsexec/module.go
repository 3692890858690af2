package vipsexec

import (
	"context"
	"errors"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"go.uber.org/zap"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

func init() { caddy.RegisterModule(new(Vips)) }

// Vips transforms pictures with libvips, in the server's process.
type Vips struct {
	// How many pictures are worked on at once; others wait in line. Each takes one CPU and the memory of its pixels.
	// Placeholders are not supported. Default: the number of CPUs.
	Workers int `json:"workers,omitempty"`

	// The formats that are read, of jpeg, png, gif, webp, avif, heic, tiff, svg, jxl and pdf. Files of others are no pictures,
	// and pass through unchanged. One that this libvips can't decode is an error. Placeholders are not supported. Default: all
	// that it can decode but pdf.
	Inputs []string `json:"inputs,omitempty"`

	engine *Engine
	logger *zap.Logger
}

// CaddyModule returns the Caddy module information.
func (*Vips) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "imageorigin.engines.vips",
		New: func() caddy.Module { return new(Vips) },
	}
}

// Provision starts libvips with the first config that uses it.
func (v *Vips) Provision(ctx caddy.Context) error {
	if v.Workers < 0 {
		return errors.New("workers is negative; set 1 or more, or leave it out for the number of CPUs")
	}
	v.logger = ctx.Logger()
	inputs, err := ParseInputs(v.Inputs)
	if err != nil {
		return err
	}
	v.engine, err = New(Config{Workers: v.Workers, Inputs: inputs})
	return err
}

// Cleanup gives back the loaders of libvips that the config opened.
func (v *Vips) Cleanup() error {
	if v.engine != nil {
		v.engine.Close()
	}
	return nil
}

// Rule takes the warnings of libvips to this config's log, at debug level: they tell about damaged pictures, which the
// answer to the request tells as well.
func (v *Vips) Rule() {
	LogTo(func(message string) { v.logger.Debug("libvips warns", zap.String("warning", message)) })
}

// Slots returns how many pictures should be worked on at once.
func (v *Vips) Slots() int { return v.engine.Slots() }

// Probe reads the header of a picture.
func (v *Vips) Probe(ctx context.Context, o transform.Original) (plan.Source, error) {
	return v.engine.Probe(ctx, o)
}

// Look finds what a trim leaves of a picture.
func (v *Vips) Look(ctx context.Context, in transform.Inputs, l plan.Look) (plan.Window, error) {
	return v.engine.Look(ctx, in, l)
}

// Render decodes, transforms and encodes.
func (v *Vips) Render(ctx context.Context, in transform.Inputs, p plan.Plan) (*transform.Image, error) {
	return v.engine.Render(ctx, in, p)
}

// Writable returns the formats that this libvips encodes.
func (v *Vips) Writable() plan.Set { return v.engine.Writable() }

// Readable returns the formats that are decoded.
func (v *Vips) Readable() plan.Set { return v.engine.Readable() }

// Version names libvips, our settings and its encoders.
func (v *Vips) Version() string { return v.engine.Version() }

// Interface guards
var (
	_ caddy.Provisioner     = (*Vips)(nil)
	_ caddy.CleanerUpper    = (*Vips)(nil)
	_ caddyfile.Unmarshaler = (*Vips)(nil)
	_ transform.Engine      = (*Vips)(nil)
)
