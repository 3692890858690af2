package sandbox

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// restricted returns which threads of this process have given up privileges.
func restricted(t *testing.T) (threads []string, of int) {
	t.Helper()
	files, err := filepath.Glob("/proc/self/task/*/status")
	if err != nil || len(files) == 0 {
		t.Fatalf("no threads: %v", err)
	}
	for _, file := range files {
		status, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) {
			continue // ended meanwhile
		}
		if err != nil {
			t.Fatal(err)
		}
		of++
		if strings.Contains(string(status), "NoNewPrivs:\t1") {
			threads = append(threads, filepath.Base(filepath.Dir(file)))
		}
	}
	return threads, of
}

// burst has many goroutines take threads for themselves and block in the kernel, as calls into C do.
func burst() {
	var all sync.WaitGroup
	for range 60 {
		all.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			unix.Nanosleep(&unix.Timespec{Nsec: 20e6}, nil)
		})
	}
	all.Wait()
}

func TestOneThreadIsRestricted(t *testing.T) {
	s := NewSpawner()
	defer s.Close()
	burst()
	var starts sync.WaitGroup
	for range 4 { // while threads come and go
		starts.Go(func() {
			self, err := Executable()
			if err != nil {
				t.Error(err)
				return
			}
			cmd := exec.Command(self, "child", "environment")
			if err := s.Start(cmd); err != nil {
				t.Error(err)
				return
			}
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
	burst()
	starts.Wait()
	burst()
	if threads, of := restricted(t); len(threads) != 1 || of < 20 {
		t.Errorf("of %d threads %q are restricted, want one of many", of, threads)
	}
	if _, err := os.ReadFile("/etc/passwd"); err != nil {
		t.Errorf("another thread: %v", err)
	}
}

// The thread must not be used again, and the first thread of the process, which would stay, never be taken.
func TestClosedSpawnerLeavesNoThread(t *testing.T) {
	for range 20 {
		s := NewSpawner()
		threads, _ := restricted(t)
		for _, thread := range threads {
			if thread == strconv.Itoa(os.Getpid()) {
				t.Fatal("the first thread is restricted")
			}
		}
		s.Close()
		s.Close()
	}
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		threads, _ := restricted(t)
		if len(threads) == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("threads %q are still there", threads)
		}
	}
}

func TestClosedSpawnerStartsNothing(t *testing.T) {
	s := NewSpawner()
	s.Close()
	cmd := exec.Command("/proc/self/exe", "child", "environment")
	if err := s.Start(cmd); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("got %v", err)
	}
}

func TestNamespacesAreForgoneWhereTheyFail(t *testing.T) {
	s := &Spawner{cloneflags: unix.CLONE_NEWUSER}
	s.measures.add("network and ipc namespaces", nil)
	s.forgo(&os.PathError{Op: "fork/exec", Err: unix.ENOENT})
	if s.cloneflags == 0 {
		t.Error("a missing file counts as a refused namespace")
	}
	s.forgo(&os.PathError{Op: "fork/exec", Err: unix.ENOSPC})
	if m := s.Measures(); s.cloneflags != 0 || len(m.InForce) != 0 || len(m.Missing) != 1 || !strings.Contains(m.Missing[0], "no space left") {
		t.Errorf("flags %x, measures %+v", s.cloneflags, m)
	}
}

func TestLibrariesAreFoundWhereTheyAre(t *testing.T) {
	for _, tt := range []struct{ name, path, want string }{
		{"a distribution's", "/usr/lib/x86_64-linux-gnu/libvips.so.42.16.1", "/usr/lib"},
		{"in a prefix", "/opt/vips/lib64/libvips.so.42", "/opt/vips/lib64"},
		{"Nix", "/nix/store/abc-vips-8.16/lib/libvips.so.42", "/nix/store"},
		{"Homebrew", "/home/linuxbrew/.linuxbrew/Cellar/vips/8.16/lib/libvips.so.42", "/home/linuxbrew/.linuxbrew/Cellar"},
		{"beside other files", "/srv/app/libvips.so.42", "/srv/app/libvips.so.42"},
		{"in the root", "/libvips.so", "/libvips.so"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			maps := filepath.Join(t.TempDir(), "maps")
			lines := "00400000-00452000 r-xp 00000000 08:02 173521 /usr/bin/server\n" +
				"7f0000000000-7f0000001000 r-xp 00000000 08:02 135522 " + tt.path + "\n" +
				"7f0000002000-7f0000003000 r-xp 00000000 08:02 135522 " + tt.path + "\n" +
				"7f0000004000-7f0000005000 r-xp 00000000 08:02 135523 /gone/lib/libold.so (deleted)\n" +
				"7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0 [stack]\n"
			if err := os.WriteFile(maps, []byte(lines), 0o600); err != nil {
				t.Fatal(err)
			}
			if got := librariesOf(maps); len(got) != 1 || got[0] != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestFontsAreFoundWhereTheConfigurationSays(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"fonts.conf": `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd"><fontconfig>
			<dir>/srv/fonts</dir><dir prefix="xdg">fonts</dir><dir>~/.fonts</dir><dir>/</dir><dir>/proc/self</dir>
			<cachedir>/var/cache/elsewhere</cachedir><include ignore_missing="yes">conf.d</include><include>/missing/conf.d</include></fontconfig>`,
		"conf.d/10-more.conf":   `<fontconfig><dir> /opt/fonts </dir><include>../fonts.conf</include></fontconfig>`,
		"conf.d/20-broken.conf": `<fontconfig><dir>/opt/broken`,
		"conf.d/README":         `<fontconfig><dir>/opt/unread</dir></fontconfig>`,
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("FONTCONFIG_PATH", dir)
	got := strings.Join(fontFolders(), " ")
	for _, want := range []string{"/srv/fonts", "/opt/fonts", "/var/cache/elsewhere", dir, filepath.Join(dir, "conf.d")} {
		if !strings.Contains(got+" ", want+" ") {
			t.Errorf("%s is not among %s", want, got)
		}
	}
	for _, path := range fontFolders() {
		if !safeFolder(path) || strings.Contains(path, "unread") || strings.Contains(path, "~") || strings.HasPrefix(path, "fonts") {
			t.Errorf("%s is among them", path)
		}
	}
}
