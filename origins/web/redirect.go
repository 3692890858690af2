package web

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"unicode"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/remote"
)

// Redirects says where an origin may send us besides its own host. The zero value is nowhere.
type Redirects struct {
	Any   bool     // anywhere
	Hosts []string // to these: host on the ports 80 and 443, or host:port
}

// policy decides about redirects.
type policy struct {
	base  *url.URL
	any   bool
	hosts map[string]bool // host:port
}

func newPolicy(base *url.URL, r Redirects) (policy, error) {
	p := policy{base: base, any: r.Any, hosts: map[string]bool{}}
	for _, host := range r.Hosts {
		if host == "any" {
			return policy{}, errors.New("follow_redirects: any stands alone, or hosts do")
		}
		u, err := url.Parse("//" + host)
		if err != nil || host == "" || u.Host != host || u.Hostname() == "" || strings.Contains(host, "*") {
			return policy{}, fmt.Errorf("follow_redirects: %q is not a host; write host or host:port, one for each, or any", host)
		}
		if port := u.Port(); port != "" {
			p.hosts[net.JoinHostPort(hostname(u), port)] = true
			continue
		}
		p.hosts[net.JoinHostPort(hostname(u), "80")] = true
		p.hosts[net.JoinHostPort(hostname(u), "443")] = true
	}
	return p, nil
}

// locate returns what the location of a redirect from one URL means, if that is a server.
func locate(key string, from *url.URL, location string) (*url.URL, error) {
	to, err := from.Parse(location)
	if err != nil || location == "" || strings.ContainsFunc(to.Host, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return nil, remote.Fail(origins.Unknown, key, "redirect to nowhere: its location is missing or no URL")
	}
	to.User = nil // would become a header that nobody meant to send
	to.Fragment, to.RawFragment = "", ""
	if to.Scheme != "http" && to.Scheme != "https" || to.Hostname() == "" {
		return nil, remote.Fail(origins.Denied, key, "redirect to scheme %q is not followed", to.Scheme)
	}
	return to, nil
}

// next returns where a redirect from one URL leads to, or why it isn't followed: it is Denied then, by us. Its errors
// name hosts only, for paths and queries of redirects often carry signatures.
func (p policy) next(key string, from *url.URL, location string) (*url.URL, error) {
	to, err := locate(key, from, location)
	if err != nil {
		return nil, err
	}
	if p.home(to) || p.any || p.hosts[hostPort(to)] {
		return to, nil
	}
	e := remote.Fail(origins.Denied, key, "redirect from %s://%s to %s://%s is not followed", from.Scheme, from.Host, to.Scheme, to.Host)
	entry := hostPort(to)
	if p := port(to); p == "80" || p == "443" {
		entry = hostname(to)
	}
	e.Remedy = "if the server may send visitors there, allow it with follow_redirects " + entry
	return nil, e
}

// home reports whether u is on the server of the base URL. The same host is another server if the port differs, and
// must not see over http what was meant for https; it may move up from http to https.
func (p policy) home(u *url.URL) bool {
	if hostname(u) != hostname(p.base) {
		return false
	}
	if u.Scheme == p.base.Scheme {
		return port(u) == port(p.base)
	}
	return u.Scheme == "https" && port(u) == "443" && port(p.base) == "80"
}
