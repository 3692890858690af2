package caddymodule

import (
	"errors"

	"go.uber.org/zap"

	"github.com/imageorigin/imageorigin/internal/block"
)

// originalOnError is the word of on_transform_error that has the original sent.
const originalOnError = "original"

// The words of on_transform_error.
var transformErrors = []string{"error", originalOnError}

// What on_transform_error can't stand beside.
var (
	errUntouchedAlways = errors.New("on_transform_error: original would send pictures without what always does to them, such as a watermark; leave out one of the two")
	errUntouchedSigned = errors.New("on_transform_error: original would send files to whoever has a signed URL of a transformation alone, which signed_only is against; leave out one of the two")
)

// checkUntouched refuses to send originals where a way around the endpoint's own rules would be made of it.
func checkUntouched(e *Endpoint) error {
	switch {
	case e.OnTransformError != originalOnError:
		return nil
	case e.Always != "":
		return errUntouchedAlways
	case e.SignedOnly != "":
		return errUntouchedSigned
	}
	return nil
}

// checkUntouchedAt judges the same of a Caddyfile; set tells where each word stands.
func checkUntouchedAt(e *Endpoint, set map[string]block.Place) error {
	if err := checkUntouched(e); err != nil {
		return set["on_transform_error"].Wrap(err)
	}
	return nil
}

// tellFailure tells client and operator why the original is sent in place of what was asked for.
func (x *exchange) tellFailure(h *header, err error) {
	f := faultOf(err)
	x.code = f.code
	h.fill("Ik-Error", f.describe(err))
	if c := x.logger.Check(f.level, "transformation failed, and the original is sent"); c != nil {
		c.Write(zap.String("code", f.code), zap.String("endpoint", x.endpointName()), zap.String("key", x.address.Key), zap.Error(err))
	}
}
