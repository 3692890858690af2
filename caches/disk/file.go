package disk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"sync"
	"time"

	"github.com/imageorigin/imageorigin/caches"
)

// An entry is one file: a head of fixed size, then what is kept beside the bytes (describe.go), then the bytes.
//
//	0   8  magic, with the version of the format
//	8   8  bytes of the body
//	16  4  bytes of what is kept beside it
//	20  4  CRC-32C of that
//	24  4  CRC-32C of the body
//	28  8  when the file was written, in nanoseconds since 1970
//	36  4  CRC-32C of the 36 bytes before
//
// Numbers are big endian.
const (
	magic    = "imgorig2"
	headSize = 40
	maxMeta  = 1 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli) // processors have an instruction for it

// errCorrupt is the error of files that are not whole, or not entries.
var errCorrupt = errors.New("the file is not a whole entry")

// head is what the first bytes of a file say.
type head struct {
	body             int64
	meta             uint32
	metaSum, bodySum uint32
	written          int64 // nanoseconds since 1970
}

// put writes the head into the first bytes of b.
func (h head) put(b []byte) {
	b = append(b[:0], magic...)
	b = binary.BigEndian.AppendUint64(b, uint64(h.body))
	b = binary.BigEndian.AppendUint32(b, h.meta)
	b = binary.BigEndian.AppendUint32(b, h.metaSum)
	b = binary.BigEndian.AppendUint32(b, h.bodySum)
	b = binary.BigEndian.AppendUint64(b, uint64(h.written))
	binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// readHead reads b, whose first bytes are a head.
func readHead(b []byte) (head, error) {
	if len(b) < headSize || string(b[:len(magic)]) != magic ||
		crc32.Checksum(b[:headSize-4], castagnoli) != binary.BigEndian.Uint32(b[headSize-4:]) {
		return head{}, errCorrupt
	}
	h := head{
		body:    int64(binary.BigEndian.Uint64(b[8:])),
		meta:    binary.BigEndian.Uint32(b[16:]),
		metaSum: binary.BigEndian.Uint32(b[20:]),
		bodySum: binary.BigEndian.Uint32(b[24:]),
		written: int64(binary.BigEndian.Uint64(b[28:])),
	}
	if h.body < 0 || h.body > math.MaxInt64-headSize-maxMeta || h.meta > maxMeta {
		return head{}, errCorrupt
	}
	return h, nil
}

// start is where the body begins.
func (h head) start() int64 { return headSize + int64(h.meta) }

// size is that of the file.
func (h head) size() int64 { return h.start() + h.body }

// buffers are used again: for the first bytes of files that are read, and for those that are written.
var buffers = [2]sync.Pool{
	{New: func() any { return new(make([]byte, firstRead)) }},
	{New: func() any { return new(make([]byte, firstWrite)) }},
}

const (
	firstRead  = 4 << 10   // head and description of nearly all entries
	firstWrite = 128 << 10 // nearly all entries whole: one call of the system each
)

// write writes an entry to an empty file: the body as far as it goes, at most limit bytes. The head comes with all the
// rest or after it, so that a file that is not whole has none.
func write(f *os.File, key caches.Key, m caches.Meta, body io.Reader, limit int64, now time.Time) (head, error) {
	buffer := buffers[1].Get().(*[]byte)
	defer buffers[1].Put(buffer)
	b := describe((*buffer)[:headSize], key, m)
	if len(b)-headSize > maxMeta {
		return head{}, caches.ErrTooLarge
	}
	h := head{meta: uint32(len(b) - headSize), metaSum: crc32.Checksum(b[headSize:], castagnoli), written: now.UnixNano()}
	body = io.LimitReader(body, limit+1)
	if len(b) > len(*buffer)/2 {
		b = append(make([]byte, 0, len(b)+len(*buffer)), b...)
	}
	clear(b[:headSize]) // what the buffer held before is no head
	for first := true; ; first = false {
		from := len(b)
		n, err := io.ReadFull(body, b[from:cap(b)])
		b = b[:from+n]
		h.body += int64(n)
		h.bodySum = crc32.Update(h.bodySum, castagnoli, b[from:])
		ended := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !ended {
			return head{}, err
		}
		if h.body > limit {
			return head{}, caches.ErrTooLarge
		}
		if first && ended {
			h.put(b)
		}
		if _, err := f.Write(b); err != nil {
			return head{}, err
		}
		if !ended {
			b = b[:0]
			continue
		}
		if !first {
			h.put(b[:headSize])
			_, err = f.WriteAt(b[:headSize], 0)
			return h, err
		}
		return h, nil
	}
}

// inspect calls do with head and description of an entry, the latter as long as do goes on, and makes sure that the file
// is as long as they say.
func inspect(f *os.File, size int64, do func(head, described) error) error {
	if size < 0 {
		return errCorrupt // reading may never end
	}
	buffer := buffers[0].Get().(*[]byte)
	defer buffers[0].Put(buffer)
	n, err := f.ReadAt(*buffer, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	h, err := readHead((*buffer)[:n])
	if err != nil {
		return err
	}
	if size != h.size() {
		return errCorrupt
	}
	meta := (*buffer)[headSize:n]
	if int(h.meta) > len(meta) {
		meta = make([]byte, h.meta)
		if _, err := f.ReadAt(meta, headSize); err != nil {
			return errCorrupt
		}
	}
	meta = meta[:h.meta]
	if crc32.Checksum(meta, castagnoli) != h.metaSum {
		return errCorrupt
	}
	d, err := readDescription(meta)
	if err != nil {
		return err
	}
	return do(h, d)
}

// verify reads the whole body and compares its checksum.
func verify(f *os.File, h head) error {
	sum := crc32.New(castagnoli)
	if _, err := io.Copy(sum, io.NewSectionReader(f, h.start(), h.body)); err != nil {
		return err
	}
	if sum.Sum32() != h.bodySum {
		return fmt.Errorf("%w: the checksum of the body differs", errCorrupt)
	}
	return nil
}

// Content is the body of an entry, a part of a file.
type Content struct {
	file        *os.File
	start, size int64
	pos         int64
}

// File returns the file, whose offset is where Content stands: what is read from it up to the end of Content is the body. It
// allows servers to have the kernel send it (sendfile). It is Content that is closed.
func (c *Content) File() (*os.File, error) {
	_, err := c.file.Seek(c.start+c.pos, io.SeekStart)
	return c.file, err
}

// Read implements io.Reader.
func (c *Content) Read(p []byte) (int, error) {
	n, err := c.ReadAt(p, c.pos)
	c.pos += int64(n)
	return n, err
}

// ReadAt implements io.ReaderAt.
func (c *Content) ReadAt(p []byte, at int64) (int, error) {
	return io.NewSectionReader(c.file, c.start, c.size).ReadAt(p, at)
}

// Seek implements io.Seeker.
func (c *Content) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += c.pos
	case io.SeekEnd:
		offset += c.size
	}
	if offset < 0 {
		return 0, fmt.Errorf("seeking to %d: before the start", offset)
	}
	c.pos = offset
	return offset, nil
}

// Close implements io.Closer.
func (c *Content) Close() error { return c.file.Close() }
