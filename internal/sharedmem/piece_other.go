//go:build !linux

package sharedmem

import "errors"

func newPiece(int) (*piece, error) { return nil, errors.ErrUnsupported }

func (*piece) close() {}
