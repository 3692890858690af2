//go:build unix

package folder

import (
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/origins"
)

func TestWhatIsNoRegularFileIsNotServed(t *testing.T) {
	root := folderWith(t, map[string][]byte{"folder/x": nil})
	if err := syscall.Mkfifo(filepath.Join(root, "fifo"), 0o644); err != nil {
		t.Fatal(err)
	}
	// A socket's address is short, shorter than many a temporary folder.
	t.Chdir(root)
	socket, err := net.Listen("unix", "socket")
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	keys := []string{"folder", "fifo", "socket"}
	if err := syscall.Mknod(filepath.Join(root, "null"), syscall.S_IFCHR|0o644, 1<<8|3); err == nil {
		keys = append(keys, "null")
	} else {
		t.Logf("without a device file, which this user can't make: %v", err)
	}
	o := newOrigin(t, root)
	for _, key := range keys {
		got := make(chan origins.Kind, 1)
		go func() {
			_, err := o.Open(t.Context(), origins.Request{Key: key})
			got <- origins.KindOf(err)
		}()
		select {
		case kind := <-got:
			if kind != origins.NotExist {
				t.Errorf("%s: got %v, want not_exist", key, kind)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("opening %s blocks", key)
		}
	}
}

func TestRootOfDevicesServesNone(t *testing.T) {
	o := newOrigin(t, "/dev")
	for _, key := range []string{"null", "zero", "tty"} {
		if _, err := os.Stat("/dev/" + key); err != nil {
			continue
		}
		if got := kind(t, o, key); got == origins.Unreachable {
			t.Errorf("%s: got %v", key, got)
		}
	}
}
