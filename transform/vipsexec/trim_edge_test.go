package vipsexec_test

import (
	"image"
	"image/draw"
	"testing"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/transformtest"
)

// The last strip that is looked at may be narrower than the square of a median.
func TestWhatDiffersAtTheVeryEdgeIsFound(t *testing.T) {
	e := newEngine(t)
	const width, height = 70, 68
	for _, tt := range []struct {
		name string
		part image.Rectangle
		want plan.Window
	}{
		{"the last column", image.Rect(69, 0, 70, 68), plan.Window{X: 69, Width: 1, Height: 68}},
		{"the last two columns", image.Rect(68, 0, 70, 68), plan.Window{X: 68, Width: 2, Height: 68}},
		{"the last row", image.Rect(0, 67, 70, 68), plan.Window{Y: 67, Width: 70, Height: 1}},
		{"the last two rows", image.Rect(0, 66, 70, 68), plan.Window{Y: 66, Width: 70, Height: 2}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			img := transformtest.Uniform(width, height, transformtest.Blue)
			draw.Draw(img, tt.part, image.NewUniform(transformtest.Red), image.Point{}, draw.Src)
			got, err := e.Look(t.Context(), transform.Inputs{Base: transform.Original{Bytes: transformtest.PNG(img)}}, plan.Look{
				Load: plan.Load{Format: plan.PNG, Shrink: 1, Scale: 1, Frames: 1}, Ops: []plan.Op{plan.Colour{}},
				Width: width, Height: height, Frames: 1, Threshold: 10,
			})
			if err != nil || got != tt.want {
				t.Errorf("got %v, %v, want %v", got, err, tt.want)
			}
		})
	}
}
