package web

import (
	"maps"
	"slices"
	"strings"

	"github.com/imageorigin/imageorigin/origins/remote"
)

// Target tells what the module reads, for those who keep it: of two that read the same files the text is the same. It is
// there once the module is provisioned. Where redirects may lead is part of it: a file from there must not be shown any
// more once they may not. Credentials and the values of headers aren't, but for Host, which names the site.
func (m *Module) Target() string {
	o := m.origin
	parts := []string{o.base.Scheme + "://" + hostPort(o.base) + o.base.EscapedPath()}
	switch {
	case o.forwardHost:
		parts = append(parts, "forward_host")
	case o.fixed.host != "" && !strings.EqualFold(o.fixed.host, o.base.Host):
		parts = append(parts, "host", strings.ToLower(o.fixed.host))
	}
	if o.redirects.any {
		parts = append(parts, "redirects", "any")
	} else if len(o.redirects.hosts) > 0 {
		parts = append(parts, "redirects")
		parts = append(parts, slices.Sorted(maps.Keys(o.redirects.hosts))...)
	}
	if m.AllowPrivate {
		parts = append(parts, "allow_private")
	}
	return remote.Target(&m.Connection, "web", parts...)
}

// ReadsQuery reports that what is read depends on Request.Query.
func (*Module) ReadsQuery() bool { return true }

// ForwardsHost reports whether what is read depends on Request.Host.
func (m *Module) ForwardsHost() bool { return m.ForwardHost }

// Target tells what the module reads, for those who keep it. The keys say all but which of them may be asked for: what was
// fetched from a host must not be shown any more once it may not. It is there once the module is provisioned.
func (m *ProxyModule) Target() string {
	var hosts []string
	for _, p := range m.origin.hosts {
		hosts = append(hosts, p.String())
	}
	slices.Sort(hosts)
	hosts = slices.Compact(hosts)
	if m.AllowPrivate {
		hosts = append(hosts, "allow_private")
	}
	return remote.Target(&m.connection, "web_proxy", hosts...)
}

// String returns the pattern in the one form that all its spellings have in common.
func (p pattern) String() string {
	text := "//"
	if p.scheme != "" {
		text = p.scheme + "://"
	}
	if p.below {
		text += "*."
	}
	text += p.host
	if port := p.port; port != "" && (p.scheme == "" || port != usualPort(p.scheme)) {
		text += " port " + port
	}
	return text
}

// ReadsQuery reports that what is read depends on Request.Query.
func (*ProxyModule) ReadsQuery() bool { return true }

// ForwardsHost reports that what is read doesn't depend on Request.Host.
func (*ProxyModule) ForwardsHost() bool { return false }
