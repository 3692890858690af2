// Package inline is a whole third-party origin in one file: its files stand in the configuration itself, for a logo
// or a placeholder that no server should be needed for.
//
//	origin logo inline {
//		file logo.svg `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0h1v1z"/></svg>`
//	}
//
// Build it in with: xcaddy build --with <this module's path>.
package inline

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"mime"
	"path"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/imageorigin/imageorigin/origins"
)

func init() { caddy.RegisterModule(new(Module)) }

// Module is an origin whose files stand in the configuration.
type Module struct {
	// The contents of the files, by key. Placeholders in contents: {env.*} and {file.*}. Required.
	Files map[string]string `json:"files"`

	files map[string][]byte
}

// CaddyModule returns the Caddy module information. The last word of the ID is the type in the Caddyfile.
func (*Module) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "imageorigin.origins.inline", New: func() caddy.Module { return new(Module) }}
}

// UnmarshalCaddyfile reads
//
//	inline {
//		file <key> <content>     # repeatable
//	}
func (m *Module) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the type
	if d.NextArg() {
		return d.ArgErr()
	}
	m.Files = map[string]string{}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		switch d.Val() {
		case "file":
			var key, content string
			if !d.AllArgs(&key, &content) {
				return d.ArgErr()
			}
			if _, ok := m.Files[key]; ok {
				return d.Errf("file %q is already there", key)
			}
			m.Files[key] = content
		default:
			return d.Errf("unknown option %q; expected file", d.Val())
		}
	}
	return nil
}

// Provision resolves placeholders. It is the place for secrets and clients, but not for connections.
func (m *Module) Provision(caddy.Context) error {
	repl := caddy.NewReplacer()
	m.files = map[string][]byte{}
	for key, text := range m.Files {
		content, err := repl.ReplaceOrErr(text, false, true)
		if err != nil {
			return fmt.Errorf("file %q: %w", key, err)
		}
		m.files[key] = []byte(content)
	}
	return nil
}

// Open answers from memory. Name, canonical URL, limits, fallback and metrics are the host's business.
func (m *Module) Open(ctx context.Context, req origins.Request) (*origins.Object, error) {
	if err := ctx.Err(); err != nil {
		return nil, &origins.Error{Kind: origins.KindOf(err), Key: req.Key, Err: err}
	}
	content, ok := m.files[req.Key]
	if !ok {
		return nil, &origins.Error{Kind: origins.NotExist, Key: req.Key}
	}
	obj := &origins.Object{Attributes: origins.Attributes{
		Size:        int64(len(content)),
		ContentType: mime.TypeByExtension(path.Ext(req.Key)),
		ETag:        fmt.Sprintf(`"%x"`, sha256.Sum256(content)),
	}}
	if req.Validator.ETag == obj.ETag {
		return nil, &origins.Error{Kind: origins.NotModified, Key: req.Key}
	}
	if req.Range != nil {
		part, err := req.Range.Within(obj.Size)
		if err != nil {
			return nil, &origins.Error{Kind: origins.Invalid, Key: req.Key, Err: err}
		}
		obj.Range = &part
		content = content[part.Start : part.Start+part.Length]
	}
	obj.Body = origins.NewBody(ctx, req.Key, file{bytes.NewReader(content)})
	return obj, nil
}

// file lets a body be closed, and keeps it an io.Seeker.
type file struct{ io.ReadSeeker }

func (file) Close() error { return nil }

// Interface guards
var (
	_ caddy.Provisioner     = (*Module)(nil)
	_ caddyfile.Unmarshaler = (*Module)(nil)
	_ origins.Origin        = (*Module)(nil)
)
