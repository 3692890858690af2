package caches

import (
	"bytes"
	"errors"
	"io"
)

// again is a body that several stores read.
type again struct {
	large bool // it has more than maxFill bytes

	seeker io.ReadSeeker // nil: it can't go back
	start  int64         // where in seeker it begins

	head []byte // the first bytes of one that can't go back: all of them, unless it is large
	rest noticed
}

// readAgain reads no more of body than tells whether it is large.
func readAgain(body io.Reader) (*again, error) {
	if seeker, ok := body.(io.ReadSeeker); ok {
		start, err := seeker.Seek(0, io.SeekCurrent)
		if err == nil { // pipes are files that can't
			end, err := seeker.Seek(0, io.SeekEnd)
			return &again{large: end-start > maxFill, seeker: seeker, start: start}, err
		}
	}
	head, err := io.ReadAll(io.LimitReader(body, maxFill+1))
	return &again{large: len(head) > maxFill, head: head, rest: noticed{body: body}}, err
}

// errSpent is the error of a large body that was read once and can't be read again.
var errSpent = errors.New("the body can't be read again")

// body returns the whole body.
func (a *again) body() (io.Reader, error) {
	switch {
	case a.seeker != nil:
		_, err := a.seeker.Seek(a.start, io.SeekStart)
		return a.seeker, err
	case !a.large:
		return bytes.NewReader(a.head), nil
	case a.rest.asked:
		return nil, errSpent
	}
	return io.MultiReader(bytes.NewReader(a.head), &a.rest), nil
}

// noticed is a reader that tells whether it was read from.
type noticed struct {
	body  io.Reader
	asked bool
}

// Read implements io.Reader.
func (c *noticed) Read(p []byte) (int, error) {
	c.asked = true
	return c.body.Read(p)
}
