//go:build cgo

package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/davidbyttow/govips/v2/vips"
)

func init() { codec = vipsCodec{} }

// vipsCodec encodes with libvips, so that the examples are files of the kind that the server meets.
type vipsCodec struct{}

// start silences libvips' information messages and starts it.
func (vipsCodec) start() error {
	vips.LoggingSettings(nil, vips.LogLevelWarning)
	return vips.Startup(nil)
}

func (vipsCodec) stop() { vips.Shutdown() }

// jpeg encodes without any metadata; it is a baseline JPEG, which libvips can shrink while it loads.
func (c vipsCodec) jpeg(p *Picture, film Film, quality int) ([]byte, error) {
	img, err := c.load(p, film)
	if err != nil {
		return nil, err
	}
	defer img.Close()
	return exportJPEG(img, quality)
}

// press separates the picture into the inks of the profile before it encodes.
func (c vipsCodec) press(p *Picture, film Film, quality int, profile []byte) ([]byte, error) {
	dir, err := os.MkdirTemp("", "examples")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "press.icc") // govips takes profiles from files only
	if err := os.WriteFile(file, profile, 0o600); err != nil {
		return nil, err
	}
	img, err := c.load(p, film)
	if err != nil {
		return nil, err
	}
	defer img.Close()
	if err := img.TransformICCProfile(file); err != nil {
		return nil, fmt.Errorf("separating colours: %w", err)
	}
	return exportJPEG(img, quality)
}

func exportJPEG(img *vips.ImageRef, quality int) ([]byte, error) {
	params := vips.NewJpegExportParams()
	params.Quality, params.StripMetadata, params.OptimizeCoding, params.Interlace = quality, true, true, false
	out, _, err := img.ExportJpeg(params)
	return out, err
}

func (c vipsCodec) png(p *Picture, film Film) ([]byte, error) {
	img, err := c.load(p, film)
	if err != nil {
		return nil, err
	}
	defer img.Close()
	params := vips.NewPngExportParams()
	params.Compression, params.StripMetadata, params.Filter = 9, true, vips.PngFilterAll
	out, _, err := img.ExportPng(params)
	return out, err
}

func (c vipsCodec) webp(p *Picture, film Film, quality int) ([]byte, error) {
	img, err := c.load(p, film)
	if err != nil {
		return nil, err
	}
	defer img.Close()
	params := vips.NewWebpExportParams()
	params.Quality, params.StripMetadata, params.ReductionEffort = quality, true, 6
	out, _, err := img.ExportWebp(params)
	return out, err
}

func (c vipsCodec) avif(p *Picture, film Film, quality int) ([]byte, error) {
	img, err := c.load(p, film)
	if err != nil {
		return nil, err
	}
	defer img.Close()
	params := vips.NewAvifExportParams()
	params.Quality, params.StripMetadata, params.Effort = quality, true, 5
	out, _, err := img.ExportAvif(params)
	return out, err
}

func (vipsCodec) load(p *Picture, film Film) (*vips.ImageRef, error) {
	bands := 3
	if film.Alpha {
		bands = 4
	}
	return vips.NewImageFromMemory(p.Develop(film), p.W, p.H, bands, vips.BandFormatUchar, vips.InterpretationSRGB)
}
