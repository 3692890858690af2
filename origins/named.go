package origins

import (
	"context"
	"fmt"
	"io"
	"strings"
)

// Named returns an Origin that answers as o does and is known as name, so that o needn't know what it is called: the
// name stands in Attributes.Origin and in every *Error, and a validator that comes from another origin is withheld
// from o. Errors that are none of ours become an *Error of the [KindOf] that they are.
//
// canonicalBase, if not empty, is the absolute URL below which the objects are public: Attributes.Canonical is it, a
// slash and the key.
func Named(o Origin, name, canonicalBase string) Origin {
	return &named{origin: o, name: name, base: strings.TrimRight(canonicalBase, "/")}
}

type named struct {
	origin Origin
	name   string
	base   string // of canonical URLs, without the slash at the end; "" is none
}

// Open asks the origin and signs its answer.
func (n *named) Open(ctx context.Context, req Request) (*Object, error) {
	for _, e := range req.Failed {
		if e.Origin == n.name {
			again := *e
			again.Err = fmt.Errorf("%w: its answer failed: %w", ErrSkipped, cause(e))
			return nil, &again
		}
	}
	if req.Validator.Origin != n.name {
		// Two origins may well use the same ETag for different bytes.
		req.Validator = Validator{}
	}
	obj, err := n.origin.Open(ctx, req)
	if err != nil {
		return nil, n.sign(err, req.Key)
	}
	obj.Origin = n.name
	if n.base != "" {
		obj.Canonical = Canonical(n.base, req.Key)
	}
	obj.Body = keepSeek(&namedBody{ReadCloser: obj.Body, named: n, key: req.Key}, obj.Body)
	return obj, nil
}

// Canonical returns the URL of an object below a base; "" where that is "".
func Canonical(base, key string) string {
	if base == "" {
		return ""
	}
	return strings.TrimRight(base, "/") + "/" + EscapeKey(key)
}

// sign returns err with the origin's name in it. It changes a copy, for a guest may hand out the same error twice.
func (n *named) sign(err error, key string) error {
	e, ok := err.(*Error)
	if !ok {
		return &Error{Kind: KindOf(err), Origin: n.name, Key: key, Err: err}
	}
	signed := *e
	signed.Origin = n.name
	if signed.Key == "" {
		signed.Key = key
	}
	return &signed
}

// namedBody signs the errors of reading.
type namedBody struct {
	io.ReadCloser

	named *named
	key   string
}

func (b *namedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = b.named.sign(err, b.key)
	}
	return n, err
}

func (b *namedBody) moved(int64) {}
