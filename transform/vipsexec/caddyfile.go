package vipsexec

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/imageorigin/imageorigin/internal/block"
)

var options = []block.Option[*Vips]{
	{Usage: "workers <number>", Args: block.Number(func(v *Vips) *int { return &v.Workers })},
}

// UnmarshalCaddyfile reads
//
//	vips {
//		workers <n>
//	}
func (v *Vips) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the type
	if d.NextArg() {
		return d.Errf("unexpected %q; the engine's options stand in a block: workers", d.Val())
	}
	_, err := block.Read(d, v, options)
	return err
}
