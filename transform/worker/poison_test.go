package worker

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/transform"
)

func TestOriginalsBecomePoisonAndAreForgiven(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	p := newPoison(func() time.Time { return now })
	bad, good := []byte("bad bytes"), []byte("ok! bytes")
	crash := transform.Error{Kind: transform.TooLarge, Op: "rendering", Err: transform.ErrCrashed}

	p.blame(bad, crash)
	if err := p.refuse(bad); err != nil {
		t.Fatalf("once is enough: %v", err)
	}
	p.blame(bad, crash)
	for _, refused := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 10 * time.Minute, 10 * time.Minute} {
		now = now.Add(refused - time.Second)
		err := p.refuse(bad)
		if !errors.Is(err, transform.ErrCrashed) || transform.KindOf(err) != transform.TooLarge {
			t.Fatalf("after %s it is not refused, or not as it failed: %v", refused-time.Second, err)
		}
		if p.count() != 1 {
			t.Fatalf("%d are refused", p.count())
		}
		now = now.Add(time.Second)
		if err := p.refuse(bad); err != nil {
			t.Fatalf("after %s it is still refused: %v", refused, err)
		}
		p.blame(bad, crash)
	}
	if err := p.refuse(good); err != nil {
		t.Errorf("another original of the same length is refused: %v", err)
	}
	p.acquit(bad)
	if p.refuse(bad) != nil || p.suspects(len(bad)) {
		t.Error("what came to its result is not forgiven")
	}
}

func TestPoisonIsBounded(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	p := newPoison(func() time.Time { return now })
	for i := range 3 * poisonEntries {
		now = now.Add(time.Millisecond)
		b := []byte(fmt.Sprint(i))
		p.blame(b, transform.Error{})
		p.blame(b, transform.Error{})
		if p.refuse(b) == nil {
			t.Fatalf("original %d is not refused", i)
		}
	}
	if n := len(p.entries); n != poisonEntries {
		t.Errorf("%d are remembered, want %d", n, poisonEntries)
	}
	now = now.Add(30 * time.Minute)
	p.blame([]byte("the last"), transform.Error{})
	if n := len(p.entries); n != 1 || len(p.lengths) != 1 {
		t.Errorf("after half an hour %d are remembered, of %d lengths", n, len(p.lengths))
	}
}
