// Package originstest is the conformance suite of origins. Whoever writes an origin, or wraps one, runs it:
//
//	func TestConformance(t *testing.T) {
//		originstest.Run(t, originstest.Config{
//			New: func(t *testing.T, files map[string][]byte) origins.Origin { … },
//		})
//	}
//
// The zero value of every other field of [Config] asks for the most.
package originstest

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/origins"
)

// Config says how to make the origin under test, and what it may lack.
type Config struct {
	// New returns an origin that holds exactly files, by key. It is called for several tests, one after the other,
	// and cleans up with t.Cleanup. The suite gives the origin a name unless it answers with one already.
	New func(t *testing.T, files map[string][]byte) origins.Origin

	// Replace gives the object under key another content, in the origin that New returned last. nil: this origin's
	// objects never change.
	Replace func(t *testing.T, key string, content []byte)

	// Holds says whether the store behind the origin can hold an object called key. nil: any.
	Holds func(key string) bool

	Seekable bool // bodies are io.Seekers

	NoSize       bool // the size of an object may be unknown
	NoRanges     bool // the whole object may be answered where a part was asked for
	NoValidators bool // no ETag, and an object is answered whatever the validator
	NoTimes      bool // an object may be answered where the validator is a time alone
}

// Run runs the suite.
func Run(t *testing.T, c Config) {
	if c.Holds == nil {
		c.Holds = func(string) bool { return true }
	}
	s := &suite{Config: c, files: fixture(c.Holds)}
	for _, tt := range []struct {
		name string
		test func(t *testing.T)
	}{
		{"every file is answered exactly", s.testContent},
		{"what is not there does not exist", s.testMissing},
		{"names are taken literally", s.testLiteralNames},
		{"no key leads anywhere but down", s.testTraversal},
		{"attributes describe the object", s.testAttributes},
		{"ranges are exact", s.testRanges},
		{"ranges without a byte are invalid", s.testEmptyRanges},
		{"validators are obeyed", s.testValidators},
		{"what is unchanged is not modified", s.testUnchanged},
		{"another origin's validators are ignored", s.testForeignValidators},
		{"a replaced object has another validator", s.testReplace},
		{"a context that is done opens nothing", s.testDoneContext},
		{"a context that ends ends reading", s.testContextEndsReading},
		{"bodies may be closed early and twice", s.testClose},
		{"bodies that seek read from there", s.testSeek},
		{"many can read at once", s.testConcurrency},
	} {
		t.Run(tt.name, tt.test)
	}
}

// suite is a run of the suite.
type suite struct {
	Config

	files map[string][]byte
}

// The keys that tests ask for by name.
const (
	pictureKey = "a.jpg"
	deepKey    = "folder/deep/er/c.txt"
	emptyKey   = "empty.bin"
	bigKey     = "big.bin"
)

// names are keys that have been answered with the wrong file, or with none, somewhere.
var names = []string{
	"with space.jpg", "two  spaces/in folder.jpg", "plus+plus.jpg", "100%.jpg", "100%25.jpg", "%41.jpg", "a%2Fb.jpg",
	"%2e%2e", "%00.txt", "hash#mark.jpg", "question?mark.jpg", "amp&ersand.jpg", "equals=sign.jpg", "semi;colon.jpg",
	"semi;colon=1/in.jpg", "col:on.jpg", "tr:w-300/x.jpg", "com,ma.jpg", "at@sign.jpg", "@evil.example", "par(en)s.jpg",
	"brack[et]s.jpg", "quo'te.jpg", "tilde~.jpg", "exclaim!.jpg", "dollar$.jpg", "star*.jpg", "dots...jpg",
	"..leading", "...", ".well-known/x", "caf\u00e9.jpg", "cafe\u0301.jpg", "\u5199\u771f/\u98a8\u666f.jpg", "\U0001f600.png",
	"\u05e9\u05dc\u05d5\u05dd.gif", "UPPER.JPG", "no-extension", "trailing.", "-dash.jpg",
	strings.Repeat("l", 200) + ".jpg", strings.Repeat("d/", 40) + "x.jpg",
}

// fixture returns the files of the suite.
func fixture(holds func(string) bool) map[string][]byte {
	files := map[string][]byte{
		pictureKey:     noise(1, 4000),
		"folder/b.png": noise(2, 3000),
		deepKey:        []byte("deep\n"),
		emptyKey:       {},
		bigKey:         noise(3, 1<<20+7),
	}
	for _, name := range names {
		if holds(name) {
			files[name] = fmt.Appendf(nil, "the content of %q", name)
		}
	}
	return files
}

// noise returns n bytes that are the same at each run and that no compression or text conversion leaves alone.
func noise(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 0))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// origin returns a fresh origin with the files of the suite, and its name.
func (s *suite) origin(t *testing.T) (o origins.Origin, name string) {
	t.Helper()
	o = s.New(t, maps.Clone(s.files))
	obj, err := o.Open(t.Context(), origins.Request{Key: pictureKey})
	if err != nil {
		t.Fatalf("Open(%q): %v", pictureKey, err)
	}
	obj.Body.Close()
	if obj.Origin == "" {
		return origins.Named(o, "conformance", ""), "conformance"
	}
	return o, obj.Origin
}

// open opens what must be there. The body is closed at the end of the test.
func open(t *testing.T, o origins.Origin, req origins.Request) *origins.Object {
	t.Helper()
	obj, err := o.Open(t.Context(), req)
	if err != nil {
		t.Fatalf("Open(%+v): %v", req, err)
	}
	t.Cleanup(func() { obj.Body.Close() })
	return obj
}

// read returns all of an object's body.
func read(t *testing.T, obj *origins.Object) []byte {
	t.Helper()
	content, err := io.ReadAll(obj.Body)
	if err != nil {
		t.Fatalf("reading: %v", err)
	}
	return content
}

// refused opens what must not be there and checks that the failure is as the contract says.
func refused(t *testing.T, o origins.Origin, req origins.Request, want ...origins.Kind) {
	t.Helper()
	obj, err := o.Open(t.Context(), req)
	if err == nil {
		content := read(t, obj)
		obj.Body.Close()
		t.Errorf("Open(%+v): got %d bytes, want one of the failures %v", req, len(content), want)
		return
	}
	checkError(t, err, req.Key, want...)
}

// checkError checks that err is an *origins.Error of one of the kinds, about key and with an origin's name in it.
func checkError(t *testing.T, err error, key string, want ...origins.Kind) {
	t.Helper()
	e, ok := err.(*origins.Error)
	switch {
	case !ok:
		t.Errorf("key %.100q: got a %T (%.300v), want an *origins.Error", key, err, err.Error())
	case e.Key != key:
		t.Errorf("key %.100q: the error is about %.100q", key, e.Key)
	case e.Origin == "":
		t.Errorf("key %.100q: the error %v names no origin", key, e.Kind)
	case !slices.Contains(want, e.Kind):
		t.Errorf("key %.100q: got %v (%.300v), want one of %v", key, e.Kind, err.Error(), want)
	}
}

// same fails the test unless content is want.
func same(t *testing.T, what string, content, want []byte) {
	t.Helper()
	if !bytes.Equal(content, want) {
		t.Errorf("%s: got %d bytes, want %d, and the first difference is at %d", what, len(content), len(want), difference(content, want))
	}
}

// difference returns where a and b begin to differ.
func difference(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}
