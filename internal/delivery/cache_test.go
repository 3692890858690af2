package delivery

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imageorigin/imageorigin/caches"
	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// depot is an origin whose files change, which fails, and which counts.
type depot struct {
	mu      sync.Mutex
	name    string
	files   map[string]string // behind what a JPEG begins with, unless the key ends with .txt
	control string            // Cache-Control
	tags    string
	plain   bool // names no validators
	private bool
	delay   time.Duration
	fault   error

	fetched, confirmed, refused int
}

func newDepot(files map[string]string) *depot { return &depot{name: "depot", files: files} }

func (d *depot) Open(ctx context.Context, req origins.Request) (*origins.Object, error) {
	select {
	case <-time.After(d.delay):
	case <-ctx.Done():
		return nil, &origins.Error{Kind: origins.KindOf(ctx.Err()), Origin: d.name, Key: req.Key, Err: ctx.Err()}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fault != nil {
		d.refused++
		return nil, d.fault
	}
	content, ok := d.files[req.Key]
	if !ok {
		d.refused++
		return nil, &origins.Error{Kind: origins.NotExist, Origin: d.name, Key: req.Key}
	}
	file := []byte(content)
	if !strings.HasSuffix(req.Key, ".txt") {
		file = append(slices.Clone(jpeg), content...)
	}
	a := origins.Attributes{
		Origin: d.name, Size: int64(len(file)), ContentType: "text/plain", ETag: fmt.Sprintf("%q", content),
		CacheControl: d.control, Private: d.private, Tags: d.tags,
	}
	if d.plain {
		a.ETag = ""
	}
	if v := req.Validator; v.Origin == d.name && v.ETag != "" && v.ETag == a.ETag {
		d.confirmed++
		return nil, &origins.Error{Kind: origins.NotModified, Origin: d.name, Key: req.Key}
	}
	d.fetched++
	return &origins.Object{Attributes: a, Body: io.NopCloser(bytes.NewReader(file))}, nil
}

func (d *depot) set(change func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change()
}

// counts returns how often a file was sent, confirmed and refused since the last time.
func (d *depot) counts() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	text := fmt.Sprintf("%d fetched, %d confirmed, %d refused", d.fetched, d.confirmed, d.refused)
	d.fetched, d.confirmed, d.refused = 0, 0, 0
	return text
}

// brush is an engine whose results say what was asked for, and of which file.
type brush struct {
	mu      sync.Mutex
	delay   time.Duration
	err     error
	renders int
}

func (*brush) Probe(_ context.Context, o transform.Original) (plan.Source, error) {
	return plan.Source{Format: plan.JPEG, Width: 400, Height: 300, Orientation: 1, Frames: 1, Page: o.Page}, nil
}

func (b *brush) Look(context.Context, transform.Inputs, plan.Look) (plan.Window, error) {
	return plan.Window{Width: 200, Height: 100}, nil
}

func (b *brush) Render(ctx context.Context, in transform.Inputs, p plan.Plan) (*transform.Image, error) {
	select {
	case <-time.After(b.delay):
	case <-ctx.Done():
		return nil, &transform.Error{Kind: transform.KindOf(ctx.Err()), Op: "painting", Err: ctx.Err()}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.renders++
	if b.err != nil {
		return nil, b.err
	}
	text := fmt.Sprintf("%dx%d %s of %s", p.Width, p.Height, p.Output.Format, in.Base.Bytes[len(jpeg):])
	return &transform.Image{Bytes: []byte(text), Format: p.Output.Format, Width: p.Width, Height: p.Height, Frames: 1}, nil
}

func (*brush) Writable() plan.Set { return plan.SetOf(plan.JPEG, plan.WebP, plan.AVIF) }

func (*brush) Readable() plan.Set { return plan.AllFormats }
func (*brush) Version() string    { return "brush" }

// painted returns how often it rendered since the last time.
func (b *brush) painted() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.renders
	b.renders = 0
	return n
}

// shelves is a store that forgets nothing by itself.
type shelves struct {
	mu      sync.Mutex
	entries map[caches.Key]entry
	delay   time.Duration // of Put
}

type entry struct {
	caches.Meta
	body []byte
}

func (s *shelves) Get(_ context.Context, key caches.Key) (*caches.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.entries[key]
	if !ok {
		return nil, caches.ErrMiss
	}
	return &caches.Entry{Meta: e.Meta, Size: int64(len(e.body)), Content: caches.Bytes(e.body)}, nil
}

func (s *shelves) Put(_ context.Context, key caches.Key, m caches.Meta, body io.Reader) error {
	held, err := io.ReadAll(body)
	time.Sleep(s.delay)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.entries == nil {
		s.entries = map[caches.Key]entry{}
	}
	if err == nil {
		s.entries[key] = entry{m, held}
	}
	return err
}

func (s *shelves) Purge(_ context.Context, match caches.Pattern) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.entries, func(key caches.Key, e entry) bool {
		fits := match.Fits(key, e.Tags)
		if fits {
			n++
		}
		return fits
	})
	return n, nil
}

func (s *shelves) Stats() caches.Stats { return caches.Stats{Entries: int64(len(s.entries))} }

// variants returns what the store has of a source.
func (s *shelves) variants() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []string
	for key := range s.entries {
		list = append(list, key.Variant)
	}
	slices.Sort(list)
	return list
}

// kiosk is a server that remembers.
type kiosk struct {
	t      *testing.T
	origin *depot
	engine *brush
	store  *shelves
	memory *Memory
	cache  *Cache
	e      *Endpoint
}

func newKiosk(t *testing.T, files map[string]string) *kiosk {
	k := &kiosk{t: t, origin: newDepot(files), engine: new(brush), store: new(shelves), memory: NewMemory()}
	k.e = &Endpoint{Origin: k.origin, Limits: Limits{Timeout: time.Minute}, Keeping: Keeping{
		Fingerprint: "f", Results: k.store, Origins: []string{"depot"},
		MaxAge: time.Hour, Stale: 10 * time.Minute, StaleIfError: 2 * time.Hour, Degraded: time.Minute, Miss: 30 * time.Second,
	}}
	k.cache = NewCache(k.engine, k.memory)
	return k
}

// restart makes the process forget.
func (k *kiosk) restart() {
	k.memory = NewMemory()
	k.cache = NewCache(k.engine, k.memory)
}

func (k *kiosk) request(key, text string) *Request {
	return &Request{Endpoint: k.e, Key: key, Chain: chain(k.t, text)}
}

// ask returns what is answered and how, as "<body>: <how>".
func (k *kiosk) ask(key, text string) string {
	k.t.Helper()
	return k.tell(k.cache.Deliver(k.t.Context(), k.request(key, text)))
}

func (k *kiosk) tell(resp *Response, err error) string {
	k.t.Helper()
	if err != nil {
		return "error: " + err.Error()
	}
	defer resp.Close()
	content, err := io.ReadAll(resp.Content)
	if err != nil {
		k.t.Error(err)
	}
	how := string(resp.How.Forward)
	if resp.How.Hit {
		how = "hit"
	}
	if resp.How.Stale() {
		how += " stale"
	}
	if resp.How.Collapsed {
		how += " collapsed"
	}
	return strings.TrimPrefix(string(content), string(jpeg)) + ": " + how
}

// asks compares what is answered.
func (k *kiosk) asks(key, text, want string) {
	k.t.Helper()
	if got := k.ask(key, text); got != want {
		k.t.Errorf("%s of %s: got %q, want %q", text, key, got, want)
	}
	synctest.Wait() // until it is kept
}

// did compares what was done since the last time.
func (k *kiosk) did(origin string, renders int) {
	k.t.Helper()
	if got := k.origin.counts(); got != origin {
		k.t.Errorf("the origin: %s, want %s", got, origin)
	}
	if got := k.engine.painted(); got != renders {
		k.t.Errorf("%d renders, want %d", got, renders)
	}
}

// inKiosk runs a test in time of its own.
func inKiosk(t *testing.T, files map[string]string, test func(k *kiosk)) {
	synctest.Test(t, func(t *testing.T) { test(newKiosk(t, files)) })
}

var oneFile = map[string]string{"a.jpg": "one"}

func TestASecondVisitorCostsNothing(t *testing.T) {
	inKiosk(t, oneFile, func(k *kiosk) {
		k.asks("a.jpg", "w-200", "200x150 jpeg of one: uri-miss")
		k.did("1 fetched, 0 confirmed, 0 refused", 1)
		k.asks("a.jpg", "w-200", "200x150 jpeg of one: hit")
		k.asks("a.jpg", "w-400_div_2", "200x150 jpeg of one: hit")
		k.did("0 fetched, 0 confirmed, 0 refused", 0)
		k.asks("a.jpg", "w-100", "100x75 jpeg of one: miss")
		k.did("1 fetched, 0 confirmed, 0 refused", 1)
		k.restart()
		k.asks("a.jpg", "w-100", "100x75 jpeg of one: hit")
		k.did("0 fetched, 0 confirmed, 0 refused", 0)
	})
}

func TestCanonicalURLsAreTheEndpointsOwn(t *testing.T) {
	inKiosk(t, map[string]string{"a b.jpg": "one"}, func(k *kiosk) {
		k.e.Keeping.Canonical, k.e.Keeping.Originals = []string{"https://one.example.com/"}, k.store
		k.ask("a b.jpg", "w-200")
		other := *k.e // another endpoint of the same files, or this one after a reload
		other.Keeping.Canonical = []string{"https://two.example.com"}
		for _, tt := range []struct {
			e          *Endpoint
			text, want string
		}{
			{k.e, "w-200", "https://one.example.com/a%20b.jpg"},
			{&other, "w-200", "https://two.example.com/a%20b.jpg"},
			{&other, "orig-true", "https://two.example.com/a%20b.jpg"},
			{&other, "w-300", "https://two.example.com/a%20b.jpg"},
		} {
			req := k.request("a b.jpg", tt.text)
			req.Endpoint = tt.e
			resp, err := k.cache.Deliver(k.t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			if resp.Close(); resp.Origin.Canonical != tt.want {
				t.Errorf("%s: got %q, want %q", tt.text, resp.Origin.Canonical, tt.want)
			}
		}
		k.clean()
	})
}

func TestManyVisitorsAtOnceCostOneRender(t *testing.T) {
	inKiosk(t, oneFile, func(k *kiosk) {
		k.origin.delay, k.engine.delay, k.store.delay = time.Second, time.Second, time.Second
		var all sync.WaitGroup
		for i := range 200 {
			all.Go(func() {
				time.Sleep(time.Duration(i) * 20 * time.Millisecond)
				if got := k.ask("a.jpg", "w-200"); !strings.HasPrefix(got, "200x150 jpeg of one: ") {
					t.Error(got)
				}
			})
		}
		all.Wait()
		k.did("1 fetched, 0 confirmed, 0 refused", 1)
	})
}

func TestManySizesAtOnceCostOneFetch(t *testing.T) {
	inKiosk(t, oneFile, func(k *kiosk) {
		k.engine.delay = time.Minute / 2
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				time.Sleep(time.Duration(i) * time.Second) // the file came long ago
				k.ask("a.jpg", fmt.Sprintf("w-%d", 20*i+20))
			})
		}
		all.Wait()
		k.did("1 fetched, 0 confirmed, 0 refused", 20)
		synctest.Wait()
		if n := len(k.memory.held) + len(k.memory.marks); n != 0 {
			t.Errorf("%d originals are still held", n)
		}
	})
}

func TestAChangedOriginalMakesAllVariantsAnew(t *testing.T) {
	inKiosk(t, map[string]string{"a.jpg": "one"}, func(k *kiosk) {
		k.asks("a.jpg", "w-200", "200x150 jpeg of one: uri-miss")
		k.asks("a.jpg", "w-100", "100x75 jpeg of one: miss")
		k.origin.set(func() { k.origin.files["a.jpg"] = "two" })
		k.asks("a.jpg", "w-200", "200x150 jpeg of one: hit") // as long as max_age says
		k.did("2 fetched, 0 confirmed, 0 refused", 2)
		time.Sleep(2 * time.Hour)
		k.asks("a.jpg", "w-200", "200x150 jpeg of two: stale")
		k.asks("a.jpg", "w-100", "100x75 jpeg of two: miss")
		k.did("2 fetched, 0 confirmed, 0 refused", 2)
	})
}

func TestOneConfirmationRenewsAllVariants(t *testing.T) {
	inKiosk(t, oneFile, func(k *kiosk) {
		k.asks("a.jpg", "w-200", "200x150 jpeg of one: uri-miss")
		k.asks("a.jpg", "w-100", "100x75 jpeg of one: miss")
		k.did("2 fetched, 0 confirmed, 0 refused", 2)
		time.Sleep(2 * time.Hour)
		k.asks("a.jpg", "w-200", "200x150 jpeg of one: stale")
		k.did("0 fetched, 1 confirmed, 0 refused", 0)
		k.asks("a.jpg", "w-100", "100x75 jpeg of one: hit")
		k.restart()
		k.asks("a.jpg", "w-100", "100x75 jpeg of one: hit")
		k.did("0 fetched, 0 confirmed, 0 refused", 0)
	})
}

func TestWhatIsAlittleTooOldIsSentWhileItIsRenewed(t *testing.T) {
	inKiosk(t, map[string]string{"a.jpg": "one"}, func(k *kiosk) {
		k.asks("a.jpg", "w-200", "200x150 jpeg of one: uri-miss")
		k.origin.set(func() { k.origin.files["a.jpg"], k.origin.delay = "two", time.Second })
		k.did("1 fetched, 0 confirmed, 0 refused", 1)
		time.Sleep(time.Hour + time.Minute)
		for range 5 {
			if got := k.ask("a.jpg", "w-200"); got != "200x150 jpeg of one: hit stale" {
				t.Error(got)
			}
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		k.asks("a.jpg", "w-200", "200x150 jpeg of two: hit")
		k.did("1 fetched, 0 confirmed, 0 refused", 1)
	})
}

func TestWithItsOriginDownWhatWasServedIsServed(t *testing.T) {
	inKiosk(t, oneFile, func(k *kiosk) {
		k.asks("a.jpg", "w-200", "200x150 jpeg of one: uri-miss")
		k.did("1 fetched, 0 confirmed, 0 refused", 1)
		down := &origins.Error{Kind: origins.Unreachable, Origin: "depot", Key: "a.jpg"}
		k.origin.set(func() { k.origin.fault = down })
		time.Sleep(2 * time.Hour)
		for range 10 {
			k.asks("a.jpg", "w-200", "200x150 jpeg of one: hit stale")
		}
		k.did("0 fetched, 0 confirmed, 1 refused", 0) // who comes soon afterwards doesn't wait for that again
		k.asks("a.jpg", "w-100", "error: "+down.Error())
		k.origin.counts()
		time.Sleep(time.Minute)
		k.origin.set(func() { k.origin.fault, k.origin.delay = nil, time.Second })
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if got := k.ask("a.jpg", "w-200"); !strings.HasPrefix(got, "200x150 jpeg of one: stale") {
					t.Error(got)
				}
			})
		}
		all.Wait()
		k.did("0 fetched, 1 confirmed, 0 refused", 0)
		k.origin.set(func() { k.origin.fault, k.origin.delay = down, 0 })
		time.Sleep(4 * time.Hour)
		k.asks("a.jpg", "w-200", "error: "+down.Error()) // stale_if_error is over
	})
}

func TestWhatIsGoneIsGone(t *testing.T) {
	inKiosk(t, map[string]string{"a.jpg": "one"}, func(k *kiosk) {
		k.asks("a.jpg", "w-200", "200x150 jpeg of one: uri-miss")
		k.origin.set(func() { delete(k.origin.files, "a.jpg") })
		time.Sleep(2 * time.Hour)
		k.asks("a.jpg", "w-200", `error: origin "depot": "a.jpg": not_exist`)
		k.asks("a.jpg", "w-200", `error: origin "depot": "a.jpg": not_exist`)
	})
}

func TestAPurgeWinsOverWorkUnderWay(t *testing.T) {
	for _, at := range []time.Duration{500 * time.Millisecond, 1500 * time.Millisecond, 2500 * time.Millisecond} {
		t.Run(at.String(), func(t *testing.T) {
			inKiosk(t, map[string]string{"a.jpg": "one"}, func(k *kiosk) {
				k.origin.delay, k.engine.delay, k.store.delay = time.Second, time.Second, time.Second
				go k.ask("a.jpg", "w-200")
				time.Sleep(at) // while it is fetched, rendered, kept
				k.origin.set(func() { k.origin.files["a.jpg"] = "two" })
				if _, err := k.memory.Purge(k.t.Context(), caches.Pattern{Source: "f/a.jpg"}, k.store); err != nil {
					t.Fatal(err)
				}
				if got := k.ask("a.jpg", "w-200"); !strings.HasPrefix(got, "200x150 jpeg of two") {
					t.Errorf("who came afterwards got %q", got)
				}
				time.Sleep(10 * time.Second)
				synctest.Wait()
				k.asks("a.jpg", "w-200", "200x150 jpeg of two: hit")
				if n := len(k.store.variants()); n != 2 {
					t.Errorf("the store has %q, want a record and one result", k.store.variants())
				}
			})
		})
	}
}

func TestPrivateAndUnstorableOriginalsAreNeverKept(t *testing.T) {
	for name, change := range map[string]func(*depot){
		"private":    func(d *depot) { d.private = true },
		"no-store":   func(d *depot) { d.control = "max-age=60, no-store" },
		"to one":     func(d *depot) { d.control = "Private" },
		"field list": func(d *depot) { d.control = `private="set-cookie"` },
	} {
		t.Run(name, func(t *testing.T) {
			inKiosk(t, oneFile, func(k *kiosk) {
				k.e.Keeping.Originals = new(shelves)
				change(k.origin)
				for range 3 {
					k.asks("a.jpg", "w-200", "200x150 jpeg of one: uri-miss")
				}
				k.did("3 fetched, 0 confirmed, 0 refused", 3)
				if got := append(k.store.variants(), k.e.Keeping.Originals.(*shelves).variants()...); len(got) > 0 {
					t.Errorf("kept: %q", got)
				}
			})
		})
	}
}

func TestNothingIsMadeOfPrivateOriginalsForThoseWhoMayNotSeeThem(t *testing.T) {
	for _, kept := range []bool{true, false} {
		for name, key := range map[string]string{"a picture": "a.jpg", "a text": "a.txt"} {
			t.Run(fmt.Sprintf("%s, caches: %t", name, kept), func(t *testing.T) {
				inKiosk(t, map[string]string{"a.jpg": "one", "a.txt": "one"}, func(k *kiosk) {
					if !kept {
						k.e.Keeping.Results = nil
					}
					ask := func() error {
						req := k.request(key, "w-200")
						req.Public = true
						resp, err := k.cache.Deliver(k.t.Context(), req)
						if resp != nil {
							resp.Close()
						}
						synctest.Wait()
						return err
					}
					k.origin.set(func() { k.origin.private = true })
					if err := ask(); !errors.Is(err, ErrPrivate) {
						t.Errorf("got %v", err)
					}
					if n := k.engine.painted(); n != 0 {
						t.Errorf("it was painted %d times", n)
					}
					k.origin.set(func() { k.origin.private = false })
					if err := ask(); err != nil {
						t.Errorf("when it was private no more: %v", err)
					}
					k.clean()
				})
			})
		}
	}
}

func TestKeptOriginalsSaveTheFetch(t *testing.T) {
	inKiosk(t, map[string]string{"a.jpg": "one"}, func(k *kiosk) {
		k.e.Keeping.Originals = new(shelves)
		k.asks("a.jpg", "w-200", "200x150 jpeg of one: uri-miss")
		for i := range 20 {
			k.asks("a.jpg", fmt.Sprintf("w-%d", i+1), fmt.Sprintf("%dx%d jpeg of one: miss", i+1, max(1, (i+1)*3/4+(i+1)*3%4/2)))
		}
		k.asks("a.jpg", "orig-true", "one: hit")
		k.did("1 fetched, 0 confirmed, 0 refused", 21)
		k.origin.set(func() { k.origin.files["a.jpg"] = "two" })
		time.Sleep(2 * time.Hour)
		k.asks("a.jpg", "w-300", "300x225 jpeg of two: stale")
		k.asks("a.jpg", "orig-true", "two: hit")
		k.did("1 fetched, 0 confirmed, 0 refused", 1)
	})
}

func TestAnUnseenVersionHasTheOriginAskedOnce(t *testing.T) {
	inKiosk(t, map[string]string{"a.jpg": "one"}, func(k *kiosk) {
		ask := func(query string) string {
			req := k.request("a.jpg", "w-200")
			req.Query, req.Versions = query, Versions(query)
			defer synctest.Wait()
			return k.tell(k.cache.Deliver(k.t.Context(), req))
		}
		k.e.Keeping.QueryCounts = true
		for _, step := range []struct{ query, want, done string }{
			{"", "one: uri-miss", "1 fetched, 0 confirmed, 0 refused"},
			{"v=1", "one: stale", "0 fetched, 1 confirmed, 0 refused"},
			{"v=1", "one: hit", "0 fetched, 0 confirmed, 0 refused"},
			{"", "one: hit", "0 fetched, 0 confirmed, 0 refused"},
			{"updatedAt=17", "one: stale", "0 fetched, 1 confirmed, 0 refused"},
			{"v=1", "one: hit", "0 fetched, 0 confirmed, 0 refused"},
			{"token=x", "one: uri-miss", "1 fetched, 0 confirmed, 0 refused"},
			{"token=x&v=1", "one: stale", "0 fetched, 1 confirmed, 0 refused"},
		} {
			if got := ask(step.query); got != "200x150 jpeg of "+step.want {
				t.Errorf("?%s: %s", step.query, got)
			}
			if got := k.origin.counts(); got != step.done {
				t.Errorf("?%s: %s, want %s", step.query, got, step.done)
			}
		}
		k.origin.set(func() { k.origin.files["a.jpg"] = "two" })
		if got := ask("v=2"); got != "200x150 jpeg of two: stale" {
			t.Error(got)
		}
	})
}

func TestOriginsOnThisMachineAreAlwaysAsked(t *testing.T) {
	inKiosk(t, map[string]string{"a.jpg": "one"}, func(k *kiosk) {
		folder := newDepot(map[string]string{})
		folder.name = "folder"
		k.e.Origin = origins.Fallback([]origins.Origin{folder, k.origin})
		k.e.Keeping.Origins = []string{"folder", "depot"}
		k.e.Keeping.Locals = []Local{{Name: "folder", Place: 0, Origin: folder}}
		k.asks("a.jpg", "w-200", "200x150 jpeg of one: uri-miss")
		k.asks("a.jpg", "w-200", "200x150 jpeg of one: hit")
		k.did("1 fetched, 0 confirmed, 0 refused", 1)
		folder.set(func() { folder.files["a.jpg"] = "mine" })
		k.asks("a.jpg", "w-200", "200x150 jpeg of mine: stale")
		k.asks("a.jpg", "w-200", "200x150 jpeg of mine: hit")
		folder.set(func() { folder.files["a.jpg"] = "better" })
		k.asks("a.jpg", "w-200", "200x150 jpeg of better: stale")
		time.Sleep(24 * time.Hour)
		k.asks("a.jpg", "w-200", "200x150 jpeg of better: hit")
		folder.set(func() { delete(folder.files, "a.jpg") })
		k.asks("a.jpg", "w-200", "200x150 jpeg of one: stale")
	})
}

func TestACopyThatStandsInIsNotKeptForLong(t *testing.T) {
	inKiosk(t, oneFile, func(k *kiosk) {
		second := newDepot(map[string]string{"a.jpg": "copy", "b.jpg": "old"})
		second.name = "second"
		k.e.Origin = origins.Fallback([]origins.Origin{k.origin, second})
		k.e.Keeping.Origins = []string{"depot", "second"}
		k.asks("a.jpg", "w-200", "200x150 jpeg of one: uri-miss")
		k.origin.set(func() { k.origin.fault = &origins.Error{Kind: origins.Unreachable, Origin: "depot"} })
		k.asks("b.jpg", "w-200", "200x150 jpeg of old: uri-miss")
		k.asks("b.jpg", "w-200", "200x150 jpeg of old: hit")
		k.asks("a.jpg", "w-100", "100x75 jpeg of copy: miss")
		k.asks("a.jpg", "w-200", "200x150 jpeg of one: hit") // what is known to be better stays
		time.Sleep(2 * time.Hour)
		k.asks("a.jpg", "w-200", "200x150 jpeg of one: hit stale")
		k.origin.set(func() { k.origin.fault = nil; k.origin.files = map[string]string{"a.jpg": "one", "b.jpg": "new"} })
		time.Sleep(2 * time.Minute)
		k.asks("b.jpg", "w-200", "200x150 jpeg of new: stale")
		k.asks("a.jpg", "w-200", "200x150 jpeg of one: stale")
	})
}

func TestTheOriginMaySayForHowLong(t *testing.T) {
	for _, tt := range []struct {
		control string
		after   time.Duration
		want    string
	}{
		{"max-age=60", 59 * time.Second, "hit"},
		{"max-age=60", 2 * time.Hour, "stale"},
		{"max-age=60, s-maxage=600", 599 * time.Second, "hit"},
		{"s-maxage=60, max-age=600", 61 * time.Second, "stale"}, // it allows nothing stale
		{"max-age=60, stale-while-revalidate=30", 80 * time.Second, "hit stale"},
		{"max-age=60, stale-while-revalidate=30", 91 * time.Second, "stale"},
		{"max-age=60, must-revalidate", 61 * time.Second, "stale"},
		{"no-cache", time.Millisecond, "stale"},
		{"no-cache, max-age=60", time.Millisecond, "stale"},
		{"public", 59 * time.Minute, "hit"},
		{"max-age=soon", time.Second, "hit stale"},
		{"max-age=99999999999999999999999", 1000 * time.Hour, "hit"},
	} {
		t.Run(tt.control, func(t *testing.T) {
			inKiosk(t, oneFile, func(k *kiosk) {
				k.e.Keeping.Obey, k.origin.control = true, tt.control
				k.ask("a.jpg", "w-200")
				synctest.Wait()
				time.Sleep(tt.after)
				k.asks("a.jpg", "w-200", "200x150 jpeg of one: "+tt.want)
			})
		})
	}
}

func TestOriginalsWithoutValidatorAreToldApartByTheirBytes(t *testing.T) {
	inKiosk(t, map[string]string{"a.jpg": "one"}, func(k *kiosk) {
		k.origin.plain = true
		k.asks("a.jpg", "w-200", "200x150 jpeg of one: uri-miss")
		time.Sleep(2 * time.Hour)
		k.asks("a.jpg", "w-200", "200x150 jpeg of one: stale")
		k.did("2 fetched, 0 confirmed, 0 refused", 1)
		k.origin.set(func() { k.origin.files["a.jpg"] = "two" })
		time.Sleep(2 * time.Hour)
		k.asks("a.jpg", "w-200", "200x150 jpeg of two: stale")
		k.did("1 fetched, 0 confirmed, 0 refused", 1)
	})
}

func TestDamagedPicturesAreNotTriedAgainAtOnce(t *testing.T) {
	inKiosk(t, oneFile, func(k *kiosk) {
		k.engine.err = &transform.Error{Kind: transform.Broken, Op: "decoding", Err: errors.New("no end")}
		for range 5 {
			k.asks("a.jpg", "w-200", "error: decoding: no end")
		}
		k.did("1 fetched, 0 confirmed, 0 refused", 1)
		time.Sleep(time.Minute)
		k.asks("a.jpg", "w-200", "error: decoding: no end")
		k.did("1 fetched, 0 confirmed, 0 refused", 1)
	})
}

func TestOtherFilesAreKeptOnTheirSecondUse(t *testing.T) {
	inKiosk(t, map[string]string{"a.txt": "text"}, func(k *kiosk) {
		k.asks("a.txt", "", "text: uri-miss")
		k.asks("a.txt", "", "text: bypass")
		files := new(shelves)
		k.e.Keeping.Files = files
		k.did("2 fetched, 0 confirmed, 0 refused", 0)
		k.asks("a.txt", "", "text: bypass")
		k.did("2 fetched, 0 confirmed, 0 refused", 0)
		k.asks("a.txt", "", "text: hit")
		k.asks("a.txt", "w-200", "text: hit")
		k.did("0 fetched, 0 confirmed, 0 refused", 0)
		time.Sleep(2 * time.Hour)
		k.asks("a.txt", "", "text: stale")
		k.did("0 fetched, 1 confirmed, 0 refused", 0)
		if got := files.variants(); !slices.Equal(got, []string{"file"}) {
			t.Errorf("kept: %q", got)
		}
	})
}

func TestTrimsAreLookedAtOnce(t *testing.T) {
	inKiosk(t, oneFile, func(k *kiosk) {
		k.asks("a.jpg", "t-true:w-100", "100x50 jpeg of one: uri-miss")
		k.asks("a.jpg", "t-true:w-100", "100x50 jpeg of one: hit")
		k.restart()
		k.asks("a.jpg", "t-true:w-100", "100x50 jpeg of one: hit")
		k.did("1 fetched, 0 confirmed, 0 refused", 1)
	})
}

func TestADefaultImageIsRememberedUnderItsOwnName(t *testing.T) {
	inKiosk(t, map[string]string{"none.jpg": "none"}, func(k *kiosk) {
		k.e.DefaultImage = "none.jpg"
		k.asks("a.jpg", "w-200", "200x150 jpeg of none: uri-miss")
		k.asks("b.jpg", "w-200", "200x150 jpeg of none: hit")
		if k.engine.painted() != 1 {
			t.Error("it was made twice")
		}
	})
}

func TestAVisitorWhoLeavesLeavesTheOthersAlone(t *testing.T) {
	inKiosk(t, oneFile, func(k *kiosk) {
		k.origin.delay, k.engine.delay = time.Second, time.Second
		ctx, leave := context.WithCancel(k.t.Context())
		var all sync.WaitGroup
		all.Go(func() {
			_, err := k.cache.Deliver(ctx, k.request("a.jpg", "w-200"))
			if origins.KindOf(err) != origins.Canceled {
				t.Errorf("who left got %v", err)
			}
		})
		time.Sleep(500 * time.Millisecond)
		all.Go(func() {
			if got := k.ask("a.jpg", "w-200"); got != "200x150 jpeg of one: uri-miss" {
				t.Error(got)
			}
		})
		time.Sleep(100 * time.Millisecond)
		leave()
		all.Wait()
		k.did("1 fetched, 0 confirmed, 0 refused", 1)
	})
}
