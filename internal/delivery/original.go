package delivery

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/imageorigin/imageorigin/caches"
	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// original is what came of an original: its record, and while somebody looks at it the whole file of a picture, or the
// open beginning of another file.
type original struct {
	*record
	name     name
	file     []byte   // nil: not read, for it is as it was, or no picture
	open     *opening // of what is no picture
	mark     *mark
	download time.Duration // opening and reading it
	worse    bool          // a copy that stands in for a better one, which is known but can't be had now; not remembered

	looking int // who looks at it; under the lock of Memory
}

// share counts who looks at an original, and gives its memory back when nobody does any more.
func (m *Memory) share(o *original, more int) {
	m.mu.Lock()
	if o.looking += more; o.looking > 0 {
		if o.file != nil && !o.mark.purged {
			m.held[o.name] = o
		}
		m.mu.Unlock()
		return
	}
	if m.held[o.name] == o {
		delete(m.held, o.name)
	}
	delete(m.marks, o.mark)
	m.mu.Unlock()
	if o.file != nil {
		release(o.file)
	}
	o.open.abandon()
}

// hold returns an original that somebody looks at already; nil is none. The caller shares it from then on.
func (m *Memory) hold(n name, version string) *original {
	m.mu.Lock()
	defer m.mu.Unlock()
	o := m.held[n]
	if o == nil || o.Version != version {
		return nil
	}
	o.looking++
	return o
}

// opening is a file that is open for whoever takes it first.
type opening struct {
	mu   sync.Mutex
	src  *source
	stop context.CancelFunc
}

// take returns the open file, nil if somebody has it; stop ends its context.
func (o *opening) take() (src *source, stop context.CancelFunc) {
	if o == nil {
		return nil, nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	src, o.src = o.src, nil
	return src, o.stop
}

// abandon closes what nobody took.
func (o *opening) abandon() {
	if src, stop := o.take(); src != nil {
		stop()
		go func() { // the caller holds a lock
			_, _, _ = unhurt(context.Background(), func(context.Context) (_ struct{}, _ func(), _ error) { src.Close(); return })
		}()
	}
}

// fetch names the flight that asks the origins for an original.
type fetch struct {
	name
	conditional bool
	versions    string // Request.Versions, where origins see it
	still       bool   // of a document: its bytes are to be read
	limit       int64  // of the endpoint, for the size: those that share what they keep may have different ones
}

// fetch asks the origins for the original, or, where before is given, whether it is still that. What it returns is shared.
// With anew set, what came before is not good enough.
func (a *ask) fetch(ctx context.Context, before *record, anew bool) (*original, part, error) {
	f := fetch{name: a.name, conditional: before != nil, still: a.req.wantsStill(), limit: a.req.Endpoint.Limits.SourceSize}
	if a.keep.QueryCounts {
		f.versions = a.req.Versions
	}
	o, how, err := join(ctx, &a.memory.fetches, f, anew, func(ctx context.Context) (*original, func(), error) {
		return a.fly(ctx, before)
	})
	if err != nil && ctx.Err() != nil && !isOrigins(err) && errors.Is(err, context.Cause(ctx)) {
		err = a.unanswered(ctx)
	}
	return o, how, err
}

// fly is the work of fetch.
func (a *ask) fly(ctx context.Context, before *record) (o *original, after func(), err error) {
	if a.forResult() {
		if err := a.miss.enter(); err != nil {
			return nil, nil, err
		}
		defer a.miss.leave()
	}
	ctx, clock := a.clock(ctx)
	defer clock.Close()
	mark := a.memory.begin(a.name.source)
	defer func() {
		if o == nil {
			a.memory.end(mark)
		}
	}()
	if o, err = a.read(ctx, before, mark); err != nil {
		err = clock.explain(err)
		if before != nil && isFault(err) {
			a.memory.postpone(a.name, time.Now().Add(quiet))
		} else if origins.KindOf(err) == origins.NotExist && isOrigins(err) {
			a.drop(ctx)
		}
		return nil, nil, err
	}
	switch {
	case o.worse:
		a.memory.postpone(a.name, time.Now().Add(quiet))
	case !o.keepable():
		a.drop(ctx) // what was for everybody isn't any more
	}
	return o, func() { a.keepOriginal(o) }, nil
}

// drop forgets what is known of the original, if anything is.
func (a *ask) drop(ctx context.Context) {
	if a.known != nil || a.memory.known.Contains(a.name) {
		a.memory.drop(ctx, a.name, a.keep.records())
	}
}

// quiet is for how long an origin that could not be asked about an original isn't asked about it again, where there is
// something to send.
const quiet = 10 * time.Second

// isFault reports whether err says that an origin could not be asked, and nothing of the file.
func isFault(err error) bool {
	if !isOrigins(err) {
		return false
	}
	switch origins.KindOf(err) {
	case origins.Unreachable, origins.Timeout, origins.Unknown:
		return true
	}
	return false
}

// read reads the original from its origins.
func (a *ask) read(ctx context.Context, before *record, mark *mark) (o *original, err error) {
	// What is open for somebody outlives the flight.
	open, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := context.AfterFunc(ctx, stop)
	src := &source{ctx: open, origin: a.req.Endpoint.Origin, request: originRequest(a.req, a.key)}
	if before != nil {
		src.request.Validator = before.validator(a.keep)
	}
	defer func() {
		if o == nil || o.open == nil {
			src.Close()
			stop()
		}
	}()
	o, err = a.readFrom(ctx, src, before, mark)
	for err != nil && src.pass() {
		o, err = a.readFrom(ctx, src, before, mark)
	}
	if err != nil || o.file != nil || src.body == nil {
		return o, err
	}
	ended()
	o.open = &opening{src: src, stop: stop}
	return o, nil
}

func (a *ask) readFrom(ctx context.Context, src *source, before *record, mark *mark) (*original, error) {
	asked := time.Now()
	wanted := a.req.Range
	if a.known != nil && a.shows(a.known.record) {
		wanted = nil // all of it is going to be read
	}
	err := src.open(wanted)
	if before != nil && origins.KindOf(err) == origins.NotModified {
		o := &original{record: before.renewed(asked, err), name: a.name, mark: mark}
		a.learn(o)
		return o, nil
	}
	if err != nil {
		return nil, err
	}
	o := &original{name: a.name, mark: mark}
	format := transform.Sniff(src.head)
	if !a.req.shows(format, a.engine.Readable()) {
		o.record = a.keep.newRecord(src.attributes, format, nil, asked)
	} else if err := a.readPicture(ctx, o, src, format, asked); err != nil {
		return nil, err
	}
	o.download = time.Since(asked)
	o.record = o.after(a.knownRecord())
	o.worse = a.worse(o.record)
	a.learn(o)
	return o, nil
}

// readPicture reads all of a picture, and its header.
func (a *ask) readPicture(ctx context.Context, o *original, src *source, f plan.Format, asked time.Time) error {
	file, err := src.readAll(a.req.Endpoint.Limits.SourceSize)
	if err != nil {
		return err
	}
	given := a.req.original(file)
	facts, err := a.engine.Probe(ctx, given)
	if err != nil {
		release(file)
		a.blame(a.flaw(), err, o.mark)
		return err
	}
	o.file, o.record = file, a.keep.newRecord(src.attributes, f, file, asked).withFacts(given.Page, facts)
	return nil
}

// worse reports whether an original is a copy from an origin behind one that could not answer, of which something better
// is known that may still be sent.
func (a *ask) worse(r *record) bool {
	best := a.knownRecord()
	return best != nil && r.Attributes.Degraded && !best.Attributes.Degraded && best.Version != r.Version &&
		time.Since(best.Checked) < best.life(a.keep).ifError
}

// learn remembers the record of an original in the process, if it may be.
func (a *ask) learn(o *original) {
	if o.keepable() && !o.worse {
		a.memory.learn(a.name, o.record, o.mark)
	}
}

// keepOriginal puts what came of an original into the stores that are for it.
func (a *ask) keepOriginal(o *original) {
	if !o.keepable() || o.worse {
		return
	}
	ctx := context.Background()
	a.keepRecord(ctx, o.mark)
	if store := a.keep.Originals; store != nil && o.file != nil {
		meta := caches.Meta{Stored: o.Checked, Tags: o.tags(), Info: []byte(o.Version)}
		a.memory.put(ctx, store, a.name.original(), meta, o.file, o.mark)
	}
}

// keepRecord puts what is known by now of the original into its store. That is nothing where it was dropped meanwhile.
func (a *ask) keepRecord(ctx context.Context, k *mark) {
	defer a.memory.writing(a.name)()
	if r, ok := a.memory.known.Peek(a.name); ok {
		a.memory.put(ctx, a.keep.records(), a.name.record(), caches.Meta{Stored: r.Checked, Tags: r.tags()}, r.encode(), k)
	}
}

// original returns the original of that version, which the caller shares: one that somebody looks at, the one that is
// kept, or from its origins. It may be another version by then.
func (a *ask) original(ctx context.Context, r *record) (*original, error) {
	if o := a.memory.hold(a.name, r.Version); o != nil {
		return o, nil
	}
	if o := a.kept(ctx, r); o != nil {
		return o, nil
	}
	o, _, err := a.fetch(ctx, nil, false)
	return o, err
}

// kept returns the original of that version from its store; nil if that hasn't it.
func (a *ask) kept(ctx context.Context, r *record) *original {
	store := a.keep.Originals
	if store == nil {
		return nil
	}
	mark := a.memory.begin(a.name.source)
	file := readKept(ctx, store, a.name.original(), r.Version)
	if file == nil {
		a.memory.end(mark)
		return nil
	}
	o := &original{record: r, name: a.name, file: file, mark: mark}
	a.memory.share(o, 1)
	return o
}

// readKept reads an entry of a version into memory from buffer; nil if the store hasn't it.
func readKept(ctx context.Context, store caches.Store, key caches.Key, version string) []byte {
	e, err := store.Get(ctx, key)
	if err != nil {
		return nil
	}
	defer e.Content.Close()
	if string(e.Info) != version {
		return nil
	}
	file := buffer(e.Size)[:e.Size]
	if _, err := io.ReadFull(e.Content, file); err != nil {
		release(file)
		return nil
	}
	return file
}

// errChanged is the error of making something of a version that isn't the current one any more.
var errChanged = errors.New("the original changed meanwhile")
