package disk

import (
	"bytes"
	"io"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/imageorigin/imageorigin/caches"
)

func TestSmallFileSystemsFillUpAndNothingBreaks(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=4m"); err != nil {
		t.Skipf("a small file system can't be mounted, which takes a superuser: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	for _, tt := range []struct {
		name    string
		minFree float64
	}{{"with some left free", 0.2}, {"to the last byte", 1e-9}} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, Config{Dir: dir, MaxBytes: 64 << 20, MinFree: tt.minFree})
			kept, failed := 0, 0
			for n := range 500 {
				if err := s.Put(t.Context(), key(n), caches.Meta{}, bytes.NewReader(bodyOf(n, 0))); err != nil {
					failed++
				} else {
					kept++
				}
			}
			found := 0
			for n := range 500 {
				e, err := s.Get(t.Context(), key(n))
				if err != nil {
					continue
				}
				found++
				got, err := io.ReadAll(e.Content)
				e.Content.Close()
				if err != nil || !bytes.Equal(got, bodyOf(n, 0)) {
					t.Errorf("%v is not what was kept, %v", key(n), err)
				}
			}
			if failed == 0 || kept < 100 || found == 0 {
				t.Errorf("%d were kept, %d failed, %d were found; want some of each, and new ones in place of old", kept, failed, found)
			}
			if total, free, err := space(dir); err != nil || float64(free) < (tt.minFree-0.05)*float64(total) {
				t.Errorf("%d of %d bytes are left free, %v", free, total, err)
			}
			if _, err := s.Purge(t.Context(), caches.Pattern{}); err != nil {
				t.Errorf("purging a full disk: %v", err)
			}
		})
	}
}
