package originstest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/origins"
)

func (s *suite) testDoneContext(t *testing.T) {
	o, _ := s.origin(t)
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	expired, cancel := context.WithDeadline(t.Context(), time.Unix(1, 0))
	defer cancel()
	for _, tt := range []struct {
		ctx  context.Context
		want origins.Kind
	}{{canceled, origins.Canceled}, {expired, origins.Timeout}} {
		obj, err := o.Open(tt.ctx, origins.Request{Key: pictureKey})
		if err == nil {
			obj.Body.Close()
			t.Errorf("a context that says %v: opened", tt.ctx.Err())
			continue
		}
		checkError(t, err, pictureKey, tt.want)
	}
}

func (s *suite) testContextEndsReading(t *testing.T) {
	o, _ := s.origin(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	obj, err := o.Open(ctx, origins.Request{Key: bigKey})
	if err != nil {
		t.Fatal(err)
	}
	defer obj.Body.Close()
	if _, err := io.ReadFull(obj.Body, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	cancel()
	n, err := obj.Body.Read(make([]byte, 10))
	if err == nil || err == io.EOF {
		t.Fatalf("got %d bytes and %v after the context was canceled", n, err)
	}
	checkError(t, err, bigKey, origins.Canceled)
}

func (s *suite) testClose(t *testing.T) {
	o, _ := s.origin(t)
	for _, part := range []int{0, 1, 4000} {
		obj := open(t, o, origins.Request{Key: bigKey})
		if _, err := io.ReadFull(obj.Body, make([]byte, part)); err != nil {
			t.Fatal(err)
		}
		if err := obj.Body.Close(); err != nil {
			t.Errorf("closing after %d bytes: %v", part, err)
		}
		if err := obj.Body.Close(); err != nil {
			t.Errorf("closing for the second time after %d bytes: %v", part, err)
		}
		if n, err := obj.Body.Read(make([]byte, 10)); err == nil {
			t.Errorf("got %d bytes from a closed body", n)
		}
	}
	same(t, "after bodies were closed early", read(t, open(t, o, origins.Request{Key: bigKey})), s.files[bigKey])

	obj := open(t, o, origins.Request{Key: deepKey})
	read(t, obj)
	if n, err := obj.Body.Read(make([]byte, 10)); n != 0 || err != io.EOF {
		t.Errorf("reading on behind the end: got %d bytes and %v, want io.EOF", n, err)
	}
}

func (s *suite) testSeek(t *testing.T) {
	o, _ := s.origin(t)
	obj := open(t, o, origins.Request{Key: bigKey})
	seeker, ok := obj.Body.(io.Seeker)
	if ok != s.Seekable {
		t.Fatalf("the body is an io.Seeker: %v, want %v", ok, s.Seekable)
	}
	if !ok {
		t.Skip("bodies of this origin can't seek")
	}
	content := s.files[bigKey]
	size := int64(len(content))
	buf := make([]byte, 100)
	for _, tt := range []struct {
		offset int64
		whence int
		want   int64
	}{
		{0, io.SeekEnd, size},
		{0, io.SeekStart, 0},
		{500, io.SeekStart, 500},
		{400, io.SeekCurrent, 1000}, // 100 were read
		{-100, io.SeekEnd, size - 100},
		{3, io.SeekStart, 3},
	} {
		at, err := seeker.Seek(tt.offset, tt.whence)
		if at != tt.want || err != nil {
			t.Fatalf("Seek(%d, %d): got %d, %v, want %d", tt.offset, tt.whence, at, err, tt.want)
		}
		n, err := io.ReadFull(obj.Body, buf)
		if at == size && errors.Is(err, io.EOF) {
			continue
		}
		if err != nil || !bytes.Equal(buf[:n], content[at:at+100]) {
			t.Errorf("Seek(%d, %d): read other bytes than are at %d (%v)", tt.offset, tt.whence, at, err)
		}
	}
	if at, err := seeker.Seek(-1, io.SeekStart); err == nil {
		t.Errorf("Seek to before the beginning: got %d, want an error", at)
	}
}

// readAll reads the objects called keys and returns the first that is not as it should be. It is called on other
// goroutines than the test's.
func (s *suite) readAll(t *testing.T, o origins.Origin, keys []string) (wrong string) {
	for _, key := range keys {
		obj, err := o.Open(t.Context(), origins.Request{Key: key})
		if err != nil {
			return key + ": " + err.Error()
		}
		content, err := io.ReadAll(obj.Body)
		obj.Body.Close()
		if err != nil || !bytes.Equal(content, s.files[key]) {
			return key
		}
	}
	return ""
}
