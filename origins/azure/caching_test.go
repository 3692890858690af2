package azure

import (
	"net/http"
	"testing"

	"github.com/imageorigin/imageorigin/origins"
)

func TestTagsAreThoseOfTheMetadata(t *testing.T) {
	s, server := newStore(t, map[string][]byte{"a": []byte("1"), "b": []byte("2"), "c": []byte("3")})
	s.headers["a"] = http.Header{"X-Ms-Meta-Cachetag": {"shoe, red"}}
	s.headers["b"] = http.Header{"X-Ms-Meta-Cachetag": {"shoe"}, "X-Ms-Meta-Cache_tag": {"red shoe"}}
	o := originAt(t, server, withKey)
	for key, want := range map[string]string{"a": "shoe red", "b": "shoe red", "c": ""} {
		obj, err := o.Open(t.Context(), origins.Request{Key: key})
		if err != nil {
			t.Fatal(err)
		}
		if obj.Body.Close(); obj.Tags != want {
			t.Errorf("%s: got the tags %q, want %q", key, obj.Tags, want)
		}
	}
}

func TestAnUnchangedBlobRenewsWhatIsSaidOfKeeping(t *testing.T) {
	s, server := newStore(t, map[string][]byte{"a": []byte("1"), "b": []byte("2")})
	s.headers["a"] = http.Header{"Cache-Control": {"max-age=60"}}
	o := originAt(t, server, withKey)
	for key, want := range map[string]string{"a": "max-age=60", "b": ""} {
		obj, err := o.Open(t.Context(), origins.Request{Key: key})
		if err != nil {
			t.Fatal(err)
		}
		obj.Body.Close()
		e := fails(t, o, origins.Request{Key: key, Validator: origins.Validator{ETag: obj.ETag}})
		if e.Kind != origins.NotModified || e.CacheControl != want {
			t.Errorf("%s: got %v with %q, want %q", key, e, e.CacheControl, want)
		}
	}
}
