package remote

import (
	"errors"
	"net/netip"
	"syscall"

	"code.dny.dev/ssrf"
)

// ErrAddress is in the chain of the error of a connection that was not opened because of where it would lead.
var ErrAddress = errors.New("connections to this address are refused")

// addressError says which address is refused, and why.
type addressError struct {
	address string
	why     string
	service bool // it is the metadata service of a cloud, or leads there
}

// Error names the address.
func (e *addressError) Error() string { return e.address + " " + e.why }

// Unwrap returns ErrAddress.
func (e *addressError) Unwrap() error { return ErrAddress }

// guard returns what judges the address of a connection right before it is opened: behind the look-up of the name, so
// that no second answer of a name server can lead elsewhere.
func guard(c TransportConfig) func(network, address string, _ syscall.RawConn) error {
	return func(network, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil || network != "tcp4" && network != "tcp6" {
			return &addressError{address: address, why: "over " + network + " is no address of the internet"}
		}
		for _, ip := range meant(to.Addr()) {
			if metadata(ip) {
				return &addressError{address: address, why: "leads to the metadata service of a cloud, which holds credentials", service: true}
			}
			if c.Guarded && !c.AllowPrivate && !public(ip) {
				return &addressError{address: address, why: "is not a public address"}
			}
		}
		return nil
	}
}

// outside knows the addresses that are not public by the registries of IANA: iana-ipv4-special-registry, and of IPv6
// all but 2000::/3 less iana-ipv6-special-registry. It judges the address alone.
var outside = ssrf.New(
	ssrf.WithAnyPort(), ssrf.WithAnyNetwork(),
	// A machine that has IPv6 only reaches public IPv4 this way; what is embedded is judged by itself.
	ssrf.WithAllowedV6Prefixes(ssrf.IPv6NAT64Prefix),
	ssrf.WithDeniedV6Prefixes(
		netip.MustParsePrefix("3fff::/20"), // documentation, RFC 9637, which is younger than the list
	),
)

func public(ip netip.Addr) bool {
	return outside.Safe("", netip.AddrPortFrom(ip, 0).String(), nil) == nil
}

// The forms in which IPv6 holds an address of IPv4.
var (
	compatible = netip.MustParsePrefix("::/96")           // RFC 4291 §2.5.5.1
	translated = netip.MustParsePrefix("::ffff:0:0:0/96") // RFC 2765 §2.1
	nat64Local = netip.MustParsePrefix("64:ff9b:1::/48")  // RFC 8215
	sixToFour  = netip.MustParsePrefix("2002::/16")       // RFC 3056 §2
	teredo     = netip.MustParsePrefix("2001::/32")       // RFC 4380 §4
)

// meant returns the addresses that a connection to ip may end at: itself, without a zone, and those of IPv4 that are
// embedded in it.
func meant(ip netip.Addr) []netip.Addr {
	ip = ip.Unmap() // RFC 4291 §2.5.5.2: to the system it is the address of IPv4
	if ip.Is4() {
		return []netip.Addr{ip}
	}
	zoned := ip
	ip = ip.WithZone("")
	b := ip.As16()
	found := []netip.Addr{zoned, ip}
	add := func(b0, b1, b2, b3 byte) { found = append(found, netip.AddrFrom4([4]byte{b0, b1, b2, b3})) }
	switch {
	case compatible.Contains(ip), translated.Contains(ip), ssrf.IPv6NAT64Prefix.Contains(ip):
		add(b[12], b[13], b[14], b[15])
	case nat64Local.Contains(ip): // of which a network uses as long a part as it likes: RFC 6052 §2.2
		add(b[6], b[7], b[9], b[10])
		add(b[7], b[9], b[10], b[11])
		add(b[9], b[10], b[11], b[12])
		add(b[12], b[13], b[14], b[15])
	case sixToFour.Contains(ip):
		add(b[2], b[3], b[4], b[5])
	case teredo.Contains(ip): // the server, and the client in disguise
		add(b[4], b[5], b[6], b[7])
		add(^b[12], ^b[13], ^b[14], ^b[15])
	}
	if b[8]&^0x02 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe { // ISATAP, RFC 5214 §6.1
		add(b[12], b[13], b[14], b[15])
	}
	return found
}

// services are where clouds give a machine its credentials, its configuration and the programs to run at boot, as far as
// they are known. Most are link-local or unique local addresses; not all are.
var services = []netip.Prefix{
	// AWS, Azure, Google Cloud, Oracle, DigitalOcean, Hetzner, OpenStack, IBM, Akamai and many others.
	netip.MustParsePrefix("169.254.169.254/32"),
	netip.MustParsePrefix("169.254.170.2/32"),       // AWS ECS: credentials of a task
	netip.MustParsePrefix("169.254.170.23/32"),      // AWS EKS Pod Identity
	netip.MustParsePrefix("fd00:ec2::/32"),          // AWS: ::254 is the metadata service, ::23 EKS Pod Identity
	netip.MustParsePrefix("fd20:ce::254/128"),       // Google Cloud
	netip.MustParsePrefix("168.63.129.16/32"),       // Azure WireServer, a public address
	netip.MustParsePrefix("100.100.100.200/32"),     // Alibaba Cloud
	netip.MustParsePrefix("fd00:100::100:200/128"),  // Alibaba Cloud
	netip.MustParsePrefix("192.0.0.192/32"),         // Oracle Cloud Classic
	netip.MustParsePrefix("fd00:c1::a9fe:a9fe/128"), // Oracle Cloud
	netip.MustParsePrefix("169.254.0.23/32"),        // Tencent Cloud: metadata.tencentyun.com
	netip.MustParsePrefix("169.254.10.10/32"),       // Tencent Cloud
	netip.MustParsePrefix("169.254.42.42/32"),       // Scaleway
	netip.MustParsePrefix("fd00:42::42/128"),        // Scaleway
	netip.MustParsePrefix("fd00:a9fe:a9fe::1/128"),  // Akamai
	netip.MustParsePrefix("fe80::a9fe:a9fe/128"),    // OpenStack, Akamai
}

// metadata reports whether ip is one of services.
func metadata(ip netip.Addr) bool {
	for _, service := range services {
		if service.Contains(ip) {
			return true
		}
	}
	return false
}
