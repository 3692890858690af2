package delivery

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strconv"
	"strings"

	"github.com/imageorigin/imageorigin/origins"
)

// variantETag is the strong ETag of what was made of an original: of its validator and of all that decided what was
// made, so that it is known without the bytes. Where the original has no strong validator it is of the bytes.
func variantETag(a origins.Attributes, recipe string, result []byte) string {
	h := sha256.New()
	if v := strongValidator(a); v != "" {
		io.WriteString(h, v+"\x00"+recipe)
	} else {
		h.Write(result)
	}
	return `"` + hex.EncodeToString(h.Sum(nil)[:16]) + `"`
}

// originalETag is the ETag of an original that is passed through: strong or weak as the origin's; "" without one.
func originalETag(a origins.Attributes) string {
	if a.ETag == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(a.Origin + "\x00" + a.ETag))
	tag := `"` + hex.EncodeToString(sum[:16]) + `"`
	if strings.HasPrefix(a.ETag, "W/") {
		return "W/" + tag
	}
	return tag
}

// strongValidator names the exact bytes of an original (RFC 9110 §8.8.1); "" if the origin doesn't.
func strongValidator(a origins.Attributes) string {
	if a.ETag == "" || strings.HasPrefix(a.ETag, "W/") {
		return ""
	}
	return a.Origin + "\x00" + a.ETag + "\x00" + strconv.FormatInt(a.Size, 10)
}
