package folder

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/imageorigin/imageorigin/origins"
)

// asStranger calls f as a user from whom modes keep files.
func asStranger(t *testing.T, root string, f func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		f()
		return
	}
	// Nothing can be kept from root, so this thread becomes somebody else to the file system.
	for dir := filepath.Dir(filepath.Dir(root)); dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer syscall.Setfsuid(0)
	if err := syscall.Setfsuid(65534); err != nil {
		t.Fatal(err)
	}
	f()
}

// setMode sets the mode of name until the test ends: what can't be entered can't be removed.
func setMode(t *testing.T, name string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(name, mode); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(name, 0o755) })
}

func TestUnreadableIsDenied(t *testing.T) {
	for _, tt := range []struct {
		name string
		of   string // what can't be read, below the root
		mode os.FileMode
		key  string
	}{
		{"file", "a.jpg", 0, "a.jpg"},
		{"folder", "folder", 0, "folder/b.jpg"},
		{"root", "", 0, "a.jpg"},
		{"root that can't be entered", "", 0o444, "a.jpg"},
		{"root that can be entered only", "", 0o111, "a.jpg"},
		{"folder of the root", "..", 0, "a.jpg"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root := folderWith(t, map[string][]byte{"a.jpg": nil, "folder/b.jpg": nil})
			setMode(t, filepath.Dir(root), 0o755)
			o := newOrigin(t, root)
			setMode(t, filepath.Join(root, tt.of), tt.mode)
			asStranger(t, root, func() {
				if got := kind(t, o, tt.key); got != origins.Denied {
					t.Errorf("got %v, want denied", got)
				}
			})
		})
	}
}

func TestUnreadableRootIsToldAtTheLoad(t *testing.T) {
	for _, tt := range []struct {
		name string
		of   string // what can't be read, below the root
		mode os.FileMode
		want string
	}{
		{"nothing is allowed", "", 0, "can't be read by this user; give it read and execute rights"},
		{"reading alone", "", 0o444, "can't be read by this user; give it read and execute rights"},
		{"entering alone", "", 0o111, "can't be read by this user; give it read and execute rights"},
		{"above it", "..", 0, "can't be reached by this user; give it execute rights for the folders above"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root := folderWith(t, nil)
			setMode(t, filepath.Dir(root), 0o755)
			setMode(t, filepath.Join(root, tt.of), tt.mode)
			asStranger(t, root, func() {
				want := `folder "` + root + `" ` + tt.want
				if _, err := New(root); err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want %s", err, want)
				}
			})
		})
	}
}
