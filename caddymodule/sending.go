package caddymodule

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"syscall"

	"github.com/imageorigin/imageorigin/internal/delivery"
)

// send writes status and body.
func (x *exchange) send(resp *delivery.Response) error {
	out := &outgoing{x.w, watched{ReadSeekCloser: resp.Content}}
	body := &out.body
	if resp.Size >= 0 {
		http.ServeContent(out, x.r, "", resp.Modified, body)
	} else if err := x.stream(resp, body); err != nil {
		return nil // the client went away
	}
	if body.err != nil {
		// The status is out; breaking the connection is the only way left to say that the body is not whole.
		x.code = faultOf(body.err).code
		x.log(faultOf(body.err), fmt.Errorf("sending the body: %w", body.err))
		panic(http.ErrAbortHandler)
	}
	return nil
}

// stream sends content of unknown size: no ranges, no length.
func (x *exchange) stream(resp *delivery.Response, body io.Reader) error {
	if !resp.Modified.IsZero() {
		h := header{Header: x.w.Header()}
		h.fill("Last-Modified", resp.Modified.UTC().Format(http.TimeFormat))
	}
	x.w.WriteHeader(http.StatusOK)
	if x.r.Method == http.MethodHead {
		return nil
	}
	_, err := io.Copy(struct{ io.Writer }{x.w}, body)
	if w, ok := body.(*watched); ok && w.err != nil {
		return nil
	}
	return err
}

// watched remembers the error that ended a body too early: net/http's copying drops it.
type watched struct {
	io.ReadSeekCloser
	err error
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.ReadSeekCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		w.err = err
	}
	return n, err
}

// outgoing is the ResponseWriter that net/http copies body to. Bytes that are in memory it writes in one piece, instead of
// through buffers, and files it hands on as files, so that the kernel can send them.
type outgoing struct {
	http.ResponseWriter
	body watched
}

// WriteHeader implements http.ResponseWriter.
func (o *outgoing) WriteHeader(status int) {
	if failed := status >= 400; failed {
		// net/http found that a condition or a range doesn't hold: that is an error like all others, and not to be kept.
		h := o.Header()
		h.Set("Cache-Control", "no-store")
		h.Del("Cdn-Cache-Control")
		h.Del("Age")
	}
	o.ResponseWriter.WriteHeader(status)
}

// inMemory is content whose bytes are in memory, as of a bytes.Reader.
type inMemory interface {
	io.WriterTo
	Len() int // bytes that are left
}

// inFile is content that is part of a file which never changes.
type inFile interface {
	File() (*os.File, error) // its offset is where the content stands
}

// ReadFrom implements io.ReaderFrom; net/http calls it once, with a reader of so many bytes of body.
func (o *outgoing) ReadFrom(r io.Reader) (int64, error) {
	part, ok := r.(*io.LimitedReader)
	if !ok || part.R != io.Reader(&o.body) {
		return io.Copy(o.ResponseWriter, r)
	}
	switch content := innermost(o.body.ReadSeekCloser).(type) {
	case inMemory:
		if int64(content.Len()) == part.N {
			return content.WriteTo(o.ResponseWriter)
		}
	case inFile:
		if file, err := content.File(); err == nil {
			return o.sendFile(file, part.N)
		}
	}
	return io.Copy(o.ResponseWriter, r)
}

// sendFile sends size bytes of a file from its offset on.
func (o *outgoing) sendFile(file *os.File, size int64) (int64, error) {
	var r io.Reader = file
	if !endsAfter(file, size) {
		r = io.LimitReader(file, size)
	}
	n, err := io.Copy(o.ResponseWriter, r)
	_, reading := errors.AsType[*fs.PathError](err)
	switch {
	case reading || errors.Is(err, syscall.EIO):
		o.body.err = err
	case err == nil && n < size:
		o.body.err = io.ErrUnexpectedEOF
	}
	return n, err
}

// endsAfter reports whether a file has size bytes more. Such a file needs no reader around it that ends in time: Caddy puts
// one around whatever it sends, piece by piece, and within two of them the kernel isn't asked to send it.
func endsAfter(file *os.File, size int64) bool {
	at, err := file.Seek(0, io.SeekCurrent)
	if err != nil {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Size() == at+size
}

// innermost returns what the content really is, in whatever it is wrapped to be closed.
func innermost(content io.ReadSeekCloser) io.ReadSeekCloser {
	for {
		outer, ok := content.(interface{ Unwrap() io.ReadSeekCloser })
		if !ok {
			return content
		}
		content = outer.Unwrap()
	}
}
