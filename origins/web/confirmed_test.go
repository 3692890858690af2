package web

import (
	"net/http"
	"testing"

	"github.com/imageorigin/imageorigin/origins"
)

func TestAConfirmationTellsWhatHoldsFromThenOn(t *testing.T) {
	res := &http.Response{StatusCode: http.StatusNotModified, Header: http.Header{
		"Cache-Control": {"max-age=60", "private"}, "Is-Private-File": {"true"},
	}}
	req := origins.Request{Key: "a.jpg", Validator: origins.Validator{ETag: `"1"`}}
	_, err := answer(t.Context(), res, req, false)
	e, ok := err.(*origins.Error)
	if !ok || e.Kind != origins.NotModified || e.CacheControl != "max-age=60, private" || !e.Private {
		t.Errorf("got %+v", err)
	}
}
