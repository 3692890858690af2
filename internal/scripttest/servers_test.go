package scripttest

import (
	"slices"
	"strings"
	"testing"
)

const (
	serversCall = "go -C e2e/servers build -o ../../.build/servers/ tool [cgo 0]"
	azuriteCall = "npm ci --ignore-scripts --omit=dev --no-audit --no-fund --loglevel=error [.build/servers/azurite]"
	sdkCall     = "npm ci --ignore-scripts --omit=dev --no-audit --no-fund --loglevel=error [.build/servers/imagekit]"
)

// serverCalls returns the calls that get the servers.
func (r result) serverCalls() []string {
	var calls []string
	for _, call := range r.calls {
		if strings.HasPrefix(call, "npm ") || strings.Contains(call, "e2e/servers") {
			calls = append(calls, call)
		}
	}
	return calls
}

func TestServersAreBuiltOnlyWhenSomethingChanged(t *testing.T) {
	m := newMachine(t)
	for _, tt := range []struct {
		name   string
		change func()
		want   []string
	}{
		{"the first time", func() {}, []string{serversCall, azuriteCall, sdkCall}},
		{"nothing changed", func() {}, nil},
		{"go.mod changed", func() { m.write(m.dir+"/e2e/servers/go.mod", "changed") }, []string{serversCall}},
		{"go.sum changed", func() { m.write(m.dir+"/e2e/servers/go.sum", "changed") }, []string{serversCall}},
		{"a binary is gone", func() { m.remove(m.dir + "/.build/servers/fake-gcs-server") }, []string{serversCall}},
		{"another binary is gone", func() { m.remove(m.dir + "/.build/servers/pebble-challtestsrv") }, []string{serversCall}},
		{
			"package-lock.json changed",
			func() { m.write(m.dir+"/e2e/servers/azurite/package-lock.json", "changed") },
			[]string{azuriteCall},
		},
		{
			"the SDK's package-lock.json changed",
			func() { m.write(m.dir+"/e2e/servers/imagekit/package-lock.json", "changed") },
			[]string{sdkCall},
		},
		{"a test changed", func() { m.write(m.dir+"/e2e/e2e_test.go", "changed") }, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.change()
			r := m.run("test")
			if r.status != 0 || !slices.Equal(r.serverCalls(), tt.want) {
				t.Errorf("status %d, calls %q, want 0 and %q\n%s", r.status, r.serverCalls(), tt.want, r.stderr)
			}
			for _, name := range []string{"package.json", "package-lock.json"} {
				for _, of := range []string{"azurite/", "imagekit/"} {
					if got := m.read(m.dir + "/.build/servers/" + of + name); got != m.read(m.dir+"/e2e/servers/"+of+name) {
						t.Errorf("npm was left with the %s%s %q", of, name, got)
					}
				}
			}
		})
	}
}

func TestServersThatFailedAreTriedAgain(t *testing.T) {
	m := newMachine(t)
	for _, tt := range []struct {
		fails string // of go
		npm   string // the status of npm
		want  []string
	}{
		{"go -C e2e/servers\n", "1", []string{serversCall}},
		{"", "1", []string{serversCall, azuriteCall}},
		{"", "1", []string{azuriteCall}},
		{"", "0", []string{azuriteCall, sdkCall}},
		{"", "0", nil},
	} {
		m.write(m.state+"/fails", tt.fails)
		m.env = append(m.env, "STUB_NPM="+tt.npm)
		if r := m.run("test"); !slices.Equal(r.serverCalls(), tt.want) {
			t.Errorf("%+v: calls %q\n%s", tt, r.serverCalls(), r.stderr)
		}
	}
}

func TestServersAreForTestsOnly(t *testing.T) {
	m := newMachine(t)
	m.write(m.dir+"/Caddyfile.example", "")
	for _, name := range []string{"nginx", "node", "npm"} {
		m.remove(m.bin + "/" + name)
	}
	for _, command := range []string{"prepare", "build", "run"} {
		r := m.run(command)
		if len(r.serverCalls()) != 0 || slices.ContainsFunc(r.calls, func(call string) bool { return strings.HasPrefix(call, "apt-get") }) {
			t.Errorf("%s: calls %q, want none for servers\n%s", command, r.calls, r.stderr)
		}
	}
}

// withoutServers takes away what the system brings of the servers; a package manager brings it back.
func (m *machine) withoutServers(names ...string) {
	m.t.Helper()
	for _, name := range names {
		m.move(m.bin+"/"+name, m.state+"/hidden/"+name)
	}
	m.write(m.state+"/on_install", "cp $STATE/hidden/* ${PATH%%:*}/")
}

func TestServersOfTheSystemAreInstalledByItsPackageManager(t *testing.T) {
	all := []string{"nginx", "node", "npm"}
	const service = "==> note: your system may run nginx as a service now, which no test needs: systemctl disable --now nginx ends that\n"
	for _, tt := range []struct {
		name, manager string
		missing       []string
		env           []string
		calls         []string
		says          string
	}{
		{
			"apt-get", "apt-get", all, nil,
			[]string{"apt-get update", "apt-get install -y --no-install-recommends nginx-light nodejs npm"},
			"==> missing: nginx, Node.js, npm\n",
		},
		{
			"apt-get starts services", "apt-get",
			[]string{"nginx"},
			nil,
			[]string{"apt-get update", "apt-get install -y --no-install-recommends nginx-light"},
			service,
		},
		{"dnf", "dnf", all, nil, []string{"dnf install -y nginx nodejs npm"}, "==> dnf: installing nginx nodejs npm\n"},
		{"apk", "apk", all, nil, []string{"apk add --no-cache nginx nodejs npm"}, ""},
		{"pacman", "pacman", all, nil, []string{"pacman -Sy --needed --noconfirm nginx nodejs npm"}, ""},
		{"brew, whose Node.js has npm", "brew", all, []string{"STUB_SYSTEM=Darwin", "STUB_UID=501"}, []string{"brew install nginx node"}, ""},
		{"npm alone", "apk", []string{"npm"}, nil, []string{"apk add --no-cache npm"}, "==> missing: npm\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newMachine(t)
			m.managers(tt.manager)
			m.withoutServers(tt.missing...)
			m.env = append(m.env, tt.env...)
			r := m.run("test")
			if want := append(tt.calls, azuriteCall, sdkCall, xcaddyCall); r.status != 0 || !slices.Equal(r.called(), want) {
				t.Errorf("status %d, calls\n%q, want 0 and\n%q\n%s%s", r.status, r.called(), want, r.stdout, r.stderr)
			}
			if !strings.Contains(r.stdout, tt.says) || strings.Contains(r.stdout, service) != (tt.manager == "apt-get") {
				t.Errorf("said %q, want %q in it", r.stdout, tt.says)
			}
		})
	}
}

func TestNginxIsFoundWhereDebianKeepsIt(t *testing.T) {
	m := newMachine(t)
	m.move(m.bin+"/nginx", m.state+"/nginx")
	m.write(m.state+"/sys/usr/sbin/nginx", "")
	m.stub(m.state+"/sys/usr/sbin/nginx", ":")
	if r := m.run("test"); r.status != 0 || !slices.Equal(r.called(), []string{azuriteCall, sdkCall, xcaddyCall}) {
		t.Errorf("status %d, calls %q, want 0 and none that installs\n%s", r.status, r.called(), r.stderr)
	}
}

func TestServersAreRefusedInWords(t *testing.T) {
	for _, tt := range []struct {
		name            string
		arrange         func(m *machine)
		calls           []string
		what, why, hint string
	}{
		{
			"no package manager", func(m *machine) { m.withoutServers("nginx", "node"); m.managers() }, nil,
			"cannot install nginx, Node.js",
			"none of apt-get, dnf, apk, pacman and brew is here",
			"the install command of your system for these",
		},
		{
			"neither root nor sudo",
			func(m *machine) {
				m.withoutServers("nginx")
				m.remove(m.bin + "/sudo")
				m.env = append(m.env, "STUB_UID=1000")
			}, nil,
			"cannot install nginx",
			"apt-get needs root, and there is no sudo here",
			"su -c 'apt-get update && apt-get install --no-install-recommends nginx-light'",
		},
		{
			"the installation fails",
			func(m *machine) { m.withoutServers("npm"); m.write(m.state+"/on_install", "exit 100") },
			[]string{"apt-get update", "apt-get install -y --no-install-recommends npm"},
			"cannot install npm",
			"apt-get failed, as it says above",
			"apt-get update && apt-get install --no-install-recommends npm",
		},
		{
			"the installation says it worked",
			func(m *machine) { m.withoutServers("npm"); m.write(m.state+"/on_install", "") },
			[]string{"apt-get update", "apt-get install -y --no-install-recommends npm"},
			"still missing: npm",
			"apt-get said that it had installed npm",
			"apt-get update && apt-get install --no-install-recommends npm",
		},
		{
			"the servers can't be built",
			func(m *machine) { m.write(m.state+"/fails", "go -C e2e/servers build\n") }, nil,
			"cannot build the servers that the tests need",
			"go failed, as it says above",
			"cd e2e/servers && CGO_ENABLED=0 go build -o ../../.build/servers/ tool",
		},
		{
			"npm fails",
			func(m *machine) { m.env = append(m.env, "STUB_NPM=1") },
			[]string{azuriteCall},
			"cannot install Azurite",
			"npm failed, as it says above",
			"cd .build/servers/azurite && npm ci --ignore-scripts",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newMachine(t)
			tt.arrange(m)
			r := m.run("test")
			if r.status != 1 || !slices.Equal(r.called(), tt.calls) {
				t.Errorf("status %d, calls %q, want 1 and %q\n%s", r.status, r.called(), tt.calls, r.stdout)
			}
			text := "\nxcaddy.sh: " + tt.what + "\n  why:  " + tt.why + "\n  type: " + tt.hint + "\n"
			if !strings.HasSuffix(r.stderr, text) {
				t.Errorf("refusal\n%s, want\n%s", r.stderr, text)
			}
		})
	}
}
