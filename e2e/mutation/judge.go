package mutation

import (
	"bytes"
	"fmt"
	"image/jpeg"
	"image/png"
	"net/http"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// judge says what is wrong with an answer about a file; "" is nothing.
func judge(got reply, file []byte, how int) string {
	switch got.status {
	case http.StatusOK:
		if sniffing := got.header.Get("X-Content-Type-Options"); sniffing != "nosniff" {
			return fmt.Sprintf("200 and browsers may guess what it is: %q", sniffing)
		}
		if transform.Sniff(file) == plan.Unknown {
			return untouched(got, file)
		}
		return misshapen(got, how)
	case http.StatusBadRequest, http.StatusNotFound, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return ""
	case http.StatusInternalServerError:
		return "" // counted against the crashes that the server's log tells
	}
	return fmt.Sprintf("status %d: %.100q", got.status, got.body)
}

// untouched says what is wrong with the answer about a file that is no picture any more: it passes through as it is.
func untouched(got reply, file []byte) string {
	if media := got.header.Get("Content-Type"); media != plan.Unknown.MediaType() {
		return fmt.Sprintf("what is no picture is sent as %q", media)
	}
	if !bytes.Equal(got.body, file) {
		return fmt.Sprintf("what is no picture is sent as %d other bytes than its %d", len(got.body), len(file))
	}
	return ""
}

// misshapen says in which way a picture is not what was asked for.
func misshapen(got reply, how int) string {
	want := asks[how]
	if media := got.header.Get("Content-Type"); media != want.format.MediaType() {
		return fmt.Sprintf("200 and %q, want %v", media, want.format)
	}
	decode := png.Decode
	if want.format == plan.JPEG {
		decode = jpeg.Decode
	}
	img, err := decode(bytes.NewReader(got.body))
	if err != nil {
		return fmt.Sprintf("200 and no %v: %v", want.format, err)
	}
	if size := img.Bounds().Size(); size.X != want.width || size.Y != want.height {
		return fmt.Sprintf("200 and a picture of %v, want %dx%d", size, want.width, want.height)
	}
	return ""
}
