package caddymodule

import (
	"net/url"
	"testing"
)

// TestNoSignatureOpensTwoFiles asks for all short paths of the words that could be parts of a prefix, on hosts that route in
// different ways: a text that opens one file of an endpoint opens no other.
func TestNoSignatureOpensTwoFiles(t *testing.T) {
	words := []string{"a", "shop", "demo", "img", "sh%6Fp"}
	paths := []string{""}
	for from, depth := 0, 0; depth < 4; depth++ {
		for _, path := range paths[from:] {
			for _, word := range words {
				paths = append(paths, path+"/"+word)
			}
		}
		from = (len(paths) - 1) / (len(words) + 1)
	}
	for _, base := range []string{"", "https://www.example", "https://www.example/shop", "https://shop.example", "https://www.example/img", "https://cdn.example/x"} {
		for _, mounts := range [][]string{{""}, {"/img", "/IMG", "//img", "/x/../img"}} { // all that Caddy takes off for one
			byName := map[string]*endpoint{}
			for _, e := range []*endpoint{testEndpoint("default"), testEndpoint("shop", "shop.example")} {
				e.config.URLEndpoint = base
				byName[e.name] = e
			}
			rt := newRouter(byName, "demo")
			type opens struct{ endpoint, text string }
			files, tried, closed := map[opens]string{}, 0, 0
			for _, host := range []string{"www.example", "shop.example"} {
				for at := range len(paths) * len(mounts) {
					rest := paths[at/len(mounts)]
					sent := mounts[at%len(mounts)] + rest
					if rest == "" {
						continue
					}
					u, err := url.ParseRequestURI(rest)
					if err != nil {
						t.Fatal(err)
					}
					e, file := rt.route(host, rest)
					if file = unescaped(file); file == "/" {
						continue // a folder
					}
					texts := rt.signedTexts(nil, e, host, u, sent)
					if tried++; len(texts) == 0 {
						closed++
					}
					for _, text := range texts {
						key := opens{e.name, unescaped(text)}
						if other, taken := files[key]; taken && other != file {
							t.Fatalf("url_endpoint %q, mounts %q: %q of %s opens %s, and %s at %s%s", base, mounts, text, e.name, other, file, host, sent)
						}
						files[key] = file
					}
				}
			}
			if tried < 100 || closed > tried/3 {
				t.Errorf("url_endpoint %q, mounts %q: %d paths were tried, of which %d no signature opens", base, mounts, tried, closed)
			}
		}
	}
}
