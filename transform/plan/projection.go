package plan

import "math"

// Projection maps a plane to a plane: x, y to
//
//	(m[0]x + m[1]y + m[2]) / (m[6]x + m[7]y + m[8]), (m[3]x + m[4]y + m[5]) / (m[6]x + m[7]y + m[8])
type Projection [9]float64

// Projection returns the projection that leads from a picture of that size to its perspective. The formula is that of
// P. Heckbert, Fundamentals of Texture Mapping and Image Warping, 1989, section 2.2.3.
func (o Perspective) Projection(width, height float64) Projection {
	var x, y [4]float64
	for i, c := range o.Corners {
		x[i], y[i] = float64(c.X), float64(c.Y)
	}
	dx1, dx2, sx := x[1]-x[2], x[3]-x[2], x[0]-x[1]+x[2]-x[3]
	dy1, dy2, sy := y[1]-y[2], y[3]-y[2], y[0]-y[1]+y[2]-y[3]
	det := dx1*dy2 - dx2*dy1
	g, h := (sx*dy2-dx2*sy)/det, (dx1*sy-sx*dy1)/det
	return Projection{
		(x[1] - x[0] + g*x[1]) / width, (x[3] - x[0] + h*x[3]) / height, x[0],
		(y[1] - y[0] + g*y[1]) / width, (y[3] - y[0] + h*y[3]) / height, y[0],
		g / width, h / height, 1,
	}
}

// Apply returns where the point comes to lie.
func (m Projection) Apply(x, y float64) (float64, float64) {
	d := m[6]*x + m[7]*y + m[8]
	return (m[0]*x + m[1]*y + m[2]) / d, (m[3]*x + m[4]*y + m[5]) / d
}

// Inverse returns the projection that leads back.
func (m Projection) Inverse() Projection {
	// The adjugate: a factor makes no difference.
	return Projection{
		m[4]*m[8] - m[5]*m[7], m[2]*m[7] - m[1]*m[8], m[1]*m[5] - m[2]*m[4],
		m[5]*m[6] - m[3]*m[8], m[0]*m[8] - m[2]*m[6], m[2]*m[3] - m[0]*m[5],
		m[3]*m[7] - m[4]*m[6], m[1]*m[6] - m[0]*m[7], m[0]*m[4] - m[1]*m[3],
	}
}

// scales returns the most that the unit square is enlarged along each of its axes, which is at one of its corners.
func (m Projection) scales() (across, down float64) {
	for _, corner := range [4][2]float64{{0, 0}, {1, 0}, {1, 1}, {0, 1}} {
		d := m[6]*corner[0] + m[7]*corner[1] + m[8]
		x, y := m.Apply(corner[0], corner[1])
		across = max(across, math.Hypot(m[0]-m[6]*x, m[3]-m[6]*y)/math.Abs(d))
		down = max(down, math.Hypot(m[1]-m[7]*x, m[4]-m[7]*y)/math.Abs(d))
	}
	return across, down
}
