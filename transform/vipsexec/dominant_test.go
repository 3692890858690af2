package vipsexec

import (
	"bytes"
	"slices"
	"testing"

	"github.com/imageorigin/imageorigin/transform/plan"
)

func TestTheDominantColourIsTheMostFrequent(t *testing.T) {
	repeat := func(n int, pixel ...byte) []byte { return bytes.Repeat(pixel, n) }
	for _, tt := range []struct {
		name   string
		bands  int
		pixels []byte
		want   plan.Color
		found  bool
	}{
		{"one pixel", 3, repeat(1, 1, 2, 3), plan.Color{R: 1, G: 2, B: 3, A: 255}, true},
		{"white, at the end of its bin", 3, repeat(5, 255, 255, 255), plan.Color{R: 255, G: 255, B: 255, A: 255}, true},
		{"the more of two", 3, slices.Concat(repeat(5, 200, 0, 0), repeat(6, 0, 0, 200)), plan.Color{B: 200, A: 255}, true},
		{"many alike are one", 3, slices.Concat(repeat(5, 200, 0, 0), repeat(3, 0, 0, 194), repeat(3, 0, 0, 200)), plan.Color{B: 197, A: 255}, true},
		{"nothing", 3, nil, plan.Color{}, false},
		{"transparent pixels don't count", 4, slices.Concat(repeat(9, 255, 0, 255, 0), repeat(9, 255, 0, 255, 127), repeat(1, 9, 8, 7, 128)), plan.Color{R: 9, G: 8, B: 7, A: 255}, true},
		{"nothing visible", 4, repeat(9, 255, 0, 255, 100), plan.Color{}, false},
		{"grey", 1, slices.Concat(repeat(3, 70), repeat(2, 9)), plan.Color{R: 70, G: 70, B: 70, A: 255}, true},
		{"grey and alpha", 2, slices.Concat(repeat(3, 70, 0), repeat(2, 9, 255)), plan.Color{R: 9, G: 9, B: 9, A: 255}, true},
		{"half a pixel at the end", 3, append(repeat(1, 1, 2, 3), 255), plan.Color{R: 1, G: 2, B: 3, A: 255}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, found := mostFrequent(tt.pixels, tt.bands); got != tt.want || found != tt.found {
				t.Errorf("got %v, %v, want %v, %v", got, found, tt.want, tt.found)
			}
		})
	}
}
