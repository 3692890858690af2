package sharedmem

import (
	"os"

	"golang.org/x/sys/unix"
)

// newPiece makes a file in memory that nobody can resize, nor write to but through our mapping of it.
func newPiece(size int) (*piece, error) {
	fd, err := unix.MemfdCreate("imageorigin", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), "shared memory")
	if err := unix.Ftruncate(fd, int64(size)); err != nil {
		file.Close()
		return nil, err
	}
	b, err := unix.Mmap(fd, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		file.Close()
		return nil, err
	}
	// F_SEAL_FUTURE_WRITE has been there since Linux 5.1. Without it another process could write, so there is no piece then.
	const seals = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_FUTURE_WRITE | unix.F_SEAL_SEAL
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		_ = unix.Munmap(b)
		file.Close()
		return nil, err
	}
	return &piece{bytes: b, file: file}, nil
}

func (p *piece) close() {
	_ = unix.Munmap(p.bytes)
	_ = p.file.Close()
}
