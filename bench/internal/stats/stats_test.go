package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestQuantilesAreFiguresOfTheList(t *testing.T) {
	v := []float64{5, 1, 4, 2, 3}
	for _, tt := range []struct{ q, want float64 }{{0, 1}, {0.5, 3}, {0.8, 4}, {0.99, 5}, {1, 5}} {
		if got := Quantile(v, tt.q); got != tt.want {
			t.Errorf("quantile %v: got %v, want %v", tt.q, got, tt.want)
		}
	}
	if v[0] != 5 {
		t.Error("the list was sorted in place")
	}
}

// TestTheIntervalHoldsTheTrueSlope draws series whose neighbours resemble each other, with a known slope.
func TestTheIntervalHoldsTheTrueSlope(t *testing.T) {
	const series, slope = 400, 0.02
	random := rand.New(rand.NewPCG(1, 2))
	held := 0
	for range series {
		var x, y []float64
		noise := 0.0
		for i := range 900 {
			noise = 0.9*noise + random.NormFloat64()
			x, y = append(x, float64(i)), append(y, 200+slope*float64(i)+noise)
		}
		trend, err := TrendOf(x, y, 30)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(trend.Slope-slope) <= trend.Wide {
			held++
		}
	}
	if share := float64(held) / series; share < 0.91 {
		t.Errorf("the interval of 95 %% holds the true slope in %.0f %% of the series", 100*share)
	}
}

func TestStudentIsThatOfTheTables(t *testing.T) {
	for freedom, want := range map[int]float64{1: 12.706, 4: 2.776, 5: 2.571, 10: 2.228, 28: 2.048, 1000: 1.962} {
		if got := student(freedom); math.Abs(got-want) > want/100 {
			t.Errorf("%d degrees: got %.3f, want %.3f", freedom, got, want)
		}
	}
}
