package worker

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// newArea returns memory that can be shared: a descriptor of a size that nobody can change any more, so that who maps it
// can't be made to fault by the other side.
func newArea(name string, size int64) (*os.File, error) {
	fd, err := unix.MemfdCreate("imageorigin-"+name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, fmt.Errorf("making a shared area: %w", err)
	}
	f := os.NewFile(uintptr(fd), name)
	if err := unix.Ftruncate(fd, size); err != nil {
		f.Close()
		return nil, fmt.Errorf("making a shared area of %d bytes: %w", size, err)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_SEAL); err != nil {
		f.Close()
		return nil, fmt.Errorf("sealing a shared area: %w", err)
	}
	return f, nil
}

// readOnly returns a descriptor of an area by which it can't be written or mapped for writing. F_SEAL_FUTURE_WRITE would
// do the same, but no memory is given back of what has it. Where /proc isn't there it is the area itself: a worker that
// writes into its own originals harms nobody.
func readOnly(f *os.File) (*os.File, error) {
	path := fmt.Sprintf("/proc/self/fd/%d", f.Fd())
	if r, err := os.OpenFile(path, os.O_RDONLY, 0); err == nil {
		return r, nil
	}
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("sharing an area: %w", err)
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}

// punch gives memory of an area back that is beyond what is kept. Its content is lost.
func punch(f *os.File, size int64) error {
	return unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, keptArea, size-keptArea)
}

// readArea copies the first bytes of an area out.
func readArea(f *os.File, size int64) ([]byte, error) {
	b := make([]byte, size)
	if _, err := f.ReadAt(b, 0); err != nil {
		return nil, err
	}
	return b, nil
}

// mapped maps the first bytes of a descriptor, for reading or for both.
func mapped(fd int, size int64, write bool) ([]byte, error) {
	prot := unix.PROT_READ
	if write {
		prot |= unix.PROT_WRITE
	}
	return unix.Mmap(fd, 0, int(size), prot, unix.MAP_SHARED)
}
