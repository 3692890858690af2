package origins

import "fmt"

// Within returns the part that r means of an object of size bytes, with its Length counted out: a range that reaches
// over the end stops there. One that holds no byte of the object is an *Error of kind Invalid.
func (r Range) Within(size int64) (Range, error) {
	if r.Start < 0 || r.Start >= size || r.Length == 0 || r.Length < -1 {
		return Range{}, &Error{Kind: Invalid, Err: fmt.Errorf("no bytes of %d in the range from %d, length %d", size, r.Start, r.Length)}
	}
	if rest := size - r.Start; r.Length < 0 || r.Length > rest {
		r.Length = rest
	}
	return r, nil
}
