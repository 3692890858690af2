//go:build !unix

package folder

import "github.com/imageorigin/imageorigin/origins"

// holds can't tell.
func holds(string, origins.Validator) bool { return false }
