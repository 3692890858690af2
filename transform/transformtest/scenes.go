package transformtest

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"testing"

	"github.com/imageorigin/imageorigin/transform/plan"
)

// scenes checks the ops that put a picture before something made from itself, and those that bend it, against models.
func (s suite) scenes(t *testing.T) {
	pic := Picture(60, 40)
	framed := Uniform(60, 40, Green)
	draw.Draw(framed, image.Rect(10, 10, 50, 30), pic, image.Point{}, draw.Src)
	halves := Uniform(60, 40, Red)
	draw.Draw(halves, image.Rect(10, 0, 60, 40), image.NewUniform(Blue), image.Point{}, draw.Src)
	perspective := plan.Perspective{Corners: [4]plan.Corner{{X: 40, Y: 0}, {X: 200, Y: 30}, {X: 160, Y: 150}, {X: 0, Y: 110}}, Width: 200, Height: 150}
	arc := plan.Arc{Degrees: 90, Radius: 180 / (math.Pi / 2), Width: 248, Height: 137}
	down := arc
	down.Degrees, down.Background = -90, plan.Color{G: 128, B: 128, A: 255}
	for _, tt := range []struct {
		name  string
		src   image.Image
		op    plan.Op
		want  image.Image
		worst float64
	}{
		{"one colour of the border", framed, plan.Backdrop{X: 20, Y: 5, Width: 90, Height: 50, Kind: plan.BackdropDominant}, before(framed, Uniform(90, 50, Green), 20, 5), 0},
		{"behind what is transparent", hollow(framed), plan.Backdrop{Width: 60, Height: 40, Kind: plan.BackdropDominant}, before(hollow(framed), Uniform(60, 40, Green), 0, 0), 0.5},
		{"from edge to edge", halves, plan.Backdrop{X: 30, Width: 120, Height: 40, Kind: plan.BackdropAcross}, before(halves, mixed(120, 40, [4]color.NRGBA{Red, Blue, Blue, Red}), 30, 0), 0.5},
		{"from edge to edge, downwards", Stored(halves, 8), plan.Backdrop{Y: 30, Width: 40, Height: 120, Kind: plan.BackdropDown}, before(Stored(halves, 8), mixed(40, 120, [4]color.NRGBA{Red, Red, Blue, Blue}), 0, 30), 0.5},
		{"between the corners", pic, plan.Backdrop{X: 10, Y: 20, Width: 100, Height: 80, Kind: plan.BackdropCorners}, before(pic, mixed(100, 80, [4]color.NRGBA{Red, Green, Yellow, Blue}), 10, 20), 0.5},
		{"blurred, of one colour", Uniform(60, 40, Blue), plan.Backdrop{X: 5, Width: 90, Height: 40, Sigma: 12}, Uniform(90, 40, Blue), 0.5},
		{"not blurred", halves, plan.Backdrop{Y: 40, Width: 60, Height: 120}, before(halves, Uniform(60, 120, Blue), 0, 40), 0.5},
		{"darker", Uniform(60, 40, Blue), plan.Backdrop{X: 0, Width: 90, Height: 40, Brightness: -50}, before(Uniform(60, 40, Blue), Uniform(90, 40, color.NRGBA{G: 10, B: 160, A: 255}), 0, 0), 0.5},
		{"a perspective", Picture(180, 120), perspective, modelled(Picture(180, 120), 200, 150, color.NRGBA{}, unprojected(perspective, 180, 120)), 6},
		{"an arc", Picture(180, 120), arc, modelled(Picture(180, 120), 248, 137, color.NRGBA{}, unbent(arc, 180, 120)), 6},
		{"an arc the other way", Picture(180, 120), down, modelled(Picture(180, 120), 248, 137, color.NRGBA{G: 128, B: 128, A: 255}, unbent(down, 180, 120)), 6},
	} {
		t.Run(tt.name, func(t *testing.T) {
			size := tt.want.Bounds().Size()
			got := s.pixels(t, s.render(t, PNG(tt.src), still(plan.PNG, size.X, size.Y, plan.Colour{}, tt.op)))
			expect(t, got, tt.want, tt.worst)
		})
	}
	t.Run("blurred a little and much", s.blursBackdrops)
}

// before returns the picture on a canvas.
func before(picture image.Image, canvas *image.NRGBA, x, y int) image.Image {
	draw.Draw(canvas, picture.Bounds().Add(image.Pt(x, y)), picture, image.Point{}, draw.Over)
	return canvas
}

// hollow returns the picture with a transparent window in it.
func hollow(img *image.NRGBA) *image.NRGBA {
	out := image.NewNRGBA(img.Bounds())
	copy(out.Pix, img.Pix)
	draw.Draw(out, image.Rect(20, 15, 30, 25), image.Transparent, image.Point{}, draw.Src)
	return out
}

// mixed returns a bilinear mixture of colours, clockwise from the top left.
func mixed(width, height int, corners [4]color.NRGBA) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			px, py := (float64(x)+0.5)/float64(width), (float64(y)+0.5)/float64(height)
			shares := [4]float64{(1 - px) * (1 - py), px * (1 - py), px * py, (1 - px) * py}
			var r, g, b float64
			for i, c := range corners {
				r, g, b = r+shares[i]*float64(c.R), g+shares[i]*float64(c.G), b+shares[i]*float64(c.B)
			}
			img.SetNRGBA(x, y, color.NRGBA{R: uint8(r + 0.5), G: uint8(g + 0.5), B: uint8(b + 0.5), A: 255})
		}
	}
	return img
}

// modelled returns what 64 places of each pixel of a canvas show on average; from tells where a place comes from.
func modelled(src image.Image, width, height int, ground color.NRGBA, from func(x, y float64) (u, v float64)) image.Image {
	out := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			var r, g, b, a float64 // the colours weighed by alpha
			for i := range 64 {
				u, v := from(float64(x)+float64(i%8)/8+1.0/16, float64(y)+float64(i/8)/8+1.0/16)
				at := image.Pt(int(math.Floor(u)), int(math.Floor(v)))
				c := ground
				if at.In(src.Bounds()) {
					c = color.NRGBAModel.Convert(src.At(at.X, at.Y)).(color.NRGBA)
				}
				alpha := float64(c.A)
				r, g, b, a = r+float64(c.R)*alpha, g+float64(c.G)*alpha, b+float64(c.B)*alpha, a+alpha
			}
			if a > 0 {
				out.SetNRGBA(x, y, color.NRGBA{R: uint8(r/a + 0.5), G: uint8(g/a + 0.5), B: uint8(b/a + 0.5), A: uint8(a/64 + 0.5)})
			}
		}
	}
	return out
}

// unprojected returns the way back of a perspective. It solves the eight equations that the corners make.
func unprojected(o plan.Perspective, width, height float64) func(x, y float64) (u, v float64) {
	var m [8][9]float64
	for i, to := range [4][2]float64{{0, 0}, {width, 0}, {width, height}, {0, height}} {
		x, y := float64(o.Corners[i].X), float64(o.Corners[i].Y)
		m[2*i] = [9]float64{x, y, 1, 0, 0, 0, -x * to[0], -y * to[0], to[0]}
		m[2*i+1] = [9]float64{0, 0, 0, x, y, 1, -x * to[1], -y * to[1], to[1]}
	}
	for i := range m { // Gauss and Jordan, with the largest of the column as pivot
		for j := i + 1; j < len(m); j++ {
			if math.Abs(m[j][i]) > math.Abs(m[i][i]) {
				m[i], m[j] = m[j], m[i]
			}
		}
		for j := range m {
			if factor := m[j][i] / m[i][i]; j != i {
				for k := range m[j] {
					m[j][k] -= factor * m[i][k]
				}
			}
		}
	}
	c := func(i int) float64 { return m[i][8] / m[i][i] }
	return func(x, y float64) (u, v float64) {
		d := c(6)*x + c(7)*y + 1
		return (c(0)*x + c(1)*y + c(2)) / d, (c(3)*x + c(4)*y + c(5)) / d
	}
}

// unbent returns the way back of an arc.
func unbent(o plan.Arc, width, height float64) func(x, y float64) (u, v float64) {
	return func(x, y float64) (u, v float64) {
		if o.Degrees < 0 {
			y = float64(o.Height) - y
		}
		// From the centre of the circle, which is below the middle of the upper edge.
		dx, dy := x-float64(o.Width)/2, o.Radius+height/2-y
		share := math.Atan2(dx, dy) / (math.Abs(o.Degrees) * math.Pi / 180)
		u, v = width*(0.5+share), o.Radius+height/2-math.Hypot(dx, dy)
		if o.Degrees < 0 {
			v = height - v
		}
		return u, v
	}
}

// blursBackdrops checks that the canvas is the picture's own, that the picture before it stays sharp, and that a larger
// sigma leaves less of it.
func (s suite) blursBackdrops(t *testing.T) {
	pic := Picture(60, 60)
	render := func(sigma float64) image.Image {
		return s.pixels(t, s.render(t, PNG(pic), still(plan.PNG, 120, 60, plan.Colour{}, plan.Backdrop{X: 30, Width: 120, Height: 60, Sigma: sigma})))
	}
	variety := func(img image.Image) (sum float64) { // of the bars at both sides
		for _, left := range []int{0, 90} {
			for y := range 59 {
				for x := left; x < left+30; x++ {
					sum += deltaE(img.At(x, y), img.At(x, y+1), 0)
				}
			}
		}
		return sum
	}
	last := math.Inf(1)
	for _, sigma := range []float64{0, 1, 4, 20} {
		got := render(sigma)
		if now := variety(got); now >= last {
			t.Errorf("with a sigma of %g the bars vary by %.0f, with a smaller one by %.0f", sigma, now, last)
		} else {
			last = now
		}
		for y := range 60 {
			for x := range 60 {
				if !near(got.At(30+x, y), pic.At(x, y), 0) {
					t.Fatalf("with a sigma of %g the picture itself is changed at %d,%d", sigma, x, y)
				}
			}
		}
	}
}
