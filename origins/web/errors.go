package web

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/imageorigin/imageorigin/origins"
)

// kindOf says what a status that brings no object means.
func kindOf(status int) origins.Kind {
	switch status {
	case http.StatusNotFound, http.StatusGone:
		return origins.NotExist
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired, http.StatusUnavailableForLegalReasons:
		return origins.Denied
	case http.StatusRequestTimeout, http.StatusGatewayTimeout, 522, 524: // Cloudflare's names for a silent server
		return origins.Timeout
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, 521, 523:
		return origins.Unreachable // there is a server, but not for us, or not now
	case http.StatusRequestedRangeNotSatisfiable:
		return origins.Invalid
	}
	// 400 and 414 are not Invalid: that this server dislikes a key says nothing about the next one.
	return origins.Unknown
}

// broken returns the error for a request that got no answer.
func broken(ctx context.Context, key string, err error) error {
	kind := origins.Unreachable
	if ctx.Err() != nil {
		kind = origins.KindOf(ctx.Err())
	} else if t, ok := errors.AsType[net.Error](err); ok && t.Timeout() {
		kind = origins.Timeout
	}
	return &origins.Error{Kind: kind, Key: key, Err: err}
}

func fail(kind origins.Kind, key, format string, args ...any) error {
	return &origins.Error{Kind: kind, Key: key, Err: fmt.Errorf(format, args...)}
}
