package originstest

import (
	"slices"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/origins"
)

func (s *suite) testContent(t *testing.T) {
	o, name := s.origin(t)
	for key, want := range s.files {
		obj := open(t, o, origins.Request{Key: key})
		if obj.Range != nil {
			t.Errorf("%q: got the part %+v, want the whole", key, *obj.Range)
		}
		if obj.Origin != name {
			t.Errorf("%q: answered by %q, want %q", key, obj.Origin, name)
		}
		same(t, key, read(t, obj), want)
		obj.Body.Close()
	}
}

func (s *suite) testMissing(t *testing.T) {
	o, _ := s.origin(t)
	for _, key := range []string{
		"missing.jpg", "folder/missing.jpg", "missing/deep/x.jpg", "folder", "folder/deep", "", pictureKey + "/x.jpg",
		pictureKey + "x", "A.jpg.", strings.Repeat("m", 5000),
	} {
		refused(t, o, origins.Request{Key: key}, origins.NotExist)
	}
}

// testLiteralNames asks for names that become an existing one if they are decoded once too often, or once too little.
func (s *suite) testLiteralNames(t *testing.T) {
	o, _ := s.origin(t)
	for _, key := range []string{
		"with%20space.jpg", "with+space.jpg", "plus plus.jpg", "plus%2Bplus.jpg", "100%2525.jpg", "A.jpg%3F", "hash",
		"question", "hash%23mark.jpg", "question%3Fmark.jpg", "semi", "%61.jpg", "caf%C3%A9.jpg", "a/b.jpg",
	} {
		if _, exists := s.files[key]; exists {
			t.Fatalf("the fixture has %q", key)
		}
		refused(t, o, origins.Request{Key: key}, origins.NotExist)
	}
}

func (s *suite) testTraversal(t *testing.T) {
	o, _ := s.origin(t)
	for _, key := range []string{
		"..", ".", "/", "../a.jpg", "../../../../../../etc/passwd", "folder/../a.jpg", "folder/../../a.jpg", "./a.jpg",
		"folder/./b.png", "folder//b.png", "/a.jpg", "//a.jpg", "/etc/passwd", "a.jpg/", "a.jpg/.", "a.jpg/..",
		"folder/..", `..\a.jpg`, `folder\..\a.jpg`, `folder/..\..\a.jpg`, `..\..\..\etc\passwd`, `\a.jpg`, `C:\a.jpg`,
		"C:/a.jpg", "a.jpg\x00", "a.jpg\x00.png", "\x00", "a.jpg::$DATA", "file:///etc/passwd", "http://localhost/a.jpg",
	} {
		refused(t, o, origins.Request{Key: key}, origins.NotExist, origins.Invalid)
	}
}

func (s *suite) testConcurrency(t *testing.T) {
	o, _ := s.origin(t)
	keys := []string{pictureKey, "folder/b.png", deepKey, bigKey, emptyKey}
	done := make(chan string)
	const readers = 16
	for i := range readers {
		go func() { done <- s.readAll(t, o, append(slices.Clone(keys[i%len(keys):]), keys...)) }()
	}
	for range readers {
		if wrong := <-done; wrong != "" {
			t.Errorf("%s was answered wrongly under concurrency", wrong)
		}
	}
}
