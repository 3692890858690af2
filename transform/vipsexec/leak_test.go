package vipsexec_test

import (
	"context"
	"runtime/debug"
	"testing"
	"time"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/transformtest"
)

func TestLooksLeaveNothingToTheGarbageCollector(t *testing.T) {
	e := newEngine(t)
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	cutout := transformtest.PNG(transformtest.Cutout(60, 40))
	moving := transformtest.GIF(7, transformtest.Cutout(60, 40), transformtest.Picture(60, 40))
	for _, tt := range []struct {
		name   string
		src    []byte
		frames int
		fails  bool
	}{{"a cutout", cutout, 1, false}, {"an animation", moving, 2, false}, {"half a picture", cutout[:len(cutout)/2], 1, true}} {
		t.Run(tt.name, func(t *testing.T) {
			before := vips.OpenImageRefs()
			_, err := e.Look(context.Background(), transform.Inputs{Base: transform.Original{Bytes: tt.src}}, plan.Look{
				Load: plan.Load{Format: transform.Sniff(tt.src), Frames: tt.frames}, Ops: []plan.Op{plan.Colour{}},
				Width: 60, Height: 40, Frames: tt.frames, Threshold: 10,
			})
			if (err != nil) != tt.fails {
				t.Errorf("got error %v, want one: %v", err, tt.fails)
			}
			if _, err := e.Probe(context.Background(), transform.Original{Bytes: moving, Page: 1}); err != nil {
				t.Error(err)
			}
			if after := vips.OpenImageRefs(); after != before {
				t.Errorf("%d images are open, %d were before", after, before)
			}
		})
	}
}

// govips closes forgotten images when Go collects garbage, which hides them from most tests and not from a busy server.
func TestNothingIsLeftToTheGarbageCollector(t *testing.T) {
	e := newEngine(t)
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	cutout, jpeg := transformtest.PNG(transformtest.Cutout(60, 40)), transformtest.JPEG(transformtest.Picture(300, 200))
	for _, tt := range []struct {
		name     string
		src      []byte
		ops      []plan.Op
		w, h, n  int
		deadline time.Duration
		fails    bool
	}{
		{name: "every op", src: cutout, w: 50, h: 40, ops: []plan.Op{
			plan.Resize{Width: 50, Height: 30},
			plan.Colour{},
			plan.Orient{Orientation: 3},
			plan.SmartCrop{Width: 30, Height: 30},
			plan.Crop{X: 5, Width: 20, Height: 30},
			plan.Flatten{Background: plan.Color{R: 9, A: 99}},
			plan.Embed{X: 5, Y: 5, Width: 50, Height: 40, Background: plan.Color{A: 255}},
		}},
		{name: "an animation", src: transformtest.File("animated.webp"), n: 3, w: 20, h: 20, ops: []plan.Op{
			plan.Resize{Width: 30, Height: 20}, plan.Colour{}, plan.SmartCrop{Width: 20, Height: 20}, plan.Orient{Orientation: 6},
		}},
		{name: "every op that paints", src: cutout, w: 60, h: 40, ops: []plan.Op{
			plan.Tint{Color: plan.Color{R: 9, A: 255}, Percent: 50},
			plan.Replace{To: plan.Color{R: 9, A: 255}, Tolerance: 50, Dominant: true},
			plan.Replace{To: plan.Color{R: 9, A: 255}, From: plan.Color{G: 9, A: 255}, Tolerance: 5},
			plan.Shadow{X: 3, Sigma: 2, Percent: 50},
			plan.Gradient{Degrees: 20, From: plan.Color{A: 99}, Length: 30},
		}},
		{name: "an animation that is painted on", src: transformtest.File("animated.webp"), n: 3, w: 48, h: 32, ops: []plan.Op{
			plan.Colour{},
			plan.Replace{To: plan.Color{R: 9, A: 255}, Tolerance: 50, Dominant: true},
			plan.Opacity{Percent: 50},
			plan.Shadow{X: 3, Sigma: 9, Percent: 50},
			plan.Tint{Color: plan.Color{R: 9, A: 255}, Percent: 50},
			plan.Gradient{From: plan.Color{A: 99}, Length: 30},
		}},
		{name: "what bends and stands before itself", src: cutout, w: 50, h: 40, ops: []plan.Op{
			plan.Colour{},
			plan.Backdrop{X: 10, Width: 80, Height: 40, Sigma: 12, Brightness: 5},
			plan.Backdrop{Y: 5, Width: 80, Height: 50, Kind: plan.BackdropDominant},
			plan.Perspective{Corners: [4]plan.Corner{{X: 0}, {X: 60, Y: 10}, {X: 50, Y: 30}, {X: 10, Y: 30}}, Width: 60, Height: 30},
			plan.Backdrop{Y: 5, Width: 60, Height: 40, Kind: plan.BackdropCorners},
			plan.Arc{Degrees: 30, Radius: 114.6, Width: 50, Height: 40, Background: plan.Color{A: 255}},
		}},
		{name: "an animation before itself", src: transformtest.File("animated.webp"), n: 3, w: 60, h: 20, ops: []plan.Op{
			plan.Resize{Width: 30, Height: 20},
			plan.Colour{},
			plan.Backdrop{X: 5, Width: 60, Height: 20, Sigma: 2},
			plan.Backdrop{X: 0, Width: 60, Height: 20, Kind: plan.BackdropAcross},
			plan.Arc{Degrees: -20, Radius: 172, Width: 60, Height: 20},
		}},
		{name: "half a picture", src: jpeg[:len(jpeg)/2], w: 30, h: 20, ops: []plan.Op{plan.Resize{Width: 30, Height: 20}}, fails: true},
		{name: "a mistaken plan", src: jpeg, w: 30, h: 21, ops: []plan.Op{plan.Resize{Width: 30, Height: 20}}, fails: true},
		{name: "a deadline passed while bending", src: jpeg, w: 9000, h: 9000, ops: []plan.Op{
			plan.Colour{}, plan.Perspective{Corners: [4]plan.Corner{{}, {X: 9000}, {X: 9000, Y: 9000}, {X: 9, Y: 9000}}, Width: 9000, Height: 9000},
		}, deadline: 100 * time.Millisecond, fails: true},
		{name: "a passed deadline", src: jpeg, w: 8000, h: 8000, ops: []plan.Op{plan.Resize{Width: 8000, Height: 8000}}, deadline: 20 * time.Millisecond, fails: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := vips.OpenImageRefs()
			ctx := context.Background()
			if tt.deadline > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, tt.deadline)
				defer cancel()
			}
			p := plan.Plan{
				Load: plan.Load{Format: transform.Sniff(tt.src), Frames: max(tt.n, 1)}, Ops: tt.ops,
				Output: plan.Output{Format: plan.WebP, Quality: 80}, Width: tt.w, Height: tt.h, Frames: max(tt.n, 1),
			}
			_, err := e.Render(ctx, transform.Inputs{Base: transform.Original{Bytes: tt.src}}, p)
			if (err != nil) != tt.fails {
				t.Errorf("got error %v, want one: %v", err, tt.fails)
			}
			if _, err := e.Probe(context.Background(), transform.Original{Bytes: tt.src}); err != nil {
				t.Error(err)
			}
			if after := vips.OpenImageRefs(); after != before {
				t.Errorf("%d images are open, %d were before", after, before)
			}
		})
	}
}
