package web

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// hostname returns the host of u as hosts are compared: in lower case and ASCII, without the dot of the root.
func hostname(u *url.URL) string {
	name := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if ascii, err := idna.Lookup.ToASCII(name); err == nil {
		return ascii
	}
	return name // an address, or a name that only this network knows
}

func port(u *url.URL) string {
	if u.Port() != "" {
		return u.Port()
	}
	return usualPort(u.Scheme)
}

func usualPort(scheme string) string {
	if scheme == "https" {
		return "443"
	}
	return "80"
}

func hostPort(u *url.URL) string { return net.JoinHostPort(hostname(u), port(u)) }

// parseAuthority reads the part of a URL between "//" and the path, of which it takes only what is a host, with a port
// or without. The host comes back as hosts are compared, an address in its one spelling; the port is "" if there is
// none. What is no host to the letter is refused: where two programs would read two hosts, one of them is not allowed.
func parseAuthority(text string) (host, port string, err error) {
	if strings.Contains(text, "@") {
		return "", "", errors.New("it has a user name")
	}
	host, rest := text, ""
	if strings.HasPrefix(text, "[") {
		inside, after, ok := strings.Cut(text[1:], "]")
		ip, err := netip.ParseAddr(inside)
		if !ok || err != nil || !ip.Is6() || ip.Zone() != "" {
			return "", "", errors.New("its host is no address")
		}
		host, rest = ip.String(), after
	} else {
		if i := strings.IndexByte(text, ':'); i >= 0 {
			host, rest = text[:i], text[i:]
		}
		if host, err = canonicalName(host); err != nil {
			return "", "", err
		}
	}
	if rest == "" || rest == ":" {
		return host, "", nil
	}
	n, err := strconv.ParseUint(strings.TrimPrefix(rest, ":"), 10, 16)
	if err != nil || n == 0 || rest[0] != ':' {
		return "", "", errors.New("its port is no number of one")
	}
	return host, strconv.FormatUint(n, 10), nil
}

// canonicalName returns a host that is a name, or an address of IPv4, as hosts are compared.
func canonicalName(text string) (string, error) {
	name := strings.TrimSuffix(strings.ToLower(text), ".")
	if ascii, err := idna.Lookup.ToASCII(name); err == nil {
		name = ascii
	}
	if name == "" || len(name) > 253 {
		return "", errors.New("it has no host")
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" {
			return "", errors.New("its host has an empty label")
		}
	}
	for _, c := range []byte(name) {
		// Names with underscores are no host names to IDNA, but they exist.
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' && c != '_' {
			return "", errors.New("its host has a character that no host has")
		}
	}
	return name, nil
}

// canonicalHost replaces the host of u by the one that is compared, so that the one that is connected to can't be
// another one.
func canonicalHost(u *url.URL) error {
	host, port, err := parseAuthority(u.Host)
	if err != nil {
		return err
	}
	if port == "" || port == usualPort(u.Scheme) {
		u.Host = host
		if strings.Contains(host, ":") {
			u.Host = "[" + host + "]"
		}
		return nil
	}
	u.Host = net.JoinHostPort(host, port)
	return nil
}

// pattern is an entry of an allow-list: one host, or those of one label below one.
type pattern struct {
	scheme string // "" is http and https
	host   string
	below  bool   // not host itself, but every name that has one label more
	port   string // "" is the usual one of the URL's scheme
}

// parsePattern reads "www.example.com", "*.example.com", "https://www.example.com" or "www.example.com:8080".
func parsePattern(text string) (pattern, error) {
	const like = "write it like images.example.com or *.example.com"
	var p pattern
	authority := text
	if scheme, rest, ok := strings.Cut(text, "://"); ok {
		p.scheme, authority = strings.ToLower(scheme), rest
		if p.scheme != "http" && p.scheme != "https" {
			return p, fmt.Errorf("hosts: %q has another scheme than http and https; %s", text, like)
		}
	}
	if authority == "any" || strings.Trim(authority, "*.") == "" {
		return p, fmt.Errorf("hosts: %q would make this server fetch whatever anybody asks it for; list the hosts, and %s", text, like)
	}
	authority, p.below = strings.CutPrefix(authority, "*.")
	var err error
	p.host, p.port, err = parseAuthority(authority)
	switch {
	case strings.Contains(authority, "*"):
		return p, fmt.Errorf("hosts: %q has a star that doesn't stand for the first label; %s", text, like)
	case strings.ContainsAny(authority, "/?#"):
		return p, fmt.Errorf("hosts: %q is more than a host; %s", text, like)
	case err != nil:
		return p, fmt.Errorf("hosts: %q is not a host: %w; %s", text, err, like)
	}
	if _, err := netip.ParseAddr(p.host); err == nil && p.below {
		return p, fmt.Errorf("hosts: %q has an address, which no name is below; %s", text, like)
	}
	return p, nil
}

// matches reports whether the pattern holds for u, whose host is canonical.
func (p pattern) matches(u *url.URL) bool {
	if p.scheme != "" && p.scheme != u.Scheme {
		return false
	}
	if want := p.port; want != port(u) && (want != "" || usualPort(u.Scheme) != port(u)) {
		return false
	}
	host := u.Hostname()
	if !p.below {
		return host == p.host
	}
	label, parent, ok := strings.Cut(host, ".")
	return ok && label != "" && parent == p.host
}
