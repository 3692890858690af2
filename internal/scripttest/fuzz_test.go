package scripttest

import (
	"slices"
	"strings"
	"testing"
)

// newFuzzed returns a machine with a project that has three fuzz targets, or none.
func newFuzzed(t *testing.T, some bool) *machine {
	t.Helper()
	m := newMachine(t)
	for name, text := range map[string]string{
		"a/a_test.go":   "func FuzzOne(f *testing.F) {\n\tf.Fuzz(nil)\n}\n\nfunc FuzzTwo(f *testing.F) { FuzzNothing() }\n",
		"b/b_test.go":   "// FuzzNothing is no target.\nfunc TestFuzz(t *testing.T) {}\n",
		"d/one_test.go": "package d\n",
		"d/two_test.go": "func FuzzOne(f *testing.F) {}\n",
	} {
		if !some {
			text = "package d\n"
		}
		m.write(m.dir+"/"+name, text)
	}
	return m
}

func fuzzCall(target, of, seconds string) string {
	return "go test -run ^$ -fuzz ^" + target + "$ -fuzztime " + seconds + "s -fuzzminimizetime 1s example.com/m/" + of + " [cgo 1]"
}

func TestFuzzSharesTheTime(t *testing.T) {
	for _, tt := range []struct{ name, command, share string }{
		{"ten minutes without a time", "fuzz", "200"},
		{"minutes", "fuzz 1m", "20"},
		{"hours", "fuzz 2h", "2400"},
		{"seconds", "fuzz 31s", "10"},
		{"a bare number is seconds", "fuzz 31", "10"},
		{"at least a second each", "fuzz 1s", "1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newFuzzed(t, true)
			r := m.run(tt.command)
			want := []string{fuzzCall("FuzzOne", "a", tt.share), fuzzCall("FuzzTwo", "a", tt.share), fuzzCall("FuzzOne", "d", tt.share)}
			got := slices.DeleteFunc(slices.Clone(r.calls), func(call string) bool { return !strings.Contains(call, "-fuzz") })
			if r.status != 0 || !slices.Equal(got, want) {
				t.Errorf("status %d, calls\n%q, want 0 and\n%q\n%s", r.status, got, want, r.stderr)
			}
			if !strings.Contains(r.stdout, "==> 3 fuzz targets, "+tt.share+" s each\n") || !strings.HasSuffix(r.stdout, "==> no input failed\n") {
				t.Errorf("said %q", r.stdout)
			}
		})
	}
}

func TestFuzzGoesOnBehindAFailure(t *testing.T) {
	m := newFuzzed(t, true)
	m.write(m.state+"/fails", "FuzzOne$ -fuzztime 200s -fuzzminimizetime 1s example.com/m/a\n")
	r := m.run("fuzz")
	if r.status != 1 || !strings.HasSuffix(r.stdout, "==> FAILED: FuzzOne in example.com/m/a\n") {
		t.Errorf("status %d, said %q", r.status, r.stdout)
	}
	for _, call := range []string{fuzzCall("FuzzTwo", "a", "200"), fuzzCall("FuzzOne", "d", "200")} {
		if !slices.Contains(r.calls, call) {
			t.Errorf("%q is not among the calls %q", call, r.calls)
		}
	}
}

func TestFuzzRefusesWhatItCantDo(t *testing.T) {
	for _, tt := range []struct {
		name, command  string
		some           bool
		unlisted, want string
	}{
		{"no time", "fuzz soon", true, "0", "xcaddy.sh: 'soon' is no time\n"},
		{"no time at all", "fuzz 0s", true, "0", "xcaddy.sh: '0s' is no time\n"},
		{"a fraction", "fuzz 1.5h", true, "0", "xcaddy.sh: '1.5h' is no time\n"},
		{"no number", "fuzz m", true, "0", "xcaddy.sh: 'm' is no time\n"},
		{"packages that can't be loaded", "fuzz", true, "1", "xcaddy.sh: cannot list the fuzz targets\n"},
		{"no targets", "fuzz", false, "0", "xcaddy.sh: there are no fuzz targets\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newFuzzed(t, tt.some)
			m.write(m.state+"/unlisted", tt.unlisted)
			r := m.run(tt.command)
			if r.status != 1 || !strings.HasPrefix(r.stderr, "\n"+tt.want) || !strings.Contains(r.stderr, "\n  type: ") {
				t.Errorf("status %d, said %q, want 1 and %q", r.status, r.stderr, tt.want)
			}
			if slices.ContainsFunc(r.calls, func(call string) bool { return strings.Contains(call, "-fuzz") }) {
				t.Errorf("calls %q", r.calls)
			}
		})
	}
}
