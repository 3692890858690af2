package remote

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// write writes a file of dir and returns its name.
func write(t *testing.T, dir, name, content string) string {
	t.Helper()
	name = filepath.Join(dir, name)
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func newSecret(t *testing.T, text string) *Secret {
	t.Helper()
	s, err := NewSecret(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSecretIsReadAgainWhenItsFileChanges(t *testing.T) {
	dir := t.TempDir()
	name := write(t, dir, "key", "first\n")
	s := newSecret(t, "{file."+name+"}")
	expect := func(what, want string) {
		t.Helper()
		if got := s.Value(); got != want {
			t.Errorf("%s: got %q, want %q", what, got, want)
		}
	}
	expect("at first", "first")
	write(t, dir, "key", "second one\n")
	expect("written to", "second one")
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	expect("missing", "second one")
	write(t, dir, "key", "")
	expect("empty", "second one")
	write(t, dir, "key", "third")
	expect("there again", "third")

	// Another file of the same size and time, as tools leave it that keep times.
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	other := write(t, dir, "other", "THIRD")
	if err := os.Chtimes(other, time.Time{}, info.ModTime()); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(other, name); err != nil {
		t.Fatal(err)
	}
	expect("replaced by one of the same size and time", "THIRD")
}

// Kubernetes mounts a secret as a link to a file below a link to a folder, and swaps the folder's link.
func TestSecretFollowsTheSwapOfALink(t *testing.T) {
	dir := t.TempDir()
	for version, content := range map[string]string{"..v1": "first", "..v2": "other"} {
		if err := os.Mkdir(filepath.Join(dir, version), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, version), "key", content)
	}
	link := func(to, name string) {
		t.Helper()
		if err := os.Symlink(to, filepath.Join(dir, "new")); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(dir, "new"), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	link("..v1", "..data")
	link("..data/key", "key")
	s := newSecret(t, "{file."+dir+"/key}")
	if got := s.Value(); got != "first" {
		t.Errorf("got %q", got)
	}
	link("..v2", "..data")
	if got := s.Value(); got != "other" {
		t.Errorf("after the swap: got %q", got)
	}
}

func TestSecretIsMadeOfAllItsPlaceholders(t *testing.T) {
	dir := t.TempDir()
	first, second := write(t, dir, "first", "one"), write(t, dir, "second", "two")
	t.Setenv("IMAGEORIGIN_TEST_PART", "env")
	s := newSecret(t, "{env.IMAGEORIGIN_TEST_PART}-{file."+first+"}-{file."+second+"}-end")
	if got := s.Value(); got != "env-one-two-end" {
		t.Errorf("got %q", got)
	}
	write(t, dir, "second", "changed")
	if got := s.Value(); got != "env-one-changed-end" {
		t.Errorf("after the second changed: got %q", got)
	}
	if got := newSecret(t, "literal").Value(); got != "literal" {
		t.Errorf("got %q", got)
	}
	if got := (*Secret)(nil).Value(); got != "" {
		t.Errorf("of none: got %q", got)
	}
}

func TestSecretThatCannotBeReadIsAnError(t *testing.T) {
	os.Unsetenv("IMAGEORIGIN_TEST_UNSET")
	for _, text := range []string{"{env.IMAGEORIGIN_TEST_UNSET}", "{file./nonexistent/key}", "{file." + write(t, t.TempDir(), "empty", "") + "}", "{http.request.host}"} {
		if _, err := NewSecret(text); err == nil {
			t.Errorf("%s: accepted", text)
		}
	}
}

func TestSecretNeverPrintsItself(t *testing.T) {
	s := newSecret(t, "hunter2")
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if text := fmt.Sprintf(format, s); strings.Contains(text, "hunter2") || strings.Contains(text, "68756e74657232") {
			t.Errorf("%s prints %s", format, text)
		}
	}
}

func TestSecretIsReadByManyAtOnce(t *testing.T) {
	dir := t.TempDir()
	name := write(t, dir, "key", "0")
	s := newSecret(t, "{file."+name+"}")
	var readers sync.WaitGroup
	for range 8 {
		readers.Go(func() {
			for range 100 {
				if s.Value() == "" {
					t.Error("read as empty")
				}
			}
		})
	}
	for i := range 50 {
		write(t, dir, "key", strings.Repeat("x", i+1))
	}
	readers.Wait()
	if got := s.Value(); got != strings.Repeat("x", 50) {
		t.Errorf("at last: got %q", got)
	}
}

func TestResolveRepeatsNothingOfASecret(t *testing.T) {
	t.Setenv("IMAGEORIGIN_SET", "x")
	for _, tt := range []struct{ name, text, want string }{
		{"braces", "hun{ter2secret}x", "no placeholder"},
		{"an object", `{"type":"service_account","private_key":"ter2secret"}`, "no placeholder"},
		{"beside a placeholder", "{env.IMAGEORIGIN_SET}{ter2secret}", "no placeholder"},
		{"a variable that is not set", "ter2secret{env.IMAGEORIGIN_UNSET}", "{env.IMAGEORIGIN_UNSET} is empty or unknown"},
		{"a file that is missing", "ter2secret{file./no/such/file}", "{file./no/such/file} is empty or unknown"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Resolve(tt.text)
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "ter2secret") {
				t.Errorf("got %v, want %s and nothing of the secret", err, tt.want)
			}
		})
	}
	if got, err := Resolve(`hun\{ter2secret\}x`); got != "hun{ter2secret}x" || err != nil {
		t.Errorf("escaped braces: got %q, %v", got, err)
	}
}
