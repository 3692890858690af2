package originstest

import (
	"strings"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/origins"
)

// testUnchanged asks about copies that are still the current ones, in all the forms in which their validators may have
// been kept.
func (s *suite) testUnchanged(t *testing.T) {
	if s.NoValidators {
		t.Skip("the origin has no validators")
	}
	o, name := s.origin(t)
	for _, key := range []string{pictureKey, deepKey, emptyKey, bigKey} {
		obj := open(t, o, origins.Request{Key: key})
		obj.Body.Close()
		validators := []origins.Validator{{Origin: name, ETag: obj.ETag, Modified: obj.Modified.Truncate(time.Second)}}
		if at := obj.Modified; !at.IsZero() {
			validators = append(
				validators,
				origins.Validator{Origin: name, Modified: at},
				origins.Validator{Origin: name, Modified: at.Truncate(time.Second)},
				origins.Validator{Origin: name, Modified: at.In(time.FixedZone("", -5*60*60))},
				origins.Validator{Origin: name, ETag: obj.ETag, Modified: time.Unix(1e9, 0)}, // the ETag decides (RFC 9110 §13.2.2)
			)
		}
		for _, v := range validators {
			for range 2 { // what is said once must not change what is said next
				if s.NoTimes && v.ETag == "" {
					s.checkUnsure(t, o, key, v)
				} else {
					refused(t, o, origins.Request{Key: key, Validator: v}, origins.NotModified)
				}
			}
		}
		// A copy whose ETag became a weak one on its way: an origin may compare weakly (RFC 9110 §13.1.2).
		s.checkUnsure(t, o, key, origins.Validator{Origin: name, ETag: "W/" + strings.TrimPrefix(obj.ETag, "W/")})
	}
	// Nobody asks for what nothing is said of.
	same(t, "after all that", read(t, open(t, o, origins.Request{Key: pictureKey})), s.files[pictureKey])
}

// checkUnsure asks about a copy of which an origin may say that it is unchanged, or give the object again; it may not fail.
func (s *suite) checkUnsure(t *testing.T, o origins.Origin, key string, v origins.Validator) {
	t.Helper()
	obj, err := o.Open(t.Context(), origins.Request{Key: key, Validator: v})
	if err != nil {
		checkError(t, err, key, origins.NotModified)
		return
	}
	same(t, "the object", read(t, obj), s.files[key])
	obj.Body.Close()
}
