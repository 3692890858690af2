package imageurl

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"hash"
	"strconv"
	"strings"
	"time"
)

// Signature is what a URL says of its signature: the values of ik-s and ik-t as they stand in it.
type Signature struct {
	Given   bool   // one of the two stands in the URL
	Value   string // of ik-s
	Expiry  string // of ik-t; "" is none
	missing bool   // ik-t stands without ik-s
}

// SignatureError says why a signature doesn't open a URL. It tells nothing that the client doesn't know.
type SignatureError struct {
	Part string // "ik-s" or "ik-t"
	Msg  string
}

// Error returns one sentence for the person who wrote the URL.
func (e *SignatureError) Error() string { return e.Part + ": " + e.Msg }

// Never is the time of expiry that stands for none, as in ImageKit's SDKs.
const Never = 9999999999

// firstExpiry is the first time of ten digits, in 2001.
const firstExpiry = 1000000000

// modern is what the value of ik-s begins with in the form of our own.
const modern = "sha256:"

// modernHead begins what is signed in that form, so that no signature made for anything else is one.
const modernHead = "imageorigin-signature-1"

// TakeSignature returns a raw URI, path and query as the client sent them, without ik-s and ik-t, wherever they stand in the
// query. What remains is as it was, to the byte.
func TakeSignature(uri string) (rest string, s Signature, err error) {
	path, query, ok := strings.Cut(uri, "?")
	if !ok || !strings.Contains(query, "ik-") {
		return uri, s, nil
	}
	var kept []string
	signed, timed := false, false
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		switch name {
		case "ik-s":
			if signed {
				return "", Signature{Given: true}, &SignatureError{name, "is given twice"}
			}
			signed, s.Value = true, value
		case "ik-t":
			if timed {
				return "", Signature{Given: true}, &SignatureError{name, "is given twice"}
			}
			if timed, s.Expiry = true, value; value == "" {
				return "", Signature{Given: true}, errExpiry
			}
		default:
			kept = append(kept, pair)
		}
	}
	s.Given, s.missing = signed || timed, !signed
	if len(kept) > 0 {
		path += "?" + strings.Join(kept, "&")
	}
	return path, s, nil
}

// What is wrong with signatures.
var (
	errExpiry   = &SignatureError{"ik-t", "must be a time of exactly ten digits, in seconds since 1970"}
	errMissing  = &SignatureError{"ik-s", "is missing beside ik-t"}
	errForm     = &SignatureError{"ik-s", "must be 40 hexadecimal digits in lower case, or sha256: and 64 of them"}
	errMismatch = &SignatureError{"ik-s", "does not fit this URL"}
	errExpired  = &SignatureError{"ik-t", "the time is over for which this URL was signed"}
)

// Seconds returns the time of expiry in seconds since 1970, [Never] if none is given.
//
// The SDKs sign text and time without anything between them. A time of another length would let digits be moved from one
// into the other.
func (s Signature) Seconds() (int64, error) {
	if s.Expiry == "" {
		return Never, nil
	}
	n, err := strconv.ParseInt(s.Expiry, 10, 64)
	if err != nil || n < firstExpiry || n > Never || len(s.Expiry) != 10 {
		return 0, errExpiry
	}
	return n, nil
}

// Verify reports whether the signature was made with one of keys for one of texts: each is what stands behind the
// endpoint's prefix, without leading slash, as [TakeSignature] leaves it. The time until which it holds is that of
// [Signature.Seconds]. Errors are *SignatureError.
//
// Every key is tried on every text, in a time that tells nothing about keys.
func (s Signature) Verify(keys [][]byte, endpoint string, texts []string, now time.Time) error {
	if s.missing {
		return errMissing
	}
	expires, err := s.Seconds()
	if err != nil {
		return err
	}
	given, ours, err := s.digest()
	if err != nil {
		return err
	}
	found := 0
	for _, key := range keys {
		for _, text := range texts {
			found |= subtle.ConstantTimeCompare(given, digest(key, endpoint, text, expires, ours))
		}
	}
	switch {
	case found == 0:
		return errMismatch
	case expires != Never && now.Unix() >= expires:
		return errExpired
	}
	return nil
}

// Modern reports whether the signature is of the form of our own.
func (s Signature) Modern() bool {
	_, ours := s.modern()
	return ours
}

// modern returns the digits of a signature. Encoders of queries write the colon as %3A.
func (s Signature) modern() (digits string, ours bool) {
	for _, head := range []string{modern, "sha256%3A"} {
		if digits, ours = strings.CutPrefix(s.Value, head); ours {
			return digits, true
		}
	}
	return s.Value, false
}

// digest returns the bytes of a signature.
func (s Signature) digest() (sum []byte, ours bool, err error) {
	digits, ours := s.modern()
	size := sha1.Size
	if ours {
		size = sha256.Size
	}
	sum, err = hex.DecodeString(digits)
	if err != nil || len(sum) != size || strings.ToLower(digits) != digits {
		return nil, ours, errForm
	}
	return sum, ours, nil
}

// digest returns what is signed of a text.
func digest(key []byte, endpoint, text string, expires int64, ours bool) []byte {
	var h hash.Hash
	if ours {
		h = hmac.New(sha256.New, key)
	} else {
		h = hmac.New(sha1.New, key)
	}
	h.Write([]byte(Message(endpoint, text, expires, ours)))
	return h.Sum(nil)
}

// Message returns the bytes that are signed: in the form of ImageKit's SDKs the text and the time, in our own a line that
// names the form, one with the endpoint, one with the time, and the text. A name has no line break, so nothing can be moved
// from one part into another.
func Message(endpoint, text string, expires int64, ours bool) string {
	until := strconv.FormatInt(expires, 10)
	if !ours {
		return text + until
	}
	return modernHead + "\n" + endpoint + "\n" + until + "\n" + text
}

// Sign returns the query parameters, ik-t before ik-s, that sign a text with a key until a time in seconds since 1970, which
// has ten digits; [Never] is none. ours: in our own form, which names the endpoint.
func Sign(key []byte, endpoint, text string, expires int64, ours bool) string {
	value := hex.EncodeToString(digest(key, endpoint, text, expires, ours))
	if ours {
		value = modern + value
	}
	if expires == Never {
		return "ik-s=" + value
	}
	return "ik-t=" + strconv.FormatInt(expires, 10) + "&ik-s=" + value
}

// WithQuery returns a URL with parameters behind those that it has.
func WithQuery(uri, parameters string) string {
	if strings.Contains(uri, "?") {
		return uri + "&" + parameters
	}
	return uri + "?" + parameters
}

// CheckExpiry says what is wrong with a time until which a signature holds, in seconds since 1970.
func CheckExpiry(expires int64) error {
	if expires < firstExpiry || expires > Never {
		return errExpiry
	}
	return nil
}
