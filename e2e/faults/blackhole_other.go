//go:build !linux

package faults

import (
	"errors"
	"io"
)

// CanBlackHole says whether [BlackHole] works here.
const CanBlackHole = false

func swallow(string) (io.Closer, error) {
	return nil, errors.New("only Linux drops connections that its queue has no room for")
}
