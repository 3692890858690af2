package scripttest

import (
	"slices"
	"strings"
	"testing"
)

const xcaddyCall = "xcaddy build v2.11.9 --with example.com/m@v0.0.0=. --output ./caddy [cgo 1] [-O2 -g -DIMAGEORIGIN_VIPS=8.14.1]"

func TestBuildHappensOnlyWhenSomethingChanged(t *testing.T) {
	m := newMachine(t)
	for _, tt := range []struct {
		name   string
		change func()
		want   []string
	}{
		{"the first time", func() {}, []string{xcaddyCall}},
		{"nothing changed", func() {}, nil},
		{"a source file changed", func() { m.write(m.dir+"/imageorigin.go", "changed") }, []string{xcaddyCall}},
		{"go.sum changed", func() { m.write(m.dir+"/go.sum", "changed") }, []string{xcaddyCall}},
		{"a file that is no part of it changed", func() { m.write(m.dir+"/e2e/e2e_test.go", "changed") }, nil},
		{"the binary is gone", func() { m.remove(m.dir + "/caddy") }, []string{xcaddyCall}},
		{
			"libvips was upgraded",
			func() { m.write(m.state+"/version", "8.15.2") },
			[]string{strings.Replace(xcaddyCall, "8.14.1", "8.15.2", 1)},
		},
		{
			"other flags for C, which are kept",
			func() { m.env = append(m.env, "CGO_CFLAGS=-O3") },
			[]string{strings.NewReplacer("-O2 -g", "-O3", "8.14.1", "8.15.2").Replace(xcaddyCall)},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.change()
			r := m.run("build")
			if r.status != 0 || !slices.Equal(r.called(), tt.want) {
				t.Errorf("status %d, calls %q, want 0 and %q\n%s", r.status, r.called(), tt.want, r.stderr)
			}
			if upToDate := strings.Contains(r.stdout, "==> ./caddy is up to date\n"); upToDate != (tt.want == nil) {
				t.Errorf("said %q", r.stdout)
			}
		})
	}
}

func TestBuildThatFailedIsTriedAgain(t *testing.T) {
	m := newMachine(t)
	if r := m.run("build"); r.status != 0 {
		t.Fatal(r.stderr)
	}
	m.stub(m.state+"/tools/xcaddy", "exit 3")
	// The last text is that of the build that worked, but who knows what the failed one has left of its binary?
	for _, text := range []string{"broken", "broken", "imageorigin.go"} {
		m.write(m.dir+"/imageorigin.go", text)
		r := m.run("build")
		want := "\nxcaddy.sh: cannot build ./caddy\n  why:  xcaddy failed, as it says above\n  type: CGO_ENABLED=1 .build/xcaddy build " +
			"v2.11.9 --with example.com/m@v0.0.0=. --output ./caddy\n"
		if r.status != 1 || r.stderr != want {
			t.Errorf("source %q: status %d, said %q, want 1 and %q", text, r.status, r.stderr, want)
		}
	}
}

func TestRunBecomesTheServer(t *testing.T) {
	m := newMachine(t)
	m.write(m.dir+"/Caddyfile.example", "# try: /a.jpg  a picture\n")
	r := m.run("run")
	want := []string{xcaddyCall, "caddy run --config Caddyfile.example --adapter caddyfile [8080 8081 localhost:2019]"}
	if r.status != 7 || !slices.Equal(r.called(), want) {
		t.Errorf("status %d, calls\n%q, want the server's 7 and\n%q\n%s", r.status, r.called(), want, r.stderr)
	}
	if pid := strings.TrimSpace(m.read(m.state + "/pid")); pid != r.pid {
		t.Errorf("the server has process number %s, want the script's, %s: signals would miss it", pid, r.pid)
	}

	m.env = append(m.env, "IMAGEORIGIN_PORT=1", "IMAGEORIGIN_LEGACY_PORT=2", "IMAGEORIGIN_ADMIN=off")
	r = m.run("run")
	want = []string{"caddy run --config Caddyfile.example --adapter caddyfile [1 2 off]"}
	if r.status != 7 || !slices.Equal(r.called(), want) {
		t.Errorf("status %d, calls\n%q, want the server's 7 and\n%q\n%s", r.status, r.called(), want, r.stderr)
	}
}

func TestRunProposesAnotherPortWhenOneIsTaken(t *testing.T) {
	for _, tt := range []struct{ name, taken, port, remedy string }{
		{"site", ":8080", "8080", "IMAGEORIGIN_PORT=8090"},
		{"legacy site", ":8081", "8081", "IMAGEORIGIN_LEGACY_PORT=8091"},
		{"admin endpoint", "localhost:2019", "2019", "IMAGEORIGIN_ADMIN=localhost:2029"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newMachine(t)
			m.write(m.dir+"/Caddyfile.example", "")
			m.stub(m.state+"/tools/port", `if [ "$2" = `+tt.taken+` ]; then echo "$2: address already in use" >&2; exit 1; fi`)
			r := m.run("run")
			want := "\nxcaddy.sh: port " + tt.port + " cannot be used\n  why:  address already in use\n  type: " + tt.remedy + " ./xcaddy.sh run\n"
			if r.status != 1 || r.stderr != want {
				t.Errorf("status %d, said %q, want 1 and %q", r.status, r.stderr, want)
			}
			if len(r.called()) != 0 {
				t.Errorf("called %q although the port is known to be taken", r.called())
			}
		})
	}
}

func TestTestRunsEveryTestAndToldFailuresCount(t *testing.T) {
	all := []string{
		serversCall,
		azuriteCall,
		sdkCall,
		"go vet ./... [cgo 1]",
		"go -C tools vet ./... [cgo 1]",
		"go -C e2e vet ./... [cgo 1]",
		"go -C bench vet ./... [cgo 1]",
		"go -C bench test -count=1 ./internal/... [cgo 1]",
		"go test -race -timeout 30m ./... [cgo 1]",
		"go test -timeout 30m example.com/m. example.com/m/transform/plan [cgo 0]",
		"go test -timeout 30m -run Bombs|Damaged|InWorkers|Runaways ./transform/vipsexec [cgo 1]",
		"go -C e2e test -count=1 -timeout 30m ./... [cgo 1]",
	}
	for _, tt := range []struct {
		name, fails string
		status      int
		verdict     string
	}{
		{"all pass", "", 0, "==> all tests passed\n"},
		{"the root module", "go test -race\n", 1, "==> FAILED: go test -race\n"},
		{"without cgo", "example.com\n", 1, "==> FAILED: go test without cgo\n"},
		{"e2e", "go -C e2e test\n", 1, "==> FAILED: go test in e2e/\n"},
		{"several", "go vet\ngo -C e2e vet\ngo -C e2e test\n", 1, "==> FAILED: go vet, go vet in e2e/, go test in e2e/\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newMachine(t)
			m.write(m.state+"/fails", tt.fails)
			r := m.run("test")
			if r.status != tt.status || !strings.HasSuffix(r.stdout, tt.verdict) {
				t.Errorf("status %d, said %q, want %d and %q\n%s", r.status, r.stdout, tt.status, tt.verdict, r.stderr)
			}
			for _, call := range all {
				if !slices.Contains(r.calls, call) {
					t.Errorf("%q is not among the calls %q", call, r.calls)
				}
			}
		})
	}
}

func TestTestComplainsOfUnformattedFiles(t *testing.T) {
	m := newMachine(t)
	m.stub(m.state+"/goroot/bin/gofmt", "echo origins/ugly.go")
	r := m.run("test")
	if r.status != 1 || !strings.Contains(r.stdout, "not formatted (gofmt -w): origins/ugly.go\n") ||
		!strings.HasSuffix(r.stdout, "==> FAILED: gofmt\n") {
		t.Errorf("status %d, said %q", r.status, r.stdout)
	}
}

func TestCommandsAreExplained(t *testing.T) {
	m := newMachine(t)
	help := m.run("help")
	for _, word := range []string{"run", "test", "fuzz", "build", "prepare", "help", "IMAGEORIGIN_PORT", "IMAGEORIGIN_LEGACY_PORT", "IMAGEORIGIN_ADMIN"} {
		if !strings.Contains(help.stdout, "\n  "+word+" ") {
			t.Errorf("help does not explain %s:\n%s", word, help.stdout)
		}
	}
	if help.status != 0 || len(help.calls) != 0 {
		t.Errorf("status %d, calls %q, want 0 and none", help.status, help.calls)
	}
	for _, command := range []string{"", "serve"} {
		if r := m.run(command); r.status != 2 || r.stderr != help.stdout || len(r.calls) != 0 {
			t.Errorf("command %q: status %d, calls %q, want 2, the help and no calls\n%s", command, r.status, r.calls, r.stderr)
		}
	}
}
