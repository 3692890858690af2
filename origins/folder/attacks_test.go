package folder

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/origins"
)

// attack 9: no name leads out of the folder, blocks, or opens what is not a file of it, however it is written.
func TestNamesThatAttackersTryOpenNothing(t *testing.T) {
	root := folderWith(t, map[string][]byte{"a.jpg": []byte("inside"), "folder/b.jpg": []byte("inside")})
	for name, target := range map[string]string{
		"environ": "/proc/self/environ", "root": "/proc/self/root", "cwd": "/proc/self/cwd", "fd": "/proc/self/fd/0",
		"zero": "/dev/zero", "stdin": "/dev/stdin", "self": "/proc/self/exe", "relative": "../../../../../../../../etc/passwd",
	} {
		link(t, target, filepath.Join(root, name))
	}
	o := newOrigin(t, root)
	for _, key := range []string{
		"", ".", "..", "/", "/a.jpg", "//a.jpg", "./a.jpg", "a.jpg/", "a.jpg/.", "folder/../a.jpg", "folder//b.jpg", "folder/./b.jpg",
		"../secret.txt", "../root-secret/secret.txt", "folder/../../secret.txt", "folder/../../root-secret/secret.txt", "...", ".../secret.txt",
		"%2e%2e/secret.txt", "%2e%2e%2fsecret.txt", "..%2fsecret.txt", "..%5csecret.txt", "%252e%252e/secret.txt", "..%c0%afsecret.txt", "\xc0\xae\xc0\xae/secret.txt",
		`..\secret.txt`, `folder\..\..\secret.txt`, `\secret.txt`, `\\host\share\secret.txt`, `\\?\C:\secret.txt`, `C:\secret.txt`, "C:/secret.txt", "C:secret.txt",
		"a.jpg\x00", "a.jpg\x00.png", "\x00", "a.jpg::$DATA", "a.jpg ", "a.jpg.", "CON", "NUL", "con.jpg", "file:///etc/passwd", "/etc/passwd", "~/.ssh/id_rsa", "$HOME/x", "*", "a.jp?",
		"-", "|id", "environ", "root/etc/passwd", "cwd/folder.go", "fd", "zero", "stdin", "self", "relative",
		strings.Repeat("x", 256), strings.Repeat("x", 5000), strings.Repeat("x/", 3000) + "x", strings.Repeat("folder/../", 1000) + "a.jpg", strings.Repeat("../", 1000) + "etc/passwd", strings.Repeat("\u00e9", 200),
	} {
		type answer struct {
			text string
			err  error
		}
		got := make(chan answer, 1)
		go func() {
			obj, err := o.Open(t.Context(), origins.Request{Key: key})
			if err != nil {
				got <- answer{err: err}
				return
			}
			defer obj.Body.Close()
			text, err := io.ReadAll(io.LimitReader(obj.Body, 100))
			got <- answer{string(text), err}
		}()
		select {
		case a := <-got:
			if a.err == nil {
				t.Errorf("%.80q: opened, with %q in it", key, a.text)
			} else if kind := origins.KindOf(a.err); kind != origins.NotExist && kind != origins.Invalid && kind != origins.Denied {
				t.Errorf("%.80q: got %v, %v", key, kind, a.err)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%.80q: opening blocks", key)
		}
		if o.Holds(key, origins.Validator{ETag: `"x"`}) {
			t.Errorf("%.80q: is said to be there", key)
		}
	}
	if got := content(t, o, "folder/b.jpg"); got != "inside" {
		t.Errorf("afterwards: got %q", got)
	}
}

// attack 9: files that the kernel makes up have no size and so no bytes, even where somebody serves /proc itself.
func TestFilesThatTheKernelMakesUpHaveNoBytes(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("this system has no /proc")
	}
	t.Setenv("IMAGEORIGIN_TEST_SECRET", "hunter2")
	if environ, err := os.ReadFile("/proc/self/environ"); err != nil || len(environ) == 0 {
		t.Fatalf("nothing would be told: %v", err)
	}
	o := newOrigin(t, "/proc")
	for _, key := range []string{"self/environ", "self/cmdline", "self/maps", "self/mem", "kmsg"} {
		obj, err := o.Open(t.Context(), origins.Request{Key: key})
		if err != nil {
			continue
		}
		text, _ := io.ReadAll(io.LimitReader(obj.Body, 100))
		obj.Body.Close()
		if len(text) > 0 {
			t.Errorf("%s: has %q in it", key, text)
		}
	}
}
