package imageurl

import (
	"errors"
	"strings"
	"testing"
)

// FuzzSignature signs a text and changes a byte of the URL, the endpoint or the key: then it must not open, whatever the
// change is, unless the URL means the same to the byte.
func FuzzSignature(f *testing.F) {
	f.Add("tr:w-300/a.jpg", "shop", "secret", uint32(1900000000), true, uint16(3), byte(1))
	f.Add("a.jpg?v=1&x=%zz", "default", "k", uint32(0), false, uint16(40), byte(0x20))
	f.Add("", "", "", uint32(1), true, uint16(0), byte(0xff))
	f.Fuzz(func(t *testing.T, text, endpoint, key string, until uint32, ours bool, at uint16, change byte) {
		if strings.ContainsAny(endpoint, "\n") || strings.ContainsAny(text, "\n") || text == "" || key == "" {
			return // no name and no request line has a line break, and nobody signs with no key
		}
		rest, given, err := TakeSignature("/" + text)
		if err != nil || given.Given || rest != "/"+text {
			return // what brings a signature of its own is not signed as it stands
		}
		expires := int64(Never)
		if until >= firstExpiry && int64(until) > clock.Unix() {
			expires = int64(until)
		}
		signed := WithQuery("/"+text, Sign([]byte(key), endpoint, text, expires, ours))
		if err := verify(signed, endpoint, [][]byte{[]byte(key)}); err != nil {
			t.Fatalf("%q for %q: %v", signed, endpoint, err)
		}
		if change == 0 {
			return
		}
		other := []byte(signed)
		place := 1 + int(at)%(len(other)-1)
		other[place] ^= change
		if err := verify(string(other), endpoint, [][]byte{[]byte(key)}); err == nil {
			t.Fatalf("%q opens as %q does", other, signed)
		} else if _, ok := errors.AsType[*SignatureError](err); !ok {
			t.Fatalf("%q: untyped error %v", other, err)
		}
		wrong := []byte(key)
		wrong[int(at)%len(wrong)] ^= change
		if err := verify(signed, endpoint, [][]byte{wrong}); err == nil && strings.TrimRight(string(wrong), "\x00") != strings.TrimRight(key, "\x00") {
			t.Fatalf("%q opens with the key %q, too", signed, wrong)
		}
		if err := verify(signed, endpoint+"x", [][]byte{[]byte(key)}); err == nil && ours {
			t.Fatalf("%q opens at another endpoint", signed)
		}
	})
}
