package folder

import (
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"time"

	"github.com/imageorigin/imageorigin/origins"
)

// describe returns file as the answer to req, in which it is still bound to no context.
func describe(file fs.File, req origins.Request) (*origins.Object, error) {
	// Of the open file, not of the name: whatever the name meant a moment ago, this is what will be read.
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &origins.Error{Kind: origins.NotExist, Key: req.Key, Err: fmt.Errorf("not a regular file but %v", info.Mode().Type())}
	}
	obj := &origins.Object{Attributes: attributes(info, req.Key)}
	if unchanged(obj.Attributes, req.Validator) {
		return nil, &origins.Error{Kind: origins.NotModified, Key: req.Key}
	}
	whole := origins.Range{Length: info.Size()}
	seeker, _ := file.(io.Seeker)
	if req.Range == nil || seeker == nil {
		obj.Body = newBody(file, seeker, whole)
		return obj, nil
	}
	part, err := req.Range.Within(info.Size())
	if err != nil {
		return nil, &origins.Error{Kind: origins.Invalid, Key: req.Key, Err: err}
	}
	if _, err := seeker.Seek(part.Start, io.SeekStart); err != nil {
		return nil, err
	}
	obj.Range = &part
	obj.Body = newBody(file, seeker, part)
	return obj, nil
}

// attributes returns what a file's information says.
func attributes(info fs.FileInfo, key string) origins.Attributes {
	a := origins.Attributes{Size: info.Size(), ContentType: contentType(key)}
	// Embedded files and reproducible builds have no time, or the same for all files: it then tells nothing.
	if t := info.ModTime(); t.Unix() > 1 {
		a.Modified = t
		a.ETag = etag(t, info.Size())
	}
	return a
}

// etag returns a strong validator from time and size, as Caddy's file_server does: a file that is replaced or written
// to gets another time, to the nanosecond, on every file system in common use.
func etag(modified time.Time, size int64) string {
	return `"` + strconv.FormatInt(modified.UnixNano(), 36) + "-" + strconv.FormatInt(size, 36) + `"`
}

// unchanged reports whether v names the file as it is (RFC 9110 §13.1: a date counts only where there is no ETag, and
// has no more than seconds).
func unchanged(a origins.Attributes, v origins.Validator) bool {
	switch {
	case v.ETag != "":
		return v.ETag == a.ETag
	case v.Modified.IsZero() || a.Modified.IsZero():
		return false
	}
	return !a.Modified.Truncate(time.Second).After(v.Modified)
}

// body reads one part of a file. It ends where the file ended when it was opened, so that what is read agrees with
// the size that was told even while somebody appends to the file.
type body struct {
	file fs.File
	part origins.Range
	at   int64 // within the part
}

// seekableBody is a body that can seek, within its part.
type seekableBody struct {
	body

	seeker io.Seeker
}

// newBody returns a body for part of file, which stands at the beginning of it. seeker is file or nil.
func newBody(file fs.File, seeker io.Seeker, part origins.Range) io.ReadCloser {
	b := body{file: file, part: part}
	if seeker == nil {
		return &b
	}
	return &seekableBody{body: b, seeker: seeker}
}

func (b *body) Read(p []byte) (int, error) {
	rest := b.part.Length - b.at
	if rest <= 0 {
		return 0, io.EOF
	}
	if int64(len(p)) > rest {
		p = p[:rest]
	}
	n, err := b.file.Read(p)
	b.at += int64(n)
	if err == io.EOF && b.at < b.part.Length {
		err = io.ErrUnexpectedEOF // the file was cut off meanwhile
	}
	return n, err
}

func (b *body) Close() error { return b.file.Close() }

// Seek moves within the part.
func (b *seekableBody) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		offset += b.at
	case io.SeekEnd:
		offset += b.part.Length
	default:
		return 0, fmt.Errorf("seeking: whence %d is unknown", whence)
	}
	if offset < 0 {
		return 0, fmt.Errorf("seeking: offset %d is before the beginning", offset)
	}
	if _, err := b.seeker.Seek(b.part.Start+offset, io.SeekStart); err != nil {
		return 0, err
	}
	b.at = offset
	return offset, nil
}
