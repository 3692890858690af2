//go:build unix

package folder

import (
	"os"

	"golang.org/x/sys/unix"

	"github.com/imageorigin/imageorigin/origins"
)

// holds reports whether the file called name is there, can be read, and is of the version that v names.
func holds(name string, v origins.Validator) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular() && unchanged(attributes(info, name), v) && unix.Access(name, unix.R_OK) == nil
}
