package remote

import (
	"compress/gzip"
	"fmt"
	"io"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// maxWindow is how far back a zstd stream may refer: what browsers support (RFC 9659), and what a decoder allocates.
const maxWindow = 8 << 20

// encoded reports whether a body of this Content-Encoding is a compressed form. We ask for none, but not every server
// listens, and stores keep what was uploaded.
func encoded(coding string) bool {
	coding = canonicalCoding(coding)
	return coding != "" && coding != "identity"
}

func canonicalCoding(coding string) string { return strings.ToLower(strings.TrimSpace(coding)) }

// decode returns body, of the given Content-Encoding, decompressed. How much comes out is for the reader to bound; how
// much memory it takes is bounded here.
func decode(body io.ReadCloser, coding string) (io.ReadCloser, error) {
	start, ok := decoders[canonicalCoding(coding)]
	if !ok {
		return nil, fmt.Errorf("the answer is encoded as %q, which we can't read", canonicalCoding(coding))
	}
	return &decodingBody{raw: body, start: start}, nil
}

// decoders begin to read a compressed stream.
var decoders = map[string]func(io.Reader) (io.ReadCloser, error){
	"gzip":   gunzip,
	"x-gzip": gunzip,
	"br":     func(r io.Reader) (io.ReadCloser, error) { return io.NopCloser(brotli.NewReader(r)), nil },
	"zstd": func(r io.Reader) (io.ReadCloser, error) {
		d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderMaxMemory(4*maxWindow))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	},
}

func gunzip(r io.Reader) (io.ReadCloser, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, err // not z, which would be a nil pointer in an interface
	}
	return z, nil
}

// decodingBody decompresses raw. It begins with the first read: until then a server's headers are enough.
type decodingBody struct {
	raw     io.ReadCloser
	start   func(io.Reader) (io.ReadCloser, error)
	decoder io.ReadCloser // nil before the first read
	err     error         // of start
}

func (b *decodingBody) Read(p []byte) (int, error) {
	if b.decoder == nil && b.err == nil {
		b.decoder, b.err = b.start(b.raw)
	}
	if b.err != nil {
		return 0, cutOff(b.err)
	}
	return b.decoder.Read(p)
}

// cutOff returns err, where nothing at all, which is no compressed stream, is a stream that was cut off.
func cutOff(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Close closes the decoder and the connection's body.
func (b *decodingBody) Close() error {
	if b.decoder != nil {
		b.decoder.Close()
	}
	return b.raw.Close()
}
