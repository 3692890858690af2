// Package caches is the contract of the stores that remember what was fetched and what was made of it. A store is bounded,
// may forget anything at any time, and never makes a request fail: what it can't give or keep costs work, no answer.
package caches

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"
)

// Key names an entry.
type Key struct {
	// Source names the original, readable for people and for purging: "<fingerprint of the endpoint>/<path>".
	Source string
	// Variant names what was made of it; "" is the original itself.
	Variant string
}

// Meta is what is kept beside the bytes of an entry.
type Meta struct {
	Stored  time.Time // when the entry was made
	Expires time.Time // from when on nobody wants it; the zero time is never
	Tags    []string  // words by which it can be purged
	Info    []byte    // the caller's own
}

// Entry is what a store holds under a key. The caller closes Content.
type Entry struct {
	Meta
	Size    int64 // bytes of Content
	Content io.ReadSeekCloser
}

// Store keeps entries. Implementations are safe for concurrent use.
type Store interface {
	// Get returns the entry under key. The error is ErrMiss where there is none, or none that is whole.
	Get(ctx context.Context, key Key) (*Entry, error)

	// Put keeps what body holds, up to its end, in place of what was there. Until it returns nil, and where it fails, Get
	// gives what was there before or nothing, never a part; where it is body that fails, what was there before.
	// ErrTooLarge says that the store has no room for entries of that size; it may also take an entry and drop it at once.
	Put(ctx context.Context, key Key, m Meta, body io.Reader) error

	// Purge drops the entries that match and returns how many there were. What Put brings afterwards stays.
	Purge(ctx context.Context, match Pattern) (int, error)

	// Stats tells how full the store is.
	Stats() Stats
}

// Locker is a Store that several machines share and that has one of them at a time make an entry.
type Locker interface {
	Store

	// Lock waits until nobody else holds the lock of key, or ctx ends. A lock whose holder is gone ends by itself. An error
	// says that the store can't tell: the caller goes on without. unlock is called once.
	Lock(ctx context.Context, key Key) (unlock func(), err error)
}

// The errors of stores that callers act upon.
var (
	ErrMiss     = errors.New("no such entry")
	ErrTooLarge = errors.New("the entry is larger than the store takes")
)

// Pattern says which entries a purge is about: those that fit all fields that are set. The zero Pattern fits all entries.
type Pattern struct {
	Source  string // of this original, all variants; with Prefix, of all whose name begins so
	Prefix  bool
	Variant *string // this variant alone; "" is the original
	Tag     string  // that have this tag
}

// Fits reports whether an entry is meant.
func (p Pattern) Fits(key Key, tags []string) bool {
	switch {
	case p.Prefix && !strings.HasPrefix(key.Source, p.Source),
		!p.Prefix && p.Source != "" && key.Source != p.Source,
		p.Variant != nil && key.Variant != *p.Variant:
		return false
	case p.Tag == "":
		return true
	}
	for _, tag := range tags {
		if tag == p.Tag {
			return true
		}
	}
	return false
}

// Stats tells how full a store is.
type Stats struct {
	Entries int64
	Bytes   int64 // that the entries take, beside what the store needs for itself
	Limit   int64 // bytes that it may take; 0 is no limit
	Evicted int64 // entries dropped for room since the start
}
