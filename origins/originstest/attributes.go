package originstest

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/origins"
)

func (s *suite) testAttributes(t *testing.T) {
	o, _ := s.origin(t)
	for key, content := range s.files {
		obj := open(t, o, origins.Request{Key: key})
		obj.Body.Close()
		s.checkSize(t, key, obj.Size, len(content))
		if tag := obj.ETag; tag != "" && !quoted(tag) || tag == "" && !s.NoValidators {
			t.Errorf("%q: ETag is %q, want it quoted, as HTTP has it", key, tag)
		}
		if obj.Modified.After(time.Now().Add(time.Hour)) {
			t.Errorf("%q: modified at %v, which is still to come", key, obj.Modified)
		}
		if obj.Degraded {
			t.Errorf("%q: degraded, with nothing that failed", key)
		}
		again := open(t, o, origins.Request{Key: key})
		again.Body.Close()
		if again.Attributes != obj.Attributes {
			t.Errorf("%q: the attributes differ between two looks:\n%+v\n%+v", key, obj.Attributes, again.Attributes)
		}
	}
}

func (s *suite) checkSize(t *testing.T, key string, got int64, want int) {
	t.Helper()
	if got != int64(want) && !(s.NoSize && got == -1) {
		t.Errorf("%q: size is %d, want %d", key, got, want)
	}
}

// quoted reports whether tag is an entity tag (RFC 9110 §8.8.3).
func quoted(tag string) bool {
	tag = strings.TrimPrefix(tag, "W/")
	return len(tag) >= 2 && tag[0] == '"' && tag[len(tag)-1] == '"' && !strings.Contains(tag[1:len(tag)-1], `"`)
}

func (s *suite) testRanges(t *testing.T) {
	o, _ := s.origin(t)
	size := int64(len(s.files[bigKey]))
	for _, r := range []origins.Range{
		{Start: 0, Length: 1},
		{Start: 0, Length: size},
		{Start: 0, Length: -1},
		{Start: 1000, Length: 70000},
		{Start: size / 2, Length: -1},
		{Start: size - 1, Length: 1},
		{Start: size - 1, Length: -1},
		{Start: size - 10, Length: 1000},
		{Start: size - 10, Length: 1 << 40},
	} {
		obj := open(t, o, origins.Request{Key: bigKey, Range: &r})
		want := origins.Range{Start: r.Start, Length: r.Length}
		if rest := size - r.Start; want.Length < 0 || want.Length > rest {
			want.Length = rest
		}
		s.checkSize(t, bigKey, obj.Size, int(size))
		switch {
		case obj.Range == nil && s.NoRanges:
			want = origins.Range{Length: size}
		case obj.Range == nil:
			t.Errorf("range %+v: got the whole", r)
			want = origins.Range{Length: size}
		case *obj.Range != want:
			t.Errorf("range %+v: got %+v, want %+v", r, *obj.Range, want)
		}
		same(t, fmt.Sprintf("range %+v", r), read(t, obj), s.files[bigKey][want.Start:want.Start+want.Length])
		obj.Body.Close()
	}
}

func (s *suite) testEmptyRanges(t *testing.T) {
	if s.NoRanges {
		t.Skip("the origin answers no ranges")
	}
	o, _ := s.origin(t)
	size := int64(len(s.files[pictureKey]))
	for _, r := range []origins.Range{
		{Start: size, Length: -1},
		{Start: size, Length: 10},
		{Start: size + 1000, Length: 10},
		{Start: 0, Length: 0},
		{Start: -5, Length: -1},
		{Start: 0, Length: -2},
	} {
		refused(t, o, origins.Request{Key: pictureKey, Range: &r}, origins.Invalid)
	}
}

func (s *suite) testValidators(t *testing.T) {
	if s.NoValidators {
		t.Skip("the origin has no validators")
	}
	o, name := s.origin(t)
	obj := open(t, o, origins.Request{Key: pictureKey})
	obj.Body.Close()
	current := origins.Validator{Origin: name, ETag: obj.ETag, Modified: obj.Modified}
	refused(t, o, origins.Request{Key: pictureKey, Validator: current}, origins.NotModified)
	refused(t, o, origins.Request{Key: pictureKey, Validator: current, Range: &origins.Range{Start: 1, Length: 5}}, origins.NotModified)
	refused(t, o, origins.Request{Key: pictureKey, Validator: origins.Validator{Origin: name, ETag: obj.ETag}}, origins.NotModified)
	for _, stale := range []origins.Validator{
		{Origin: name, ETag: `"stale"`},
		{Origin: name, ETag: `"stale"`, Modified: obj.Modified}, // the ETag decides (RFC 9110 §13.2.2)
		{Origin: name, Modified: time.Unix(1e9, 0)},
		{Origin: name},
	} {
		got := read(t, open(t, o, origins.Request{Key: pictureKey, Validator: stale}))
		same(t, fmt.Sprintf("validator %+v", stale), got, s.files[pictureKey])
	}
	refused(t, o, origins.Request{Key: "missing.jpg", Validator: current}, origins.NotExist)
}

func (s *suite) testForeignValidators(t *testing.T) {
	o, name := s.origin(t)
	obj := open(t, o, origins.Request{Key: pictureKey})
	obj.Body.Close()
	for _, other := range []string{name + "-other", ""} {
		foreign := origins.Validator{Origin: other, ETag: obj.ETag, Modified: obj.Modified}
		got := read(t, open(t, o, origins.Request{Key: pictureKey, Validator: foreign}))
		same(t, "validator of origin "+other, got, s.files[pictureKey])
	}
}

func (s *suite) testReplace(t *testing.T) {
	if s.Replace == nil {
		t.Skip("the origin's objects never change")
	}
	o, name := s.origin(t)
	before := open(t, o, origins.Request{Key: pictureKey})
	before.Body.Close()
	for i, want := range [][]byte{
		noise(8, len(s.files[pictureKey])), // of the same size
		noise(9, 5),
		{},
	} {
		s.Replace(t, pictureKey, want)
		after := open(t, o, origins.Request{Key: pictureKey, Validator: origins.Validator{Origin: name, ETag: before.ETag, Modified: before.Modified}})
		s.checkSize(t, pictureKey, after.Size, len(want))
		content, err := io.ReadAll(after.Body)
		if err != nil {
			t.Fatalf("reading: %v", err)
		}
		same(t, fmt.Sprintf("replacement %d", i), content, want)
		if after.ETag == before.ETag && !s.NoValidators {
			t.Errorf("replacement %d: the ETag is still %q", i, before.ETag)
		}
		before = after
	}
}
