package transformtest

import (
	"bytes"
	"context"
	"sync"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// contexts checks that work ends with its context, and that jobs don't get into each other's way.
func (s suite) contexts(t *testing.T) {
	in := transform.Inputs{Base: transform.Original{Bytes: PNG(Picture(60, 40))}}
	t.Run("ended before it began", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := s.engine.Render(ctx, in, still(plan.PNG, 60, 40))
		s.wantKind(t, "render", err, transform.Canceled)
		_, err = s.engine.Probe(ctx, in.Base)
		s.wantKind(t, "probe", err, transform.Canceled)
	})
	t.Run("ended while it works", func(t *testing.T) {
		// Without the deadline, this takes seconds.
		const side = 9000
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err := s.engine.Render(ctx, in, still(plan.PNG, side, side, plan.Resize{Width: side, Height: side}))
		s.wantKind(t, "render", err, transform.Timeout)
	})
	t.Run("many at once", func(t *testing.T) {
		src := JPEG(Picture(301, 203))
		before := bytes.Clone(src)
		p := to(still(plan.JPEG, 60, 40, plan.Resize{Width: 60, Height: 40}, plan.Colour{}), plan.Output{Format: plan.WebP})
		want := s.render(t, src, p)
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				if i%4 == 3 { // broken ones beside them
					_, err := s.engine.Render(t.Context(), transform.Inputs{Base: transform.Original{Bytes: src[:len(src)/2]}}, p)
					s.wantKind(t, "render", err, transform.Broken)
					return
				}
				got, err := s.engine.Render(t.Context(), transform.Inputs{Base: transform.Original{Bytes: src}}, p)
				if err != nil {
					t.Error(err)
				} else if !bytes.Equal(got.Bytes, want.Bytes) {
					t.Error("the same plan gave other bytes")
				}
			})
		}
		wg.Wait()
		if !bytes.Equal(src, before) {
			t.Error("the original was changed")
		}
	})
	t.Run("the result belongs to the caller", func(t *testing.T) {
		a := s.render(t, in.Base.Bytes, still(plan.PNG, 60, 40))
		want := bytes.Clone(a.Bytes)
		b := s.render(t, in.Base.Bytes, still(plan.PNG, 60, 40))
		clear(b.Bytes)
		if !bytes.Equal(a.Bytes, want) {
			t.Error("two results share memory")
		}
	})
}
