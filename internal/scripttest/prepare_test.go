package scripttest

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const fromSource = "in an unpacked release from https://github.com/libvips/libvips/releases: " +
	"meson setup build && meson compile -C build && sudo meson install -C build && sudo ldconfig"

const everything = "libvips 8.14 or newer with its headers, pkg-config, a C compiler, fonts, CA certificates"

func TestPrepareInstallsNothingWhenNothingIsMissing(t *testing.T) {
	m := newMachine(t)
	r := m.run("prepare")
	if r.status != 0 || len(r.called()) != 0 {
		t.Errorf("status %d, calls %q, want 0 and none\n%s", r.status, r.called(), r.stderr)
	}
	if want := "go -C tools build -o ../.build/ github.com/caddyserver/xcaddy/cmd/xcaddy ./port [cgo 0]"; !slices.Contains(r.calls, want) {
		t.Errorf("calls %q lack %q", r.calls, want)
	}
}

func TestPrepareInstallsByTheSystemsPackageManager(t *testing.T) {
	const aptInstall = "apt-get install -y --no-install-recommends libvips-dev pkg-config gcc libc6-dev fonts-dejavu-core ca-certificates"
	for _, tt := range []struct {
		name     string
		managers []string
		env      []string
		calls    []string
		says     string
	}{
		{"apt-get", []string{"apt-get"}, nil, []string{"apt-get update", aptInstall}, "==> apt-get: refreshing the package lists\n"},
		{
			"apt-get by sudo",
			[]string{"apt-get"},
			[]string{"STUB_UID=1000"},
			[]string{
				"sudo apt-get update", "apt-get update",
				"sudo env DEBIAN_FRONTEND=noninteractive " + aptInstall, aptInstall,
			},
			"==> not root: apt-get is run by sudo, which may ask for your password\n",
		},
		{
			"apt-get with a source that is down",
			[]string{"apt-get"},
			[]string{"STUB_UPDATE=100"},
			[]string{"apt-get update", aptInstall},
			"==> apt-get update failed: trying with the lists that are here\n",
		},
		{
			"dnf",
			[]string{"dnf"},
			nil,
			[]string{"dnf install -y vips-devel pkgconf-pkg-config gcc glibc-devel dejavu-sans-fonts ca-certificates"},
			"==> dnf: installing vips-devel ",
		},
		{
			"apk",
			[]string{"apk"},
			nil,
			[]string{"apk add --no-cache vips-dev pkgconf gcc musl-dev font-dejavu ca-certificates"},
			"==> apk: installing vips-dev ",
		},
		{
			"pacman without package lists",
			[]string{"pacman"},
			nil,
			[]string{"pacman -Sy --needed --noconfirm libvips pkgconf gcc ttf-dejavu ca-certificates"},
			"==> pacman: installing libvips ",
		},
		{
			"the first of several",
			[]string{"brew", "apk", "dnf"},
			nil,
			[]string{"dnf install -y vips-devel pkgconf-pkg-config gcc glibc-devel dejavu-sans-fonts ca-certificates"},
			"==> missing: " + everything + "\n",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newMachine(t)
			m.bare()
			m.managers(tt.managers...)
			m.env = append(m.env, tt.env...)
			r := m.run("prepare")
			if r.status != 0 || !slices.Equal(r.called(), tt.calls) {
				t.Errorf("status %d, calls\n%q, want 0 and\n%q\n%s%s", r.status, r.called(), tt.calls, r.stdout, r.stderr)
			}
			if !strings.Contains(r.stdout, tt.says) {
				t.Errorf("said %q, want %q in it", r.stdout, tt.says)
			}
			if again := m.run("prepare"); again.status != 0 || len(again.called()) != 0 {
				t.Errorf("again: status %d, calls %q, want 0 and none", again.status, again.called())
			}
		})
	}
}

func TestPrepareRefreshesNoListsOfAnArchInUse(t *testing.T) {
	m := newMachine(t)
	m.managers("pacman")
	m.write(m.state+"/sys/var/lib/pacman/sync/core.db", "")
	m.move(m.bin+"/pkg-config", m.state+"/hidden/pkg-config")
	m.write(m.state+"/on_install", `cp $STATE/hidden/* ${PATH%%:*}/`)
	r := m.run("prepare")
	if want := []string{"pacman -S --needed --noconfirm libvips pkgconf"}; r.status != 0 || !slices.Equal(r.called(), want) {
		t.Errorf("status %d, calls %q, want 0 and %q\n%s", r.status, r.called(), want, r.stderr)
	}
}

func TestPrepareUsesBrewOnMacOSAndNeverBySudo(t *testing.T) {
	m := newMachine(t)
	m.managers("brew", "apt-get")
	m.env = append(m.env, "STUB_SYSTEM=Darwin", "STUB_UID=501")
	m.move(m.bin+"/pkg-config", m.state+"/hidden/pkg-config")
	m.write(m.state+"/on_install", `cp $STATE/hidden/* ${PATH%%:*}/`)
	r := m.run("prepare")
	if want := []string{"brew install vips pkgconf"}; r.status != 0 || !slices.Equal(r.called(), want) {
		t.Errorf("status %d, calls %q, want 0 and %q\n%s", r.status, r.called(), want, r.stderr)
	}
}

func TestPrepareInstallsOnlyWhatIsMissing(t *testing.T) {
	m := newMachine(t)
	m.move(m.state+"/sys/usr/share/fonts", m.state+"/gone-fonts")
	m.write(m.state+"/on_install", "cp -R $STATE/gone-fonts $STATE/sys/usr/share/fonts")
	r := m.run("prepare")
	want := []string{"apt-get update", "apt-get install -y --no-install-recommends fonts-dejavu-core"}
	if r.status != 0 || !slices.Equal(r.called(), want) {
		t.Errorf("status %d, calls %q, want 0 and %q\n%s", r.status, r.called(), want, r.stderr)
	}
}

func TestPrepareRefusesInWords(t *testing.T) {
	want := goDirective(t)
	tarball := "go" + want + ".linux-amd64.tar.gz"
	getGo := "curl -LO https://go.dev/dl/" + tarball + " && sudo rm -rf /usr/local/go && sudo tar -C /usr/local -xzf " + tarball +
		" && export PATH=/usr/local/go/bin:$PATH"
	const byHand = "apt-get update && apt-get install --no-install-recommends " +
		"libvips-dev pkg-config gcc libc6-dev fonts-dejavu-core ca-certificates"
	aptCalls := []string{
		"apt-get update",
		"apt-get install -y --no-install-recommends libvips-dev pkg-config gcc libc6-dev fonts-dejavu-core ca-certificates",
	}
	for _, tt := range []struct {
		name            string
		arrange         func(m *machine)
		calls           []string
		what, why, hint string
	}{
		{
			"no package manager", func(m *machine) { m.bare(); m.managers() }, nil,
			"cannot install " + everything,
			"none of apt-get, dnf, apk, pacman and brew is here",
			"the install command of your system for these; libvips, " + fromSource,
		},
		{
			"macOS without brew",
			func(m *machine) { m.bare(); m.env = append(m.env, "STUB_SYSTEM=Darwin") }, nil,
			"cannot install libvips 8.14 or newer with its headers, pkg-config, a C compiler",
			"brew is missing",
			"the command on https://brew.sh, then ./xcaddy.sh prepare",
		},
		{
			"macOS without a compiler",
			func(m *machine) { m.bare(); m.managers("brew"); m.env = append(m.env, "STUB_SYSTEM=Darwin") }, nil,
			"cannot install a C compiler",
			"it comes with Apple's command line tools",
			"xcode-select --install",
		},
		{
			"neither root nor sudo",
			func(m *machine) { m.bare(); m.remove(m.bin + "/sudo"); m.env = append(m.env, "STUB_UID=1000") }, nil,
			"cannot install " + everything,
			"apt-get needs root, and there is no sudo here",
			"su -c '" + byHand + "'",
		},
		{
			"the installation fails",
			func(m *machine) { m.bare(); m.write(m.state+"/on_install", "exit 100") }, aptCalls,
			"cannot install " + everything,
			"apt-get failed, as it says above",
			byHand,
		},
		{
			"the installation says it worked",
			func(m *machine) { m.bare(); m.write(m.state+"/on_install", "") }, aptCalls,
			"still missing: " + everything,
			"apt-get said that it had installed libvips-dev pkg-config gcc libc6-dev fonts-dejavu-core ca-certificates",
			byHand,
		},
		{
			"the installed libvips is too old",
			func(m *machine) { m.bare(); m.write(m.state+"/gone-version", "8.10.5") }, aptCalls,
			"libvips 8.10.5 is too old; 8.14 or newer is needed",
			"apt-get has nothing newer",
			fromSource,
		},
		{
			"no Go, so nothing is installed either",
			func(m *machine) { m.bare(); m.remove(m.bin + "/go") }, nil,
			"Go is missing; " + want + " or newer is needed",
			"there is no go command on PATH, and this script does not install Go",
			getGo,
		},
		{
			"a Go from before toolchains",
			func(m *machine) { m.bare(); m.write(m.state+"/go", "1.19.8") }, nil,
			"Go 1.19.8 is too old; " + want + " or newer is needed",
			"go.mod asks for it, and this script does not install Go",
			getGo,
		},
		{
			"an old Go that must not fetch a newer one",
			func(m *machine) { m.write(m.state+"/go", "1.22rc1"); m.env = append(m.env, "GOTOOLCHAIN=local") }, nil,
			"Go 1.22rc1 is too old; " + want + " or newer is needed",
			"go.mod asks for it, and GOTOOLCHAIN=local forbids go to fetch a newer one by itself",
			"GOTOOLCHAIN=auto ./xcaddy.sh prepare",
		},
		{
			"an old Go that cannot fetch a newer one",
			func(m *machine) { m.write(m.state+"/go", "1.22.1"); m.write(m.state+"/goinside", "") }, nil,
			"Go is too old; " + want + " or newer is needed",
			"go could not fetch the newer toolchain by itself (GOTOOLCHAIN=auto)",
			getGo,
		},
		{
			"a libvips without AVIF that stays so",
			func(m *machine) { m.write(m.state+"/lacking", "avif\njxl\n") },
			[]string{"apt-get update", "apt-get install -y --no-install-recommends libheif-plugin-aomenc libheif-plugin-dav1d"},
			"libvips 8.14.1 cannot read and write avif",
			"a picture of that format failed the test in tools/vipsprobe",
			"apt-get update && apt-get install --no-install-recommends libheif-plugin-aomenc libheif-plugin-dav1d",
		},
		{
			"a libvips without WebP, for which there is no package",
			func(m *machine) { m.write(m.state+"/lacking", "webp\n") }, nil,
			"libvips 8.14.1 cannot read and write webp",
			"a picture of that format failed the test in tools/vipsprobe",
			fromSource,
		},
		{
			"xcaddy can't be built",
			func(m *machine) { m.write(m.state+"/fails", "go -C tools build\n") }, nil,
			"cannot build xcaddy",
			"go failed, as it says above",
			"cd tools && go build github.com/caddyserver/xcaddy/cmd/xcaddy",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newMachine(t)
			tt.arrange(m)
			r := m.run("prepare")
			if r.status != 1 {
				t.Errorf("status %d, want 1\n%s", r.status, r.stdout)
			}
			if !slices.Equal(r.called(), tt.calls) {
				t.Errorf("calls\n%q, want\n%q", r.called(), tt.calls)
			}
			text := "\nxcaddy.sh: " + tt.what + "\n  why:  " + tt.why + "\n  type: " + tt.hint + "\n"
			if !strings.HasSuffix(r.stderr, text) {
				t.Errorf("refusal\n%s, want\n%s", r.stderr, text)
			}
		})
	}
}

func TestPrepareLetsGoFetchANewerToolchain(t *testing.T) {
	m := newMachine(t)
	m.write(m.state+"/go", "1.22.1")
	m.write(m.state+"/goinside", goDirective(t))
	r := m.run("prepare")
	want := "==> Go 1.22.1 is older than " + goDirective(t) + ": letting it fetch the newer toolchain by itself\n"
	if r.status != 0 || !strings.Contains(r.stdout, want) {
		t.Errorf("status %d, said %q, want 0 and %q in it\n%s", r.status, r.stdout, want, r.stderr)
	}
}

func TestPrepareInstallsCodecsOfTheirOwnPackages(t *testing.T) {
	for _, tt := range []struct {
		name, manager, lacking string
		fresh                  bool
		after                  string // what is lacking once codecs are installed
		install                string // the call that installs them
		note                   string
	}{
		{
			"AVIF and HEIC of Debian", "apt-get", "avif\nheic\n", false, "",
			"apt-get install -y --no-install-recommends libheif-plugin-aomenc libheif-plugin-dav1d libheif-plugin-libde265", "",
		},
		{"all of Fedora, which has no HEIC", "dnf", "avif\nheic\njxl\n", false, "heic", "dnf install -y vips-heif vips-jxl", "heic"},
		{"all of Alpine", "apk", "avif\nheic\njxl\n", true, "", "apk add --no-cache vips-heif vips-jxl", ""},
		{"all of Arch", "pacman", "avif\nheic\njxl\n", true, "", "pacman -Sy --needed --noconfirm libheif libjxl", ""},
		{"JPEG XL on a machine just prepared", "apk", "jxl\n", true, "", "apk add --no-cache vips-jxl", ""},
		{"no JPEG XL is no reason to ask for root again", "apk", "jxl\n", false, "jxl", "", "jxl"},
		{"no JPEG XL to be had on a machine just prepared", "apt-get", "jxl\n", true, "jxl", "", "jxl"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newMachine(t)
			m.managers(tt.manager)
			m.write(m.state+"/lacking", tt.lacking)
			if tt.fresh {
				m.bare()
			}
			m.write(m.state+"/after", tt.after)
			m.write(m.state+"/on_install", m.read(m.state+"/on_install")+
				"\ncase $* in *vips-dev*|*' libvips '*|*libvips-dev*) ;; *) cp $STATE/after $STATE/lacking ;; esac")
			r := m.run("prepare")
			if r.status != 0 {
				t.Fatalf("status %d, want 0\n%s%s", r.status, r.stdout, r.stderr)
			}
			last := ""
			for _, call := range r.called() {
				if strings.Contains(call, "heif") || strings.Contains(call, "jxl") {
					last = call
				}
			}
			if last != tt.install {
				t.Errorf("installed codecs by %q, want %q", last, tt.install)
			}
			note := "==> note: this libvips has no codec for " + tt.note + "; all else works\n"
			if strings.Contains(r.stdout, "note:") != (tt.note != "") || tt.note != "" && !strings.Contains(r.stdout, note) {
				t.Errorf("said %q, want a note on %q", r.stdout, tt.note)
			}
		})
	}
}

func TestPrepareRunsInOtherShells(t *testing.T) {
	for _, interpreter := range [][]string{{"bash", "--posix"}, {"dash"}, {"busybox", "sh"}} {
		t.Run(interpreter[0], func(t *testing.T) {
			path, err := exec.LookPath(interpreter[0])
			if err != nil {
				t.Skipf("%s is not on this machine", interpreter[0])
			}
			for _, command := range []string{"prepare", "test"} {
				m := newMachine(t)
				m.bare()
				r := m.run(command, append([]string{path}, interpreter[1:]...)...)
				// busybox may run its own id and uname instead of the stubs, so only that apt-get is called is sure.
				if r.status != 0 || !slices.Contains(r.called(), "apt-get update") {
					t.Errorf("%s: status %d, calls %q\n%s", command, r.status, r.called(), r.stderr)
				}
			}
		})
	}
}
