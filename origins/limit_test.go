package origins_test

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/originstest"
)

func TestLimitHoldsWhateverSizeIsClaimed(t *testing.T) {
	for _, tt := range []struct {
		name    string
		claimed int64
		length  int
		opens   bool
		want    origins.Kind // of reading; Unknown is none
	}{
		{"below", 9, 9, true, origins.Unknown},
		{"just fits", 10, 10, true, origins.Unknown},
		{"too large and says so", 11, 11, false, 0},
		{"unknown size, fits", -1, 10, true, origins.Unknown},
		{"unknown size, too large", -1, 11, true, origins.TooLarge},
		{"claims less", 5, 1 << 20, true, origins.TooLarge},
	} {
		t.Run(tt.name, func(t *testing.T) {
			closed := 0
			o := origins.OriginFunc(func(context.Context, origins.Request) (*origins.Object, error) {
				body := struct {
					io.Reader
					closerFunc
				}{strings.NewReader(strings.Repeat("x", tt.length)), func() error { closed++; return nil }}
				return &origins.Object{Body: body, Attributes: origins.Attributes{Size: tt.claimed}}, nil
			})
			obj, err := origins.Limit(o, 10, 0).Open(t.Context(), origins.Request{Key: "a.jpg"})
			if !tt.opens {
				if origins.KindOf(err) != origins.TooLarge || closed != 1 {
					t.Errorf("got %v, body closed %d times; want too_large, and once", err, closed)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			content, err := io.ReadAll(obj.Body)
			if origins.KindOf(err) != tt.want || len(content) > 10 {
				t.Errorf("got %d bytes and %v, want %v", len(content), err, tt.want)
			}
			if err := obj.Body.Close(); err != nil || closed != 1 {
				t.Errorf("closing: %v, the body was closed %d times", err, closed)
			}
		})
	}
}

func TestLimitCountsFromWhereAPartBegins(t *testing.T) {
	o := origins.OriginFunc(func(_ context.Context, req origins.Request) (*origins.Object, error) {
		part := *req.Range
		body := io.NopCloser(bytes.NewReader(make([]byte, part.Length)))
		return &origins.Object{Body: body, Range: &part, Attributes: origins.Attributes{Size: -1}}, nil
	})
	obj, err := origins.Limit(o, 10, 0).Open(t.Context(), origins.Request{Key: "a.mp4", Range: &origins.Range{Start: 8, Length: 5}})
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(obj.Body)
	if len(content) != 2 || origins.KindOf(err) != origins.TooLarge {
		t.Errorf("got %d bytes and %v, want 2 and too_large", len(content), err)
	}
}

func TestLimitCountsAfterSeeking(t *testing.T) {
	lying := origins.OriginFunc(func(ctx context.Context, req origins.Request) (*origins.Object, error) {
		obj, err := originstest.Memory{"a.jpg": make([]byte, 100)}.Open(ctx, req)
		if err == nil {
			obj.Size = -1
		}
		return obj, err
	})
	obj, err := origins.Limit(lying, 10, 0).Open(t.Context(), origins.Request{Key: "a.jpg"})
	if err != nil {
		t.Fatal(err)
	}
	seeker := obj.Body.(io.Seeker)
	for _, tt := range []struct{ offset, want int64 }{{0, 10}, {4, 6}, {10, 0}, {50, 0}, {0, 10}} {
		if _, err := seeker.Seek(tt.offset, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(obj.Body)
		if int64(len(content)) != tt.want || origins.KindOf(err) != origins.TooLarge {
			t.Errorf("from %d: got %d bytes and %v, want %d and too_large", tt.offset, len(content), err, tt.want)
		}
	}
}

func TestLimitGivesUpOnASilentOrigin(t *testing.T) {
	silent := origins.OriginFunc(func(ctx context.Context, _ origins.Request) (*origins.Object, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	})
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		_, err := origins.Limit(silent, 0, 30*time.Second).Open(t.Context(), origins.Request{Key: "a.jpg"})
		if origins.KindOf(err) != origins.Timeout || time.Since(began) != 30*time.Second {
			t.Errorf("got %v after %v, want timeout after 30s", err, time.Since(began))
		}
	})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := origins.Limit(silent, 0, 30*time.Second).Open(ctx, origins.Request{Key: "a.jpg"})
		if origins.KindOf(err) != origins.Timeout || ctx.Err() == nil {
			t.Errorf("got %v, want the caller's timeout", err)
		}
	})
}

// slow sends piece after each pause, total bytes in all.
type slow struct {
	ctx   context.Context
	pause time.Duration
	piece int
	left  int
}

func (s *slow) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	select {
	case <-time.After(s.pause):
	case <-s.ctx.Done():
		return 0, s.ctx.Err()
	}
	n := min(s.piece, s.left, len(p))
	s.left -= n
	return n, nil
}

func TestLimitTellsSlowOriginsFromSlowClients(t *testing.T) {
	for _, tt := range []struct {
		name   string
		pause  time.Duration // of the origin
		piece  int
		total  int
		client time.Duration // time that the client takes for each piece
		fails  bool
		after  time.Duration // when it fails
	}{
		{"a brisk origin", time.Millisecond, 32 << 10, 10 << 20, 0, false, 0},
		{"a slow client", time.Millisecond, 32 << 10, 1 << 20, time.Minute, false, 0},
		{"a large file over a modest line", time.Second, 100 << 10, 100 << 20, 0, false, 0},
		{"a small file that is almost late", 29 * time.Second, 1 << 10, 1 << 10, 0, false, 0},
		{"an origin that drips", time.Second, 10, 1 << 20, 0, true, 30 * time.Second},
		{"an origin that drips to a slow client", time.Second, 10, 1 << 20, time.Second, true, 59 * time.Second},
		{"an origin that falls silent", time.Hour, 10, 1 << 20, 0, true, 30 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := origins.OriginFunc(func(ctx context.Context, _ origins.Request) (*origins.Object, error) {
					body := io.NopCloser(&slow{ctx: ctx, pause: tt.pause, piece: tt.piece, left: tt.total})
					return &origins.Object{Body: body, Attributes: origins.Attributes{Size: -1}}, nil
				})
				obj, err := origins.Limit(o, 0, 30*time.Second).Open(t.Context(), origins.Request{Key: "a.mp4"})
				if err != nil {
					t.Fatal(err)
				}
				defer obj.Body.Close()
				began := time.Now()
				n, err := drain(obj.Body, tt.client)
				switch {
				case !tt.fails && (err != nil || n != tt.total):
					t.Errorf("got %d bytes and %v after %v, want %d", n, err, time.Since(began), tt.total)
				case tt.fails && (origins.KindOf(err) != origins.Timeout || time.Since(began) != tt.after):
					t.Errorf("got %v after %v, want timeout after %v", err, time.Since(began), tt.after)
				}
			})
		})
	}
}

// drain reads all, and takes its time after each piece.
func drain(r io.Reader, pause time.Duration) (total int, err error) {
	buf := make([]byte, 32<<10)
	for {
		n, err := r.Read(buf)
		total += n
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
		time.Sleep(pause)
	}
}

func TestLimitEndsItsContextOnClose(t *testing.T) {
	var inner context.Context
	o := origins.OriginFunc(func(ctx context.Context, req origins.Request) (*origins.Object, error) {
		inner = ctx
		return originstest.Memory{"a.jpg": []byte("x")}.Open(ctx, req)
	})
	obj, err := origins.Limit(o, 0, time.Hour).Open(t.Context(), origins.Request{Key: "a.jpg"})
	if err != nil || inner.Err() != nil {
		t.Fatalf("got %v; the context says %v before the body is closed", err, inner.Err())
	}
	obj.Body.Close()
	if inner.Err() == nil {
		t.Error("the context goes on after the body is closed")
	}
	if _, err := origins.Limit(o, 0, time.Hour).Open(t.Context(), origins.Request{Key: "missing"}); err == nil || inner.Err() == nil {
		t.Errorf("got %v; the context goes on after a failure", err)
	}
}
