package disk

import (
	"errors"
	"io/fs"
	"sync"
	"sync/atomic"
	"syscall"
)

// shared is the store of one folder, which all configs of the process have in common, so that a reload keeps it. It is
// opened when it is first needed: a config that is only looked at leaves no trace.
type shared struct {
	store atomic.Pointer[Store]
	warn  atomic.Pointer[func(string, error)] // that of the config in force

	mu     sync.Mutex
	closed bool
}

// get returns the store, which is opened with cfg where it isn't yet.
func (s *shared) get(cfg Config) (*Store, error) {
	if store := s.store.Load(); store != nil {
		return store, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open(cfg)
}

// open does it. The caller holds the lock.
func (s *shared) open(cfg Config) (*Store, error) {
	if s.closed {
		return nil, errClosed
	}
	if store := s.store.Load(); store != nil {
		return store, nil
	}
	s.warn.CompareAndSwap(nil, &cfg.Warn)
	cfg.Warn = func(message string, err error) { (*s.warn.Load())(message, err) }
	store, err := New(cfg)
	if err == nil {
		s.store.Store(store)
	}
	return store, err
}

// rule puts the bounds of cfg into force, and its Warn.
func (s *shared) rule(cfg Config) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.warn.Store(&cfg.Warn)
	store, err := s.open(cfg)
	if err == nil {
		store.SetLimits(cfg.MaxBytes, cfg.MaxEntries)
		store.SetMinFree(cfg.MinFree)
	}
	return err
}

// Destruct closes the store when no config has it any more.
func (s *shared) Destruct() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if store := s.store.Load(); store != nil {
		return store.Close()
	}
	return nil
}

// remedy says what to do about what a store warns of.
func remedy(err error) string {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "give this user the right to write to the folder and to what is in it, or name another folder"
	case errors.Is(err, syscall.EROFS):
		return "name a folder on a file system that can be written"
	case errors.Is(err, errNoRoom), errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "make room on the file system, or set a smaller max_size or min_free"
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return "raise the limit of open files (LimitNOFILE in systemd, ulimit -n in a shell)"
	case errors.Is(err, errCorrupt):
		return "none is needed: the file is made anew; if this goes on, check the disk"
	}
	return "see what the cause says of the folder; meanwhile requests are answered without this cache"
}
