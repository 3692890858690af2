package folder

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/imageorigin/imageorigin/origins"
)

func TestUnreadableIsDenied(t *testing.T) {
	root := folderWith(t, map[string][]byte{"a.jpg": nil, "folder/b.jpg": nil})
	if os.Geteuid() == 0 {
		// Nothing can be kept from root, so this thread becomes somebody else to the file system.
		for dir := root; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
			if err := os.Chmod(dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer syscall.Setfsuid(0)
		if err := chmodAll(root, 0); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Setfsuid(65534); err != nil {
			t.Fatal(err)
		}
	} else {
		if err := chmodAll(root, 0); err != nil {
			t.Fatal(err)
		}
		defer chmodAll(root, 0o755) // else it can't be removed
	}
	o := newOrigin(t, root)
	for _, key := range []string{"a.jpg", "folder/b.jpg"} {
		if got := kind(t, o, key); got != origins.Denied {
			t.Errorf("%q: got %v, want denied", key, got)
		}
	}
}

// chmodAll sets the mode of the file and the folder in root.
func chmodAll(root string, mode os.FileMode) error {
	if err := os.Chmod(filepath.Join(root, "a.jpg"), mode); err != nil {
		return err
	}
	return os.Chmod(filepath.Join(root, "folder"), mode)
}
