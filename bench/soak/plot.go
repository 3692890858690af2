package main

import (
	"fmt"
	"math"
	"strings"
)

// The drawing's size, and where in it the axes stand.
const (
	plotWidth, plotHeight    = 860, 360
	plotLeft, plotRight      = 60, 840
	plotTop, plotBottom      = 40, 310
	plotPoints               = 600 // of a curve; more can't be seen
	plotServer, plotWorkers  = "#2a78b8", "#c9772a"
	plotAll, plotTrend, plum = "#333", "#c22", "#f3f0f5"
)

// plot draws memory over time: of all processes, the server, the workers, with the warm-up shaded and the line through
// what follows it.
func (r *report) plot() string {
	list := r.samples.list
	minutes := list[len(list)-1].at.Minutes()
	highest := 0.0
	for _, s := range list {
		highest = max(highest, mib(s.memory()))
	}
	step := niceStep(highest / 5)
	top := step * math.Ceil(highest/step)
	x := func(m float64) float64 { return plotLeft + (plotRight-plotLeft)*m/minutes }
	y := func(v float64) float64 { return plotBottom - (plotBottom-plotTop)*v/top }

	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", plotWidth, plotHeight)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", plotWidth, plotHeight)
	warm := list[r.warm].at.Minutes()
	fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/><text x="%d" y="%d" fill="#777">warm-up</text>`+"\n",
		plotLeft, plotTop, x(warm)-plotLeft, plotBottom-plotTop, plum, plotLeft+6, plotTop+14)
	for v := 0.0; v <= top; v += step {
		fmt.Fprintf(&b, `<path d="M%d %.1fH%d" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">%.0f</text>`+"\n", plotLeft, y(v), plotRight, plotLeft-6, y(v)+4, v)
	}
	for m, every := 0.0, niceStep(minutes/8); m <= minutes; m += every {
		fmt.Fprintf(&b, `<text x="%.1f" y="%d" text-anchor="middle">%.4g</text>`+"\n", x(m), plotBottom+18, m)
	}
	fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">minutes</text><text x="%d" y="%d">MiB</text>`+"\n", plotRight, plotBottom+36, plotLeft-30, plotTop-14)
	for i, curve := range []struct {
		name, colour string
		of           func(sample) int64
	}{{"all processes", plotAll, sample.memory}, {"server", plotServer, func(s sample) int64 { return s.server }}, {"workers", plotWorkers, func(s sample) int64 { return s.workers }}} {
		fmt.Fprintf(&b, `<path d="M`)
		every := max(1, len(list)/plotPoints)
		for i := 0; i < len(list); i += every {
			fmt.Fprintf(&b, "%.1f %.1f ", x(list[i].at.Minutes()), y(mib(curve.of(list[i]))))
		}
		fmt.Fprintf(&b, `" fill="none" stroke="%s"/><text x="%d" y="%d" fill="%s">%s</text>`+"\n", curve.colour, plotLeft+120+i*100, plotTop-14, curve.colour, curve.name)
	}
	line := func(m float64) float64 { return y(r.memory.Start + r.memory.Slope*m/60) }
	fmt.Fprintf(&b, `<path d="M%.1f %.1fL%.1f %.1f" stroke="%s" stroke-dasharray="6 4"/><text x="%d" y="%d" text-anchor="end" fill="%s">%s MiB an hour</text>`+"\n</svg>\n",
		x(warm), line(warm), x(minutes), line(minutes), plotTrend, plotRight, plotTop-14, plotTrend, slope(r.memory))
	return b.String()
}

// niceStep returns 1, 2 or 5 times a power of ten, at least about v.
func niceStep(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, n := range []float64{1, 2, 5} {
		if n*power >= v {
			return n * power
		}
	}
	return 10 * power
}
