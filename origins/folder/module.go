package folder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/imageorigin/imageorigin/origins"
)

func init() { caddy.RegisterModule(new(Module)) }

// Module reads originals from a folder of this machine, or from a file system that another Caddy module provides.
type Module struct {
	// The folder below which the files are. Nothing leads out of it: neither ".." nor symbolic links. It must exist
	// when the configuration is loaded. With fs: the path within that file system, without a slash in front.
	// Placeholders: {env.*} and {file.*}. Default: none with a folder, the file system's root with fs.
	Root string `json:"root,omitempty"`

	// The name of a file system of Caddy's (global option filesystem), which is looked up at each request. What
	// symbolic links may do there is up to that file system. Placeholders: {env.*} and {file.*}. Default: the folders
	// of this machine.
	FileSystem string `json:"fs,omitempty"`

	origin *Origin
	target string // see Target
}

// CaddyModule returns the Caddy module information.
func (*Module) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "imageorigin.origins.folder",
		New: func() caddy.Module { return new(Module) },
	}
}

// Provision resolves placeholders and looks whether the folder is there.
func (m *Module) Provision(ctx caddy.Context) error {
	repl := caddy.NewReplacer()
	root, err := repl.ReplaceOrErr(m.Root, true, true)
	if err != nil {
		return fmt.Errorf("root: %w", err)
	}
	name, err := repl.ReplaceOrErr(m.FileSystem, true, true)
	if err != nil {
		return fmt.Errorf("fs: %w", err)
	}
	m.target = target(name, root)
	switch {
	case name != "":
		systems := ctx.FileSystems()
		m.origin, err = newFS(name, root, func() (fs.FS, error) {
			if fsys, ok := systems.Get(name); ok {
				return fsys, nil
			}
			return nil, fmt.Errorf("there is no file system %q; declare it with the global option filesystem", name)
		})
	case root == "":
		return errors.New("root is empty; write the folder, as in: origin photos folder /srv/photos")
	default:
		m.origin, err = New(root)
	}
	return err
}

// newFS returns an Origin for the files below root in the file system called name, which find returns.
func newFS(name, root string, find func() (fs.FS, error)) (*Origin, error) {
	if name == "default" {
		return nil, errors.New(`fs "default" would not keep symbolic links inside root; leave fs out and set root`)
	}
	return NewFS(find, root)
}

// Local reports that asking costs nothing, unless another module provides the file system.
func (m *Module) Local() bool { return m.FileSystem == "" }

// Open opens a file.
func (m *Module) Open(ctx context.Context, req origins.Request) (*origins.Object, error) {
	return m.origin.Open(ctx, req)
}

// Holds reports whether a file is certainly still the version that v names.
func (m *Module) Holds(key string, v origins.Validator) bool { return m.origin.Holds(key, v) }

// Interface guards
var (
	_ caddy.Provisioner     = (*Module)(nil)
	_ caddyfile.Unmarshaler = (*Module)(nil)
	_ origins.Origin        = (*Module)(nil)
)
