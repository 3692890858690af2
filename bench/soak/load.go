package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/imageorigin/imageorigin/bench/internal/server"
)

// request is what is asked for, but for the number of the original.
type request struct{ chain, name string }

func (r request) path(number int) string { return fmt.Sprintf("/tr:%s/%d/%s", r.chain, number, r.name) }

// known is what a server answered that nobody disturbed: a picture, or none.
type known struct {
	status int
	sum    [32]byte
}

// chains are what pictures become; animations, AVIF and large ones are rarer than the rest, as they are on sites.
var chains = []string{
	"w-200", "w-400", "w-320,h-240,fo-auto", "w-150,h-150,r-max", "w-300,f-webp", "w-300,f-webp,q-50", "w-240,f-avif", "w-500,rt-90",
	"w-260,e-grayscale", "w-180,f-png", "h-300,bl-5", "w-100,h-100,cm-pad_resize,bg-F3F3F3",
}

// load is what is asked for and what came of it.
type load struct {
	server  *server.Server
	origin  *origin
	options options
	client  *http.Client

	answers       map[request]known
	good, hostile []request
	rest          sample // before the load

	mu     sync.Mutex
	right  int            // pictures as known
	wrong  []string       // pictures that aren't
	failed map[string]int // of good requests: status and error
	bad    map[int]int    // of hostile requests: by status
}

func newLoad(s *server.Server, o *origin, options options) *load {
	return &load{
		server: s, origin: o, options: options, client: server.Client(options.clients, 2*time.Minute),
		answers: map[request]known{}, failed: map[string]int{}, bad: map[int]int{},
	}
}

// learn has the server encode what Go can't, and asks for everything once.
func (l *load) learn() error {
	for name, from := range map[string]request{
		"moving.webp": {"f-webp", "moving.gif"}, "alpha.webp": {"f-webp", "alpha.png"}, "photo.avif": {"w-800,f-avif", "photo.jpg"},
	} {
		r, err := l.server.Get(context.Background(), l.client, from.path(0))
		if err == nil && r.Status != http.StatusOK {
			err = errors.New(r.Header.Get("Ik-Error"))
		}
		if err != nil {
			return fmt.Errorf("making %s: %w", name, err)
		}
		l.origin.add(name, r.Body)
	}
	for _, name := range slices.Sorted(maps.Keys(l.origin.files)) {
		for i, chain := range chains {
			if strings.HasPrefix(name, "moving") && i > 5 || strings.HasPrefix(name, "large") && i > 4 {
				continue
			}
			l.good = append(l.good, request{chain, name})
		}
	}
	for i, name := range slices.Sorted(maps.Keys(l.origin.hostile)) {
		l.hostile = append(l.hostile, request{chains[i%3], name})
	}
	for _, list := range [][]request{l.good, l.hostile} {
		for _, want := range list {
			r, err := l.server.Get(context.Background(), l.client, want.path(0))
			if err != nil {
				return fmt.Errorf("%s: %w\n%s", want.path(0), err, l.server.Said())
			}
			l.answers[want] = known{r.Status, sha256.Sum256(r.Body)}
		}
	}
	for _, want := range l.good {
		if a := l.answers[want]; a.status != http.StatusOK {
			return fmt.Errorf("%s: got %d before the load", want.path(0), a.status)
		}
	}
	return nil
}

// run makes the load, and samples the server meanwhile.
func (l *load) run(lasts time.Duration) (*samples, error) {
	var err error
	if l.rest, err = l.quiet(10); err != nil {
		return nil, err
	}
	ctx, stop := context.WithTimeout(context.Background(), lasts)
	defer stop()
	var clients sync.WaitGroup
	for id := range l.options.clients {
		clients.Go(func() { l.visit(ctx, rand.New(rand.NewPCG(uint64(id), 5))) })
	}
	s, err := l.sample(ctx)
	stop()
	clients.Wait()
	if err != nil {
		return nil, err
	}
	s.rest, err = l.quiet(45)
	return s, err
}

// visit is a client: it asks until the time is over. Few originals are asked for often and many seldom, as on sites.
func (l *load) visit(ctx context.Context, random *rand.Rand) {
	popular := rand.NewZipf(random, 1.1, 20, uint64(l.options.originals-1))
	for ctx.Err() == nil {
		want, number, hostile := l.good[random.IntN(len(l.good))], 1+int(popular.Uint64()), false
		if random.Float64() < l.options.hostile {
			want, hostile = l.hostile[random.IntN(len(l.hostile))], true
		}
		r, err := l.server.Get(ctx, l.client, want.path(number))
		if ctx.Err() != nil {
			return
		}
		l.note(want, hostile, r, err)
	}
}

func (l *load) note(want request, hostile bool, r server.Reply, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	right := l.answers[want]
	switch {
	case err == nil && r.Status == http.StatusOK && right == known{http.StatusOK, sha256.Sum256(r.Body)}:
		l.right++
	case err == nil && r.Status == http.StatusOK:
		l.wrong = append(l.wrong, fmt.Sprintf("/tr:%s/%s: a 200 of %d bytes, %d before the load", want.chain, want.name, len(r.Body), right.status))
	case hostile && err == nil:
		l.bad[r.Status]++
	case err != nil:
		l.failed[err.Error()]++
	default:
		code, _, _ := strings.Cut(r.Header.Get("Ik-Error"), " ")
		l.failed[fmt.Sprintf("%d %s", r.Status, code)]++
	}
}
