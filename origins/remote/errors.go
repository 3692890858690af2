package remote

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"syscall"
	"time"

	"github.com/imageorigin/imageorigin/origins"
)

// Fail returns an *origins.Error without a remedy.
func Fail(kind origins.Kind, key, format string, args ...any) *origins.Error {
	return &origins.Error{Kind: kind, Key: key, Err: fmt.Errorf(format, args...)}
}

// KindOfStatus says what a status that brings no object means.
func KindOfStatus(status int) origins.Kind {
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

// TransientStatus reports whether a request that is answered so may well succeed in a moment.
func TransientStatus(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// AliveStatus reports whether a server that answers so is well: it has no quarrel but with the request.
func AliveStatus(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	}
	return status < 500
}

// Complete gives e, of an answer with this status, the remedy that goes without saying, if it has none.
func Complete(e *origins.Error, status int) *origins.Error {
	switch {
	case e.Remedy != "":
	case e.Kind == origins.Unreachable:
		e.Remedy = "the server is overloaded, or limits how much it is asked: raise its limits, or lower max_in_flight"
	case status >= 500:
		e.Remedy = "look into the log of the server, which failed"
	}
	return e
}

// RetryAfter returns how long the answer asks us to wait (RFC 9110 §10.2.3); 0 if it doesn't say.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	value := h.Get("Retry-After")
	// Too large a number is read as the largest one.
	if seconds, err := strconv.ParseUint(value, 10, 20); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// Broken returns the error of a request that got no answer, by the cause that net and net/http give. It repeats no URL,
// whose query may be a signature.
func Broken(ctx context.Context, key string, err error) *origins.Error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	e := &origins.Error{Kind: origins.Unreachable, Key: key, Err: err}
	if ctx.Err() != nil {
		e.Kind = origins.KindOf(ctx.Err())
		return e
	}
	e.Remedy, e.Transient = remedy(err)
	if errors.Is(err, ErrAddress) {
		e.Kind = origins.Denied // by us: whether anybody is there was not even tried
		return e
	}
	if t, ok := errors.AsType[net.Error](err); ok && t.Timeout() {
		e.Kind = origins.Timeout
	}
	return e
}

// remedy says what to do about a connection that can't be made or that broke, and whether it is enough to try again.
func remedy(err error) (text string, transient bool) {
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		if e.IsNotFound {
			return "correct the host name, or the name server that should know it", false
		}
		return "look whether the name server of this machine answers", e.IsTemporary && !e.IsTimeout
	}
	_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
	_, hostname := errors.AsType[x509.HostnameError](err)
	_, certificate := errors.AsType[*tls.CertificateVerificationError](err)
	_, header := errors.AsType[tls.RecordHeaderError](err)
	header = header || errors.Is(err, http.ErrSchemeMismatch)
	dial, dialing := errors.AsType[*net.OpError](err)
	dialing = dialing && dial.Op == "dial"
	refused, _ := errors.AsType[*addressError](err)
	switch {
	case refused != nil && refused.service:
		return "correct the host, or its entry in the name server; this address is refused whatever is allowed", false
	case refused != nil:
		return "if the visitors may see what is at this address, set allow_private; else correct the host", false
	case hostname:
		return "the certificate is for another name; correct the host, or set tls_server_name", false
	case unknown || certificate:
		return "the certificate can't be verified; name its authority with tls_ca, or renew it", false
	case header:
		return "no TLS is spoken at this port; write http:// instead of https://, or another port", false
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens at this address and port; correct them, or start the server", false
	case dialing:
		return "open the way from this machine to the server: firewall, route, address", false
	}
	return "", true
}
