package vipsexec

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/imageorigin/imageorigin/internal/block"
)

var options = []block.Option[*Vips]{
	{Usage: "workers <number>", Args: block.Number(func(v *Vips) *int { return &v.Workers })},
	{Usage: "inputs <format...>", Args: block.Some(func(v *Vips) *[]string { return &v.Inputs }), Check: checkInputs},
}

func checkInputs(v *Vips) error {
	_, err := ParseInputs(v.Inputs)
	return err
}

// UnmarshalCaddyfile reads
//
//	vips {
//		workers <n>
//		inputs <format...>
//	}
func (v *Vips) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the type
	if d.NextArg() {
		return d.Errf("unexpected %q; the engine's options stand in a block: workers, inputs", d.Val())
	}
	_, err := block.Read(d, v, options)
	return err
}
