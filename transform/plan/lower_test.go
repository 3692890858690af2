package plan

import (
	"fmt"
	"testing"
)

// grid is a picture of numbers, by rows: enough to see where each pixel goes.
type grid [][]int

func newGrid(width, height int) grid {
	g := make(grid, height)
	for y := range g {
		g[y] = make([]int, width)
		for x := range g[y] {
			g[y][x] = 1 << (x % 5) * (3*y*width + x + 1)
		}
	}
	return g
}

// at makes a grid from a function of its places.
func at(width, height int, value func(x, y int) int) grid {
	g := newGrid(width, height)
	for y := range g {
		for x := range g[y] {
			g[y][x] = value(x, y)
		}
	}
	return g
}

func (g grid) size() (width, height int) { return len(g[0]), len(g) }

func (g grid) mirror() grid {
	w, h := g.size()
	return at(w, h, func(x, y int) int { return g[y][w-1-x] })
}

// turn rotates clockwise by 90 degrees.
func (g grid) turn() grid {
	w, h := g.size()
	return at(h, w, func(x, y int) int { return g[h-1-x][y] })
}

// upright applies an orientation as the EXIF standard describes it: by where row 0 and column 0 are seen.
func (g grid) upright(orientation int) grid {
	switch orientation {
	case 2: // row 0 is at the top, column 0 at the right
		return g.mirror()
	case 3: // bottom, right
		return g.turn().turn()
	case 4: // bottom, left
		return g.turn().turn().mirror()
	case 5: // left, top
		return g.turn().mirror()
	case 6: // right, top
		return g.turn()
	case 7: // right, bottom
		return g.turn().turn().turn().mirror()
	case 8: // left, bottom
		return g.turn().turn().turn()
	}
	return g
}

// apply does ops to the grid. A resize divides the sides and sums up what falls together, which has no direction.
func (g grid) apply(t *testing.T, ops []Op) grid {
	t.Helper()
	for _, op := range ops {
		from := g
		w, h := g.size()
		switch o := op.(type) {
		case Crop:
			g = at(o.Width, o.Height, func(x, y int) int { return from[o.Y+y][o.X+x] })
		case Resize:
			fx, fy := w/o.Width, h/o.Height
			if fx*o.Width != w || fy*o.Height != h {
				t.Fatalf("%v of %dx%d is no whole division", o, w, h)
			}
			g = at(o.Width, o.Height, func(x, y int) int {
				sum := 0
				for i := range fx * fy {
					sum += from[y*fy+i/fx][x*fx+i%fx]
				}
				return sum
			})
		case Orient:
			g = g.upright(o.Orientation)
		}
	}
	return g
}

func TestGridKnowsOrientations(t *testing.T) {
	// Where the pixel at row 0, column 0 and its right neighbour are seen, by the table of the EXIF standard.
	stored := grid{{1, 2}, {3, 4}}
	for orientation, want := range map[int]grid{
		1: {{1, 2}, {3, 4}}, 2: {{2, 1}, {4, 3}}, 3: {{4, 3}, {2, 1}}, 4: {{3, 4}, {1, 2}},
		5: {{1, 3}, {2, 4}}, 6: {{3, 1}, {4, 2}}, 7: {{4, 2}, {3, 1}}, 8: {{2, 4}, {1, 3}},
	} {
		if got := stored.upright(orientation); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("orientation %d: got %v, want %v", orientation, got, want)
		}
	}
}

// TestLoweredOpsShowTheSamePixels does ops to the upright picture, and lowered ops to the stored one.
func TestLoweredOpsShowTheSamePixels(t *testing.T) {
	for _, tt := range []struct {
		name string
		ops  []Op // for an upright picture of 24x12
	}{
		{"nothing", nil},
		{"crop at a corner", []Op{Crop{3, 1, 8, 6}}},
		{"crop at the far corner", []Op{Crop{16, 6, 8, 6}}},
		{"resize", []Op{Resize{8, 6}}},
		{"resize one axis", []Op{Resize{24, 4}}},
		{"crop, resize, crop", []Op{Crop{1, 2, 12, 8}, Resize{6, 2}, Crop{1, 0, 4, 2}}},
		{"resize, crop, crop", []Op{Resize{12, 6}, Crop{4, 1, 7, 4}, Crop{2, 1, 3, 3}}},
	} {
		for orientation := 1; orientation <= 8; orientation++ {
			t.Run(fmt.Sprintf("%s/orientation %d", tt.name, orientation), func(t *testing.T) {
				s := Source{Width: 24, Height: 12, Orientation: orientation}
				if orientation >= 5 {
					s.Width, s.Height = 12, 24
				}
				stored := newGrid(s.Width, s.Height)
				lowered := lower(tt.ops, s, Colour{})
				want := stored.upright(orientation).apply(t, tt.ops)
				if got := stored.apply(t, lowered); fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("%v lowered to %v\n got %v\nwant %v", tt.ops, lowered, got, want)
				}
			})
		}
	}
}

func TestShrinkLeavesAFactorOfOneAndAHalf(t *testing.T) {
	for _, tt := range []struct {
		name     string
		from, to dims
		want     int
	}{
		{"a twelfth", dims{4800, 3600}, dims{400, 300}, 8},
		{"a little more than a twelfth", dims{4799, 3600}, dims{400, 300}, 4},
		{"a third", dims{300, 300}, dims{100, 100}, 2},
		{"a little more than a third", dims{299, 300}, dims{100, 100}, 1},
		{"one axis only", dims{4800, 300}, dims{400, 300}, 1},
		{"larger", dims{100, 100}, dims{200, 200}, 1},
	} {
		if got := shrink(tt.from, tt.to); got != tt.want {
			t.Errorf("%s: shrink(%v, %v) = %d, want %d", tt.name, tt.from, tt.to, got, tt.want)
		}
	}
}

func TestFiguresAreReadable(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 120000000: "120,000,000", 65535: "65,535"} {
		if got := figure(n); got != want {
			t.Errorf("figure(%d) = %s, want %s", n, got, want)
		}
	}
}
