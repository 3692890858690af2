package delivery

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// hosts is an origin whose files depend on the host of the client and on the query.
func hosts(ctx context.Context, req origins.Request) (*origins.Object, error) {
	if req.Host == "" && req.Query == "" {
		return nil, &origins.Error{Kind: origins.NotExist, Origin: "depot", Key: req.Key}
	}
	content := req.Host + "?" + req.Query
	file := append(slices.Clone(jpeg), content...)
	a := origins.Attributes{Origin: "depot", Size: int64(len(file)), ETag: `"always the same"`}
	return &origins.Object{Attributes: a, Body: io.NopCloser(bytes.NewReader(file))}, nil
}

// attack 14: what one host was answered is never another's, even where the origin calls both by one validator and size.
func TestNothingOfOneHostIsServedToAnother(t *testing.T) {
	for _, key := range []string{"a.jpg", "a.txt"} {
		inKiosk(t, nil, func(k *kiosk) {
			k.e.Origin = origins.OriginFunc(hosts)
			k.e.Keeping.HostCounts, k.e.Keeping.Originals, k.e.Keeping.Files = true, new(shelves), new(shelves)
			for range 3 {
				for _, host := range []string{"one.example", "two.example", "one.example:8080"} {
					req := k.request(key, "orig-true")
					req.Host = host
					if got := k.tell(k.cache.Deliver(k.t.Context(), req)); !strings.HasPrefix(got, host+"?: ") {
						t.Errorf("%s of %s: got %q", key, host, got)
					}
					synctest.Wait()
				}
			}
			k.clean()
		})
	}
}

// attack 15: queries that origins see are kept apart unless they are the same text; what tells versions apart is no part of keys.
func TestOneQueryHasOneKeyAndTwoHaveTwo(t *testing.T) {
	k := newKiosk(t, nil)
	k.e.Keeping.QueryCounts = true
	aside := func(query string) string {
		req := k.request("a.jpg", "w-10")
		req.Query = query
		return req.aside()
	}
	for _, same := range [][2]string{{"", "v=1"}, {"a=1", "v=2&a=1"}, {"a=1", "a=1&updatedAt=3"}, {"a=1&b=2", "a=1&version=9&b=2"}, {"a=1", "%76=2&a=1"}} {
		if a, b := aside(same[0]), aside(same[1]); a != b {
			t.Errorf("%q and %q are kept as %q and %q", same[0], same[1], a, b)
		}
	}
	// An origin may well answer each of these differently: one is never taken for another.
	all := []string{"", "a=1", "a=1&a=1", "a=1&b=2", "b=2&a=1", "a=1&", "a=1;", "A=1", "a=%31", "a=+", "a=%20", "a=%2B", "a=\u00e9", "a=e\u0301", "a", "a=", "w=1", "vv=1"}
	seen := map[string]string{}
	for _, query := range all {
		name := aside(query)
		if other, taken := seen[name]; taken {
			t.Errorf("%q and %q are both kept as %q", query, other, name)
		}
		seen[name] = query
	}
	// Nor does anything of the query pass for a host.
	k.e.Keeping.HostCounts = true
	one, two := k.request("a.jpg", ""), k.request("a.jpg", "")
	one.Query, one.Host, two.Query, two.Host = "a=1", "x", "a=", "1x"
	if one.aside() == two.aside() {
		t.Error("a query and a host are kept as another query and another host")
	}
}

// attack 11: with less than 128 bits whoever may choose a query, or the bytes of a file, finds two of one name at home.
func TestNamesAreTooLongToFindTwoOfOne(t *testing.T) {
	k := newKiosk(t, nil)
	k.e.Keeping.QueryCounts = true
	req := k.request("a.jpg", "w-10")
	req.Query = "a=1"
	for what, name := range map[string]string{
		"a query":                       req.aside(),
		"a file without validators":     versionOf(origins.Attributes{}, []byte("bytes")),
		"a file that has a strong ETag": versionOf(origins.Attributes{ETag: `"x"`}, nil),
		"what is made of it":            RecipeHash(plan.Plan{}),
	} {
		if len(name) < 32 { // hexadecimal digits
			t.Errorf("%s: %q is %d bits", what, name, 4*len(name))
		}
	}
}

// attack 16: neither half a file nor an error becomes an entry, whichever store would take it.
func TestNothingThatBrokeOffIsKept(t *testing.T) {
	for _, key := range []string{"a.jpg", "a.txt"} {
		for _, tt := range []struct {
			name string
			size int64 // as told; -1 is unknown
			err  error // at the end of what comes
		}{
			{"shorter than it said", 100_000, nil},
			{"broken, of a known size", 100_000, errors.New("reset")},
			{"broken, of an unknown size", -1, io.ErrUnexpectedEOF},
			{"longer than it said", 10, nil},
		} {
			t.Run(tt.name+" "+key, func(t *testing.T) {
				inKiosk(t, map[string]string{key: "whole"}, func(k *kiosk) {
					whole := k.e.Origin
					k.e.Keeping.Originals, k.e.Keeping.Files = new(shelves), new(shelves)
					k.e.Origin = origins.OriginFunc(func(context.Context, origins.Request) (*origins.Object, error) {
						content := io.MultiReader(bytes.NewReader(jpeg), strings.NewReader(strings.Repeat("x", 5000)), failingReader{tt.err})
						a := origins.Attributes{Origin: "depot", Size: tt.size, ETag: `"whole"`}
						return &origins.Object{Attributes: a, Body: io.NopCloser(content)}, nil
					})
					for range 3 { // other files are kept on their second use
						resp, err := k.cache.Deliver(k.t.Context(), k.request(key, "w-200"))
						if err == nil {
							_, err = io.Copy(io.Discard, resp.Content)
							resp.Close()
						}
						if err == nil && tt.size >= 0 {
							t.Error("it was sent as if it were whole")
						}
						synctest.Wait()
					}
					if kept := slices.Concat(k.store.variants(), k.e.Keeping.Originals.(*shelves).variants(), k.e.Keeping.Files.(*shelves).variants()); slices.ContainsFunc(kept, func(v string) bool { return !strings.HasPrefix(v, recordForm) }) {
						t.Errorf("kept are %q", kept)
					}
					k.e.Origin = whole
					k.restart()
					if got := k.ask(key, "w-200"); !strings.Contains(got, "whole") {
						t.Errorf("afterwards: got %q", got)
					}
					k.clean()
				})
			})
		}
	}
}

type failingReader struct{ err error }

func (f failingReader) Read([]byte) (int, error) {
	if f.err == nil {
		return 0, io.EOF
	}
	return 0, f.err
}

// trickle is a body that takes a second for each byte behind the head of a file.
type trickle struct {
	ctx  context.Context
	head *bytes.Reader
	left int
}

func (s *trickle) Read(p []byte) (int, error) {
	if s.head.Len() > 0 {
		return s.head.Read(p)
	}
	if s.left == 0 {
		return 0, io.EOF
	}
	select {
	case <-time.After(time.Second):
	case <-s.ctx.Done():
		return 0, s.ctx.Err()
	}
	s.left--
	p[0] = 'x'
	return 1, nil
}

// attack 31: who waits for an origin, and who reads slowly, holds none of the slots in which pictures are made.
func TestSlowOriginsAndSlowReadersHoldNoSlot(t *testing.T) {
	for _, remembers := range []bool{true, false} {
		for _, key := range []string{"a.jpg", "a.txt"} {
			t.Run(fmt.Sprintf("%s, remembering %v", key, remembers), func(t *testing.T) {
				inKiosk(t, map[string]string{"a.jpg": "one", "a.txt": "one", "quick.jpg": "quick"}, func(k *kiosk) {
					gate := transform.NewGate(1)
					var d Deliverer = &Render{Engine: gate.Guard(k.engine)}
					if remembers {
						d = NewCache(gate.Guard(k.engine), k.memory)
					}
					quick := k.e.Origin
					k.e.Limits.Timeout = 0
					idle := func(when string) {
						t.Helper()
						synctest.Wait()
						if load := gate.Load(); load.Running+load.Waiting != 0 {
							t.Errorf("%s: %d slots are taken and %d requests wait for one", when, load.Running, load.Waiting)
						}
						resp, err := d.Deliver(k.t.Context(), k.request("quick.jpg", fmt.Sprintf("w-%d", 1+rand.IntN(300))))
						if err != nil {
							t.Fatal(err)
						}
						resp.Close()
					}
					k.e.Origin = origins.OriginFunc(func(ctx context.Context, req origins.Request) (*origins.Object, error) {
						if req.Key == "quick.jpg" {
							return quick.Open(ctx, req)
						}
						time.Sleep(time.Minute)
						head := jpeg
						if strings.HasSuffix(req.Key, ".txt") {
							head = bytes.Repeat([]byte("x"), len(jpeg))
						}
						body := &trickle{ctx, bytes.NewReader(append(slices.Clone(head), bytes.Repeat([]byte("x"), 5000)...)), 60}
						a := origins.Attributes{Origin: "depot", Size: int64(body.head.Len() + body.left), ETag: `"a"`}
						return &origins.Object{Attributes: a, Body: io.NopCloser(body)}, nil
					})
					answers := make(chan *Response, 50)
					var all sync.WaitGroup
					for i := range cap(answers) {
						all.Go(func() {
							resp, err := d.Deliver(k.t.Context(), k.request(fmt.Sprintf("%d/%s", i, key), "w-200"))
							if err != nil {
								t.Error(err)
								return
							}
							answers <- resp
						})
					}
					time.Sleep(30 * time.Second)
					idle("while the origin doesn't answer")
					time.Sleep(45 * time.Second)
					idle("while its files trickle in")
					all.Wait()
					idle("while nobody reads")
					close(answers)
					for resp := range answers {
						if _, err := io.CopyN(io.Discard, resp.Content, 1); err != nil {
							t.Error(err)
						}
						idle("while somebody reads on")
						resp.Close()
					}
					k.clean()
				})
			})
		}
	}
}

// attack 32: clients that leave, whenever they do, take no slot, no place in the line and no goroutine with them; and who
// stays is answered, though all whom it waited with have left.
func TestAStormOfCancelsLeavesNothingBehind(t *testing.T) {
	inKiosk(t, oneFile, func(k *kiosk) {
		gate := transform.NewGate(2)
		k.cache = NewCache(gate.Guard(k.engine), k.memory)
		k.origin.delay, k.engine.delay = 100*time.Millisecond, 200*time.Millisecond
		var all sync.WaitGroup
		left := 0
		var mu sync.Mutex
		for range 1000 {
			all.Go(func() {
				time.Sleep(time.Duration(rand.IntN(2000)) * time.Millisecond)
				ctx, leave := context.WithTimeout(k.t.Context(), time.Duration(rand.IntN(600))*time.Millisecond)
				defer leave()
				ctx, cancel := context.WithCancel(ctx)
				stop := context.AfterFunc(ctx, cancel)
				defer stop()
				resp, err := k.cache.Deliver(ctx, k.request("a.jpg", fmt.Sprintf("w-%d", 1+rand.IntN(40))))
				if err != nil {
					mu.Lock()
					left++
					mu.Unlock()
					return
				}
				resp.Close()
			})
		}
		stays := make(chan string, 40)
		for i := range cap(stays) {
			all.Go(func() { stays <- k.ask("a.jpg", fmt.Sprintf("w-%d", 4*(i+1))) })
		}
		all.Wait()
		synctest.Wait()
		close(stays)
		for got := range stays {
			if strings.HasPrefix(got, "error") {
				t.Errorf("somebody who stayed got %s", got)
			}
		}
		if load := gate.Load(); load.Running+load.Waiting != 0 {
			t.Errorf("%d slots are taken and %d requests wait", load.Running, load.Waiting)
		}
		if left < 100 {
			t.Errorf("%d of 1000 left before they were answered: the test proves little", left)
		}
		if got := k.ask("a.jpg", "w-399"); !strings.HasPrefix(got, "399x299 jpeg of one: ") {
			t.Errorf("afterwards: got %q", got)
		}
		k.clean()
	})
}
