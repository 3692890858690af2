package caddymodule

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"unicode/utf8"

	lru "github.com/hashicorp/golang-lru/v2"
)

// domainTable says which endpoint a host belongs to. It never changes once it is in force: a new list is a new table, so
// that lookups need no lock, and what is remembered of URLs goes with the list under which they meant it.
type domainTable struct {
	exact   map[string]*endpoint // by host, as canonicalHost has it
	wild    map[string]*endpoint // by what stands behind "*."
	located *lru.Cache[asked, meant]
}

// newDomainTable returns a table with the domains that the endpoints name themselves, and room for more.
func newDomainTable(byName map[string]*endpoint, more int) *domainTable {
	t := &domainTable{exact: make(map[string]*endpoint, more), wild: make(map[string]*endpoint)}
	var err error
	if t.located, err = lru.New[asked, meant](maxLocated); err != nil {
		panic("caddymodule: " + err.Error())
	}
	for _, e := range byName {
		for _, domain := range e.config.Domains {
			t.add(domain, e)
		}
	}
	return t
}

// add binds a domain, which is in the form of canonicalHost, unless it is bound already: then it returns to what.
func (t *domainTable) add(domain string, e *endpoint) (other *endpoint) {
	list := t.exact
	if parent, ok := strings.CutPrefix(domain, "*."); ok {
		list, domain = t.wild, parent
	}
	if other := list[domain]; other != nil {
		return other
	}
	list[domain] = e
	return nil
}

// size returns how many domains are bound.
func (t *domainTable) size() int { return len(t.exact) + len(t.wild) }

// endpoint returns the endpoint that a Host header is bound to, nil if none.
func (t *domainTable) endpoint(host string) *endpoint {
	if t.size() == 0 {
		return nil
	}
	host = hostOf(host)
	if e := t.exact[host]; e != nil || len(t.wild) == 0 {
		return e
	}
	return t.behindWildcard(host)
}

// behindWildcard returns the endpoint of the wildcard that a host falls under. As in certificates (RFC 6125 §6.4.3), a
// wildcard stands for exactly one label.
func (t *domainTable) behindWildcard(host string) *endpoint {
	label, parent, ok := strings.Cut(host, ".")
	if !ok || label == "" {
		return nil
	}
	return t.wild[parent]
}

// certifiable says why no certificate is to be had for a name, nil if one is: the name is a domain, as it stands in
// certificates, and with wildcards also one below a wildcard. Each spelling of a name would have a certificate of its own,
// so there is one.
func (t *domainTable) certifiable(name string, wildcards bool) error {
	if _, err := netip.ParseAddr(name); err == nil {
		return errIsAddress
	}
	if t.exact[name] != nil {
		return nil
	}
	below := t.behindWildcard(name) != nil
	switch {
	case !below:
		return errNoDomain
	case !wildcards:
		return errOnlyWildcard
	case !certifiableLabel(name):
		return errNoDomain
	}
	return nil
}

// certifiableLabel reports whether the first label of a name is one that certificates are issued for (RFC 5890 §2.3.1):
// what falls under a wildcard is written by strangers.
func certifiableLabel(name string) bool {
	label, _, _ := strings.Cut(name, ".")
	return validName(label, "-") && label == strings.ToLower(label) && len(label) <= 63 && len(name) <= 253 &&
		!strings.HasPrefix(label, "-") && !strings.HasSuffix(label, "-")
}

// maxDomainLine is how many bytes of a line stand before its comment: no domain and name of an endpoint have as many, and
// what is no list at all is neither taken apart nor repeated in errors.
const maxDomainLine = 1000

// parse adds the lines of a domains file: a domain and the name of its endpoint. Errors say the line, and what to write.
func (t *domainTable) parse(text string, byName map[string]*endpoint) error {
	number := 0
	for line := range strings.Lines(strings.TrimPrefix(text, "\uFEFF")) {
		number++
		line, _, _ = strings.Cut(line, "#")
		domain, name, err := splitDomainLine(line)
		if err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
		if domain == "" {
			continue
		}
		e := byName[name]
		if e == nil {
			return fmt.Errorf("line %d: endpoint %q is not declared; %s", number, name, declaredEndpoints(byName))
		}
		if other := t.add(domain, e); other != nil {
			return fmt.Errorf("line %d: %q belongs to endpoint %q already, %s; a domain stands once", number, domain, other.name, firstPlace(text, domain, number))
		}
	}
	return nil
}

// splitDomainLine returns the two words of a line without its comment, the domain in the form of canonicalHost; both are ""
// of an empty line.
func splitDomainLine(line string) (domain, name string, err error) {
	if len(line) > maxDomainLine {
		return "", "", fmt.Errorf("%.100q is not a domain and the name of an endpoint, but the beginning of %d bytes; write them as in img.example.com shop", line, len(line))
	}
	words := strings.Fields(line)
	if len(words) == 0 {
		return "", "", nil
	}
	if len(words) != 2 || !utf8.ValidString(line) {
		text := strings.Join(words, " ")
		return "", "", fmt.Errorf("%.100q is not a domain and the name of an endpoint; write them as in img.example.com shop", text)
	}
	if hasPlaceholder(words[0]) {
		return "", "", fmt.Errorf("%q is not a host name: placeholders are not replaced in this file", words[0])
	}
	if err := checkHost(words[0]); err != nil {
		return "", "", err
	}
	return canonicalHost(words[0]), words[1], nil
}

// firstPlace says where the domain of a line stands that is bound already. Looking for it then costs less than
// remembering the line of each.
func firstPlace(text, domain string, line int) string {
	number := 0
	for earlier := range strings.Lines(strings.TrimPrefix(text, "\uFEFF")) {
		if number++; number == line {
			break
		}
		earlier, _, _ = strings.Cut(earlier, "#")
		if other, _, err := splitDomainLine(earlier); err == nil && other == domain {
			return fmt.Sprintf("by line %d", number)
		}
	}
	return "by its option domains"
}

func declaredEndpoints(byName map[string]*endpoint) string {
	if len(byName) == 0 {
		return "no endpoint is"
	}
	return "declared: " + strings.Join(slices.Sorted(maps.Keys(byName)), ", ")
}
