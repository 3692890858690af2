package delivery

import (
	"context"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// dripping is an origin that sends a second after it was asked, and then a part each second.
type dripping struct{ *depot }

func (d dripping) Open(ctx context.Context, req origins.Request) (*origins.Object, error) {
	obj, err := d.depot.Open(ctx, req)
	if err == nil {
		obj.Body = io.NopCloser(&drops{obj.Body})
	}
	return obj, err
}

type drops struct{ io.Reader }

func (d *drops) Read(p []byte) (int, error) {
	time.Sleep(time.Second)
	return d.Reader.Read(p[:min(len(p), 1500)])
}

// overseer is an engine behind a gate that counts what it is asked to do, and for whom.
type overseer struct {
	*brush
	mu    sync.Mutex
	calls []string
}

func (o *overseer) Probe(ctx context.Context, file transform.Original) (plan.Source, error) {
	o.call("probe for " + file.Endpoint)
	return o.brush.Probe(ctx, file)
}

func (o *overseer) Look(ctx context.Context, in transform.Inputs, l plan.Look) (plan.Window, error) {
	o.call("look for " + in.Base.Endpoint)
	return o.brush.Look(ctx, in, l)
}

func (o *overseer) Render(ctx context.Context, in transform.Inputs, p plan.Plan) (*transform.Image, error) {
	o.call("render for " + in.Base.Endpoint)
	return o.brush.Render(ctx, in, p)
}

func (o *overseer) call(text string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.calls = append(o.calls, text)
}

// A slot is for pixels: neither a slow origin nor a slow client has one.
func TestNoSlotIsHeldForAnOriginOrAClient(t *testing.T) {
	for _, tt := range []struct {
		name  string
		stage func(transform.Engine) Deliverer
	}{
		{"without a cache", func(e transform.Engine) Deliverer { return &Render{Engine: e} }},
		{"with one", func(e transform.Engine) Deliverer { return NewCache(e, NewMemory()) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				gate, engine := transform.NewGate(1), &overseer{brush: &brush{delay: 10 * time.Second}}
				stage := tt.stage(gate.Guard(engine))
				d := newDepot(oneFile)
				d.delay = time.Second
				k := newKiosk(t, oneFile)
				e := *k.e
				e.Name, e.Origin = "shop", dripping{d}
				var wg sync.WaitGroup
				var resp *Response
				wg.Go(func() {
					var err error
					if resp, err = stage.Deliver(t.Context(), &Request{Endpoint: &e, Key: "a.jpg", Chain: chain(t, "t-true:w-90")}); err != nil {
						t.Error(err)
					}
				})
				for range 4 { // seconds, of the fetch
					synctest.Wait()
					if got := gate.Load(); got != (transform.GateLoad{}) {
						t.Fatalf("%+v while the origin sends", got)
					}
					time.Sleep(time.Second)
				}
				time.Sleep(5 * time.Second)
				synctest.Wait()
				if got := gate.Load(); got.Running != 1 {
					t.Errorf("%+v when all has come, want it to be painted", got)
				}
				wg.Wait()
				if got := gate.Load(); got != (transform.GateLoad{}) {
					t.Errorf("%+v while the client has not read", got)
				}
				if got, want := strings.Join(engine.calls, ", "), "probe for shop, look for shop, render for shop"; got != want {
					t.Errorf("the engine had to: %s; want %s", got, want)
				}
				resp.Close()
				synctest.Wait()
			})
		})
	}
}
