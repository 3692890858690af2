package transformtest

// chromaticity is where a colour lies in the CIE 1931 diagram.
type chromaticity struct{ x, y float64 }

func (c chromaticity) xyz() [3]float64 { return [3]float64{c.x / c.y, 1, (1 - c.x - c.y) / c.y} }

// primaries are those of an RGB space and its white.
type primaries struct{ red, green, blue, white chromaticity }

var (
	d50 = chromaticity{0.345704, 0.358540} // that of the ICC is 0.9642, 1, 0.8249
	d65 = chromaticity{0.3127, 0.3290}

	srgbSpace    = primaries{chromaticity{0.64, 0.33}, chromaticity{0.30, 0.60}, chromaticity{0.15, 0.06}, d65}
	p3Space      = primaries{chromaticity{0.680, 0.320}, chromaticity{0.265, 0.690}, chromaticity{0.150, 0.060}, d65}
	adobeSpace   = primaries{chromaticity{0.64, 0.33}, chromaticity{0.21, 0.71}, chromaticity{0.15, 0.06}, d65}
	rec2020Space = primaries{chromaticity{0.708, 0.292}, chromaticity{0.170, 0.797}, chromaticity{0.131, 0.046}, d65}
	wideSpace    = primaries{chromaticity{0.7347, 0.2653}, chromaticity{0.1596, 0.8404}, chromaticity{0.0366, 0.0001}, d50} // ROMM, known as ProPhoto
)

// matrix is one of 3×3, by rows.
type matrix [3][3]float64

func (m matrix) times(v [3]float64) [3]float64 {
	var out [3]float64
	for i, row := range m {
		out[i] = row[0]*v[0] + row[1]*v[1] + row[2]*v[2]
	}
	return out
}

func (m matrix) after(n matrix) matrix {
	var out matrix
	for i := range 3 {
		for j := range 3 {
			for k := range 3 {
				out[i][j] += m[i][k] * n[k][j]
			}
		}
	}
	return out
}

func (m matrix) inverse() matrix {
	var out matrix
	for i := range 3 {
		for j := range 3 {
			a, b, c, d := (j+1)%3, (j+2)%3, (i+1)%3, (i+2)%3
			out[i][j] = m[a][c]*m[b][d] - m[a][d]*m[b][c]
		}
	}
	determinant := m[0][0]*out[0][0] + m[0][1]*out[1][0] + m[0][2]*out[2][0]
	for i := range 3 {
		for j := range 3 {
			out[i][j] /= determinant
		}
	}
	return out
}

// toXYZ is the way from linear values to XYZ under the space's own white.
func (p primaries) toXYZ() matrix {
	r, g, b := p.red.xyz(), p.green.xyz(), p.blue.xyz()
	m := matrix{{r[0], g[0], b[0]}, {r[1], g[1], b[1]}, {r[2], g[2], b[2]}}
	scale := m.inverse().times(p.white.xyz())
	for i := range m {
		for j := range m[i] {
			m[i][j] *= scale[j]
		}
	}
	return m
}

// toPCS is the way from linear values to XYZ under D50, where profiles meet, adapted by Bradford's method.
func (p primaries) toPCS() matrix {
	bradford := matrix{{0.8951, 0.2664, -0.1614}, {-0.7502, 1.7135, 0.0367}, {0.0389, -0.0685, 1.0296}}
	from, to := bradford.times(p.white.xyz()), bradford.times(pcsWhite)
	gain := matrix{{to[0] / from[0]}, {0, to[1] / from[1]}, {0, 0, to[2] / from[2]}}
	return bradford.inverse().after(gain).after(bradford).after(p.toXYZ())
}

// pcsWhite is the ICC's D50.
var pcsWhite = [3]float64{0.9642, 1, 0.8249}
