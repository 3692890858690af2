package vipsexec

import (
	"context"
	"fmt"
	"sync"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// job is one Render. libvips computes lazily: most of the work happens in encode, when the saver asks for pixels, and an
// error of the decoder may come up anywhere after load.
type job struct {
	ctx    context.Context
	src    []byte
	plan   plan.Plan
	img    *vips.ImageRef // the picture so far; frames lie below each other in one roll
	frames int            // in img

	mu     sync.Mutex
	opened []*vips.ImageRef // all that were opened, for kill and close
	killed bool
}

// run loads the source and applies the ops; the result is the roll in j.img.
func (j *job) run() error {
	if err := j.load(); err != nil {
		return err
	}
	for i, op := range j.plan.Ops {
		if err := j.ctx.Err(); err != nil {
			return failed(transform.KindOf(err), op.String(), err)
		}
		if err := j.apply(i, op); err != nil {
			return j.blame(op.String(), err)
		}
		if err := j.settle(); err != nil {
			return failed(transform.Internal, op.String(), err)
		}
	}
	if w, h := j.img.Width(), j.img.Height(); w != j.plan.Width || h != j.plan.Height*j.frames {
		return failed(transform.Internal, "rendering", fmt.Errorf("the result is %dx%d in %d frames, planned are %dx%d", w, h/j.frames, j.frames, j.plan.Width, j.plan.Height))
	}
	return nil
}

// load opens the source.
func (j *job) load() error {
	if err := complete(j.plan.Load.Format, j.src); err != nil {
		return failed(transform.Broken, "decoding "+j.plan.Load.Format.String(), err)
	}
	img, err := open(j.src, j.plan.Load)
	if err != nil {
		return err
	}
	j.img = j.track(img)
	j.frames = max(j.plan.Load.Frames, 1)
	return j.settle()
}

// settle writes the number of frames and their height into the header, where govips and the savers read what a roll is.
// An op that left an old height there would have a still picture saved as an animation.
func (j *job) settle() error {
	if j.img.Height()%j.frames != 0 {
		return fmt.Errorf("%d rows are no %d frames", j.img.Height(), j.frames)
	}
	if height := j.img.Height() / j.frames; j.img.PageHeight() != height {
		if err := j.img.SetPageHeight(height); err != nil {
			return err
		}
	}
	if j.img.Pages() == j.frames {
		return nil
	}
	return j.img.SetPages(j.frames)
}

// track makes sure that img is stopped and closed with the job.
func (j *job) track(img *vips.ImageRef) *vips.ImageRef {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.opened = append(j.opened, img)
	if j.killed {
		img.SetKill(true)
	}
	return img
}

// kill stops the computation of pixels, now or when it begins.
func (j *job) kill() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.killed = true
	for _, img := range j.opened {
		img.SetKill(true)
	}
}

func (j *job) close() {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, img := range j.opened {
		img.Close()
	}
}

// blame finds out whose fault a failure is. The text can't tell, as libvips' threads share one buffer for it; so the
// source is decoded once more, alone. That costs a second decoding for broken pictures and nothing for good ones.
func (j *job) blame(op string, err error) error {
	if ended := j.ctx.Err(); ended != nil {
		return failed(transform.KindOf(ended), op, ended)
	}
	img, broken := open(j.src, j.plan.Load)
	if broken != nil {
		return broken
	}
	defer img.Close()
	j.track(img)
	if _, broken := img.Average(); broken != nil && j.ctx.Err() == nil {
		return failed(transform.Broken, "decoding "+j.plan.Load.Format.String(), broken)
	}
	if ended := j.ctx.Err(); ended != nil {
		return failed(transform.KindOf(ended), op, ended)
	}
	return failed(transform.Internal, op, err)
}
