package ram

import (
	"errors"
	"testing"
)

func TestTheSmallerFigureCounts(t *testing.T) {
	says := func(n uint64, err error) func() (uint64, error) { return func() (uint64, error) { return n, err } }
	unknown := says(0, errors.New("no cgroup"))
	for _, tt := range []struct {
		name  string
		known []func() (uint64, error)
		want  uint64
	}{
		{"a container", []func() (uint64, error){says(512, nil), says(4096, nil)}, 512},
		{"a container without a limit", []func() (uint64, error){says(1<<63, nil), says(4096, nil)}, 4096},
		{"no container", []func() (uint64, error){unknown, says(4096, nil)}, 4096},
		{"nothing is said", []func() (uint64, error){says(0, nil), unknown}, 0},
		{"nobody is asked", nil, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Least(tt.known...); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

func TestThisMachineHasMemory(t *testing.T) {
	if got := Bytes(); got < 16<<20 {
		t.Errorf("got %d bytes", got)
	}
}
