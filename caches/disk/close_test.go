package disk

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/caches"
)

func TestAClosedStoreMissesAndChangesNoFile(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Config{Dir: dir, MaxBytes: 1 << 20})
	<-s.scanned
	for n := range 200 {
		put(t, s, key(n), "x")
	}
	e, err := s.Get(t.Context(), key(1))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Content.Close()
	body, feed := io.Pipe()
	late := make(chan error, 1)
	go func() { late <- s.Put(t.Context(), key(201), caches.Meta{}, body) }()
	if _, err := feed.Write([]byte("half")); err != nil {
		t.Fatal(err)
	}
	s.Close()
	feed.Close()
	for what, err := range map[string]error{
		"keeping what was begun before": <-late,
		"keeping something":             s.Put(t.Context(), key(202), caches.Meta{}, strings.NewReader("x")),
		"purging": func() error {
			_, err := s.Purge(t.Context(), caches.Pattern{})
			return err
		}(),
		"purging an original": func() error {
			_, err := s.Purge(t.Context(), caches.Pattern{Source: key(1).Source})
			return err
		}(),
	} {
		if !errors.Is(err, errClosed) {
			t.Errorf("%s: %v, want %v", what, err, errClosed)
		}
	}
	if found(t, s, key(1)) {
		t.Error("it still finds something")
	}
	s.SetLimits(1<<20, 10)
	s.index.files.SetMaximum(0) // evicts everything
	s.Close()
	if files, _ := onDisk(t, dir); files != 200 || len(drafted(t, dir)) > 0 {
		t.Errorf("there are %d entries and %v half written, want 200 and none", files, drafted(t, dir))
	}
	if got, err := io.ReadAll(e.Content); err != nil || string(got) != "x" {
		t.Errorf("what was open reads as %q, %v", got, err)
	}
}
