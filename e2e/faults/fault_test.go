package faults

import (
	"net/http"
	"strings"
	"testing"
)

func TestNonsenseIsRefused(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fault Fault
		want  string // "" is sense
	}{
		{"a chance", Reset().Chance(0.2), ""},
		{"a chance above one", Reset().Chance(20), "reset before the headers: the chance 20 is no probability"},
		{"a drip of nothing", Drip(0), "drip: 0 bytes a second never end"},
		{"a refusal by chance", Refuse().Chance(0.5), "refused: it holds for the address"},
		{"a refusal, twice", Refuse().Times(2), "refused: it holds for the address"},
		{"a black hole for some", BlackHole().Only(func(*http.Request) bool { return true }), "black hole: it holds for the address"},
	} {
		err := tt.fault.check()
		if (err == nil) != (tt.want == "") || err != nil && !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}
