package disk

import (
	"encoding/binary"
	"time"

	"github.com/imageorigin/imageorigin/caches"
)

// What is kept beside the bytes of an entry, in this order: two times, when it was stored and when it expires, each as
// seconds since 1970 (8 bytes, two's complement) and nanoseconds (4); then texts, each as its length (a varint as in
// encoding/binary) and its bytes: source, variant, the caller's own, and the tags up to the end.

// describe appends it to b.
func describe(b []byte, key caches.Key, m caches.Meta) []byte {
	for _, t := range [...]time.Time{m.Stored, m.Expires} {
		b = binary.BigEndian.AppendUint64(b, uint64(t.Unix()))
		b = binary.BigEndian.AppendUint32(b, uint32(t.Nanosecond()))
	}
	b = appendText(b, key.Source)
	b = appendText(b, key.Variant)
	b = appendText(b, m.Info)
	for _, tag := range m.Tags {
		b = appendText(b, tag)
	}
	return b
}

func appendText[T string | []byte](b []byte, text T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

// described is what was kept beside the bytes. Its slices are parts of what was read.
type described struct {
	stored, expires       time.Time
	source, variant, info []byte
	tagged                []byte // the tags as they stand in the file
}

// readDescription reads b, which describe wrote.
func readDescription(b []byte) (d described, err error) {
	for _, t := range [...]*time.Time{&d.stored, &d.expires} {
		if len(b) < 12 {
			return d, errCorrupt
		}
		*t = time.Unix(int64(binary.BigEndian.Uint64(b)), int64(binary.BigEndian.Uint32(b[8:])))
		b = b[12:]
	}
	for _, text := range [...]*[]byte{&d.source, &d.variant, &d.info} {
		if *text, b, err = cutText(b); err != nil {
			return d, err
		}
	}
	d.tagged = b
	for len(b) > 0 {
		if _, b, err = cutText(b); err != nil {
			return d, err
		}
	}
	return d, nil
}

// cutText returns the text with which b begins, and what follows.
func cutText(b []byte) (text, rest []byte, err error) {
	length, n := binary.Uvarint(b)
	if n <= 0 || length > uint64(len(b)-n) {
		return nil, nil, errCorrupt
	}
	return b[n : n+int(length)], b[n+int(length):], nil
}

// is reports whether the entry is the one under key.
func (d described) is(key caches.Key) bool {
	return string(d.source) == key.Source && string(d.variant) == key.Variant
}

func (d described) key() caches.Key {
	return caches.Key{Source: string(d.source), Variant: string(d.variant)}
}

func (d described) tags() (tags []string) {
	count := 0
	for b := d.tagged; len(b) > 0; count++ {
		_, b, _ = cutText(b) // readDescription has read them before
	}
	if count == 0 {
		return nil
	}
	tags = make([]string, 0, count)
	for b := d.tagged; len(b) > 0; {
		var text []byte
		text, b, _ = cutText(b)
		tags = append(tags, string(text))
	}
	return tags
}

// meta returns what the caller gave, in memory of its own.
func (d described) meta() caches.Meta {
	m := caches.Meta{Stored: d.stored, Expires: d.expires, Tags: d.tags()}
	if len(d.info) > 0 {
		m.Info = append(make([]byte, 0, len(d.info)), d.info...)
	}
	return m
}
