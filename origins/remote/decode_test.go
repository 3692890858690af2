package remote

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"github.com/imageorigin/imageorigin/origins"
)

// encodings compress, each in its way.
var encodings = map[string]func([]byte) []byte{
	"gzip":   zip,
	"x-gzip": zip,
	"GZIP":   zip,
	"br": func(content []byte) []byte {
		var b bytes.Buffer
		z := brotli.NewWriter(&b)
		z.Write(content)
		z.Close()
		return b.Bytes()
	},
	"zstd": func(content []byte) []byte {
		z, err := zstd.NewWriter(nil)
		if err != nil {
			panic(err)
		}
		return z.EncodeAll(content, nil)
	},
}

func zip(content []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(content)
	z.Close()
	return b.Bytes()
}

// open returns the object of an answer with body.
func open(t *testing.T, body, encoding string) (*origins.Object, error) {
	t.Helper()
	return Object(t.Context(), origins.Request{Key: "a.jpg"}, answer(body, encoding))
}

// varied is content that compresses, but not away.
var varied = []byte(strings.Repeat("picture ", 5000) + strings.Repeat("\x00\x01\x02\xff", 3000))

func TestCompressedAnswersAreDecoded(t *testing.T) {
	for coding, encode := range encodings {
		obj, err := open(t, string(encode(varied)), coding)
		if err != nil {
			t.Errorf("%s: %v", coding, err)
			continue
		}
		content, err := io.ReadAll(obj.Body)
		if !bytes.Equal(content, varied) || err != nil || obj.Size != -1 {
			t.Errorf("%s: got %d bytes of %d, %v; size %d", coding, len(content), len(varied), err, obj.Size)
		}
		if err := errors.Join(obj.Body.Close(), obj.Body.Close()); err != nil {
			t.Errorf("%s: closing: %v", coding, err)
		}
	}
}

func TestTruncatedCompressedAnswersFail(t *testing.T) {
	for coding, encode := range encodings {
		whole := encode(varied)
		for _, length := range []int{1, 5, len(whole) / 2, len(whole) - 1} {
			obj, err := open(t, string(whole[:length]), coding)
			if err != nil {
				t.Fatal(err)
			}
			content, err := io.ReadAll(obj.Body)
			if err == nil || origins.KindOf(err) != origins.Unreachable {
				t.Errorf("%s cut off after %d of %d: got %d bytes of %d, %v", coding, length, len(whole), len(content), len(varied), err)
			}
			obj.Body.Close()
		}
	}
}

func TestBombsStopAtTheLimit(t *testing.T) {
	zeros := make([]byte, 16<<20)
	for coding, encode := range encodings {
		if coding != strings.ToLower(coding) || coding == "x-gzip" {
			continue // the same again
		}
		bomb := encode(zeros)
		if len(bomb) > 1<<20 {
			t.Fatalf("%s: %d bytes are no bomb", coding, len(bomb))
		}
		o := origins.OriginFunc(func(ctx context.Context, req origins.Request) (*origins.Object, error) {
			return Object(ctx, req, answer(string(bomb), coding))
		})
		obj, err := origins.Limit(o, 1<<20, 0).Open(t.Context(), origins.Request{Key: "a.jpg"})
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, obj.Body)
		if n != 1<<20 || origins.KindOf(err) != origins.TooLarge {
			t.Errorf("%s: got %d bytes, %v, want 1 MiB and too_large", coding, n, err)
		}
		obj.Body.Close()
	}
}

func TestZstdWithAHugeWindowIsRefused(t *testing.T) {
	var b bytes.Buffer
	z, err := zstd.NewWriter(&b, zstd.WithWindowSize(64<<20), zstd.WithSingleSegment(false))
	if err != nil {
		t.Fatal(err)
	}
	z.Write(bytes.Repeat(varied, 2000)) // more than a window
	z.Close()
	obj, err := open(t, b.String(), "zstd")
	if err != nil {
		t.Fatal(err)
	}
	defer obj.Body.Close()
	if _, err := io.Copy(io.Discard, obj.Body); err == nil {
		t.Error("decoded with a window of 64 MiB")
	}
}

func TestEncodingsThatAreNoneOfOurs(t *testing.T) {
	for _, tt := range []struct {
		name, coding, body string
		ok                 bool
	}{
		{"none", "", "content", true},
		{"identity", "identity", "content", true},
		{"an empty body", "gzip", "", true},
		{"old", "compress", "content", false},
		{"two at once", "gzip, br", "content", false},
		{"unheard of", "x-moon", "content", false},
	} {
		obj, err := open(t, tt.body, tt.coding)
		if !tt.ok {
			if err == nil || origins.KindOf(err) != origins.Unknown {
				t.Errorf("%s: got %v, want unknown", tt.name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if content, err := io.ReadAll(obj.Body); string(content) != tt.body || err != nil || obj.Size != int64(len(tt.body)) {
			t.Errorf("%s: got %q, %v, size %d", tt.name, content, err, obj.Size)
		}
	}
}

func TestPartOfACompressedFormIsToldApart(t *testing.T) {
	a := answer("xyz", "gzip")
	a.Partial, a.Range = true, "bytes 2-4/100"
	_, err := Object(t.Context(), origins.Request{Key: "a.svg", Range: &origins.Range{Start: 2, Length: 3}}, a)
	if !errors.Is(err, ErrEncodedPart) {
		t.Errorf("got %v, want ErrEncodedPart", err)
	}
}
