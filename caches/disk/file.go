package disk

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"os"
	"time"

	"github.com/imageorigin/imageorigin/caches"
)

// An entry is one file: a head of fixed size, then what is kept beside the bytes as JSON, then the bytes.
//
//	0   8  magic, with the version of the format
//	8   8  bytes of the body
//	16  4  bytes of the JSON
//	20  4  CRC-32C of the JSON
//	24  4  CRC-32C of the body
//	28  8  when the file was written, in nanoseconds since 1970
//	36  4  CRC-32C of the 36 bytes before
//
// Numbers are big endian.
const (
	magic    = "imgorig1"
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
	written          time.Time
}

// described is what is kept beside the bytes of an entry. Names and tags are bytes: JSON's strings would change those that
// are not UTF-8.
type described struct {
	Source  []byte    `json:"source"`
	Variant []byte    `json:"variant,omitempty"`
	Stored  time.Time `json:"stored,omitzero"`
	Expires time.Time `json:"expires,omitzero"`
	Tags    [][]byte  `json:"tags,omitempty"`
	Info    []byte    `json:"info,omitempty"`
}

func describe(key caches.Key, m caches.Meta) described {
	d := described{[]byte(key.Source), []byte(key.Variant), m.Stored, m.Expires, nil, m.Info}
	for _, tag := range m.Tags {
		d.Tags = append(d.Tags, []byte(tag))
	}
	return d
}

func (d described) key() caches.Key {
	return caches.Key{Source: string(d.Source), Variant: string(d.Variant)}
}

func (d described) tags() []string {
	var tags []string
	for _, tag := range d.Tags {
		tags = append(tags, string(tag))
	}
	return tags
}

func (d described) meta() caches.Meta {
	return caches.Meta{Stored: d.Stored, Expires: d.Expires, Tags: d.tags(), Info: d.Info}
}

func (h head) bytes() []byte {
	b := append(make([]byte, 0, headSize), magic...)
	b = binary.BigEndian.AppendUint64(b, uint64(h.body))
	b = binary.BigEndian.AppendUint32(b, h.meta)
	b = binary.BigEndian.AppendUint32(b, h.metaSum)
	b = binary.BigEndian.AppendUint32(b, h.bodySum)
	b = binary.BigEndian.AppendUint64(b, uint64(h.written.UnixNano()))
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
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
		written: time.Unix(0, int64(binary.BigEndian.Uint64(b[28:]))),
	}
	if h.body < 0 || h.meta > maxMeta {
		return head{}, errCorrupt
	}
	return h, nil
}

// start is where the body begins.
func (h head) start() int64 { return headSize + int64(h.meta) }

// write writes an entry to an empty file: the body as far as it goes, at most limit bytes. The head comes last, so that a
// file that is not whole has none.
func write(f *os.File, d described, body io.Reader, limit int64, now time.Time) (head, error) {
	meta, err := json.Marshal(d)
	if err != nil {
		return head{}, err
	}
	if len(meta) > maxMeta {
		return head{}, caches.ErrTooLarge
	}
	h := head{meta: uint32(len(meta)), metaSum: crc32.Checksum(meta, castagnoli), written: now}
	if _, err := f.Write(append(make([]byte, headSize, headSize+len(meta)), meta...)); err != nil {
		return head{}, err
	}
	sum := crc32.New(castagnoli)
	if h.body, err = io.Copy(io.MultiWriter(f, sum), io.LimitReader(body, limit+1)); err != nil {
		return head{}, err
	}
	if h.body > limit {
		return head{}, caches.ErrTooLarge
	}
	h.bodySum = sum.Sum32()
	_, err = f.WriteAt(h.bytes(), 0)
	return h, err
}

// firstRead is how much of a file is read at once: head and JSON of nearly all entries.
const firstRead = 4 << 10

// inspect reads head and description of an entry, and makes sure that the file is as long as they say.
func inspect(f *os.File) (head, described, error) {
	buffer := make([]byte, firstRead)
	n, err := f.ReadAt(buffer, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return head{}, described{}, err
	}
	h, err := readHead(buffer[:n])
	if err != nil {
		return head{}, described{}, err
	}
	meta := buffer[headSize:n]
	if int(h.meta) > len(meta) {
		meta = make([]byte, h.meta)
		if _, err := f.ReadAt(meta, headSize); err != nil {
			return head{}, described{}, errCorrupt
		}
	}
	meta = meta[:h.meta]
	var d described
	if crc32.Checksum(meta, castagnoli) != h.metaSum || json.Unmarshal(meta, &d) != nil {
		return head{}, described{}, errCorrupt
	}
	info, err := f.Stat()
	if err != nil {
		return head{}, described{}, err
	}
	if !info.Mode().IsRegular() || info.Size() != h.start()+h.body {
		return head{}, described{}, errCorrupt
	}
	return h, d, nil
}

// verify reads the whole body and compares its checksum.
func verify(f *os.File, h head) error {
	var sum hash.Hash32 = crc32.New(castagnoli)
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
