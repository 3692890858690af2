package caddymodule

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/imageorigin/imageorigin/caches"
)

// How much purging goes on at once in the process. Readers obey a purge as soon as it begins; dropping the entries from
// a disk that holds millions takes its time.
const (
	broadPurges   = 4 // of prefixes, tags, endpoints
	broadWaiting  = 100
	broadTime     = 10 * time.Minute // for one, from when it begins
	narrowPurges  = 16               // of originals and variants
	narrowWaiting = 1000
	narrowTime    = time.Minute
)

var (
	errPurgesBusy = errors.New("too many purges are waiting; try again in a minute")
	errNoConfig   = errors.New("no config with imageorigin is in force; load one")
)

// purges are those of the process. They outlive the config under which they were asked for: a reload doesn't end them.
var purges = newDesk(remembered, running.stores)

// purger forgets: *delivery.Memory.
type purger interface {
	Purge(ctx context.Context, match caches.Pattern, stores ...caches.Store) (int, error)
}

// desk takes purges, and works on them in the background.
type desk struct {
	memory purger
	stores func() []caches.Store // of the configs that are started
	broad  lane
	narrow lane

	mu   sync.Mutex
	jobs map[*job]context.CancelFunc
}

// lane bounds purges of a kind.
type lane struct {
	room    chan struct{} // one for each purge that waits or is worked on
	workers chan struct{} // one for each that is worked on
	limit   time.Duration
}

func newLane(workers, waiting int, limit time.Duration) lane {
	return lane{make(chan struct{}, workers+waiting), make(chan struct{}, workers), limit}
}

func newDesk(memory purger, stores func() []caches.Store) *desk {
	return &desk{
		memory: memory,
		stores: stores,
		broad:  newLane(broadPurges, broadWaiting, broadTime),
		narrow: newLane(narrowPurges, narrowWaiting, narrowTime),
		jobs:   map[*job]context.CancelFunc{},
	}
}

// job is a purge that was taken. What follows done is there when that is closed.
type job struct {
	done    chan struct{}
	dropped int // entries, from the store that had most
	err     error
	took    time.Duration // without the waiting
}

// finished reports whether the job is done.
func (j *job) finished() bool {
	select {
	case <-j.done:
		return true
	default:
		return false
	}
}

// take begins a purge, or lets it wait; too many make it errPurgesBusy. It goes on when whoever asked for it has left.
func (d *desk) take(p *purge) (*job, error) {
	l := d.narrow
	if p.broad {
		l = d.broad
	}
	select {
	case l.room <- struct{}{}:
	default:
		return nil, errPurgesBusy
	}
	ctx, cancel := context.WithCancel(context.Background())
	j := &job{done: make(chan struct{})}
	d.mu.Lock()
	d.jobs[j] = cancel
	d.mu.Unlock()
	go func() {
		defer close(j.done)
		d.work(ctx, l, p, j)
		d.mu.Lock()
		delete(d.jobs, j)
		d.mu.Unlock()
		cancel()
		<-l.room
	}()
	return j, nil
}

func (d *desk) work(ctx context.Context, l lane, p *purge, j *job) {
	select {
	case l.workers <- struct{}{}:
	case <-ctx.Done():
		j.err = ctx.Err()
		return
	}
	defer func() { <-l.workers }()
	ctx, cancel := context.WithTimeout(ctx, l.limit)
	defer cancel()
	start := time.Now()
	for _, forget := range p.misses {
		forget()
	}
	for _, match := range p.patterns {
		n, err := d.drop(ctx, match)
		j.dropped += n
		if err != nil {
			j.err = err
			break
		}
	}
	j.took = time.Since(start)
	logger := caddy.Log().Named(appName)
	if j.err != nil {
		logger.Error("purge failed; what it was about may still be served: purge it again", zap.Strings("targets", shortened(p.targets)), zap.Int("entries", j.dropped), zap.Error(j.err))
		return
	}
	logger.Info("purged", zap.Strings("targets", shortened(p.targets)), zap.Int("entries", j.dropped), zap.Duration("duration", j.took))
	notice := p.notice
	notice.Time = time.Now()
	running.announce(notice)
}

// shortened returns the first few of a list that may be long.
func shortened(list []string) []string { return list[:min(len(list), 20)] }

// drop drops what matches from all stores. Where a reload brings another config meanwhile, its stores follow: they may
// have been opened on what was not dropped yet, and those of the config before may have been closed under the purge.
func (d *desk) drop(ctx context.Context, match caches.Pattern) (int, error) {
	most := 0
	for stores := d.stores(); ; {
		n, err := d.memory.Purge(ctx, match, stores...)
		most = max(most, n)
		now := d.stores()
		if ctx.Err() != nil || slices.Equal(now, stores) {
			return most, err
		}
		stores = now
	}
}

// settle ends all purges, and returns when they have ended.
func (d *desk) settle() {
	d.mu.Lock()
	var ending []*job
	for j, cancel := range d.jobs {
		cancel()
		ending = append(ending, j)
	}
	d.mu.Unlock()
	for _, j := range ending {
		<-j.done
	}
}

// submit plans a purge by the config in force, and takes it. It returns what is meant, in words.
func submit(ctx context.Context, ask purgeAsk) (*job, []string, error) {
	a := running.inForce()
	if a == nil {
		return nil, nil, errNoConfig
	}
	p, err := a.planPurge(ctx, ask)
	if err != nil {
		return nil, nil, err
	}
	j, err := purges.take(p)
	return j, p.targets, err
}

// inForce returns the config that was started last; nil without.
func (c *configs) inForce() *App {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.apps) == 0 {
		return nil
	}
	return c.apps[len(c.apps)-1]
}

// stores returns the stores of all configs that are started, each once.
func (c *configs) stores() []caches.Store {
	c.mu.Lock()
	apps := slices.Clone(c.apps)
	c.mu.Unlock()
	var all []caches.Store
	for _, a := range apps {
		for _, s := range a.stores() {
			if !slices.Contains(all, s) {
				all = append(all, s)
			}
		}
	}
	return all
}

// announce tells the webhooks of the config in force, whose end waits meanwhile: what they were given by then is handed
// over.
func (c *configs) announce(n purgeNotice) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.apps) > 0 {
		c.apps[len(c.apps)-1].hooks.post(n)
	}
}

// leave ends what belongs to no config once a is stopped: purges, if it was the last one. What its webhooks were not
// told yet, those of the config in force tell.
func (a *App) leave() {
	var heirs *webhooks
	if next := running.inForce(); next != nil {
		heirs = next.hooks
	} else {
		purges.settle()
	}
	a.hooks.stop()
	a.hooks.handOver(heirs)
}
