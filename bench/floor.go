package main

import (
	"sync"

	"github.com/davidbyttow/govips/v2/vips"
)

// floor renders the picture n times, parallel at once, with the libvips calls that the server's plan comes down to and
// nothing else: shrink-on-load, resize, encode.
func floor(original []byte, n, parallel int) error {
	vips.LoggingSettings(nil, vips.LogLevelError)
	if err := vips.Startup(&vips.Config{ConcurrencyLevel: 1}); err != nil {
		return err
	}
	errs := make([]error, parallel)
	var workers sync.WaitGroup
	for w := range parallel {
		workers.Go(func() {
			for i := w; i < n && errs[w] == nil; i += parallel {
				errs[w] = renderOnce(original)
			}
		})
	}
	workers.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func renderOnce(original []byte) error {
	header, err := vips.LoadImageFromBuffer(original, nil)
	if err != nil {
		return err
	}
	width := header.Width()
	header.Close()
	shrink := 1
	for _, s := range []int{8, 4, 2} {
		if float64(width)/float64(s)/400 >= 1.5 {
			shrink = s
			break
		}
	}
	params := vips.NewImportParams()
	params.JpegShrinkFactor.Set(shrink)
	params.Access.Set(int(vips.AccessSequential))
	img, err := vips.LoadImageFromBuffer(original, params)
	if err != nil {
		return err
	}
	defer img.Close()
	if err := img.Resize(400/float64(img.Width()), vips.KernelLanczos3); err != nil {
		return err
	}
	_, _, err = img.ExportJpeg(&vips.JpegExportParams{StripMetadata: true, Quality: 80, OptimizeCoding: true, SubsampleMode: vips.VipsForeignSubsampleAuto})
	return err
}
