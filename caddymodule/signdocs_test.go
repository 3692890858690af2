package caddymodule_test

import (
	"os"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig"

	"github.com/imageorigin/imageorigin/caddymodule"
	"github.com/imageorigin/imageorigin/internal/imageurl"
)

// TestSignaturesOfThePagesAreRight runs the commands of the pages about signatures, on the first Caddyfile of
// docs/signing.md, at the time 1800000000.
func TestSignaturesOfThePagesAreRight(t *testing.T) {
	t.Setenv("IMAGE_KEY", signingKey)
	t.Setenv("OLD_IMAGE_KEY", "private_key_before")
	t.Setenv("PRODUCTS_KEY", "private_key_products")
	signing := readPage(t, "../docs/signing.md")
	config, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(fenced(signing, "caddyfile")[0]), nil)
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, page := range []string{signing, readPage(t, "../docs/caddyfile.md")} {
		for _, block := range append(fenced(page, "console"), fenced(page, "text")...) {
			for command := range strings.SplitSeq("\n"+block, "\n$ ") {
				line, want, _ := strings.Cut(strings.TrimPrefix(command, "caddy imageorigin "), "\n")
				words := splitWords(line)
				var got string
				switch {
				case len(words) == 4 && words[0] == "sign" && words[1] == "--expires":
					got, err = caddymodule.Sign(string(config), "", "", signingTime, words[2], false, words[3])
				case len(words) == 2 && words[0] == "sign":
					got, err = caddymodule.Sign(string(config), "", "", signingTime, "", false, words[1])
				case len(words) == 2 && words[0] == "verify":
					got, _ = caddymodule.Verify(string(config), "", "", signingTime, words[1]) // says all that its error does
				default:
					continue
				}
				if ran++; err != nil {
					t.Errorf("%s: %v", line, err)
				}
				if strings.TrimSpace(got) != strings.TrimSpace(want) {
					t.Errorf("$ %s\ngot\n%s\nthe page says\n%s", line, got, want)
				}
			}
		}
	}
	if ran != 5 {
		t.Errorf("%d commands of the pages ran, want 5: three of signing.md and two of caddyfile.md", ran)
	}
	key, text := []byte(signingKey), "tr:w-100/test-signed-url.png"
	for _, vector := range []string{imageurl.Sign(key, "products", text, imageurl.Never, false), imageurl.Sign(key, "products", text, 1900000000, true)} {
		if !strings.Contains(signing, "`"+vector+"`") {
			t.Errorf("docs/signing.md lacks the vector %s", vector)
		}
	}
}

func readPage(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// fenced returns the blocks of a language in a page.
func fenced(page, language string) []string {
	var blocks []string
	for i, part := range strings.Split(page, "\n```"+language+"\n") {
		if block, _, ok := strings.Cut(part, "\n```\n"); ok && i > 0 {
			blocks = append(blocks, block)
		}
	}
	return blocks
}

// splitWords splits a command as a shell does, which knows single quotes.
func splitWords(line string) []string {
	var words []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			words = append(words, part)
			continue
		}
		words = append(words, strings.Fields(part)...)
	}
	return words
}
