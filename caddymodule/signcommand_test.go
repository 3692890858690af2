package caddymodule_test

import (
	"strings"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/caddymodule"
)

const signingConfig = `{"apps": {
	"imageorigin": {
		"account": "demo",
		"origins": {"a": {"source": {"type": "vault"}}},
		"endpoints": {
			"default": {"origins": ["a"], "sign": ["private_key_test", "private_key_before"]},
			"shop": {"origins": ["a"], "domains": ["shop.example"], "sign": ["private_key_shop"]},
			"hidden": {"origins": ["a"], "sign": ["private_key_hidden"], "url_endpoint": "https://cdn.example.com/media/"},
			"keyless": {"origins": ["a"]}
		}
	},
	"http": {"servers": {"images": {"routes": [{"handle": [{"handler": "imageorigin"}]}]}}}
}}`

var signingTime = time.Unix(1800000000, 0)

func TestSignPrintsWhatTheSDKsSign(t *testing.T) {
	for _, tt := range []struct {
		name, url, endpoint, expires string
		ours                         bool
		want                         string // the URL, or a part of the error
	}{
		{"the reference", "https://images.example/tr:w-100/test-signed-url.png", "", "", false, "https://images.example/tr:w-100/test-signed-url.png?ik-s=41b3075c40bc84147eb71b8b49ae7fbf349d0f00"},
		{"behind the account", "https://images.example/demo/tr:w-100/test-signed-url.png", "", "", false, "https://images.example/demo/tr:w-100/test-signed-url.png?ik-s=41b3075c40bc84147eb71b8b49ae7fbf349d0f00"},
		{"a path", "/tr:w-100/test-signed-url.png", "", "", false, "/tr:w-100/test-signed-url.png?ik-s=41b3075c40bc84147eb71b8b49ae7fbf349d0f00"},
		{"a path without slash", "tr:w-100/test-signed-url.png", "", "", false, "/tr:w-100/test-signed-url.png?ik-s=41b3075c40bc84147eb71b8b49ae7fbf349d0f00"},
		{"a fragment stays here", "/tr:w-100/test-signed-url.png#x", "", "", false, "/tr:w-100/test-signed-url.png?ik-s=41b3075c40bc84147eb71b8b49ae7fbf349d0f00"},
		{"for a while", "/a.jpg?v=1", "", "1d", false, "/a.jpg?v=1&ik-t=1800086400&ik-s="},
		{"until a time", "/a.jpg", "", "1900000000", true, "/a.jpg?ik-t=1900000000&ik-s=sha256:"},
		{"an endpoint that others lead to", "/a.jpg", "shop", "", false, "/a.jpg?ik-s="},
		{"signed", "/a.jpg?ik-s=1", "", "", false, "the URL is signed already"},
		{"a space", "/a b.jpg", "", "", false, `the URL has " ", which clients percent-encode`},
		{"an umlaut", "/bücher.jpg", "", "", false, `the URL has "ü", which clients percent-encode`},
		{"a broken escape", "/100%.jpg", "", "", false, "reading the URL"},
		{"a time before", "/a.jpg", "", "-1h", false, `--expires: "-1h" is neither a time above 0`},
		{"a short time", "/a.jpg", "", "12345", false, `--expires: "12345" is no time of ten digits`},
		{"a word", "/a.jpg", "", "tomorrow", false, `--expires: "tomorrow" is neither`},
		{"no keys", "/keyless/a.jpg", "", "", false, `endpoint "keyless" has no keys; set sign`},
		{"no such endpoint", "/a.jpg", "nowhere", "", false, `endpoint "nowhere" is not declared`},
		{"a folder called as the endpoint", "https://shop.example/shop/a.jpg", "", "", false, "set url_endpoint to what SDKs are told"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := caddymodule.Sign(signingConfig, "", tt.endpoint, signingTime, tt.expires, tt.ours, tt.url)
			if err != nil {
				if got = err.Error(); !strings.Contains(got, tt.want) {
					t.Errorf("got the error %s, want %s", got, tt.want)
				}
				return
			}
			if !strings.HasPrefix(got, tt.want) {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			said, err := caddymodule.Verify(signingConfig, "", tt.endpoint, signingTime, got)
			if err != nil || !strings.Contains(said, "verdict   opens the URL") {
				t.Errorf("verify says of it: %v\n%s", err, said)
			}
			if strings.Contains(got+said, "private_key") {
				t.Errorf("a key is told:\n%s%s", got, said)
			}
		})
	}
}

func TestVerifyTellsWhyASignatureDoesNotFit(t *testing.T) {
	const reference = "41b3075c40bc84147eb71b8b49ae7fbf349d0f00"
	sign := func(host, url string) string {
		t.Helper()
		signed, err := caddymodule.Sign(signingConfig, host, "", signingTime, "", false, url)
		if err != nil {
			t.Fatal(err)
		}
		_, sum, _ := strings.Cut(signed, "ik-s=")
		return sum
	}
	for _, tt := range []struct {
		name, url string
		want      []string
	}{
		{"nothing is wrong", "/tr:w-100/test-signed-url.png?ik-s=" + reference, []string{
			"endpoint  default\n", "text      tr:w-100/test-signed-url.png\n", "expires   never (9999999999)\n",
			"signed    tr:w-100/test-signed-url.png9999999999, by HMAC-SHA1\n", "key 1     fits\n", "key 2     does not fit\n", "verdict   opens the URL\n",
		}},
		{"the query was forgotten", "/tr:w-100/test-signed-url.png?v=2&ik-s=" + reference, []string{
			"key 1     does not fit\n", "differs   it was made without the query: tr:w-100/test-signed-url.png\n", "refused   ik-s: does not fit this URL\n",
		}},
		{"a parameter was added", "/a.jpg?x=1&v=2&ik-s=" + sign("", "/a.jpg?v=2"), []string{"differs   it was made without x=1: a.jpg?v=2\n"}},
		{"encoded on the way", "/tr%3Aw-100/test-signed-url.png?ik-s=" + reference, []string{"differs   commas and colons were not encoded when it was made: tr:w-100/test-signed-url.png\n"}},
		{"decoded on the way", "/tr:w-1,h-2/a.jpg?ik-s=" + sign("", "/tr:w-1%2Ch-2/a.jpg"), []string{"differs   commas were encoded when it was made: tr:w-1%2Ch-2/a.jpg\n"}},
		{"another prefix", "/x/tr:w-100/test-signed-url.png?ik-s=" + reference, []string{"differs   it was made with another prefix: tr:w-100/test-signed-url.png\n"}},
		{"another endpoint", "/shop/a.jpg?ik-s=" + sign("", "/a.jpg"), []string{"endpoint  shop\n", "text      shop/a.jpg\n", "differs   it was made with a key of the endpoint default\n"}},
		{"upper case", "/tr:w-100/test-signed-url.png?ik-s=" + strings.ToUpper(reference), []string{"differs   ik-s is in upper case\n", "refused   ik-s: must be 40 hexadecimal digits in lower case"}},
		{"a time was added", "/tr:w-100/test-signed-url.png?ik-t=1900000000&ik-s=" + reference, []string{"expires   1900000000, 2030-03-17T17:46:40Z (in 27777h46m40s)\n", "differs   it was made without ik-t\n"}},
		{"a short time", "/a.jpg?ik-t=100&ik-s=" + reference, []string{"refused   ik-t: must be a time of exactly ten digits"}},
		{"no signature", "/a.jpg", []string{"refused   this endpoint answers signed URLs only, and this one has no signature (ik-s)\n"}},
		{"two", "/a.jpg?ik-s=1&ik-s=2", []string{"refused   ik-s: is given twice\n"}},
		{"over", "/a.jpg?ik-t=1000000000&ik-s=6d4ac0c4c8a6d4c1a4e9d1e1f1fbd1b1a1d1e1f1", []string{"expires   1000000000, 2001-09-09T01:46:40Z (222222h13m20s ago)\n"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := caddymodule.Verify(signingConfig, "", "", signingTime, tt.url)
			if opens := strings.Contains(got, "verdict   opens"); opens != (err == nil) {
				t.Errorf("got %v and\n%s", err, got)
			}
			for _, want := range tt.want {
				if !strings.Contains(got, want) {
					t.Errorf("got\n%swant %q", got, want)
				}
			}
		})
	}
}

func TestExplainTellsThatAURLNeedsASignature(t *testing.T) {
	config := strings.Replace(signingConfig, `"sign": ["private_key_shop"]`, `"sign": ["private_key_shop"], "signed_only": "images"`, 1)
	for url, needed := range map[string]bool{"/shop/a.jpg": true, "/shop/tr:w-3/a.jpg?ik-s=1": true, "/shop/a.mp4": false, "/a.jpg": false} {
		said, err := caddymodule.Explain(config, url)
		if err != nil || strings.Contains(said, "\nsigned    only, else it is a 401") != needed {
			t.Errorf("%s: %v\n%s", url, err, said)
		}
	}
}
