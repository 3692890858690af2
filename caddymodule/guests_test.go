package caddymodule_test

import (
	"bytes"
	"context"
	"image"
	_ "image/png"
	"sync/atomic"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/imageorigin/imageorigin/caches/disk"
	_ "github.com/imageorigin/imageorigin/caches/memory"
	"github.com/imageorigin/imageorigin/origins"
	_ "github.com/imageorigin/imageorigin/origins/azure"
	_ "github.com/imageorigin/imageorigin/origins/folder"
	_ "github.com/imageorigin/imageorigin/origins/gcs"
	_ "github.com/imageorigin/imageorigin/origins/s3"
	_ "github.com/imageorigin/imageorigin/origins/web"
	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

func init() {
	caddy.RegisterModule(new(fakeVips))
	caddy.RegisterModule(new(vault))
}

// fakeVips stands in for the engine, which needs cgo. It knows what Go's library does, and paints nothing: its pictures
// are the plans.
type fakeVips struct {
	Count     int               `json:"slots,omitempty"`
	Restarted map[string]uint64 `json:"restarted,omitempty"` // its workers, which it has none of without
}

func (*fakeVips) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "imageorigin.engines.vips", New: func() caddy.Module { return new(fakeVips) }}
}

// UnmarshalCaddyfile reads vips { slots <one|two> }.
func (e *fakeVips) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		if d.Val() != "slots" {
			return d.Errf("unknown option %q; expected slots", d.Val())
		}
		d.NextArg()
		e.Count = len(d.Val()) // as many as the word has letters
	}
	return nil
}

func (e *fakeVips) Slots() int { return max(e.Count, 1) }

// WorkerStatus tells of the workers.
func (e *fakeVips) WorkerStatus() any {
	if e.Restarted == nil {
		return nil
	}
	return map[string]any{"workers": e.Slots(), "sandbox": "all of it"}
}

func (e *fakeVips) Restarts() map[string]uint64 { return e.Restarted }

func (e *fakeVips) WorkerMemory() int64 { return 1000 * int64(e.Slots()) }

// ruling is the engine whose config is in force.
var ruling atomic.Pointer[fakeVips]

func (e *fakeVips) Rule() { ruling.Store(e) }

func (*fakeVips) Probe(_ context.Context, o transform.Original) (plan.Source, error) {
	header, name, err := image.DecodeConfig(bytes.NewReader(o.Bytes))
	if err != nil {
		return plan.Source{}, &transform.Error{Kind: transform.Broken, Op: "probe", Err: err}
	}
	format, err := plan.ParseFormat(name)
	if err != nil {
		return plan.Source{}, &transform.Error{Kind: transform.Unsupported, Op: "probe", Err: err}
	}
	return plan.Source{Format: format, Width: header.Width, Height: header.Height, Orientation: 1, Frames: 1, Pages: 1}, nil
}

// Look finds a border of ten pixels around everything.
func (*fakeVips) Look(_ context.Context, _ transform.Inputs, l plan.Look) (plan.Window, error) {
	return plan.Window{X: 10, Y: 10, Width: l.Width - 20, Height: l.Height - 20}, nil
}

func (*fakeVips) Render(_ context.Context, _ transform.Inputs, p plan.Plan) (*transform.Image, error) {
	return &transform.Image{Bytes: []byte(p.String()), Format: p.Output.Format, Width: p.Width, Height: p.Height, Frames: p.Frames}, nil
}

func (*fakeVips) Writable() plan.Set { return plan.SetOf(plan.JPEG, plan.PNG, plan.WebP) }

func (*fakeVips) Readable() plan.Set { return plan.AllFormats }

func (*fakeVips) Version() string { return "fake" }

// vault is an origin that takes a secret and has nothing. It says what it reads from, and what of a request it looks at.
type vault struct {
	Token  string `json:"token,omitempty"`
	Bucket string `json:"bucket,omitempty"`
	Query  bool   `json:"query,omitempty"`
	Host   bool   `json:"host,omitempty"`
}

func (*vault) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "imageorigin.origins.vault", New: func() caddy.Module { return new(vault) }}
}

// UnmarshalCaddyfile reads vault [<token>] and knows no options.
func (v *vault) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	d.Args(&v.Token)
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		return d.Errf("vault knows no option %q", d.Val())
	}
	return nil
}

// Secrets returns what should not stand in a config as it is.
func (v *vault) Secrets() map[string]string { return map[string]string{"token": v.Token} }

func (*vault) Open(_ context.Context, req origins.Request) (*origins.Object, error) {
	return nil, &origins.Error{Kind: origins.NotExist, Key: req.Key}
}

func (v *vault) Target() string     { return v.Bucket }
func (v *vault) ReadsQuery() bool   { return v.Query }
func (v *vault) ForwardsHost() bool { return v.Host }
