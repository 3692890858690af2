package caddymodule

import (
	"fmt"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"
)

func TestDomainsOfAFileBelongToTheirEndpoints(t *testing.T) {
	rt := bindings(t, "img.example.com")
	text := "\uFEFF# customers\r\n\r\na.example.net shop\n\t B.Example.NET\tdefault # moved\r\n*.wild.example.net shop\nBÜCHER.example shop # and no end of line"
	if err := rt.bindMore(text); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ host, want string }{
		{"img.example.com", "shop"},
		{"a.example.net", "shop"},
		{"A.Example.Net.:8443", "shop"},
		{"b.example.net", "default"},
		{"x.wild.example.net", "shop"},
		{"xn--bcher-kva.example", "shop"},
		{"wild.example.net", ""},
		{"*.wild.example.net", "shop"}, // as any other label
		{".wild.example.net", ""},
		{"x.y.wild.example.net", ""},
		{"c.example.net", ""},
		{"customers", ""},
		{"", ""},
	} {
		e := rt.bound(tt.host)
		if got := nameOf(e); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.host, got, tt.want)
		}
	}
}

func nameOf(e *endpoint) string {
	if e == nil {
		return ""
	}
	return e.name
}

func TestMistakesOfADomainsFileNameTheLineAndTheRemedy(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"one word", "# x\n\na.example.net\n", `line 3: "a.example.net" is not a domain and the name of an endpoint; write them as in img.example.com shop`},
		{"three words", "a.example.net shop default", `line 1: "a.example.net shop default" is not a domain and the name of an endpoint`},
		{"a comment without its sign", "a.example.net shop\nold customers follow here", `line 2: "old customers follow here" is not a domain`},
		{"an unknown endpoint", "a.example.net shop\nb.example.net shpo\n", `line 2: endpoint "shpo" is not declared; declared: default, shop`},
		{"an endpoint in another case", "a.example.net Shop", `line 1: endpoint "Shop" is not declared`},
		{"a port", "a.example.net:443 shop", `line 1: "a.example.net:443" has a port; write the host name alone`},
		{"a scheme", "https://a.example.net shop", `line 1: "https://a.example.net" has a scheme`},
		{"a path", "a.example.net/x shop", `line 1: "a.example.net/x" has a path`},
		{"a dot behind it", "a.example.net. shop", `line 1: "a.example.net." is not a host name`},
		{"a wildcard inside", "a.*.example.net shop", `line 1: "a.*.example.net": a wildcard stands for the whole first label`},
		{"a placeholder", "{env.HOST} shop", `line 1: "{env.HOST}" is not a host name: placeholders are not replaced in this file`},
		{"marks apart from their letters", "bu\u0308cher.example shop", "line 1: \"bu\u0308cher.example\": clients ask for \"xn--bcher-kva.example\"; write that"},
		{"wide letters", "ｉｍｇ.example.net shop", `line 1: "ｉｍｇ.example.net": clients ask for "img.example.net"; write that`},
		{"a wide dot", "img。example.net shop", `line 1: "img。example.net": clients ask for "img.example.net"; write that`},
		{"a letter whose small one is another name's", "*.İ.example.net shop", `line 1: "*.İ.example.net": clients ask for "xn--`},
		{"the words in the other order", "shop a.example.net", `line 1: endpoint "a.example.net" is not declared; declared: default, shop`},
		{"bytes that are no text", "a\xff.example.net shop", `line 1: "a\xff.example.net shop" is not a domain`},
		{"a domain twice", "x.example.net shop\na.example.net shop # one\n\nA.example.net default", `line 4: "a.example.net" belongs to endpoint "shop" already, by line 2; a domain stands once`},
		{"a domain twice, the same endpoint", "a.example.net shop\na.example.net shop", `line 2: "a.example.net" belongs to endpoint "shop" already, by line 1; a domain stands once`},
		{"a wildcard twice", "*.example.net shop\n*.EXAMPLE.net default", `line 2: "*.example.net" belongs to endpoint "shop" already, by line 1`},
		{"a domain of the config", "a.example.net shop\nIMG.example.com default", `line 2: "img.example.com" belongs to endpoint "shop" already, by its option domains; a domain stands once`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rt := bindings(t, "img.example.com")
			if err := rt.bindMore("before.example.net default"); err != nil {
				t.Fatal(err)
			}
			if err := rt.bindMore(tt.text); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
			if got := nameOf(rt.bound("before.example.net")); got != "default" {
				t.Errorf("after the mistake the list that was in force has %q", got)
			}
		})
	}
}

func TestDomainsOfOtherScriptsAreWhatClientsAskFor(t *testing.T) {
	for domain, host := range map[string]string{
		"straße.example": "xn--strae-oqa.example", "*.Ελλάδα.example": "www.xn--hxakic4aa.example", "例え.テスト": "xn--r8jz45g.xn--zckzah",
		"пример.example": "xn--e1afmkfd.example", "*.bücher.example": "a.xn--bcher-kva.example",
	} {
		rt := bindings(t)
		if err := rt.bindMore(domain + " shop"); err != nil {
			t.Error(err)
		} else if got := nameOf(rt.bound(host)); got != "shop" {
			t.Errorf("%s: %s belongs to %q", domain, host, got)
		}
	}
}

func TestWhatIsNoListAtAllIsRefusedInAShortSentence(t *testing.T) {
	long := strings.Repeat("a", 2<<20)
	for name, text := range map[string]string{
		"one word": long, "an endpoint": "a.example.net " + long, "a domain": long + ".example.net shop",
		"labels": strings.Repeat("a.", 1<<20) + " shop", "words": strings.Repeat("a ", 1<<20), "zeros": strings.Repeat("\x00", 1<<20),
	} {
		err := bindings(t).bindMore(text)
		if err == nil || !strings.HasPrefix(err.Error(), "line 1: ") || len(err.Error()) > 1000 {
			t.Errorf("%s: got %.300v", name, err)
		}
	}
	if err := bindings(t).bindMore("a.example.net shop # " + long); err != nil {
		t.Errorf("a long comment: %v", err)
	}
}

func TestEmptyLinesTakeNoRoom(t *testing.T) {
	text, rt := strings.Repeat("\n", 4<<20), bindings(t)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := rt.bindMore(text); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 32<<20 {
		t.Errorf("%d empty lines took %d bytes", len(text), got)
	}
}

func TestAURLMeansWhatTheListInForceSays(t *testing.T) {
	rt := bindings(t)
	u, err := url.Parse("https://a.example.net/tr:w-3/shop/a.jpg")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ list, want string }{
		{"a.example.net default", "default"}, {"a.example.net shop", "shop"}, {"", "default"}, {"*.example.net shop", "shop"},
	} {
		if err := rt.bindMore(tt.list); err != nil {
			t.Fatal(err)
		}
		for range 2 { // found, then remembered
			if e, _, err := rt.locate(nil, u.Host, u); err != nil || e.name != tt.want {
				t.Errorf("list %q: got %s, %v; want %s", tt.list, nameOf(e), err, tt.want)
			}
		}
	}
}

// manyDomains returns a list of n lines.
func manyDomains(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "img.customer-%07d.example.net shop\n", i)
	}
	return b.String()
}

func TestManyDomainsAreNoTrouble(t *testing.T) {
	const n = 100_000
	rt := bindings(t)
	if err := rt.bindMore(manyDomains(n)); err != nil {
		t.Fatal(err)
	}
	if got := rt.domains.Load().size(); got != n {
		t.Errorf("got %d domains, want %d", got, n)
	}
	if got := nameOf(rt.bound("img.customer-0099999.example.net")); got != "shop" {
		t.Errorf("the last belongs to %q", got)
	}
	if err := rt.bindMore(manyDomains(n) + "img.customer-0050000.example.net default"); err == nil || !strings.Contains(err.Error(), "line 100001: ") || !strings.Contains(err.Error(), "by line 50001;") {
		t.Errorf("one more that is there already: got %v", err)
	}
}

// BenchmarkDomains is what finding the endpoint costs by the number of domains: of a host whose URL was asked for before,
// and of one whose wasn't.
func BenchmarkDomains(b *testing.B) {
	for _, n := range []int{10, 1_000, 100_000, 1_000_000} {
		rt := newRouter(map[string]*endpoint{"default": testEndpoint("default"), "shop": testEndpoint("shop")}, "")
		if err := rt.bindMore(manyDomains(n)); err != nil {
			b.Fatal(err)
		}
		hosts := make([]string, min(n, 1000))
		for i := range hosts {
			hosts[i] = fmt.Sprintf("img.customer-%07d.example.net", i*(n/len(hosts)))
		}
		b.Run(fmt.Sprintf("%d/route", n), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if e, _ := rt.route(hosts[i%len(hosts)], "/tr:w-300/a.jpg"); e.name != "shop" {
					b.Fatal(e.name)
				}
			}
		})
		b.Run(fmt.Sprintf("%d/locate", n), func(b *testing.B) {
			u := &url.URL{Path: "/tr:w-300/a.jpg"}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if e, _, err := rt.locate(nil, hosts[i%len(hosts)], u); err != nil || e.name != "shop" {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkDomainsFile is what reading a list again costs.
func BenchmarkDomainsFile(b *testing.B) {
	rt := newRouter(map[string]*endpoint{"default": testEndpoint("default"), "shop": testEndpoint("shop")}, "")
	for _, n := range []int{1_000, 100_000, 1_000_000} {
		text := manyDomains(n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := rt.bindMore(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestListsMayChangeWhileRequestsAreRouted(t *testing.T) {
	rt := bindings(t)
	u, err := url.Parse("https://a.example.net/tr:w-3/a.jpg")
	if err != nil {
		t.Fatal(err)
	}
	lists := []string{"a.example.net default", "a.example.net shop"}
	var requests sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		requests.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, _, err := rt.locate(nil, u.Host, u); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range 200 {
		if err := rt.bindMore(lists[i%2]); err != nil {
			t.Fatal(err)
		}
		// From here on nobody is told what was meant before.
		if e, _, err := rt.locate(nil, u.Host, u); err != nil || e.name != strings.Fields(lists[i%2])[1] {
			t.Errorf("list %d: got %s, %v", i, nameOf(e), err)
		}
	}
	close(stop)
	requests.Wait()
}
