package vipsexec

import (
	"fmt"
	"strconv"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

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
	first := "" // where workers stands
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		switch d.Val() {
		case "workers":
			if first != "" {
				return d.Errf("workers is already set at %s", first)
			}
			first = fmt.Sprintf("%s:%d", d.File(), d.Line())
			var text string
			if !d.AllArgs(&text) {
				return d.ArgErr()
			}
			n, err := strconv.Atoi(text)
			if err != nil || n < 1 {
				return d.Errf("workers %q is not a number of 1 or more; leave it out for the number of CPUs", text)
			}
			v.Workers = n
		default:
			return d.Errf("unknown option %q; expected workers", d.Val())
		}
	}
	return nil
}
