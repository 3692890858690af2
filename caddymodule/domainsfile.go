package caddymodule

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// Bounds of a domains file.
const (
	maxDomainsFile = 256 << 20 // bytes: some five million lines
	domainsPoll    = time.Second
)

var (
	errDomainsFileSize = fmt.Errorf("it is larger than %d MiB; bind what the domains have in common by a wildcard", maxDomainsFile>>20)

	errDomainsFileKind = errors.New("that is no file; name the file itself")
	errBeingWritten    = errors.New("it was changed while it was read; write another file and rename it onto this one")
)

// domainsFile is the app's domains_file. It is read when the config is loaded, and again whenever it has changed; a list
// that is wrong never comes into force, and the one before stays.
//
// Its time and size are looked at once a second. Notices of the kernel would tell sooner, but not of files on network
// file systems, nor of those that a link is turned to.
type domainsFile struct {
	path   string
	router *router
	logger *zap.Logger

	last fs.FileInfo // of what was judged last; nil: read it in any case
	seen fs.FileInfo // at the last look
	lost string      // why it could not be read, told once

	wrong atomic.Pointer[error] // why the list in force is not that of the file; nil: it is

	start, stop sync.Once
	end         chan struct{}
	watching    sync.WaitGroup
}

// openDomainsFile reads the file at path into rt.
func openDomainsFile(path string, rt *router, logger *zap.Logger) (*domainsFile, error) {
	f := &domainsFile{path: path, router: rt, logger: logger, end: make(chan struct{})}
	err := f.first()
	for again := 0; again < 3 && errors.Is(err, errBeingWritten); again++ {
		err = f.first()
	}
	if err != nil {
		return nil, err
	}
	if time.Since(f.last.ModTime()) < 2*time.Second {
		// It was written a moment ago. Where clocks of file systems are coarse, it may be written again in the same tick.
		f.last = nil
	}
	return f, nil
}

// first reads the file that was never looked at.
func (f *domainsFile) first() error {
	info, err := os.Stat(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("domains_file %s: there is no such file; create it: an empty one is a list of no domains", f.path)
	case err != nil:
		return fmt.Errorf("domains_file %s: %w; the server's user must be able to read it", f.path, err)
	}
	return f.load(info)
}

// load reads the file, which was looked at before, and puts its list into force. What can't be read now may be read later,
// though the file is the same; what was read is judged once.
func (f *domainsFile) load(info fs.FileInfo) error {
	f.last = nil
	text, err := readDomainsFile(f.path, info)
	if err == nil || errors.Is(err, errDomainsFileKind) || errors.Is(err, errDomainsFileSize) {
		f.last = info
	}
	if err == nil {
		err = f.router.bindMore(text)
	}
	if err != nil {
		return fmt.Errorf("domains_file %s: %w", f.path, err)
	}
	return nil
}

// readDomainsFile returns what is in the file, all of which is of the state info.
func readDomainsFile(path string, info fs.FileInfo) (string, error) {
	switch {
	case !info.Mode().IsRegular(): // reading a pipe would wait for ever
		return "", errDomainsFileKind
	case info.Size() > maxDomainsFile:
		return "", errDomainsFileSize
	}
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("%w; the server's user must be able to read it", err)
	}
	defer file.Close()
	var text strings.Builder
	text.Grow(int(info.Size()) + 1)
	n, err := io.Copy(&text, io.LimitReader(file, maxDomainsFile+1))
	if err != nil {
		return "", err
	}
	after, err := file.Stat()
	switch {
	case err != nil:
		return "", err
	case !unchanged(info, after):
		return "", errBeingWritten
	case n > maxDomainsFile:
		return "", errDomainsFileSize
	}
	return text.String(), nil
}

// watch looks after the file until the watch is ended.
func (f *domainsFile) watch() {
	if f == nil {
		return
	}
	f.start.Do(func() {
		f.watching.Go(func() {
			tick := time.NewTicker(domainsPoll)
			defer tick.Stop()
			for {
				select {
				case <-f.end:
					return
				case <-tick.C:
					f.look()
				}
			}
		})
	})
}

// close ends the watch and waits for it.
func (f *domainsFile) close() {
	if f == nil {
		return
	}
	f.stop.Do(func() { close(f.end) })
	f.watching.Wait()
}

// look reads the file again if it is another than the last, and the same as a look ago: whoever writes it in place may not
// be done yet.
func (f *domainsFile) look() {
	info, err := os.Stat(f.path)
	if err != nil {
		f.last, f.seen = nil, nil
		f.unreadable(err)
		return
	}
	settled := unchanged(f.seen, info)
	f.seen = info
	if !settled || unchanged(f.last, info) {
		return
	}
	began := time.Now()
	before := f.router.domains.Load().size()
	err = f.load(info)
	switch {
	case errors.Is(err, errBeingWritten): // the next look finds it so
	case err != nil && f.last == nil:
		f.unreadable(err)
	case err != nil:
		f.lost = ""
		f.wrong.Store(&err)
		f.logger.Error("the domains file is wrong; the last good list stays in force", zap.Error(err), zap.Int("domains", before))
	default:
		f.lost = ""
		f.wrong.Store(nil)
		f.logger.Info("the domains file was read again", zap.String("file", f.path), zap.Duration("duration", time.Since(began)),
			zap.Int("before", before), zap.Int("domains", f.router.domains.Load().size()))
	}
}

// unreadable notes why the file can't be read, which each look finds again, and logs it once.
func (f *domainsFile) unreadable(err error) {
	if f.lost != err.Error() {
		f.logger.Error("the domains file can't be read; the last good list stays in force", zap.Error(err), zap.Int("domains", f.router.domains.Load().size()))
	}
	f.lost = err.Error()
	f.wrong.Store(&err)
}

// status says what is in force.
func (f *domainsFile) status() *DomainsFileStatus {
	s := &DomainsFileStatus{Path: f.path, Domains: f.router.domains.Load().size()}
	if err := f.wrong.Load(); err != nil {
		s.Error = (*err).Error()
	}
	return s
}

// unchanged reports whether a file is what it was.
func unchanged(was, is fs.FileInfo) bool {
	return was != nil && is != nil && os.SameFile(was, is) && was.Size() == is.Size() && was.ModTime().Equal(is.ModTime())
}
