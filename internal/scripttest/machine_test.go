package scripttest

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// root is the project's folder as seen from this package, where go test runs its tests.
const root = "../.."

// standardTools is all that the script may take for granted, on top of sh and its builtins.
var standardTools = []string{
	"cat", "chmod", "cksum", "cp", "dirname", "env", "find", "grep", "head", "mkdir", "rm", "sed", "sh", "sort", "touch", "tr",
}

// machine is a computer made of stubs. What it has and does is told by files in state, which the stubs read:
//
//	version       the version that pkg-config tells of libvips; no file: no libvips
//	lacking       the picture formats that libvips fails at
//	go            the version of go outside of a module; goinside: in this project, once it fetched a toolchain
//	unlisted      the status of go when it lists files of tests
//	fails         one word a line: "go vet" makes `go vet` fail
//	hidden/       commands that appear when a package manager installs something
//	on_install    shell commands that a package manager runs when it installs
type machine struct {
	t     *testing.T
	dir   string // the project
	bin   string // the PATH
	state string
	env   []string
}

var stubs = map[string]string{
	"pkg-config": `case "$*" in
		--version) echo 1.8.1 ;;
		"--exists vips >= 8.14") case $(cat $STATE/version 2>/dev/null) in 8.14*|8.15*|8.2*) ;; *) exit 1 ;; esac ;;
		"--modversion vips") cat $STATE/version 2>/dev/null ;;
		"--cflags --libs vips") echo -lvips ;;
		*) exit 9 ;;
		esac`,
	"gcc": `case "$*" in
		*vipsprobe.c*) [ -f $STATE/version ] || exit 1; echo "cat $STATE/lacking" >$2 ;;
		*) echo : >$2 ;;
		esac
		chmod +x $2`,
	"nginx": ":",
	"node":  ":",
	"npm":   `echo "npm $* [${PWD##*/project/}]" >>$STATE/calls; exit ${STUB_NPM:-0}`,
	"id":    `echo ${STUB_UID:-0}`,
	"uname": `case $1 in -s) echo ${STUB_SYSTEM:-Linux} ;; -m) echo x86_64 ;; esac`,
	"sudo":  `echo "sudo $*" >>$STATE/calls; exec "$@"`,
	"go": `case $* in
		version) if [ "$PWD" = / ] || [ ! -f $STATE/goinside ]; then v=$(cat $STATE/go); else v=$(cat $STATE/goinside); fi
			[ "$v" ] || exit 1; echo "go version go$v linux/amd64"; exit ;;
		"env CC") echo gcc; exit ;;
		"env GOTOOLCHAIN") echo ${GOTOOLCHAIN:-auto}; exit ;;
		"env GOROOT") echo $STATE/goroot; exit ;;
		env*) echo "$CGO_CFLAGS"; exit ;;
		"list -deps"*) echo $PWD/imageorigin.go; exit ;;
		"list -m") echo example.com/m; exit ;;
		"list -m -f"*) echo v2.11.9; exit ;;
		"list -f "*) for f in a/a b/b d/one d/two; do echo example.com/m/${f%%/*} $PWD/${f}_test.go; done; exit $(cat $STATE/unlisted) ;;
		"list ./...") for p in . /transform/plan /transform/vipsexec /internal/cmd/caddy; do echo example.com/m$p; done; exit ;;
		"-C tools build"*) cp $STATE/tools/* .build/ ;;
		"-C e2e/servers build"*) cp $STATE/servers/* .build/servers/ ;;
		esac
		echo "go $* [cgo $CGO_ENABLED]" >>$STATE/calls
		while read -r bad; do case "go $*" in *"$bad"*) echo "FAIL by $bad"; exit 1 ;; esac; done <$STATE/fails`,
}

// manager is the stub of every package manager.
const manager = `echo "${0##*/} $*" >>$STATE/calls
	case "$*" in update) exit ${STUB_UPDATE:-0} ;; esac
	. $STATE/on_install`

// newMachine returns a machine on which nothing is missing, with apt-get and sudo, run by root.
func newMachine(t *testing.T) *machine {
	t.Helper()
	base := t.TempDir()
	m := &machine{t: t, dir: base + "/project", bin: base + "/bin", state: base + "/state"}
	for _, dir := range []string{m.dir, m.bin, m.state + "/hidden", m.state + "/tools", m.state + "/servers", m.state + "/goroot/bin", base + "/home"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"xcaddy.sh", "tools/prepare.sh", "tools/servers.sh", "tools/vipsprobe/vipsprobe.c", "go.mod"} {
		copyFile(t, filepath.Join(root, name), filepath.Join(m.dir, name))
	}
	for _, name := range []string{
		"go.sum", "tools/go.sum", "imageorigin.go", "e2e/servers/go.mod", "e2e/servers/go.sum",
		"e2e/servers/azurite/package.json", "e2e/servers/azurite/package-lock.json",
		"e2e/servers/imagekit/package.json", "e2e/servers/imagekit/package-lock.json",
	} {
		m.write(filepath.Join(m.dir, name), name)
	}
	for _, name := range standardTools {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatalf("the script needs %s: %v", name, err)
		}
		if err := os.Symlink(path, filepath.Join(m.bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	for name, body := range stubs {
		m.stub(filepath.Join(m.bin, name), body)
	}
	m.stub(m.bin+"/apt-get", manager)
	m.stub(m.state+"/goroot/bin/gofmt", ":")
	m.stub(m.state+"/tools/port", ":")
	m.stub(m.state+"/servers/versitygw", ":")
	m.stub(m.state+"/servers/fake-gcs-server", ":")
	m.stub(m.state+"/servers/pebble", ":")
	m.stub(m.state+"/servers/pebble-challtestsrv", ":")
	m.stub(m.state+"/tools/xcaddy", `echo "xcaddy $* [cgo $CGO_ENABLED] [$CGO_CFLAGS]" >>$STATE/calls; cp $STATE/caddy ./caddy`)
	m.stub(m.state+"/caddy", `echo "caddy $* [$IMAGEORIGIN_PORT $IMAGEORIGIN_LEGACY_PORT $IMAGEORIGIN_ADMIN]" >>$STATE/calls; echo $$ >$STATE/pid; exit 7`)
	for name, text := range map[string]string{
		"version": "8.14.1", "lacking": "", "go": goDirective(t), "fails": "", "on_install": "", "calls": "", "unlisted": "0",
		"sys/usr/share/fonts/truetype/a.ttf": "font", "sys/etc/ssl/certs/ca-certificates.crt": "certificates",
	} {
		m.write(filepath.Join(m.state, name), text)
	}
	m.env = []string{"PATH=" + m.bin, "STATE=" + m.state, "IMAGEORIGIN_SYSROOT=" + m.state + "/sys", "HOME=" + base + "/home"}
	return m
}

// bare takes away all that the script can install; a package manager brings it back.
func (m *machine) bare() {
	m.t.Helper()
	for _, name := range []string{"pkg-config", "gcc"} {
		m.move(filepath.Join(m.bin, name), filepath.Join(m.state, "hidden", name))
	}
	for _, name := range []string{"version", "sys"} {
		m.move(filepath.Join(m.state, name), filepath.Join(m.state, "gone-"+name))
	}
	m.write(m.state+"/on_install", `cp $STATE/hidden/* ${PATH%%:*}/; cp $STATE/gone-version $STATE/version; cp -R $STATE/gone-sys $STATE/sys`)
}

// managers leaves the machine with these package managers.
func (m *machine) managers(names ...string) {
	m.t.Helper()
	m.remove(m.bin + "/apt-get")
	for _, name := range names {
		m.stub(filepath.Join(m.bin, name), manager)
	}
}

// result is how a run of the script ended.
type result struct {
	status         int
	pid            string
	stdout, stderr string
	calls          []string // of stubs that write themselves down
}

// run runs the script with a command and its arguments, by sh or the interpreter given.
func (m *machine) run(command string, interpreter ...string) result {
	m.t.Helper()
	if len(interpreter) == 0 {
		interpreter = []string{"/bin/sh"}
	}
	m.write(m.state+"/calls", "")
	cmd := exec.CommandContext(m.t.Context(), interpreter[0], slices.Concat(interpreter[1:], []string{"./xcaddy.sh"}, strings.Fields(command))...)
	var stdout, stderr bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = m.dir, m.env, &stdout, &stderr
	cmd.WaitDelay = 10 * time.Second
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		m.t.Fatalf("running the script: %v", err)
	}
	var calls []string
	if text := strings.TrimSpace(m.read(m.state + "/calls")); text != "" {
		calls = strings.Split(text, "\n")
	}
	return result{cmd.ProcessState.ExitCode(), strconv.Itoa(cmd.Process.Pid), stdout.String(), stderr.String(), calls}
}

// called returns the calls of commands other than go, which are those that change the machine.
func (r result) called() []string {
	var calls []string
	for _, call := range r.calls {
		if !strings.HasPrefix(call, "go ") {
			calls = append(calls, call)
		}
	}
	return calls
}

func (m *machine) stub(path, body string) {
	m.t.Helper()
	m.write(path, "#!/bin/sh\n"+body+"\n")
	if err := os.Chmod(path, 0o755); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) write(path, text string) {
	m.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) read(path string) string {
	m.t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		m.t.Fatal(err)
	}
	return string(text)
}

func (m *machine) move(from, to string) {
	m.t.Helper()
	if err := os.Rename(from, to); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) remove(path string) {
	m.t.Helper()
	if err := os.Remove(path); err != nil {
		m.t.Fatal(err)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	info, err := os.Stat(from)
	if err != nil {
		t.Fatal(err)
	}
	// Read through Go, so that the test's cached result is dropped when the file changes.
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, info.Mode().Perm()); err != nil {
		t.Fatal(err)
	}
}

// goDirective returns the lowest Go version that the module allows.
func goDirective(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if version, ok := strings.CutPrefix(line, "go "); ok {
			return strings.TrimSpace(version)
		}
	}
	t.Fatal("go.mod has no go directive")
	return ""
}
