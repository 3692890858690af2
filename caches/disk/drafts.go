package disk

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// temporary is the folder of files that are being written. Each store has a folder of its own there, which it locks: the
// system unlocks it when the process ends, so that others can tell what a process left that was killed.
const temporary = "tmp"

// forgotten is the age from which temporary files are nobody's where folders can't be locked.
const forgotten = time.Hour

// errLocked is the error of locking what somebody else has locked.
var errLocked = errors.New("the folder is locked")

// drafts makes the files that are being written.
type drafts struct {
	parent string // the temporary folder, of all stores

	mu     sync.Mutex
	folder string   // that of this store; "" is none yet
	lock   *os.File // holds its lock; nil where there are no locks
	count  int
}

// create makes an empty file.
func (d *drafts) create() (*os.File, error) {
	var gone string
	for {
		name, folder, err := d.next(gone)
		if err != nil {
			return nil, err
		}
		f, err := createFile(name)
		if !errors.Is(err, fs.ErrNotExist) || gone != "" {
			return f, err
		}
		gone = folder // somebody removed it, or the disk is another one now
	}
}

// next returns the name of the next file, in another folder than the one that is gone.
func (d *drafts) next(gone string) (name, folder string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.folder == gone {
		if err := d.claim(); err != nil {
			return "", "", err
		}
	}
	d.count++
	return filepath.Join(d.folder, strconv.Itoa(d.count)), d.folder, nil
}

// claim makes the store's own folder, whose lock d.mu guards.
func (d *drafts) claim() error {
	if err := os.MkdirAll(d.parent, 0o700); err != nil {
		return err
	}
	folder, err := os.MkdirTemp(d.parent, "*") // mode 0700
	if err != nil {
		return err
	}
	d.release()
	d.folder = folder
	d.lock, _ = lockFolder(folder) // without a lock, age counts
	return nil
}

func (d *drafts) release() {
	if d.lock != nil {
		d.lock.Close()
	}
	d.lock = nil
}

// close removes the store's own folder.
func (d *drafts) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.folder != "" {
		_ = os.RemoveAll(d.folder)
	}
	d.release()
	d.folder = ""
}

// sweep removes what was never finished, by processes that are gone.
func (d *drafts) sweep(now time.Time) {
	d.mu.Lock()
	own := d.folder
	d.mu.Unlock()
	list, err := os.ReadDir(d.parent)
	if err != nil {
		return
	}
	for _, entry := range list {
		path := filepath.Join(d.parent, entry.Name())
		if path == own {
			continue
		}
		lock, err := lockFolder(path)
		switch {
		case err == nil && entry.IsDir():
			_ = os.RemoveAll(path)
		case !errors.Is(err, errLocked) && now.Sub(latest(path)) > forgotten:
			_ = os.RemoveAll(path)
		}
		if err == nil {
			lock.Close()
		}
	}
}

// latest returns when something below path changed last.
func latest(path string) (at time.Time) {
	_ = filepath.WalkDir(path, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if info, err := entry.Info(); err == nil && info.ModTime().After(at) {
			at = info.ModTime()
		}
		return nil
	})
	return at
}
