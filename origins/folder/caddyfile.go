package folder

import "github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

// UnmarshalCaddyfile reads
//
//	folder [<root>] {
//		root <path>
//		fs   <name>
//	}
func (m *Module) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the type
	lines := map[string]int{}
	switch args := d.RemainingArgs(); len(args) {
	case 0:
	case 1:
		m.Root = args[0]
		lines["root"] = d.Line()
	default:
		return d.Errf("a folder is one argument, not %d; put a path with spaces in quotes", len(args))
	}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		option := d.Val()
		var value *string
		switch option {
		case "root":
			value = &m.Root
		case "fs":
			value = &m.FileSystem
		default:
			return d.Errf("unknown option %q; expected root or fs", option)
		}
		if line, ok := lines[option]; ok {
			return d.Errf("%s is already set at line %d", option, line)
		}
		lines[option] = d.Line()
		if !d.AllArgs(value) {
			return d.ArgErr()
		}
	}
	if m.Root == "" && m.FileSystem == "" {
		return d.Err("which folder? Write it behind the word folder, or name a file system with fs")
	}
	return nil
}
