package sandbox

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// What a confined child does without harm; everything else that it tries must fail.
var harmless = []string{
	"read a font", "read the configuration of fonts", "read a library", "map memory", "map a program's text", "make threads", "make a memory file",
	"exchange messages",
}

// attempts returns what a child said about each attempt, and checks that there were some.
func attempts(t *testing.T, r report) map[string]string {
	t.Helper()
	if r.End != "" {
		t.Fatalf("the child ended: %s; it said %q", r.End, r.Lines)
	}
	results := map[string]string{}
	for _, line := range r.Lines {
		name, result, _ := strings.Cut(line, ": ")
		results[name] = result
	}
	if len(results) < 30 {
		t.Fatalf("the child tried %d things only: %q", len(results), r.Lines)
	}
	return results
}

// temporary returns a folder that all users may use, with two files that all may read.
func temporary(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"secret", "spare"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("hush"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestConfinedChildCanWorkAndNothingElse(t *testing.T) {
	for who, uid := range users() {
		t.Run(who, func(t *testing.T) {
			dir := temporary(t)
			r := run(t, uid, "", "everything", dir)
			for name, result := range attempts(t, r) {
				if allowed := result == "<nil>"; allowed != slices.Contains(harmless, name) {
					t.Errorf("%s: %s", name, result)
				}
			}
			if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
				t.Errorf("the folder has %v, %v", entries, err)
			}
			for _, name := range []string{"no-new-privileges", "network and ipc namespaces", "landlock abi", "no capabilities", "first to go"} {
				if !slices.ContainsFunc(r.Measures.InForce, func(m string) bool { return strings.HasPrefix(m, name) }) {
					t.Errorf("%s is not in force: %+v", name, r.Measures)
				}
			}
		})
	}
}

// What the attempts are worth: a child without any measure does most of it.
func TestAttemptsSucceedWithoutMeasures(t *testing.T) {
	results := attempts(t, run(t, os.Getuid(), "no spawner", "everything unlocked", temporary(t)))
	for _, name := range []string{
		"read /etc/passwd", "read a file", "read the server's environment", "read the server's maps", "read its own environment", "list the root",
		"list the server's descriptors", "write a file", "remove a file", "rename a file", "make a folder", "open a unix socket", "open an internet socket", "start a program",
		"signal the server", "signal a thread of the server", "open a handle of the server", "limit the server", "give a descriptor to the server",
		"outlive the server", "be readable again", "map memory that isn't counted", "read a font", "read a library", "make a memory file", "exchange messages",
	} {
		if results[name] != "<nil>" {
			t.Errorf("%s: %s, want it done", name, results[name])
		}
	}
}

// Without seccomp the thread alone keeps files, programs and other processes away: Landlock works on its own.
func TestThreadAloneKeepsFilesAway(t *testing.T) {
	if _, err := landlockABI(); err != nil {
		t.Skipf("landlock is missing: %v", err)
	}
	for who, uid := range users() {
		t.Run(who, func(t *testing.T) {
			results := attempts(t, run(t, uid, "", "everything unlocked", temporary(t)))
			for name, want := range map[string]string{
				"read /etc/passwd": "permission denied", "read a file": "permission denied", "read the server's environment": "permission denied",
				"read its own environment": "permission denied", "list the root": "permission denied", "write a file": "permission denied",
				"write shared memory": "permission denied", "open a font for writing": "denied", "remove a file": "permission denied", "rename a file": "permission denied",
				"make a folder": "permission denied", "start a program": "permission denied", "signal the server": "not permitted",
				"trace the server": "not permitted",
			} {
				if !strings.Contains(results[name], want) {
					t.Errorf("%s: %s, want %s", name, results[name], want)
				}
			}
		})
	}
}

func TestRefusedMeasuresAreToldAndNoFailure(t *testing.T) {
	r := run(t, os.Getuid(), "refused", "status")
	if r.End != "" {
		t.Fatalf("the child ended: %s", r.End)
	}
	missing := strings.Join(r.Measures.Missing, "\n")
	for _, name := range []string{"landlock: not allowed here", "network and ipc namespaces: not allowed here", "no capabilities: not allowed here"} {
		if !strings.Contains(missing, name) {
			t.Errorf("%s is not told: %+v", name, r.Measures)
		}
	}
	if !slices.Contains(r.Measures.InForce, "no-new-privileges") {
		t.Errorf("no-new-privileges is not in force: %+v", r.Measures)
	}
	if want := "rlimits, ends with the server, not readable by others"; len(r.Lines) < 2 || r.Lines[0] != want || !strings.HasPrefix(r.Lines[1], "missing seccomp: not allowed here") {
		t.Errorf("the child has %q, want %s, and seccomp missing", r.Lines, want)
	}
}

func TestServerSeesMemoryOfConfinedChild(t *testing.T) {
	for who, uid := range users() {
		t.Run(who, func(t *testing.T) {
			r := run(t, uid, "", "status")
			if want := "rlimits, ends with the server, not readable by others, seccomp"; len(r.Lines) != 1 || r.Lines[0] != want {
				t.Errorf("the child has %q, want %s", r.Lines, want)
			}
			if fields := strings.Fields(r.Seen["statm"]); len(fields) != 7 {
				t.Errorf("statm is %q", r.Seen["statm"])
			}
			if r.Seen["oom_score_adj"] != "1000" {
				t.Errorf("oom_score_adj is %q, want 1000", r.Seen["oom_score_adj"])
			}
			if uid != 0 && !strings.Contains(r.Seen["environ"], "permission denied") {
				t.Errorf("others of its user read its environment: %q", r.Seen["environ"])
			}
		})
	}
}

func TestChildHasNoCapabilities(t *testing.T) {
	for who, uid := range users() {
		t.Run(who, func(t *testing.T) {
			if r := run(t, uid, "", "capabilities"); len(r.Lines) != 2 || r.Lines[0] != "0" {
				t.Errorf("the child has %q: %+v", r.Lines, r)
			}
		})
	}
}

// Caddy's official image gives the binary a capability, upon which the kernel forgets at exec what was asked of it.
func TestBinaryWithCapabilitiesIsConfinedAsWell(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("giving a file capabilities needs root")
	}
	binary := copyOfBinary(t)
	netBindService := []byte{1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0} // version 2, effective, 1<<10
	if err := unix.Setxattr(binary, "security.capability", netBindService, 0); err != nil {
		t.Skipf("the temporary folder's file system keeps no capabilities: %v", err)
	}
	for who, uid := range users() {
		t.Run(who, func(t *testing.T) {
			// In a user namespace of its own the child has what the file has, over nothing but that namespace.
			here, err := os.Readlink("/proc/self/ns/user")
			if err != nil {
				t.Fatal(err)
			}
			if r := runBinary(t, binary, uid, "", "capabilities"); len(r.Lines) != 2 || r.Lines[0] != "0" && strings.Contains(r.Lines[1], here) {
				t.Errorf("the child has %q: %+v", r.Lines, r)
			}
			endsWithServer(t, binary, uid, "busy")
		})
	}
}

func TestChildEndsWithServer(t *testing.T) {
	for who, uid := range users() {
		for _, child := range []string{"idle", "busy"} {
			t.Run(who+" "+child, func(t *testing.T) { endsWithServer(t, "/proc/self/exe", uid, child) })
		}
	}
}

// endsWithServer kills a server and looks whether its child, which never ends by itself, is gone.
func endsWithServer(t *testing.T, binary string, uid int, child string) {
	t.Helper()
	cmd := serverCommand(t, binary, uid, "", child)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	pid, wrong := strconv.Atoi(strings.TrimSpace(line))
	if wrong != nil || !running(pid) {
		t.Fatalf("the server said %q, %v", line, err)
	}
	cmd.Process.Kill()
	go io.Copy(io.Discard, out)
	cmd.Wait()
	for deadline := time.Now().Add(5 * time.Second); running(pid); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			unix.Kill(pid, unix.SIGKILL)
			t.Fatalf("the child outlives its server, which was killed")
		}
	}
}

// running reports whether a process runs; one that has ended may wait for whoever inherited it.
func running(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	_, state, _ := strings.Cut(string(stat), ") ")
	return err == nil && !strings.HasPrefix(state, "Z") && !strings.HasPrefix(state, "X")
}

func TestInheritedDescriptorsAreClosed(t *testing.T) {
	r := run(t, os.Getuid(), "leaking", "descriptors")
	if got := strings.Join(r.Lines, " "); got != "0 1 2 3" || r.End != "" {
		t.Errorf("the child has descriptors %s, want 0 1 2 3; %s", got, r.End)
	}
}

func TestChildHasTheFixedEnvironment(t *testing.T) {
	r := run(t, os.Getuid(), "", "environment")
	for _, variable := range r.Lines {
		name, _, _ := strings.Cut(variable, "=")
		if !slices.Contains(given, variable) && !slices.Contains(inherited, name) && !strings.HasPrefix(name, "LC_") {
			t.Errorf("the child has %s", variable)
		}
	}
	for _, want := range []string{"HOME=/nonexistent", "MALLOC_ARENA_MAX=1", "LC_TIME=C"} {
		if !slices.Contains(r.Lines, want) {
			t.Errorf("the child doesn't have %s: %q", want, r.Lines)
		}
	}
}

func TestMemoryIsLimited(t *testing.T) {
	const limit = 4096 // MiB; with the race detector alone a process has more than a gigabyte
	r := run(t, os.Getuid(), "", "memory", strconv.Itoa(limit<<20))
	number, reason, _ := strings.Cut(strings.Join(r.Lines, ""), " ")
	if n, err := strconv.Atoi(number); err != nil || n < limit/4 || n > limit || !strings.Contains(reason, "cannot allocate memory") {
		t.Errorf("of %d MiB the child took %q: %s", limit, r.Lines, r.End)
	}
}

func TestMemoryFilesDontGrowUnlessAllowed(t *testing.T) {
	if r := run(t, os.Getuid(), "", "file"); len(r.Lines) != 1 || r.Lines[0] != "true true" {
		t.Errorf("a memory file is made and doesn't grow: %q, %s", r.Lines, r.End)
	}
}

func TestCallsOfAnotherProcessorEndTheChild(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("only amd64 has another processor's calls that can be tried")
	}
	if r := run(t, os.Getuid(), "", "foreign unlocked"); r.End != "" {
		t.Skipf("this kernel takes no calls of 32-bit programs: %s", r.End)
	}
	if r := run(t, os.Getuid(), "", "foreign"); !strings.Contains(r.End, "bad system call") {
		t.Errorf("the child ended %q and said %q", r.End, r.Lines)
	}
}

func TestChildStartsFromDeletedBinary(t *testing.T) {
	if r := runBinary(t, copyOfBinary(t), os.Getuid(), "deleted", "environment"); r.End != "" || len(r.Lines) == 0 {
		t.Errorf("the child said %q and ended %q", r.Lines, r.End)
	}
}

func copyOfBinary(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "server")
	for _, err := range []error{os.Chmod(filepath.Dir(dir), 0o755), os.Chmod(dir, 0o755), os.WriteFile(path, data, 0o755)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func TestConfineRefusesLimitsWithoutSense(t *testing.T) {
	if _, err := Confine(Limits{Files: 3, Keep: 4}); err == nil {
		t.Error("more descriptors stay open than may be open")
	}
}
