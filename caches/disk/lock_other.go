//go:build !linux && !darwin && !freebsd

package disk

import (
	"errors"
	"os"
)

// lockFolder is not possible on this system, so age tells what is nobody's.
func lockFolder(string) (*os.File, error) { return nil, errors.ErrUnsupported }
