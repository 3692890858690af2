package transformtest_test

import (
	"math"
	"testing"

	"github.com/imageorigin/imageorigin/transform/transformtest"
)

// The pairs are from the supplement of Sharma, Wu, Dalal: The CIEDE2000 Color-Difference Formula (2005), chosen from
// those where implementations go wrong: hues on both sides of 0, no chroma, and the blue corner.
func TestCIEDE2000AgreesWithThePublishedPairs(t *testing.T) {
	for _, tt := range []struct {
		p, q transformtest.Lab
		want float64
	}{
		{transformtest.Lab{L: 50, A: 2.6772, B: -79.7751}, transformtest.Lab{L: 50, B: -82.7485}, 2.0425},
		{transformtest.Lab{L: 50, A: -1.3802, B: -84.2814}, transformtest.Lab{L: 50, B: -82.7485}, 1.0000},
		{transformtest.Lab{L: 50}, transformtest.Lab{L: 50, A: -1, B: 2}, 2.3669},
		{transformtest.Lab{L: 50, A: 2.49, B: -0.001}, transformtest.Lab{L: 50, A: -2.49, B: 0.0009}, 7.1792},
		{transformtest.Lab{L: 50, A: 2.49, B: -0.001}, transformtest.Lab{L: 50, A: -2.49, B: 0.0011}, 7.2195},
		{transformtest.Lab{L: 50, A: -0.001, B: 2.49}, transformtest.Lab{L: 50, A: 0.0011, B: -2.49}, 4.7461},
		{transformtest.Lab{L: 50, A: 2.5}, transformtest.Lab{L: 73, A: 25, B: -18}, 27.1492},
		{transformtest.Lab{L: 50, A: 2.5}, transformtest.Lab{L: 61, A: -5, B: 29}, 22.8977},
		{transformtest.Lab{L: 50, A: 2.5}, transformtest.Lab{L: 58, A: 24, B: 15}, 19.4535},
		{transformtest.Lab{L: 60.2574, A: -34.0099, B: 36.2677}, transformtest.Lab{L: 60.4626, A: -34.1751, B: 39.4387}, 1.2644},
		{transformtest.Lab{L: 22.7233, A: 20.0904, B: -46.6940}, transformtest.Lab{L: 23.0331, A: 14.9730, B: -42.5619}, 2.0373},
		{transformtest.Lab{L: 90.8027, A: -2.0831, B: 1.4410}, transformtest.Lab{L: 91.1528, A: -1.6435, B: 0.0447}, 1.4441},
		{transformtest.Lab{L: 6.7747, A: -0.2908, B: -2.4247}, transformtest.Lab{L: 5.8714, A: -0.0985, B: -2.2286}, 0.6377},
		{transformtest.Lab{L: 2.0776, A: 0.0795, B: -1.1350}, transformtest.Lab{L: 0.9033, A: -0.0636, B: -0.5514}, 0.9082},
	} {
		for _, got := range []float64{transformtest.CIEDE2000(tt.p, tt.q), transformtest.CIEDE2000(tt.q, tt.p)} {
			if math.Abs(got-tt.want) > 0.0001 {
				t.Errorf("%v and %v: got %.4f, want %.4f", tt.p, tt.q, got, tt.want)
			}
		}
	}
}
