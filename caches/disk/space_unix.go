//go:build linux || darwin || freebsd

package disk

import "golang.org/x/sys/unix"

// space returns the bytes of the file system that holds dir: all, and those that this user may still write.
func space(dir string) (total, free uint64, err error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, 0, err
	}
	// Bavail is below zero on some systems where only the superuser may still write.
	return uint64(st.Blocks) * uint64(st.Bsize), uint64(max(int64(st.Bavail), 0)) * uint64(st.Bsize), nil
}
