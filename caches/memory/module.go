package memory

import (
	"context"
	"fmt"
	"io"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/imageorigin/imageorigin/caches"
)

func init() { caddy.RegisterModule(new(Module)) }

// Module keeps entries in this process's memory. What it holds survives reloads of the config and ends with the process.
type Module struct {
	// Bytes that the entries may take; one takes an eighth of it at most. Placeholders are not supported. Default: the
	// smaller of 256MiB and an eighth of the memory that the machine, or its container, has.
	MaxSize int64 `json:"max_size,omitempty"`

	name  string
	limit int64
	store *Store
}

// minSize is the least max_size.
const minSize = 1 << 20

// stores are those of the process, by the names of their caches.
var stores = caddy.NewUsagePool()

// CaddyModule returns the Caddy module information.
func (*Module) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "imageorigin.caches.memory",
		New: func() caddy.Module { return new(Module) },
	}
}

// Provision fills in the default.
func (m *Module) Provision(caddy.Context) error {
	if err := m.check(); err != nil {
		return err
	}
	if m.limit = m.MaxSize; m.limit == 0 {
		m.limit = defaultSize()
	}
	return nil
}

// Named tells the module the name of its cache, by which it finds its store. It is called once, between Provision and
// all else.
func (m *Module) Named(name string) error {
	store, _, err := stores.LoadOrNew(name, func() (caddy.Destructor, error) {
		s, err := New(m.limit)
		return pooled{s}, err
	})
	if err != nil {
		return err
	}
	m.name, m.store = name, store.(pooled).Store
	return nil
}

// pooled is a store in the pool. When nobody has it any more there is nothing to be done but to forget it.
type pooled struct{ *Store }

func (pooled) Destruct() error { return nil }

// Rule puts the bound of this config into force.
func (m *Module) Rule() { m.store.SetLimit(m.limit) }

// Cleanup gives the store back.
func (m *Module) Cleanup() error {
	if m.store == nil {
		return nil
	}
	_, err := stores.Delete(m.name)
	return err
}

// check says what would stop the configuration from being loaded.
func (m *Module) check() error {
	if m.MaxSize != 0 && m.MaxSize < minSize {
		return fmt.Errorf("max_size: a memory of %d bytes holds nothing; give it 1MiB or more", m.MaxSize)
	}
	return nil
}

// Get implements [caches.Store].
func (m *Module) Get(ctx context.Context, key caches.Key) (*caches.Entry, error) {
	return m.store.Get(ctx, key)
}

// Put implements [caches.Store].
func (m *Module) Put(ctx context.Context, key caches.Key, meta caches.Meta, body io.Reader) error {
	return m.store.Put(ctx, key, meta, body)
}

// Purge implements [caches.Store].
func (m *Module) Purge(ctx context.Context, match caches.Pattern) (int, error) {
	return m.store.Purge(ctx, match)
}

// Stats implements [caches.Store].
func (m *Module) Stats() caches.Stats { return m.store.Stats() }

// Interface guards
var (
	_ caddy.Provisioner     = (*Module)(nil)
	_ caddy.CleanerUpper    = (*Module)(nil)
	_ caddyfile.Unmarshaler = (*Module)(nil)
	_ caches.Store          = (*Module)(nil)
)
