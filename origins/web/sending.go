package web

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"golang.org/x/net/http/httpguts"
)

// Auth is what the Authorization header says. The zero value sends none.
type Auth struct {
	User, Password string // basic
	Token          string // bearer
}

// header returns the value of the header, "" for none.
func (a Auth) header() string {
	switch {
	case a.Token != "":
		return "Bearer " + a.Token
	case a.User != "" || a.Password != "":
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(a.User+":"+a.Password))
	}
	return ""
}

// sending is what one server alone is sent. The zero value is what all others are: nothing.
type sending struct {
	host   string // replaces that of the URL; "" doesn't
	header http.Header
}

// newSending returns what header and auth say. Its errors never hold a value.
func newSending(header map[string]string, auth Auth) (sending, error) {
	s := sending{header: http.Header{}}
	for name, value := range header {
		if err := s.add(name, value); err != nil {
			return sending{}, err
		}
	}
	if value := auth.header(); value != "" {
		if s.header.Get("Authorization") != "" {
			return sending{}, errors.New("auth and header Authorization say the same thing; remove one of them")
		}
		if !httpguts.ValidHeaderFieldValue(value) {
			return sending{}, errors.New("the token of auth contains characters that no header can carry")
		}
		s.header.Set("Authorization", value)
	}
	return s, nil
}

// reserved are the request headers that are the origin's own business.
var reserved = []string{
	"Accept-Encoding", "Connection", "Content-Length", "Expect", "If-Match", "If-Modified-Since", "If-None-Match",
	"If-Range", "If-Unmodified-Since", "Keep-Alive", "Proxy-Connection", "Range", "Te", "Trailer", "Transfer-Encoding",
	"Upgrade",
}

func (s *sending) add(name, value string) error {
	canonical := http.CanonicalHeaderKey(name)
	switch {
	case !httpguts.ValidHeaderFieldName(name):
		return fmt.Errorf("header %q is not a name that a header can have", name)
	case !httpguts.ValidHeaderFieldValue(value):
		return fmt.Errorf("the value of header %s contains characters that no header can carry", name)
	case slices.Contains(reserved, canonical):
		return fmt.Errorf("header %s is set as each request needs it; remove it", name)
	case canonical == "Host":
		if !httpguts.ValidHostHeader(value) || value == "" {
			return errors.New("header Host is not a host name; write it like www.example.com")
		}
		s.host = value
	default:
		if _, ok := s.header[canonical]; ok {
			return fmt.Errorf("header %s is set twice", canonical)
		}
		s.header.Set(canonical, value)
	}
	return nil
}
