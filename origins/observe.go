package origins

import (
	"context"
	"io"
	"sync"
	"time"
)

// Observation is what happened on one Open.
type Observation struct {
	Origin string // name of the origin that answered
	Key    string
	Err    error         // of Open, or of reading the body; nil is success
	Opened time.Duration // until Open returned
	Total  time.Duration // until the body was closed, the client's share included; Opened if there is none
	Bytes  int64         // read from the body
}

// Result is "ok" or the name of a kind, fit for a metric's label.
func (o Observation) Result() string {
	if o.Err == nil {
		return "ok"
	}
	return KindOf(o.Err).String()
}

// Observe returns an Origin that answers as o does and calls report once for every Open: at once if it fails, else
// when the body is closed. report is called on the goroutine of the caller and must not block.
func Observe(o Origin, report func(Observation)) Origin {
	return OriginFunc(func(ctx context.Context, req Request) (*Object, error) {
		began := time.Now()
		obj, err := o.Open(ctx, req)
		seen := Observation{Key: req.Key, Err: err, Opened: time.Since(began)}
		if err != nil {
			seen.Total = seen.Opened
			if e, ok := err.(*Error); ok {
				seen.Origin = e.Origin
			}
			report(seen)
			return nil, err
		}
		seen.Origin = obj.Origin
		obj.Body = keepSeek(&observedBody{ReadCloser: obj.Body, seen: seen, began: began, report: report}, obj.Body)
		return obj, nil
	})
}

// observedBody counts what is read and reports on Close.
type observedBody struct {
	io.ReadCloser

	seen   Observation
	began  time.Time
	report func(Observation)
	once   sync.Once
}

func (b *observedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.seen.Bytes += int64(n)
	if err != nil && err != io.EOF {
		b.seen.Err = err
	}
	return n, err
}

// Close closes the body and reports.
func (b *observedBody) Close() error {
	err := b.ReadCloser.Close()
	b.once.Do(func() {
		b.seen.Total = time.Since(b.began)
		b.report(b.seen)
	})
	return err
}

func (b *observedBody) moved(int64) {}
