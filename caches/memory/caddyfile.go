package memory

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/imageorigin/imageorigin/internal/block"
)

var options = block.Checked((*Module).check,
	block.Option[*Module]{Usage: "max_size <size>", Args: block.Size(func(m *Module) *int64 { return &m.MaxSize })},
)

// UnmarshalCaddyfile reads
//
//	memory {
//		max_size <size>
//	}
func (m *Module) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the type
	if d.NextArg() {
		return d.Err("a cache in memory takes no arguments; its size stands in a block, as max_size 512MiB")
	}
	_, err := block.Read(d, m, options)
	return err
}
