package imageurl

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// referenceKey and what follows are the vector of ImageKit's SDKs.
var referenceKey = []byte("private_key_test")

const referenceText = "tr:w-100/test-signed-url.png"

var clock = time.Unix(1800000000, 0)

func TestSignaturesAreThoseOfTheSDKs(t *testing.T) {
	for _, tt := range []struct {
		expires int64
		want    string
	}{
		{Never, "41b3075c40bc84147eb71b8b49ae7fbf349d0f00"},
		{100, "5e5037a31a7121cbe2964e220b4338cc6e1ba66d"}, // nobody accepts a time of three digits, but this is how one is signed
	} {
		if got := fmt.Sprintf("%x", digest(referenceKey, "default", referenceText, tt.expires, false)); got != tt.want {
			t.Errorf("until %d: got %s, want %s", tt.expires, got, tt.want)
		}
	}
	if got, want := Sign(referenceKey, "default", referenceText, Never, false), "ik-s=41b3075c40bc84147eb71b8b49ae7fbf349d0f00"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestOurOwnFormIsAsDocumented is the vector of docs/signing.md, which other programs can check themselves against.
func TestOurOwnFormIsAsDocumented(t *testing.T) {
	const message = "imageorigin-signature-1\nproducts\n1900000000\ntr:w-100/test-signed-url.png"
	if got := Message("products", referenceText, 1900000000, true); got != message {
		t.Errorf("what is signed: got %q, want %q", got, message)
	}
	const want = "ik-t=1900000000&ik-s=sha256:8290d784159e92f8cbd6daf5c4ca2ffda5c66207f0deb55b6ad05539fb235359"
	if got := Sign(referenceKey, "products", referenceText, 1900000000, true); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTakeSignatureLeavesTheRestAsItIs(t *testing.T) {
	for _, tt := range []struct{ name, uri, rest, value, expiry string }{
		{"none", "/a%2Cb.jpg?v=1&&x", "/a%2Cb.jpg?v=1&&x", "", ""},
		{"no query", "/ik-s=1/a.jpg", "/ik-s=1/a.jpg", "", ""},
		{"alone", "/a.jpg?ik-s=1f", "/a.jpg", "1f", ""},
		{"both", "/a.jpg?ik-t=12&ik-s=1f", "/a.jpg", "1f", "12"},
		{"in the other order", "/a.jpg?ik-s=1f&ik-t=12", "/a.jpg", "1f", "12"},
		{"around others", "/a.jpg?ik-s=1f&tr=w-1,h-2&ik-t=12&v=%20", "/a.jpg?tr=w-1,h-2&v=%20", "1f", "12"},
		{"behind an empty query", "/a.jpg?&ik-s=1f", "/a.jpg?", "1f", ""},
		{"a name that looks alike", "/a.jpg?xik-s=1&ik-s2=3&ik-s=1f", "/a.jpg?xik-s=1&ik-s2=3", "1f", ""},
		{"a value with an equals sign", "/a.jpg?ik-s=1=2", "/a.jpg", "1=2", ""},
		{"a second question mark", "/a.jpg?u=b?ik-s=1", "/a.jpg?u=b?ik-s=1", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rest, s, err := TakeSignature(tt.uri)
			if err != nil || rest != tt.rest || s.Value != tt.value || s.Expiry != tt.expiry || s.Given != (tt.value+tt.expiry != "") {
				t.Errorf("TakeSignature(%q): got %q, %+v, %v; want %q, %q, %q", tt.uri, rest, s, err, tt.rest, tt.value, tt.expiry)
			}
		})
	}
}

func TestVerifyTellsWhichPartIsWrong(t *testing.T) {
	const good = "41b3075c40bc84147eb71b8b49ae7fbf349d0f00"
	until := func(expires int64) string {
		return "/" + referenceText + "?" + Sign(referenceKey, "default", referenceText, expires, false)
	}
	ours := "/" + referenceText + "?" + Sign(referenceKey, "default", referenceText, 1800000001, true)
	for _, tt := range []struct{ name, uri, want string }{
		{"good", "/" + referenceText + "?ik-s=" + good, ""},
		{"never, said", "/" + referenceText + "?ik-t=9999999999&ik-s=" + good, ""},
		{"in another order", "/" + referenceText + "?ik-s=" + good + "&ik-t=9999999999", ""},
		{"a second before its end", until(1800000001), ""},
		{"ours", ours, ""},
		{"ours, with an encoded colon", strings.Replace(ours, "sha256:", "sha256%3A", 1), ""},
		{"at its end", until(1800000000), "ik-t: the time is over for which this URL was signed"},
		{"long over", until(1000000000), "ik-t: the time is over for which this URL was signed"},
		{"over, and wrong", until(1700000000) + "&v=1", "ik-s: does not fit this URL"},
		{"another text", "/x" + referenceText + "?ik-s=" + good, "ik-s: does not fit this URL"},
		{"a further parameter", "/" + referenceText + "?v=1&ik-s=" + good, "ik-s: does not fit this URL"},
		{"upper case", "/" + referenceText + "?ik-s=" + strings.ToUpper(good), errForm.Error()},
		{"cut", "/" + referenceText + "?ik-s=" + good[:38], errForm.Error()},
		{"empty", "/" + referenceText + "?ik-s=", errForm.Error()},
		{"no digits", "/" + referenceText + "?ik-s=" + strings.Repeat("z", 40), errForm.Error()},
		{"the digits of the other form", "/" + referenceText + "?ik-s=sha256:" + good, errForm.Error()},
		{"time without signature", "/" + referenceText + "?ik-t=1900000000", "ik-s: is missing beside ik-t"},
		{"a time of nine digits", "/" + referenceText + "?ik-t=190000000&ik-s=" + good, errExpiry.Error()},
		{"a time of eleven digits", "/" + referenceText + "?ik-t=19000000000&ik-s=" + good, errExpiry.Error()},
		{"a leading zero", "/" + referenceText + "?ik-t=0190000000&ik-s=" + good, errExpiry.Error()},
		{"a plus sign", "/" + referenceText + "?ik-t=+190000000&ik-s=" + good, errExpiry.Error()},
		{"an empty time", "/" + referenceText + "?ik-t=&ik-s=" + good, errExpiry.Error()},
		{"a word", "/" + referenceText + "?ik-t=tomorrow00&ik-s=" + good, errExpiry.Error()},
		{"two signatures", "/" + referenceText + "?ik-s=" + good + "&ik-s=" + good, "ik-s: is given twice"},
		{"two times", "/" + referenceText + "?ik-t=1900000000&ik-t=1900000000&ik-s=" + good, "ik-t: is given twice"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := verify(tt.uri, "default", [][]byte{referenceKey})
			if got := text(err); got != tt.want {
				t.Errorf("%s: got %q, want %q", tt.uri, got, tt.want)
			}
		})
	}
}

func TestAnyKeyAndAnyTextOpens(t *testing.T) {
	old, other := []byte("the key before"), []byte("a key that isn't")
	for _, tt := range []struct {
		name  string
		keys  [][]byte
		texts []string
		fits  bool
	}{
		{"the first key", [][]byte{referenceKey, old}, []string{referenceText}, true},
		{"a later key", [][]byte{old, referenceKey}, []string{referenceText}, true},
		{"a later text", [][]byte{old, referenceKey}, []string{"shoes/" + referenceText, referenceText}, true},
		{"no key", nil, []string{referenceText}, false},
		{"other keys", [][]byte{old, other}, []string{referenceText}, false},
		{"no text", [][]byte{referenceKey}, nil, false},
		{"other texts", [][]byte{referenceKey}, []string{"", "shoes/" + referenceText}, false},
	} {
		s := Signature{Given: true, Value: "41b3075c40bc84147eb71b8b49ae7fbf349d0f00"}
		if err := s.Verify(tt.keys, "default", tt.texts, clock); (err == nil) != tt.fits {
			t.Errorf("%s: got %v, want a fit: %t", tt.name, err, tt.fits)
		}
	}
}

func TestOnlyOurOwnFormBindsTheEndpoint(t *testing.T) {
	for _, ours := range []bool{false, true} {
		uri := "/a.jpg?" + Sign(referenceKey, "shoes", "a.jpg", Never, ours)
		if err := verify(uri, "hats", [][]byte{referenceKey}); (err != nil) != ours {
			t.Errorf("%s at another endpoint with the same key: got %v", uri, err)
		}
	}
}

// TestDigitsCannotMoveIntoTheTime takes a signature apart where the SDKs' form has no separator.
func TestDigitsCannotMoveIntoTheTime(t *testing.T) {
	const signed = "a.jpg?v=1"
	sum := strings.TrimPrefix(Sign(referenceKey, "default", signed, 2345678901, false), "ik-t=2345678901&ik-s=")
	for _, uri := range []string{
		"/a.jpg?v=&ik-t=12345678901&ik-s=" + sum,
		"/a.jpg?v=12&ik-t=345678901&ik-s=" + sum,
		"/a.jpg?v=12345678901&ik-t=&ik-s=" + sum,
		"/a.jpg?v=12345678901&ik-s=" + sum,
		"/a.jpg?v=1&ik-t=02345678901&ik-s=" + sum,
	} {
		if err := verify(uri, "default", [][]byte{referenceKey}); err == nil {
			t.Errorf("%s is open", uri)
		}
	}
}

func TestEachChangeOfACharacterIsNoticed(t *testing.T) {
	changes := 0
	for _, target := range []string{
		"a.jpg", "tr:w-300,h-200/shoes/red%20shoe.jpg", "shoes/red.jpg?tr=w-300%2Ch-200:rt-90&v=17",
		"b%C3%BCcher/100%25.jpg?tr=n-thumb&ik-attachment=true", "one+one.jpg?ik-sdk-version=javascript-1.4.3", "tr:w-10,di-default.png/missing.jpg",
	} {
		for _, expires := range []int64{Never, 1900000000} {
			for _, ours := range []bool{false, true} {
				uri := "/" + WithQuery(target, Sign(referenceKey, "default", target, expires, ours))
				if err := verify(uri, "default", [][]byte{referenceKey}); err != nil {
					t.Fatalf("%s: %v", uri, err)
				}
				for i := 1; i < len(uri); i++ { // behind the slash, which is no part of what is signed
					for _, c := range []byte("a0/?&=%:-,Z9~") {
						if c == uri[i] {
							continue
						}
						changed := uri[:i] + string(c) + uri[i+1:]
						changes++
						if opens(changed) {
							t.Fatalf("%s opens as %s does", changed, uri)
						}
					}
				}
			}
		}
	}
	if changes < 10000 {
		t.Errorf("%d changes were tried: the test proves little", changes)
	}
}

// opens reports whether a URI carries a signature that opens it.
func opens(uri string) bool {
	rest, s, err := TakeSignature(uri)
	return err == nil && s.Given && s.Verify([][]byte{referenceKey}, "default", []string{strings.TrimPrefix(rest, "/")}, clock) == nil
}

// verify judges the signature of a URI.
func verify(uri, endpoint string, keys [][]byte) error {
	rest, s, err := TakeSignature(uri)
	if err != nil {
		return err
	}
	return s.Verify(keys, endpoint, []string{strings.TrimPrefix(rest, "/")}, clock)
}

func text(err error) string {
	if err == nil {
		return ""
	}
	if _, ok := errors.AsType[*SignatureError](err); !ok {
		return "untyped: " + err.Error()
	}
	return err.Error()
}

func TestParseKnowsSignaturesAndPassesNoneOn(t *testing.T) {
	a, err := Parse("/a.jpg", "ik-t=1900000000&v=1&ik-s=anything")
	if err != nil || a.Query != "v=1" || a.Key != "a.jpg" {
		t.Errorf("got %+v, %v", a, err)
	}
	for _, query := range []string{"ik%2Ds=1", "%69k-t=1", "ik-s=1&ik-s=2"} {
		if _, err := Parse("/a.jpg", query); err == nil {
			t.Errorf("%s is accepted", query)
		}
	}
}

func TestOnlyNamedIsAboutEachStepOfPathAndQuery(t *testing.T) {
	for _, tt := range []struct {
		path, query string
		want        bool
	}{
		{"/a.jpg", "", false},
		{"/tr:n-thumb/a.jpg", "", true},
		{"/a.jpg", "tr=n-thumb:n-card", true},
		{"/tr:n-thumb/a.jpg", "tr=n-card", true},
		{"/tr:n-thumb/a.jpg", "tr=w-3", false},
		{"/tr:n-thumb,w-3/a.jpg", "", false},
		{"/tr:w-3:n-thumb/a.jpg", "", false},
	} {
		a, err := Parse(tt.path, tt.query)
		if err != nil || a.OnlyNamed() != tt.want {
			t.Errorf("%s?%s: got %t, %v", tt.path, tt.query, a.OnlyNamed(), err)
		}
	}
}

func FuzzTakeSignature(f *testing.F) {
	for _, seed := range []string{
		"/a.jpg?ik-s=41b3&ik-t=1900000000", "/?&&ik-s", "ik-t", "/a?ik-s=1&ik-s=2", "/tr:w-1/a?v=1&ik-t=&x=%zz", "/a?b?ik-s=sha256:00",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		rest, s, err := TakeSignature(uri)
		if err != nil {
			if _, ok := errors.AsType[*SignatureError](err); !ok {
				t.Fatalf("%q: untyped error %v", uri, err)
			}
			return
		}
		if again, none, err := TakeSignature(rest); err != nil || none.Given || again != rest {
			t.Fatalf("%q leaves %q, of which another is taken: %+v, %v", uri, rest, none, err)
		}
		if !s.Given && rest != uri {
			t.Fatalf("%q has no signature and became %q", uri, rest)
		}
		err = s.Verify([][]byte{referenceKey}, "default", []string{rest}, clock)
		if _, ok := errors.AsType[*SignatureError](err); err != nil && !ok {
			t.Fatalf("%q: untyped error %v", uri, err)
		}
		// What is signed opens, whatever it is.
		if !strings.HasPrefix(rest, "/") {
			return
		}
		signed := WithQuery(rest, Sign(referenceKey, "default", strings.TrimPrefix(rest, "/"), 1900000000, len(uri)%2 == 0))
		if err := verify(signed, "default", [][]byte{referenceKey}); err != nil {
			t.Fatalf("%q: %v", signed, err)
		}
	})
}
