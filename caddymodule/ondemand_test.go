package caddymodule_test

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
)

// onDemandSite is a Caddy with one site for all hosts, whose certificates come from its own authority.
type onDemandSite struct {
	t          *testing.T
	dir, https string
}

// load loads the site with further lines in the global option imageorigin, and with those of the permission's block. Each
// has a port of its own: when a reload is done the listeners of the config before may still take a connection.
func (s *onDemandSite) load(lines, permission string) error {
	s.t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	free.Close()
	_, port, _ := net.SplitHostPort(free.Addr().String())
	raw, _, err := caddyconfig.GetAdapter("caddyfile").Adapt(fmt.Appendf(nil, `{
	admin off
	persist_config off
	skip_install_trust
	auto_https disable_redirects
	https_port %s
	default_bind 127.0.0.1
	storage file_system %s
	log {
		level ERROR
	}
	on_demand_tls {
		permission imageorigin {
%s
		}
	}
	imageorigin {
		origin a vault
		endpoint default {
			origins a
		}
%s
	}
}
https:// {
	tls internal {
		on_demand
	}
	imageorigin
}
`, port, s.dir, permission, lines), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := caddy.Load(raw, true); err != nil {
		return err
	}
	s.https = free.Addr().String()
	return nil
}

// shakes returns nil if a handshake for a name ends with a certificate of that name.
func (s *onDemandSite) shakes(name string) error {
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	conn, err := tls.DialWithDialer(dialer, "tcp", s.https, &tls.Config{ServerName: name, InsecureSkipVerify: true}) // its root is nowhere installed
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].VerifyHostname(name)
}

func (s *onDemandSite) expect(when string, granted, refused []string) {
	s.t.Helper()
	for _, name := range granted {
		if err := s.shakes(name); err != nil {
			s.t.Errorf("%s: %s: %v", when, name, err)
		}
	}
	for _, name := range refused {
		if err := s.shakes(name); err == nil || !strings.Contains(err.Error(), "internal error") { // the alert's name
			s.t.Errorf("%s: %s: got %v, want the handshake refused", when, name, err)
		}
	}
}

func TestCertificatesOnDemandFollowTheDomainsOfTheConfigInForce(t *testing.T) {
	dataHome(t)
	s := &onDemandSite{t: t, dir: t.TempDir()}
	list := filepath.Join(t.TempDir(), "domains")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(list+".new", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(list+".new", list); err != nil {
			t.Fatal(err)
		}
	}
	endpoint := func(domains string) string {
		return "endpoint shop {\norigins a\ndomains " + domains + "\n}\ndomains_file " + list + "\n"
	}
	write("a.example.net shop\n")
	if err := s.load(endpoint("img.example.com *.wild.example.com"), ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := caddy.Stop(); err != nil {
			t.Error(err)
		}
	})
	s.expect("at first", []string{"img.example.com", "a.example.net"}, []string{"b.example.net", "x.wild.example.com", "wild.example.com", "example.com"})

	write("a.example.net shop\nb.example.net default\n")
	for until := time.Now().Add(20 * time.Second); s.shakes("b.example.net") != nil && time.Now().Before(until); {
		time.Sleep(100 * time.Millisecond)
	}
	s.expect("a line more", []string{"img.example.com", "a.example.net", "b.example.net"}, []string{"c.example.net"})

	write("c.example.net shpo\n")
	if err := s.load(endpoint("img.example.com new.example.com"), ""); err == nil || !strings.Contains(err.Error(), `line 1: endpoint "shpo" is not declared; declared: default, shop`) {
		t.Errorf("a reload with a wrong list: got %v", err)
	}
	s.expect("after a reload that failed", []string{"img.example.com", "b.example.net"}, []string{"c.example.net", "new.example.com"})

	write("c.example.net shop\n")
	if err := s.load(endpoint("img.example.com new.example.com *.wild.example.com"), "on_demand_wildcards"); err != nil {
		t.Fatal(err)
	}
	s.expect("after a reload", []string{"img.example.com", "c.example.net", "new.example.com", "x.wild.example.com"}, []string{"d.example.net", "wild.example.com", "x.y.wild.example.com"})

	if err := s.load(endpoint("img.example.com"), ""); err != nil {
		t.Fatal(err)
	}
	s.expect("with fewer domains", []string{"img.example.com"}, []string{"other.wild.example.com"})
}

func TestADomainInTwoPlacesStopsTheLoadWithBothNamed(t *testing.T) {
	list := filepath.Join(t.TempDir(), "domains")
	if err := os.WriteFile(list, []byte("a.example.net shop\nIMG.example.com default\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TEST_DOMAINS", list)
	err := provision(t, `{"domains_file": "{env.TEST_DOMAINS}", "origins": {"a": {"source": {"type": "vault"}}}, "endpoints": {
		"default": {"origins": ["a"]}, "shop": {"origins": ["a"], "domains": ["img.example.com"]}}}`)
	want := "domains_file " + list + `: line 2: "img.example.com" belongs to endpoint "shop" already, by its option domains; a domain stands once`
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if err := provision(t, `{"domains_file": "{env.NO_SUCH_VARIABLE}"}`); err == nil || !strings.Contains(err.Error(), "domains_file: resolving placeholders") {
		t.Errorf("an unknown placeholder: got %v", err)
	}
}

func TestMatchersOfUnknownEndpointsAreRefused(t *testing.T) {
	for _, tt := range []struct{ name, matcher, want string }{
		{"undeclared", `{"endpoints": ["hats"]}`, `endpoints: endpoint "hats" is not declared in apps.imageorigin.endpoints; declared: default`},
		{"twice", `{"endpoints": ["default", "default"]}`, `endpoints: "default" stands twice`},
		{"no name", `{"endpoints": ["a b"]}`, `endpoints: endpoint "a b": a name is`},
		{"unknown field", `{"endpoint": ["default"]}`, `unknown field "endpoint"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(string(config(t, `{`+one+`}}}`, "127.0.0.1:0")), `{"handle":`, `{"match": [{"imageorigin": `+tt.matcher+`}], "handle":`, 1)
			err := caddy.Load([]byte(text), true)
			if err == nil {
				_ = caddy.Stop()
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}
