//go:build unix

package disk

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// openFile opens what lies under an entry's name for reading, and returns its size; below 0 it is no file. It doesn't wait
// where that is a pipe without a writer, or a device. It makes fewer calls of the system than os.Open, which has the
// runtime ask whether it may wait for the file; nobody waits for files.
func openFile(path string) (f *os.File, size int64, err error) {
	fd, err := openAgain(path, unix.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, err
	}
	var st unix.Stat_t
	for err = unix.EINTR; errors.Is(err, unix.EINTR); {
		err = unix.Fstat(fd, &st)
	}
	if err != nil {
		return nil, 0, errors.Join(&fs.PathError{Op: "stat", Path: path, Err: err}, unix.Close(fd))
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		st.Size = -1
	}
	return os.NewFile(uintptr(fd), path), st.Size, nil
}

// createFile makes a file, for this user alone, that was not there.
func createFile(path string) (*os.File, error) {
	fd, err := openAgain(path, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), path), nil
}

// openAgain opens until no signal interrupts it.
func openAgain(path string, flags int, mode uint32) (int, error) {
	for {
		switch fd, err := unix.Open(path, flags|unix.O_CLOEXEC, mode); {
		case err == nil:
			return fd, nil
		case !errors.Is(err, unix.EINTR):
			return 0, &fs.PathError{Op: "open", Path: path, Err: err}
		}
	}
}
