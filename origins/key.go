package origins

import (
	"errors"
	"strings"
)

// CheckKey returns an *Error unless key is one that an origin with paths can serve: NotExist where no file can be of
// that name (the empty key, an empty segment), and Invalid where key could lead anywhere but down. Callers clean keys
// before an origin sees them; this is the second lock on the door.
func CheckKey(key string) error {
	if key == "" {
		return &Error{Kind: NotExist, Key: key, Err: errors.New("the root is no file")}
	}
	if strings.IndexByte(key, 0) >= 0 {
		return &Error{Kind: Invalid, Key: key, Err: errors.New("key contains a NUL byte")}
	}
	for segment := range strings.SplitSeq(key, "/") {
		if segment == "" {
			return &Error{Kind: NotExist, Key: key, Err: errors.New("key has an empty segment")}
		}
		// Some servers take a backslash, and its percent-encoded form, for a slash.
		for part := range strings.SplitSeq(segment, `\`) {
			if part == "." || part == ".." {
				return &Error{Kind: Invalid, Key: key, Err: errors.New("key has a dot segment")}
			}
		}
	}
	return nil
}

// EscapeKey returns key as it stands in the path of a URL. Whatever key holds, the result adds no query, no fragment
// and no segment. It escapes more than a browser does where servers disagree: "+", which some take for a space, and
// ";", behind which some look for parameters.
func EscapeKey(key string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(key) {
		c := key[i]
		if literal(c) {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
	return b.String()
}

// literal reports whether c stands for itself in a path (RFC 3986 §3.3, less "+" and ";").
func literal(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return strings.IndexByte("/-._~!$&'()*,=:@", c) >= 0
}
