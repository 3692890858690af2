package origins_test

import (
	"math"
	"testing"

	"github.com/imageorigin/imageorigin/origins"
)

func TestRangeWithinAnObject(t *testing.T) {
	for _, tt := range []struct {
		name        string
		r           origins.Range
		size, start int64
		length      int64 // 0: invalid
	}{
		{"middle", origins.Range{Start: 2, Length: 3}, 10, 2, 3},
		{"open-ended", origins.Range{Start: 2, Length: -1}, 10, 2, 8},
		{"over the end", origins.Range{Start: 8, Length: 100}, 10, 8, 2},
		{"huge", origins.Range{Start: 1, Length: math.MaxInt64}, 10, 1, 9},
		{"all", origins.Range{Start: 0, Length: -1}, 10, 0, 10},
		{"at the end", origins.Range{Start: 10, Length: -1}, 10, 0, 0},
		{"behind the end", origins.Range{Start: 11, Length: 1}, 10, 0, 0},
		{"nothing", origins.Range{Start: 1, Length: 0}, 10, 0, 0},
		{"of an empty object", origins.Range{Start: 0, Length: -1}, 0, 0, 0},
		{"before the beginning", origins.Range{Start: -1, Length: 5}, 10, 0, 0},
		{"of negative length", origins.Range{Start: 1, Length: -2}, 10, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.r.Within(tt.size)
			if tt.length == 0 {
				if origins.KindOf(err) != origins.Invalid || err == nil {
					t.Errorf("%+v of %d: got %+v, %v, want it invalid", tt.r, tt.size, got, err)
				}
				return
			}
			if want := (origins.Range{Start: tt.start, Length: tt.length}); got != want || err != nil {
				t.Errorf("%+v of %d: got %+v, %v, want %+v", tt.r, tt.size, got, err, want)
			}
		})
	}
}
