package originstest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"

	"github.com/imageorigin/imageorigin/origins"
)

// Memory is an origin that holds its objects by key, for tests of what stands before origins. It must not be changed
// while it is read.
type Memory map[string][]byte

// Open opens the object called req.Key.
func (m Memory) Open(ctx context.Context, req origins.Request) (*origins.Object, error) {
	if err := ctx.Err(); err != nil {
		return nil, &origins.Error{Kind: origins.KindOf(err), Key: req.Key, Err: err}
	}
	content, ok := m[req.Key]
	if !ok {
		return nil, &origins.Error{Kind: origins.NotExist, Key: req.Key}
	}
	etag := fmt.Sprintf(`"%x"`, sha256.Sum256(content))
	if req.Validator.ETag == etag {
		return nil, &origins.Error{Kind: origins.NotModified, Key: req.Key}
	}
	obj := &origins.Object{Attributes: origins.Attributes{Size: int64(len(content)), ETag: etag}}
	if req.Range != nil {
		part, err := req.Range.Within(obj.Size)
		if err != nil {
			return nil, &origins.Error{Kind: origins.Invalid, Key: req.Key, Err: err}
		}
		obj.Range = &part
		content = content[part.Start : part.Start+part.Length]
	}
	obj.Body = origins.NewBody(ctx, req.Key, body{bytes.NewReader(content)})
	return obj, nil
}

// body is a reader that seeks and closes.
type body struct{ io.ReadSeeker }

func (body) Close() error { return nil }

var _ origins.Origin = Memory(nil)
