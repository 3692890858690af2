package originstest_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/originstest"
)

func TestMemoryConforms(t *testing.T) { run(t, func(o origins.Origin) origins.Origin { return o }) }

// run runs the suite against what wrap makes of an origin in memory.
func run(t *testing.T, wrap func(origins.Origin) origins.Origin) {
	var memory originstest.Memory
	originstest.Run(t, originstest.Config{
		Seekable: true,
		New: func(_ *testing.T, files map[string][]byte) origins.Origin {
			memory = files
			return wrap(memory)
		},
		Replace: func(_ *testing.T, key string, content []byte) { memory[key] = content },
	})
}

// mistakes are origins as people write them, and the test of the suite that must find out.
var mistakes = map[string]struct {
	caught string
	wrap   func(origins.Origin) origins.Origin
}{
	"cleans keys": {"no_key_leads_anywhere", change(func(ctx context.Context, o origins.Origin, req origins.Request) (*origins.Object, error) {
		asked := req.Key
		req.Key = strings.TrimPrefix(path.Clean("/"+req.Key), "/")
		obj, err := o.Open(ctx, req)
		if e, ok := err.(*origins.Error); ok {
			e.Key = asked
		}
		return obj, err
	})},
	"decodes keys once more": {"names_are_taken_literally", change(func(ctx context.Context, o origins.Origin, req origins.Request) (*origins.Object, error) {
		req.Key = strings.ReplaceAll(req.Key, "+", " ")
		return o.Open(ctx, req)
	})},
	"forgets the kind": {"what_is_not_there", change(func(ctx context.Context, o origins.Origin, req origins.Request) (*origins.Object, error) {
		obj, err := o.Open(ctx, req)
		if origins.KindOf(err) == origins.NotExist {
			return nil, io.ErrUnexpectedEOF
		}
		return obj, err
	})},
	"ends ranges one byte late": {"ranges_are_exact", change(func(ctx context.Context, o origins.Origin, req origins.Request) (*origins.Object, error) {
		if req.Range == nil || req.Range.Length < 1 {
			return o.Open(ctx, req)
		}
		longer := *req.Range
		longer.Length++
		req.Range = &longer
		obj, err := o.Open(ctx, req)
		if err == nil {
			obj.Range.Length--
		}
		return obj, err
	})},
	"has the same ETag for ever": {"a_replaced_object", change(func(ctx context.Context, o origins.Origin, req origins.Request) (*origins.Object, error) {
		return constantETag(ctx, o, req)
	})},
	"never says not modified": {"validators_are_obeyed", change(func(ctx context.Context, o origins.Origin, req origins.Request) (*origins.Object, error) {
		req.Validator = origins.Validator{}
		return o.Open(ctx, req)
	})},
	"takes any validator": {"another_origin's_validators", func(o origins.Origin) origins.Origin {
		return origins.OriginFunc(func(ctx context.Context, req origins.Request) (*origins.Object, error) {
			req.Validator.Origin = "any"
			return origins.Named(o, "any", "").Open(ctx, req)
		})
	}},
	"reads on after the end": {"a_context_that_ends", change(func(_ context.Context, o origins.Origin, req origins.Request) (*origins.Object, error) {
		return o.Open(context.Background(), req)
	})},
	"cuts off large objects": {"every_file_is_answered", change(func(ctx context.Context, o origins.Origin, req origins.Request) (*origins.Object, error) {
		obj, err := o.Open(ctx, req)
		if err == nil {
			obj.Body = struct {
				io.Reader
				io.Closer
			}{io.LimitReader(obj.Body, 1<<20), obj.Body}
		}
		return obj, err
	})},
	"shares one reader": {"many_can_read", sharedReader},
}

// change returns a wrapper that calls open.
func change(open func(context.Context, origins.Origin, origins.Request) (*origins.Object, error)) func(origins.Origin) origins.Origin {
	return func(o origins.Origin) origins.Origin {
		return origins.OriginFunc(func(ctx context.Context, req origins.Request) (*origins.Object, error) { return open(ctx, o, req) })
	}
}

func constantETag(ctx context.Context, o origins.Origin, req origins.Request) (*origins.Object, error) {
	const tag = `"1"`
	if req.Validator.ETag == tag {
		return nil, &origins.Error{Kind: origins.NotModified, Key: req.Key}
	}
	obj, err := o.Open(ctx, req)
	if err == nil {
		obj.ETag = tag
	}
	return obj, err
}

// sharedReader hands out the content that was asked for last, as an origin does that keeps state in itself.
func sharedReader(o origins.Origin) origins.Origin {
	last := make(chan []byte, 1)
	last <- nil
	return origins.OriginFunc(func(ctx context.Context, req origins.Request) (*origins.Object, error) {
		obj, err := o.Open(ctx, req)
		if err != nil || req.Range != nil {
			return obj, err
		}
		content, err := io.ReadAll(obj.Body)
		if err != nil {
			return nil, err
		}
		previous := <-last
		last <- content
		if previous == nil {
			previous = content
		}
		obj.Body = io.NopCloser(bytes.NewReader(previous))
		return obj, nil
	})
}

// mistakeVariable tells the test binary which mistake to run the suite against.
const mistakeVariable = "ORIGINSTEST_MISTAKE"

func TestSuiteCatchesMistakes(t *testing.T) {
	for name, m := range mistakes {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.run=^TestMistake$", "-test.v")
			cmd.Env = append(os.Environ(), mistakeVariable+"="+name)
			output, err := cmd.CombinedOutput()
			if err == nil {
				t.Fatalf("the suite passes:\n%s", output)
			}
			if want := "--- FAIL: TestMistake/" + m.caught; !strings.Contains(string(output), want) {
				t.Errorf("the test %q passes:\n%s", m.caught, output)
			}
		})
	}
}

// TestMistake is what TestSuiteCatchesMistakes runs in a process of its own.
func TestMistake(t *testing.T) {
	m, ok := mistakes[os.Getenv(mistakeVariable)]
	if !ok {
		t.Skip("there is no mistake to run against; TestSuiteCatchesMistakes names one")
	}
	run(t, m.wrap)
}
