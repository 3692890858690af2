package stats

import (
	"errors"
	"math"
)

// Trend is the straight line through a series, by least squares.
type Trend struct {
	Start float64 // at x = 0
	Slope float64 // for each unit of x
	Wide  float64 // half the width of the slope's 95 % confidence interval
	Mean  float64 // of the series
}

// TrendOf fits a line to a series of which neighbours resemble each other, as samples of a process's memory do: taken one
// by one they would promise a confidence that isn't there. So the line goes through the means of blocks, and where
// even those resemble their neighbours, the interval is widened by as much as that takes from their number.
func TrendOf(x, y []float64, block int) (Trend, error) {
	var bx, by []float64
	for i := 0; i+block <= len(x); i += block {
		bx, by = append(bx, mean(x[i:i+block])), append(by, mean(y[i:i+block]))
	}
	n := len(bx)
	if n < 4 {
		return Trend{}, errors.New("a trend needs four blocks of samples: measure for longer")
	}
	mx, my := mean(bx), mean(by)
	var sxx, sxy float64
	for i := range bx {
		sxx += (bx[i] - mx) * (bx[i] - mx)
		sxy += (bx[i] - mx) * (by[i] - my)
	}
	t := Trend{Slope: sxy / sxx, Mean: my}
	t.Start = my - t.Slope*mx
	var squares, neighbours, last float64
	for i := range bx {
		left := by[i] - t.Start - t.Slope*bx[i]
		squares += left * left
		if i > 0 {
			neighbours += left * last
		}
		last = left
	}
	t.Wide = student(n-2) * math.Sqrt(squares/float64(n-2)/sxx)
	if squares > 0 {
		if r := neighbours / squares; r > 0 {
			r = min(r, 0.9)
			t.Wide *= math.Sqrt((1 + r) / (1 - r))
		}
	}
	return t, nil
}

func mean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}

// student returns the 97.5 % quantile of Student's distribution, within 1 % from two degrees of freedom on
// (the Cornish-Fisher expansion; Abramowitz and Stegun 26.7.5).
func student(freedom int) float64 {
	if exact := []float64{12.706, 4.303, 3.182, 2.776}; freedom <= len(exact) {
		return exact[freedom-1]
	}
	const z = 1.959964
	v := float64(freedom)
	return z + (math.Pow(z, 3)+z)/(4*v) + (5*math.Pow(z, 5)+16*math.Pow(z, 3)+3*z)/(96*v*v)
}
