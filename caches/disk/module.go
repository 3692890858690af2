package disk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"go.uber.org/zap"

	"github.com/imageorigin/imageorigin/caches"
)

func init() { caddy.RegisterModule(new(Module)) }

// Module keeps entries as files below a folder. What it holds survives reloads and restarts, and processes may share the
// folder. One that can't be written makes requests slower and never makes them fail.
type Module struct {
	// The folder, which must belong to this cache alone. It is made if it is missing, with mode 0700. A relative one
	// counts from where the server was started. Placeholders: {env.*} and {file.*}. Default: imageorigin/cache in
	// Caddy's data directory.
	Dir string `json:"dir,omitempty"`

	// Bytes that the files may take; an entry takes an eighth of it at most. Placeholders are not supported. Default:
	// 10GiB (10737418240).
	MaxSize int64 `json:"max_size,omitempty"`

	// How many files there may be. Placeholders are not supported. Default: one for each 4 KiB of max_size.
	MaxEntries int64 `json:"max_entries,omitempty"`

	// Percentage of the file system that is left free: where less is free the cache shrinks. Placeholders are not
	// supported. Default: 5.
	MinFree float64 `json:"min_free,omitempty"`

	name   string
	config Config
	shared *shared
	logger *zap.Logger
}

// minSize is the least max_size.
const minSize = 1 << 20

// stores are those of the process, by their folders.
var stores = caddy.NewUsagePool()

// CaddyModule returns the Caddy module information.
func (*Module) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "imageorigin.caches.disk",
		New: func() caddy.Module { return new(Module) },
	}
}

// Provision resolves placeholders and looks whether a folder can be there. It makes none.
func (m *Module) Provision(ctx caddy.Context) error {
	m.logger = ctx.Logger()
	if err := m.check(); err != nil {
		return err
	}
	dir, err := caddy.NewReplacer().ReplaceOrErr(m.Dir, true, true)
	if err != nil {
		return fmt.Errorf("dir: %w", err)
	}
	if dir, err = findFolder(dir); err != nil {
		return fmt.Errorf("dir: %w", err)
	}
	m.config = Config{Dir: dir, MaxBytes: m.MaxSize, MaxEntries: m.MaxEntries, MinFree: m.MinFree / 100, Warn: m.warn}
	if m.MaxSize == 0 {
		m.config.MaxBytes = DefaultMaxBytes
	}
	if m.MinFree == 0 {
		m.config.MinFree = DefaultMinFree
	}
	store, _, err := stores.LoadOrNew(dir, func() (caddy.Destructor, error) { return new(shared), nil })
	if err != nil {
		return err
	}
	m.shared = store.(*shared)
	return nil
}

// Named tells the module the name of its cache.
func (m *Module) Named(name string) error {
	m.name = name
	return nil
}

// Place returns the folder: two caches of a config must not have the same.
func (m *Module) Place() string { return m.config.Dir }

// Rule puts the bounds of this config into force, and opens the store where it isn't yet.
func (m *Module) Rule() {
	if err := m.shared.rule(m.config); err != nil {
		m.warn("the store can't be opened", err)
	}
}

// Cleanup gives the store back.
func (m *Module) Cleanup() error {
	if m.shared == nil {
		return nil
	}
	_, err := stores.Delete(m.config.Dir)
	return err
}

// warn tells the log what the store can't do.
func (m *Module) warn(message string, err error) {
	m.logger.Warn("cache on disk can't work as it should", zap.String("cache", m.name), zap.String("folder", m.config.Dir),
		zap.String("what", message), zap.Error(err), zap.String("remedy", remedy(err)))
}

// check judges what can be judged without the values of placeholders and without looking at the machine.
func (m *Module) check() error {
	switch {
	case m.MaxSize != 0 && m.MaxSize < minSize:
		return fmt.Errorf("max_size: a cache of %d bytes holds nothing; give it 1MiB or more", m.MaxSize)
	case m.MaxEntries < 0:
		return errors.New("max_entries: a number can't be negative; leave it out for one for each 4 KiB of max_size")
	case m.MinFree < 0 || m.MinFree >= 100:
		return fmt.Errorf("min_free: %v is no percentage from 0 to 100; write it as 5 or 0.5", m.MinFree)
	case m.Dir == "" || strings.Contains(m.Dir, "{"):
		return nil
	}
	if err := checkFolder(m.Dir); err != nil {
		return fmt.Errorf("dir: %w", err)
	}
	return nil
}

// checkFolder says why a folder can't be meant.
func checkFolder(dir string) error {
	if dir == "~" || strings.HasPrefix(dir, "~/") {
		return fmt.Errorf("%q: only shells know what ~ is; write the whole path, or {env.HOME}%s", dir, dir[1:])
	}
	switch base := filepath.Base(filepath.Clean(dir)); base {
	case ".", "..", string(filepath.Separator):
		return fmt.Errorf("%q holds other files; name a folder that belongs to this cache alone, such as /var/cache/imageorigin", dir)
	}
	return nil
}

// findFolder returns the folder as the store has it; "" is the default.
func findFolder(dir string) (string, error) {
	if dir == "" {
		dir = filepath.Join(caddy.AppDataDir(), "imageorigin", "cache")
	} else if err := checkFolder(dir); err != nil {
		return "", err
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, syscall.ENOTDIR):
		return "", fmt.Errorf("%q can't be made, something above it is a file; correct the path", dir)
	case err == nil && !info.IsDir():
		return "", fmt.Errorf("%q is a file; name a folder, which is made if it is missing", dir)
	}
	return dir, nil // what else is wrong with it the store warns of, and goes without
}

// Get implements [caches.Store].
func (m *Module) Get(ctx context.Context, key caches.Key) (*caches.Entry, error) {
	s, err := m.shared.get(m.config)
	if err != nil {
		return nil, err
	}
	return s.Get(ctx, key)
}

// Put implements [caches.Store].
func (m *Module) Put(ctx context.Context, key caches.Key, meta caches.Meta, body io.Reader) error {
	s, err := m.shared.get(m.config)
	if err != nil {
		return err
	}
	return s.Put(ctx, key, meta, body)
}

// Purge implements [caches.Store].
func (m *Module) Purge(ctx context.Context, match caches.Pattern) (int, error) {
	s, err := m.shared.get(m.config)
	if err != nil {
		return 0, err
	}
	return s.Purge(ctx, match)
}

// Stats implements [caches.Store]. Asking doesn't open the store.
func (m *Module) Stats() caches.Stats {
	if s := m.shared.store.Load(); s != nil {
		return s.Stats()
	}
	return caches.Stats{Limit: m.config.MaxBytes}
}

// Interface guards
var (
	_ caddy.Provisioner     = (*Module)(nil)
	_ caddy.CleanerUpper    = (*Module)(nil)
	_ caddyfile.Unmarshaler = (*Module)(nil)
	_ caches.Store          = (*Module)(nil)
)
