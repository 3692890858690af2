package caddymodule

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/internal/delivery"
	"github.com/imageorigin/imageorigin/origins"
)

// Queue counts how many of a crowd of misses the process lets in at once.
func Queue(t *testing.T) (let int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	arrived, left := make(chan struct{}), make(chan error)
	e := &delivery.Endpoint{Origin: origins.OriginFunc(func(ctx context.Context, req origins.Request) (*origins.Object, error) {
		arrived <- struct{}{}
		<-ctx.Done()
		return nil, &origins.Error{Kind: origins.Canceled, Key: req.Key, Err: ctx.Err()}
	})}
	pipeline := delivery.NewCache(sketcher{}, remembered)
	for {
		go func() {
			_, err := pipeline.Deliver(ctx, &delivery.Request{Endpoint: e, Key: "a.gif"})
			left <- err
		}()
		select {
		case <-arrived:
			let++
		case err := <-left:
			if !errors.Is(err, delivery.ErrBusy) {
				t.Errorf("got %v", err)
			}
			cancel()
			for range let {
				<-left
			}
			return let
		case <-time.After(time.Minute):
			t.Fatal("a miss neither begins nor is refused")
		}
	}
}
