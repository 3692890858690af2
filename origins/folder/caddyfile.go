package folder

import (
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/imageorigin/imageorigin/internal/block"
)

var options = block.Checked((*Module).check,
	block.Option[*Module]{Usage: "root <path>", Args: block.One(func(m *Module) *string { return &m.Root })},
	block.Option[*Module]{Usage: "fs <name>", Args: block.One(func(m *Module) *string { return &m.FileSystem })},
)

// UnmarshalCaddyfile reads
//
//	folder [<root>] {
//		root <path>
//		fs   <name>
//	}
func (m *Module) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the type
	set := map[string]block.Place{}
	switch args := d.RemainingArgs(); len(args) {
	case 0:
	case 1:
		m.Root = args[0]
		set["root"] = block.Here(d)
	default:
		return d.Errf("a folder is one argument, not %d; put a path with spaces in quotes", len(args))
	}
	if err := block.ReadMore(d, m, options, set); err != nil {
		return err
	}
	if m.Root == "" && m.FileSystem == "" {
		return d.Err("which folder? Write it behind the word folder, or name a file system with fs")
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
