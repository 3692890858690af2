package delivery

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imageorigin/imageorigin/caches"
	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// lingering is a store whose Put takes a while after Get gives what it brings.
type lingering struct{ *shelves }

func (l lingering) Put(ctx context.Context, key caches.Key, m caches.Meta, body io.Reader) error {
	err := l.shelves.Put(ctx, key, m, body)
	time.Sleep(time.Second)
	return err
}

func TestAPurgeIsOverWhenNoRecordIsBeingWritten(t *testing.T) {
	inKiosk(t, map[string]string{"a.jpg": "one"}, func(k *kiosk) {
		k.e.Keeping.Results = lingering{k.store}
		k.origin.delay = time.Second
		go k.ask("a.jpg", "w-200")
		time.Sleep(time.Second + time.Second/2) // its record is being written
		k.origin.set(func() { k.origin.files["a.jpg"] = "two" })
		k.store.mu.Lock()
		hidden := k.store.entries // the purge comes before the record is seen
		k.store.entries = nil
		k.store.mu.Unlock()
		go func() {
			time.Sleep(time.Millisecond)
			k.store.mu.Lock()
			defer k.store.mu.Unlock()
			k.store.entries = hidden
		}()
		if _, err := k.memory.Purge(k.t.Context(), caches.Pattern{Source: "f/a.jpg"}, k.store); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Millisecond)
		if got := k.ask("a.jpg", "w-200"); !strings.HasPrefix(got, "200x150 jpeg of two") {
			t.Errorf("after the purge: %q", got)
		}
		time.Sleep(time.Minute)
		k.clean()
	})
}

// squinting is an engine that takes a second to see that a file is damaged.
type squinting struct{ *brush }

func (s squinting) Probe(ctx context.Context, o transform.Original) (plan.Source, error) {
	time.Sleep(time.Second)
	if bytes.HasSuffix(o.Bytes, []byte("damaged")) {
		return plan.Source{}, &transform.Error{Kind: transform.Broken, Op: "reading the header", Err: errors.New("no end")}
	}
	return s.brush.Probe(ctx, o)
}

func TestTheFlawOfWhatWasPurgedIsNotRemembered(t *testing.T) {
	inKiosk(t, map[string]string{"a.jpg": "damaged"}, func(k *kiosk) {
		k.cache = NewCache(squinting{k.engine}, k.memory)
		go k.ask("a.jpg", "w-200")
		time.Sleep(time.Second / 2)
		k.origin.set(func() { k.origin.files["a.jpg"] = "whole" })
		if _, err := k.memory.Purge(k.t.Context(), caches.Pattern{Source: "f/a.jpg"}, k.store); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		k.asks("a.jpg", "w-200", "200x150 jpeg of whole: uri-miss")
		k.clean()
	})
}

func TestTheLaterQuestionCounts(t *testing.T) {
	m, n, begin := NewMemory(), name{source: "f/a.jpg"}, time.Now()
	mark := m.begin(n.source)
	m.learn(n, &record{Version: "new", Checked: begin.Add(time.Second)}, mark)
	m.learn(n, &record{Version: "old", Checked: begin}, mark) // which took longer to be answered
	if got, _ := m.known.Peek(n); got.Version != "new" {
		t.Errorf("the %s version is known", got.Version)
	}
}

func TestARecordFromTheFutureIsNotTrusted(t *testing.T) {
	inKiosk(t, oneFile, func(k *kiosk) {
		k.asks("a.jpg", "w-200", "200x150 jpeg of one: uri-miss")
		r, _ := k.memory.known.Peek(name{source: "f/a.jpg"})
		later := *r.record
		later.Checked = time.Now().Add(1000 * time.Hour)
		key := name{source: "f/a.jpg"}.record()
		if err := k.store.Put(k.t.Context(), key, caches.Meta{}, bytes.NewReader(later.encode())); err != nil {
			t.Fatal(err)
		}
		k.restart()
		k.asks("a.jpg", "w-200", "200x150 jpeg of one: stale")
		k.asks("a.jpg", "w-200", "200x150 jpeg of one: hit")
		k.did("1 fetched, 1 confirmed, 0 refused", 1)
	})
}

func TestAFileThatIsOpenIsNotWaitedForLongerThanAllowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKiosk(t, nil)
		text := strings.Repeat("text ", 4000)
		k.e.Origin = origins.OriginFunc(func(ctx context.Context, req origins.Request) (*origins.Object, error) {
			a := origins.Attributes{Origin: "depot", Size: int64(len(text)), ETag: `"1"`}
			if req.Range == nil || req.Range.Start > 0 {
				<-ctx.Done()
				return nil, &origins.Error{Kind: origins.KindOf(ctx.Err()), Err: ctx.Err()}
			}
			part := text[:req.Range.Length]
			return &origins.Object{Attributes: a, Range: req.Range, Body: io.NopCloser(strings.NewReader(part))}, nil
		})
		begin := time.Now()
		req := k.request("a.txt", "")
		req.Range = &origins.Range{Start: 10000, Length: 10}
		_, err := k.cache.Deliver(t.Context(), req)
		if took := time.Since(begin); origins.KindOf(err) != origins.Timeout || took > time.Minute+grace {
			t.Errorf("after %v: %v", took, err)
		}
		k.clean()
	})
}

// brittle is a store whose Purge panics.
type brittle struct{ caches.Store }

func (brittle) Purge(context.Context, caches.Pattern) (int, error) { panic("purge") }

func TestAStoreThatPanicsInAPurgeFailsItAndNoMore(t *testing.T) {
	inKiosk(t, map[string]string{"a.jpg": "one"}, func(k *kiosk) {
		k.ask("a.jpg", "w-200")
		n, err := k.memory.Purge(k.t.Context(), caches.Pattern{Source: "f/a.jpg"}, brittle{}, k.store)
		if err == nil || !strings.Contains(err.Error(), "panic") || n == 0 {
			t.Errorf("got %d, %v, want the entries of the other store and the panic as an error", n, err)
		}
		k.clean()
	})
}
