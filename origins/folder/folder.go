// Package folder is the origin that reads files: below a folder of the machine, which nothing leads out of, or from a
// file system that another Caddy module provides.
package folder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"syscall"

	"github.com/imageorigin/imageorigin/origins"
)

// Origin serves the files of a tree. The zero value is not useful; see [New] and [NewFS].
type Origin struct {
	root string // "" of a file system
	open func(key string) (fs.File, error)
}

// New returns an Origin for the files below the folder root, which must exist.
//
// No key leads out of root: neither by "..", nor by a symbolic link, not even by one that is swapped in while the key
// is looked up. Links that stay inside are followed. What is no regular file is not served.
func New(root string) (*Origin, error) {
	info, err := os.Stat(root)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("folder %q can't be reached by this user; give it execute rights for the folders above", absolute(root))
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("there is no folder %q; create it or correct root", absolute(root))
	case err != nil:
		return nil, fmt.Errorf("looking at root: %w", err)
	case !info.IsDir():
		return nil, fmt.Errorf("%q is a file; root must be a folder", absolute(root))
	}
	switch err := enter(root); {
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("folder %q can't be read by this user; give it read and execute rights", absolute(root))
	case err != nil:
		return nil, fmt.Errorf("opening root: %w", err)
	}
	return &Origin{root: root, open: func(key string) (fs.File, error) { return openBelow(root, key) }}, nil
}

// NewFS returns an Origin for the files below root in the file system that find returns, which is asked for at each
// request. What a symbolic link may do there is up to that file system.
func NewFS(find func() (fs.FS, error), root string) (*Origin, error) {
	root = path.Clean(root)
	if !fs.ValidPath(root) {
		return nil, fmt.Errorf("root %q is not a path in a file system; write it without a slash in front and without \"..\"", root)
	}
	return &Origin{open: func(key string) (fs.File, error) {
		fsys, err := find()
		if err != nil {
			return nil, &origins.Error{Kind: origins.Unreachable, Key: key, Err: err}
		}
		return openIn(fsys, root, key)
	}}, nil
}

// Open opens the file called req.Key.
func (o *Origin) Open(ctx context.Context, req origins.Request) (*origins.Object, error) {
	if err := ctx.Err(); err != nil {
		return nil, &origins.Error{Kind: origins.KindOf(err), Key: req.Key, Err: err}
	}
	if err := origins.CheckKey(req.Key); err != nil {
		return nil, err
	}
	file, err := o.open(req.Key)
	if err != nil {
		return nil, failed(req.Key, err)
	}
	obj, err := describe(file, req)
	if err != nil {
		file.Close()
		return nil, failed(req.Key, err)
	}
	obj.Body = origins.NewBody(ctx, req.Key, obj.Body)
	return obj, nil
}

// Holds reports whether the file called key is certainly still the version that v names, for a third of what opening it
// costs. It looks at the name alone, links that lead out of the root included: nothing of the file is read. Where it can't
// tell it reports false, and Open does.
func (o *Origin) Holds(key string, v origins.Validator) bool {
	return o.root != "" && v.ETag != "" && origins.CheckKey(key) == nil && holds(o.root+"/"+key, v)
}

// enter returns why nothing in the folder root can be looked up, nil if it can.
func enter(root string) error {
	r, err := os.OpenRoot(root)
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = r.Stat(".") // asks for the right to enter; opening asks for the right to read only
	return err
}

// openBelow opens a file below a folder. The folder is looked up anew each time, as Caddy's file_server does: a
// release switched by a symbolic link, or a volume mounted over the folder, is seen without a reload.
func openBelow(root, key string) (fs.File, error) {
	r, err := os.OpenRoot(root)
	if err != nil {
		// Never NotExist: without its folder the origin can't say what it has.
		kind := origins.Unreachable
		if errors.Is(err, fs.ErrPermission) {
			kind = origins.Denied
		}
		return nil, &origins.Error{Kind: kind, Key: key, Err: err}
	}
	defer r.Close()
	// A FIFO without a writer would block the opening; with O_NONBLOCK it opens, and is then seen to be no file.
	file, err := r.OpenFile(filepath.FromSlash(key), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		if _, system := errors.AsType[syscall.Errno](err); !system {
			// What doesn't come from the system is os.Root's own refusal: the path leads out of the folder.
			return nil, &origins.Error{Kind: origins.Denied, Key: key, Err: err}
		}
		return nil, err // not file, which would be a nil pointer in an interface
	}
	return file, nil
}

// openIn opens a file of a file system.
func openIn(fsys fs.FS, root, key string) (fs.File, error) {
	name := path.Join(root, key)
	if !fs.ValidPath(name) { // bytes that aren't UTF-8
		return nil, &origins.Error{Kind: origins.NotExist, Key: key, Err: fs.ErrInvalid}
	}
	return fsys.Open(name)
}

// failed returns err as an *origins.Error for key.
func failed(key string, err error) error {
	if _, ok := err.(*origins.Error); ok {
		return err
	}
	return &origins.Error{Kind: kindOf(err), Key: key, Err: err}
}

// kindOf says what an error of the file system means.
func kindOf(err error) origins.Kind {
	if kind := origins.KindOf(err); kind != origins.Unknown {
		return kind
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return origins.NotExist
	case errors.Is(err, fs.ErrPermission):
		return origins.Denied
	case isAny(err, syscall.ENOTDIR, syscall.EISDIR, syscall.ENAMETOOLONG, syscall.ELOOP, syscall.ENXIO, syscall.ENODEV):
		return origins.NotExist // there is no file of this name, and can't be one
	case isAny(err, syscall.EIO, syscall.ESTALE, syscall.ENOTCONN, syscall.EHOSTDOWN):
		return origins.Unreachable // network file systems
	case errors.Is(err, syscall.ETIMEDOUT):
		return origins.Timeout
	}
	return origins.Unknown
}

func isAny(err error, targets ...error) bool {
	for _, target := range targets {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}

// absolute returns name as a person can find it.
func absolute(name string) string {
	if abs, err := filepath.Abs(name); err == nil {
		return abs
	}
	return name
}

var _ origins.Origin = (*Origin)(nil)
