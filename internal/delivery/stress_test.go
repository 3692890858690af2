package delivery

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imageorigin/imageorigin/caches"
	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// chaos is an origin whose files are as large as pooled memory is and filled with the number of their version. It takes
// its time and fails at random.
type chaos struct {
	versions [3]atomic.Int64
	faults   atomic.Bool
}

func (c *chaos) Open(ctx context.Context, req origins.Request) (*origins.Object, error) {
	if err := nap(ctx); err != nil {
		return nil, &origins.Error{Kind: origins.KindOf(err), Origin: "depot", Key: req.Key, Err: err}
	}
	if c.faults.Load() && rand.IntN(5) == 0 {
		kinds := []origins.Kind{origins.Unreachable, origins.NotExist, origins.Timeout}
		return nil, &origins.Error{Kind: kinds[rand.IntN(len(kinds))], Origin: "depot", Key: req.Key}
	}
	i, _ := strconv.Atoi(req.Key)
	file := versionFile(i, c.versions[i].Load())
	a := origins.Attributes{Origin: "depot", Size: int64(len(file)), ETag: fmt.Sprintf("%q", file[len(jpeg):len(jpeg)+20])}
	if c.faults.Load() && rand.IntN(8) == 0 {
		a.CacheControl = "no-store"
	}
	if v := req.Validator; v.ETag == a.ETag {
		return nil, &origins.Error{Kind: origins.NotModified, Origin: "depot", Key: req.Key}
	}
	return &origins.Object{Attributes: a, Body: io.NopCloser(&napping{ctx, strings.NewReader(file)})}, nil
}

// versionFile returns a version of a file: its number again and again.
func versionFile(key int, version int64) string {
	return string(jpeg) + strings.Repeat(fmt.Sprintf("%04d%05d|", key, version), 7000)
}

// nap takes up to 20 ms.
func nap(ctx context.Context) error {
	select {
	case <-time.After(time.Duration(rand.IntN(20)) * time.Millisecond):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

type napping struct {
	ctx context.Context
	io.Reader
}

func (n *napping) Read(p []byte) (int, error) {
	if rand.IntN(4) == 0 {
		if err := nap(n.ctx); err != nil {
			return 0, err
		}
	}
	return n.Reader.Read(p)
}

// scribe is an engine that reads the whole file, slowly, and says which version it was.
type scribe struct{ brush }

func (s *scribe) Render(ctx context.Context, in transform.Inputs, p plan.Plan) (*transform.Image, error) {
	first := string(in.Base.Bytes[len(jpeg) : len(jpeg)+10])
	for range 2 {
		if text := string(in.Base.Bytes[len(jpeg):]); text != strings.Repeat(first, 7000) {
			first = "torn"
		}
		if err := nap(ctx); err != nil {
			return nil, &transform.Error{Kind: transform.KindOf(err), Op: "painting", Err: err}
		}
	}
	if rand.IntN(50) == 0 {
		panic("ouch")
	}
	return &transform.Image{Bytes: []byte(fmt.Sprintf("%s %d", first, p.Width)), Format: p.Output.Format, Width: p.Width, Height: p.Height, Frames: 1}, nil
}

// slowShelves is a store whose entries take time to come and to be taken.
type slowShelves struct{ shelves }

func (s *slowShelves) Get(ctx context.Context, key caches.Key) (*caches.Entry, error) {
	e, err := s.shelves.Get(ctx, key)
	_ = nap(context.Background())
	return e, err
}

func (s *slowShelves) Put(ctx context.Context, key caches.Key, m caches.Meta, body io.Reader) error {
	_ = nap(context.Background())
	err := s.shelves.Put(ctx, key, m, body)
	_ = nap(context.Background())
	return err
}

// TestNobodyGetsWhatWasNotThere has many visitors ask at once while files change, origins fail, visitors leave and purges
// come. What is sent is whole, and never older than the last purge that was over before the request.
func TestNobodyGetsWhatWasNotThere(t *testing.T) {
	for _, maxAge := range []time.Duration{0, 30 * time.Millisecond, time.Hour} {
		t.Run(maxAge.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { stress(t, maxAge) })
		})
	}
}

func stress(t *testing.T, maxAge time.Duration) {
	k, origin := newKiosk(t, nil), new(chaos)
	results, originals := new(slowShelves), new(slowShelves)
	k.cache = NewCache(new(scribe), k.memory)
	k.e.Origin = origin
	k.e.Keeping.Results, k.e.Keeping.Originals, k.e.Keeping.MaxAge = results, originals, maxAge
	k.e.Keeping.Stale, k.e.Keeping.StaleIfError, k.e.Keeping.Miss = maxAge, time.Hour, 0
	origin.faults.Store(true)
	var purged [3]atomic.Int64 // the version that was current when the last purge began
	var all sync.WaitGroup
	var sent atomic.Int64
	visit := func() {
		i := rand.IntN(len(purged))
		oldest := purged[i].Load()
		ctx, leave := context.WithTimeout(t.Context(), time.Duration(20+rand.IntN(200))*time.Millisecond)
		defer leave()
		orig, width := rand.IntN(6) == 0, 10+rand.IntN(4)
		text := fmt.Sprintf("w-%d", width)
		if rand.IntN(6) == 0 {
			text = fmt.Sprintf("t-true:w-%d", width)
		}
		if orig {
			text = "orig-true"
		}
		resp, err := k.cache.Deliver(ctx, k.request(strconv.Itoa(i), text))
		if err != nil {
			return
		}
		defer resp.Close()
		sent.Add(1)
		if orig {
			_ = nap(context.Background())
		}
		got, err := io.ReadAll(resp.Content)
		newest := origin.versions[i].Load()
		if err != nil {
			t.Error(err)
			return
		}
		var key, version int64
		body := strings.TrimPrefix(string(got), string(jpeg))
		if _, err := fmt.Sscanf(body[:9], "%04d%05d", &key, &version); err != nil || key != int64(i) || version < oldest || version > newest {
			t.Errorf("%s of %d: got %.20q; versions %d to %d were current", text, i, body, oldest, newest)
		}
		if orig && string(got) != versionFile(i, version) || !orig && body != fmt.Sprintf("%04d%05d| %d", key, version, width) {
			t.Errorf("%s of %d: got %.40q", text, i, body)
		}
	}
	for range 60 {
		all.Go(func() {
			for range 60 {
				visit()
				_ = nap(context.Background())
			}
		})
	}
	all.Go(func() {
		for range 60 {
			_ = nap(context.Background())
			i := rand.IntN(len(purged))
			current := origin.versions[i].Add(1)
			if rand.IntN(2) == 0 {
				continue
			}
			if _, err := k.memory.Purge(t.Context(), caches.Pattern{Source: "f/" + strconv.Itoa(i)}, results, originals); err != nil {
				t.Error(err)
			}
			purged[i].Store(current)
		}
	})
	all.Wait()
	time.Sleep(10 * time.Minute)
	k.clean()
	if sent.Load() < 1000 {
		t.Errorf("%d of 3600 visitors got something", sent.Load())
	}
	if n := len(k.memory.renewal.running) + len(k.memory.filling.running); n != 0 {
		t.Errorf("%d go on behind", n)
	}
}
