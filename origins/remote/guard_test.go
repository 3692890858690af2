package remote

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/imageorigin/imageorigin/origins"
)

// reach is whom a guard lets through to an address.
type reach int

const (
	everybody reach = iota // a public address
	private                // unguarded, or with AllowPrivate
	nobody                 // a metadata service
)

func TestGuardJudgesEveryFormOfAnAddress(t *testing.T) {
	for _, tt := range []struct {
		name string
		ip   string
		want reach
	}{
		{"public", "93.184.216.34", everybody},
		{"public, IPv6", "2606:2800:220:1:248:1893:25c8:1946", everybody},
		{"beside the private networks", "172.32.0.1", everybody},
		{"beside the shared addresses", "100.128.0.1", everybody},
		{"beside Azure's own", "168.63.129.17", everybody},
		{"this machine", "127.0.0.1", private},
		{"this machine, otherwise", "127.255.255.254", private},
		{"this machine, IPv6", "::1", private},
		{"no address", "0.0.0.0", private},
		{"no address, IPv6", "::", private},
		{"this network", "0.1.2.3", private},
		{"private, 10", "10.0.0.1", private},
		{"private, 172.16", "172.16.0.1", private},
		{"private, 172.31", "172.31.255.255", private},
		{"private, 192.168", "192.168.1.1", private},
		{"shared by customers of a carrier", "100.64.0.1", private},
		{"shared, last", "100.127.255.255", private},
		{"link-local", "169.254.1.1", private},
		{"protocol assignments", "192.0.0.8", private},
		{"documentation, 1", "192.0.2.1", private},
		{"documentation, 2", "198.51.100.1", private},
		{"documentation, 3", "203.0.113.1", private},
		{"relays of 6to4", "192.88.99.1", private},
		{"benchmarks", "198.19.0.1", private},
		{"multicast", "224.0.0.1", private},
		{"multicast, last", "239.255.255.255", private},
		{"reserved", "240.0.0.1", private},
		{"broadcast", "255.255.255.255", private},
		{"link-local, IPv6", "fe80::1", private},
		{"link-local with a zone", "fe80::1%eth0", private},
		{"public with a zone", "2606:2800:220:1:248:1893:25c8:1946%eth0", private},
		{"site-local", "fec0::1", private},
		{"unique local", "fc00::1", private},
		{"unique local, by chance", "fd12:3456:789a::1", private},
		{"multicast, IPv6", "ff02::1", private},
		{"discarded", "100::1", private},
		{"documentation, IPv6", "2001:db8::1", private},
		{"documentation, RFC 9637", "3fff::1", private},
		{"benchmarks, IPv6", "2001:2::1", private},
		{"identifiers, ORCHIDv2", "2001:20::1", private},
		{"segments, SRv6", "5f00::1", private},
		{"unassigned", "4000::1", private},
		{"v4-mapped, public", "::ffff:93.184.216.34", everybody},
		{"v4-mapped, this machine", "::ffff:127.0.0.1", private},
		{"v4-mapped, private", "::ffff:10.0.0.1", private},
		{"v4-compatible, this machine", "::127.0.0.1", private},
		{"v4-translated, private", "::ffff:0:10.0.0.1", private},
		{"6to4, public", "2002:5db8:d822::1", private}, // the relay is anybody
		{"6to4, private", "2002:0a00:0001::1", private},
		{"NAT64, public", "64:ff9b::5db8:d822", everybody},
		{"NAT64, this machine", "64:ff9b::7f00:1", private},
		{"NAT64, private", "64:ff9b::a00:1", private},
		{"NAT64 of a network", "64:ff9b:1::a00:1", private},
		{"Teredo, private client", "2001:0:5db8:d822:0:0:f5ff:fffe", private},
		{"Teredo, private server", "2001:0:a00:1::", private},
		{"ISATAP, public", "2606:2800:220:1:0:5efe:5db8:d822", everybody},
		{"ISATAP, private", "2606:2800:220:1:0:5efe:a00:1", private},
		{"ISATAP with a universal identifier", "2606:2800:220:1:200:5efe:7f00:1", private},
		{"metadata", "169.254.169.254", nobody},
		{"metadata, ECS", "169.254.170.2", nobody},
		{"metadata, EKS", "169.254.170.23", nobody},
		{"metadata, EKS, IPv6", "fd00:ec2::23", nobody},
		{"metadata, EC2, IPv6", "fd00:ec2::254", nobody},
		{"metadata, Google Cloud, IPv6", "fd20:ce::254", nobody},
		{"metadata, Azure", "168.63.129.16", nobody},
		{"metadata, Alibaba", "100.100.100.200", nobody},
		{"metadata, Alibaba, IPv6", "fd00:100::100:200", nobody},
		{"metadata, Oracle", "192.0.0.192", nobody},
		{"metadata, Oracle, IPv6", "fd00:c1::a9fe:a9fe", nobody},
		{"metadata, Tencent", "169.254.0.23", nobody},
		{"metadata, Scaleway", "169.254.42.42", nobody},
		{"metadata, Scaleway, IPv6", "fd00:42::42", nobody},
		{"metadata, Akamai, IPv6", "fd00:a9fe:a9fe::1", nobody},
		{"metadata, OpenStack, IPv6", "fe80::a9fe:a9fe", nobody},
		{"metadata, OpenStack, with a zone", "fe80::a9fe:a9fe%eth0", nobody},
		{"metadata, v4-mapped", "::ffff:169.254.169.254", nobody},
		{"metadata, v4-mapped in hex", "::ffff:a9fe:a9fe", nobody},
		{"metadata, v4-compatible", "::a9fe:a9fe", nobody},
		{"metadata, v4-translated", "::ffff:0:a9fe:a9fe", nobody},
		{"metadata, 6to4", "2002:a9fe:a9fe::", nobody},
		{"metadata, NAT64", "64:ff9b::a9fe:a9fe", nobody},
		{"metadata, NAT64 /48", "64:ff9b:1:a9fe:a9:fe00::", nobody},
		{"metadata, NAT64 /56", "64:ff9b:1:a9:fe:a9fe::", nobody},
		{"metadata, NAT64 /64", "64:ff9b:1:0:a9:fea9:fe00:0", nobody},
		{"metadata, NAT64 /96", "64:ff9b:1::a9fe:a9fe", nobody},
		{"metadata, Teredo client", "2001:0:5db8:d822:0:0:5601:5601", nobody},
		{"metadata, Teredo server", "2001:0:a9fe:a9fe::", nobody},
		{"metadata, ISATAP", "fe80::5efe:a9fe:a9fe", nobody},
		{"metadata, ISATAP, public prefix", "2606:2800:220:1:200:5efe:a9fe:a9fe", nobody},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ip := netip.MustParseAddr(tt.ip)
			network := "tcp6"
			if ip.Is4() {
				network = "tcp4"
			}
			address := netip.AddrPortFrom(ip, 80).String()
			for _, who := range []struct {
				name   string
				config TransportConfig
				passes bool
			}{
				{"unguarded", TransportConfig{}, tt.want != nobody},
				{"unguarded, with a word that means nothing there", TransportConfig{Reach: Reach{AllowPrivate: true}}, tt.want != nobody},
				{"guarded", TransportConfig{Reach: Reach{Guarded: true}}, tt.want == everybody},
				{"guarded, private allowed", TransportConfig{Reach: Reach{Guarded: true, AllowPrivate: true}}, tt.want != nobody},
			} {
				err := guard(who.config)(network, address, nil)
				if (err == nil) != who.passes {
					t.Errorf("%s: got %v, want it to pass: %v", who.name, err, who.passes)
				}
				if err != nil && (!errors.Is(err, ErrAddress) || !strings.Contains(err.Error(), address)) {
					t.Errorf("%s: got %v, want ErrAddress, about %s", who.name, err, address)
				}
			}
		})
	}
}

func TestOtherNetworksAreRefused(t *testing.T) {
	for _, tt := range []struct{ network, address string }{
		{"unix", "/var/run/docker.sock"},
		{"unixpacket", "@x"},
		{"udp4", "93.184.216.34:80"},
		{"ip4", "93.184.216.34"},
		{"tcp4", "localhost:80"},
		{"tcp4", ""},
	} {
		for _, c := range []TransportConfig{{}, {Reach: Reach{Guarded: true}}, {Reach: Reach{Guarded: true, AllowPrivate: true}}} {
			if err := guard(c)(tt.network, tt.address, nil); !errors.Is(err, ErrAddress) {
				t.Errorf("%s %s with %+v: got %v", tt.network, tt.address, c, err)
			}
		}
	}
}

func guarded(t *testing.T, c TransportConfig) *http.Transport {
	t.Helper()
	c.Guarded = true
	transport, err := NewTransport(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

func TestNoSpellingOfThisMachineIsReached(t *testing.T) {
	var reached atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	transport := guarded(t, TransportConfig{ConnectTimeout: time.Second})
	for _, host := range []string{
		"127.0.0.1", "127.0.0.1.", "localhost", "LOCALHOST", "localhost.", "2130706433", "0x7f000001", "0x7f.1", "0x7f.0.0.1",
		"017700000001", "0177.0.0.1", "0177.1", "127.1", "127.0.1", "0", "0.0.0.0", "000.000.000.000", "127.000.000.001",
		"[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[::ffff:0:7f00:1]",
		"[::ffff:0.0.0.0]", "[::1%25lo]", "[fe80::1%25lo]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+host+":"+port+"/", nil)
		if err == nil {
			var res *http.Response
			if res, err = transport.RoundTrip(r); err == nil {
				res.Body.Close()
			}
		}
		cancel()
		if err == nil {
			t.Errorf("%s: answered", host)
		}
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("%d requests reached the server", n)
	}
	if err := get(t, guarded(t, TransportConfig{Reach: Reach{AllowPrivate: true}}), server.URL); err != nil || reached.Load() != 1 {
		t.Errorf("with AllowPrivate: got %v after %d requests", err, reached.Load())
	}
}

func TestRefusedAddressIsDeniedWithARemedy(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	e := Broken(t.Context(), "a.jpg", get(t, guarded(t, TransportConfig{}), server.URL))
	address := server.Listener.Addr().String()
	if e.Kind != origins.Denied || e.Transient || !strings.Contains(e.Remedy, "set allow_private") || !errors.Is(e, ErrAddress) || !strings.Contains(e.Error(), address) {
		t.Errorf("got %+v (%v), want it denied, with allow_private as the remedy", e, e)
	}
	e = Broken(t.Context(), "a.jpg", get(t, guarded(t, TransportConfig{Reach: Reach{AllowPrivate: true}}), "http://169.254.169.254/latest/meta-data/"))
	if e.Kind != origins.Denied || e.Transient || strings.Contains(e.Remedy, "allow_private") || e.Remedy == "" || !errors.Is(e, ErrAddress) {
		t.Errorf("got %+v (%v), want it denied, and allow_private not advised", e, e)
	}
}

func TestOnlyUnguardedTransportsUseTheProxyOfTheEnvironment(t *testing.T) {
	for _, c := range []TransportConfig{{}, {Reach: Reach{Guarded: true}}, {Reach: Reach{Guarded: true, AllowPrivate: true}}} {
		transport, err := NewTransport(c)
		if err != nil {
			t.Fatal(err)
		}
		if (transport.Proxy == nil) != c.Guarded {
			t.Errorf("%+v: proxy %v", c, transport.Proxy != nil)
		}
	}
}

// nameServer answers queries for A with each of the addresses in turn, the last one again and again. It returns a
// resolver that asks it.
func nameServer(t *testing.T, answers ...[]string) (*net.Resolver, *atomic.Int32) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	asked := new(atomic.Int32)
	go func() {
		defer close(done)
		buffer := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			if answer := answerQuery(buffer[:n], answers, asked); answer != nil {
				conn.WriteTo(answer, from)
			}
		}
	}()
	t.Cleanup(func() { conn.Close(); <-done })
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", conn.LocalAddr().String())
	}}, asked
}

func answerQuery(query []byte, answers [][]string, asked *atomic.Int32) []byte {
	var m dnsmessage.Message
	if m.Unpack(query) != nil || len(m.Questions) != 1 {
		return nil
	}
	m.Response, m.Additionals = true, nil
	if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
		turn := min(int(asked.Add(1)), len(answers)) - 1
		for _, ip := range answers[turn] {
			m.Answers = append(m.Answers, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
				Body:   &dnsmessage.AResource{A: netip.MustParseAddr(ip).As4()},
			})
		}
	}
	packed, err := m.Pack()
	if err != nil {
		return nil
	}
	return packed
}

func TestRebindingGainsNothing(t *testing.T) {
	var reached atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())

	resolver, asked := nameServer(t, []string{"93.184.216.34"}, []string{"127.0.0.1"})
	config := TransportConfig{Reach: Reach{Guarded: true}, ConnectTimeout: time.Second}
	transport := guarded(t, config)
	dialer := newDialer(config)
	dialer.Resolver = resolver
	transport.DialContext = dialer.DialContext

	ips, err := resolver.LookupNetIP(t.Context(), "ip4", "rebind.example.com")
	if err != nil || len(ips) != 1 || !public(ips[0]) {
		t.Fatalf("whoever looked before would have seen %v, %v, want a public address", ips, err)
	}
	err = get(t, transport, "http://rebind.example.com:"+port+"/")
	if !errors.Is(err, ErrAddress) || reached.Load() != 0 || asked.Load() < 2 {
		t.Errorf("got %v after %d requests and %d look-ups, want ErrAddress", err, reached.Load(), asked.Load())
	}

	// The same name, where that is allowed: the server would have been reached.
	allowed := TransportConfig{Reach: Reach{Guarded: true, AllowPrivate: true}, ConnectTimeout: time.Second}
	dialer = newDialer(allowed)
	dialer.Resolver = resolver
	transport = guarded(t, allowed)
	transport.DialContext = dialer.DialContext
	if err := get(t, transport, "http://rebind.example.com:"+port+"/"); err != nil || reached.Load() != 1 {
		t.Errorf("with AllowPrivate: got %v after %d requests", err, reached.Load())
	}
}

func TestEveryAddressOfANameIsJudged(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	resolver, _ := nameServer(t, []string{"169.254.169.254", "10.0.0.1", "127.0.0.1", "0.0.0.0"})
	config := TransportConfig{Reach: Reach{Guarded: true}, ConnectTimeout: time.Second}
	dialer := newDialer(config)
	dialer.Resolver = resolver
	transport := guarded(t, config)
	transport.DialContext = dialer.DialContext
	if err := get(t, transport, "http://many.example.com:"+port+"/"); !errors.Is(err, ErrAddress) {
		t.Errorf("got %v, want ErrAddress", err)
	}
}
