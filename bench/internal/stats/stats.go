// Package stats has what the measuring programs say about lists of figures.
package stats

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Median returns the middle of v, which it doesn't change. Of nothing it is 0.
func Median(v []float64) float64 { return Quantile(v, 0.5) }

// Quantile returns the smallest figure that at least the share q of v does not exceed; of nothing it is 0.
func Quantile(v []float64, q float64) float64 {
	if len(v) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(v))
	return sorted[min(max(int(math.Ceil(q*float64(len(sorted))))-1, 0), len(sorted)-1)]
}

// Spread writes median, minimum and maximum: "1.2 (1.0-1.5)".
func Spread(v []float64, digits int) string {
	if len(v) == 0 {
		return "-"
	}
	return fmt.Sprintf("%.*f (%.*f to %.*f)", digits, Median(v), digits, slices.Min(v), digits, slices.Max(v))
}

// Milliseconds returns durations as figures.
func Milliseconds(d []time.Duration) []float64 {
	v := make([]float64, len(d))
	for i := range d {
		v[i] = float64(d[i].Microseconds()) / 1000
	}
	return v
}
