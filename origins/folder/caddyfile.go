package folder

import (
	"fmt"
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// UnmarshalCaddyfile reads
//
//	folder [<root>] {
//		root <path>
//		fs   <name>
//	}
func (m *Module) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()                      // the type
	places := map[string]string{} // of the options that are set
	switch args := d.RemainingArgs(); len(args) {
	case 0:
	case 1:
		m.Root = args[0]
		places["root"] = here(d)
	default:
		return d.Errf("a folder is one argument, not %d; put a path with spaces in quotes", len(args))
	}
	last := ""
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		option := d.Val()
		if option == "{" && !d.Token().Quoted() && last != "" {
			return d.Errf("%s takes no block; remove the braces", last)
		}
		if err := m.unmarshalOption(d, option, places); err != nil {
			return err
		}
		// What was right until here was made wrong by this option.
		if err := m.check(); err != nil {
			return d.WrapErr(err)
		}
		last = option
	}
	if m.Root == "" && m.FileSystem == "" {
		return d.Err("which folder? Write it behind the word folder, or name a file system with fs")
	}
	return nil
}

func (m *Module) unmarshalOption(d *caddyfile.Dispenser, option string, places map[string]string) error {
	var value *string
	switch option {
	case "root":
		value = &m.Root
	case "fs":
		value = &m.FileSystem
	default:
		return d.Errf("unknown option %q; expected root or fs", option)
	}
	if place, ok := places[option]; ok {
		return d.Errf("%s is already set at %s", option, place)
	}
	places[option] = here(d)
	if !d.AllArgs(value) {
		return d.ArgErr()
	}
	return nil
}

// check says what would stop the configuration from being loaded, as far as that can be seen without the values of
// placeholders and without looking at the machine, which may be another one.
func (m *Module) check() error {
	if m.FileSystem == "" {
		return nil
	}
	root := m.Root
	if strings.Contains(root, "{") {
		root = ""
	}
	_, err := newFS(m.FileSystem, root, nil)
	return err
}

// here returns where d stands: Caddyfile:5.
func here(d *caddyfile.Dispenser) string { return fmt.Sprintf("%s:%d", d.File(), d.Line()) }
