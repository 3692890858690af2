package caddymodule_test

import (
	"bufio"
	"bytes"
	"fmt"
	"image"
	"image/png"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"

	"github.com/imageorigin/imageorigin/caddymodule"
	"github.com/imageorigin/imageorigin/internal/imageurl"
)

const (
	signingKey = "private_key_test"
	otherKey   = "private_key_other"
)

// signedPath returns a URI that is signed with a key as SDKs do: what stands behind prefix is signed.
func signedPath(key, prefix, rest string, expires int64) string {
	return imageurl.WithQuery(prefix+rest, imageurl.Sign([]byte(key), "", rest, expires, false))
}

// runningSite is a Caddy that runs in the test.
type runningSite struct{ address string }

// runCaddyfile runs a Caddyfile in which PORT stands for a free port, ROOT for a folder of files, and returns how to ask it.
func runCaddyfile(t *testing.T, global, sites string) runningSite {
	t.Helper()
	dataHome(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := runningSite{listener.Addr().String()}
	listener.Close()
	_, port, _ := net.SplitHostPort(s.address)
	text := strings.NewReplacer("PORT", port, "ROOT", pictureFolder(t)).Replace("{\nadmin off\nauto_https off\nlog {\nlevel PANIC\n}\nimageorigin {\n" + global + "\n}\n}\n" + sites)
	var said []caddyconfig.Warning
	t.Cleanup(caddymodule.CatchWarnings(&said))
	raw, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(text), nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if err := caddy.Load(raw, true); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	t.Cleanup(func() {
		if err := caddy.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// pictureFolder returns a folder in which each file says its own path, and a picture.
func pictureFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"a.jpg", "shop/a.jpg", "img/a.jpg", "demo/a.jpg", "one+one.jpg", "a,b c.jpg", "clip.mp4", "plain"} {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		path, _ := strings.CutPrefix(name, dir+"/")
		if err := os.WriteFile(name, []byte(path), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 40, 20))); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "grey.png"), picture.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// get asks for a URI, which is sent as it is.
func (s runningSite) get(t *testing.T, host, uri string) (*http.Response, string) {
	t.Helper()
	conn, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", uri, host)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("%s: %v", uri, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

// TestSignaturesFitWhateverPrefixIsMeant signs as SDKs do that were told different prefixes.
func TestSignaturesFitWhateverPrefixIsMeant(t *testing.T) {
	const never = imageurl.Never
	s := runCaddyfile(t, `
		account demo
		origin photos folder ROOT
		endpoint default {
			origins photos
			sign `+signingKey+`
			signed_only
		}
		endpoint shop {
			origins photos
			domains shop.example
			sign `+otherKey+`
			signed_only
		}
		endpoint proxied {
			origins photos
			domains hidden.example
			sign private_key_proxied
			signed_only
			url_endpoint https://cdn.example.com/media
		}
		endpoint rooted {
			origins photos
			sign private_key_rooted
			signed_only
			url_endpoint https://www.example.com/
		}`, `
		http://www.example:PORT, http://shop.example:PORT, http://hidden.example:PORT {
			imageorigin
		}
		http://mount.example:PORT {
			handle_path /img/* {
				imageorigin
			}
			handle_path /own/* {
				imageorigin {
					origin folder ROOT
					sign private_key_inline
					signed_only
				}
			}
			handle_path /media/* {
				imageorigin proxied
			}
		}
		http://rewritten.example:PORT {
			rewrite * /shop{uri}
			imageorigin
		}
		http://other.example:PORT {
			rewrite /pretty /tr:w-10/grey.png
			@sized path_regexp sized ^/w/(\d+)/(.*)$
			rewrite @sized /{re.sized.2}?tr=w-{re.sized.1}
			imageorigin
		}`)
	const proxied, rooted, inline = "private_key_proxied", "private_key_rooted", "private_key_inline"
	for _, tt := range []struct {
		name, host, key string
		prefix, rest    string // rest is signed
		file            string // what is delivered; "" is a 401
	}{
		{"the host", "www.example", signingKey, "/", "a.jpg", "a.jpg"},
		{"a query", "www.example", signingKey, "/", "a.jpg?v=1&x=%2C,", "a.jpg"},
		{"encoded in a way that nobody else does", "www.example", signingKey, "/", "a,b%20c.jpg", "a,b c.jpg"},
		{"encoded otherwise", "www.example", signingKey, "/", "a%2Cb%20c.jpg", "a,b c.jpg"},
		{"brackets", "www.example", signingKey, "/", "a.jpg?tr[]=%5B%5D", "a.jpg"},
		{"the account", "www.example", signingKey, "/demo/", "a.jpg", "a.jpg"},
		{"the account is not signed", "www.example", signingKey, "/", "demo/a.jpg", ""},
		{"a folder called as the account", "www.example", signingKey, "/demo/", "demo/a.jpg", "demo/a.jpg"},

		{"a name", "www.example", otherKey, "/shop/", "a.jpg", "a.jpg"},
		{"a name, which SDKs were not told", "www.example", otherKey, "/", "shop/a.jpg", "a.jpg"},
		{"an encoded name", "www.example", otherKey, "/sh%6Fp/", "a.jpg", "a.jpg"},
		{"account and name", "www.example", otherKey, "/demo/shop/", "a.jpg", "a.jpg"},
		{"account alone before a name", "www.example", otherKey, "/demo/", "shop/a.jpg", "a.jpg"},
		{"the key of another endpoint", "www.example", signingKey, "/shop/", "a.jpg", ""},
		{"a folder called as the endpoint can't be told from it", "www.example", otherKey, "/shop/", "shop/a.jpg", ""},
		{"but with all of it signed", "www.example", otherKey, "/", "shop/shop/a.jpg", "shop/a.jpg"},

		{"a domain", "shop.example", otherKey, "/", "a.jpg", "a.jpg"},
		{"a domain, and a text for another file by the name", "shop.example", otherKey, "/", "shop/a.jpg", ""},

		{"a mount", "mount.example", signingKey, "/img/", "a.jpg", "a.jpg"},
		{"a mount, with a transformation", "mount.example", signingKey, "/img/", "tr:w-10,h-5/grey.png", "resize 10x5"},
		{"a mount is not signed, for its file could be another's", "mount.example", signingKey, "/", "img/a.jpg", ""},
		{"nor where it is written otherwise", "mount.example", signingKey, "/", "IMG/a.jpg", ""},
		{"a mount, encoded by hand", "mount.example", signingKey, "/img/", "a%2Cb%20c.jpg?v=%20", "a,b c.jpg"},
		{"a mount and brackets", "mount.example", signingKey, "/img/", "%61.jpg?v=[]", "a.jpg"},
		{"a mount and the account", "mount.example", signingKey, "/img/demo/", "a.jpg", "a.jpg"},
		{"a mount and a name", "mount.example", otherKey, "/img/shop/", "a.jpg", "a.jpg"},
		{"a mount and a name that is signed", "mount.example", otherKey, "/img/", "shop/a.jpg", "a.jpg"},
		{"a mount and a name, all signed", "mount.example", otherKey, "/", "img/shop/a.jpg", ""},
		{"a folder called as the mount", "mount.example", signingKey, "/img/", "img/a.jpg", "img/a.jpg"},
		{"a mount in capitals", "mount.example", signingKey, "/IMG/", "img/a.jpg", "img/a.jpg"},
		{"a mount behind two slashes", "mount.example", signingKey, "//img/", "img/a.jpg", "img/a.jpg"},
		{"an endpoint of the mount alone", "mount.example", inline, "/own/", "a.jpg", "a.jpg"},
		{"with all signed", "mount.example", inline, "/", "own/a.jpg", ""},

		{"a rewrite that adds the name", "rewritten.example", otherKey, "/", "a.jpg", "a.jpg"},
		{"a rewrite to something else", "other.example", signingKey, "/", "pretty", "resize 10x5"},
		{"a rewrite to something else, with what it leads to", "other.example", signingKey, "/", "tr:w-10/grey.png", "resize 10x5"},

		{"a rewrite that makes a query of the path", "other.example", signingKey, "/", "w/10/grey.png", "resize 10x5"},
		{"and what it makes a query of is signed", "other.example", signingKey, "/w/10/", "grey.png", ""},

		{"a proxy took url_endpoint away", "hidden.example", proxied, "/", "a.jpg", "a.jpg"},
		{"a proxy left url_endpoint there", "mount.example", proxied, "/media/", "a.jpg", "a.jpg"},
		{"url_endpoint is no part of what is signed", "mount.example", proxied, "/", "media/a.jpg", ""},
		{"a proxy put the name in its place", "www.example", proxied, "/proxied/", "a.jpg", "a.jpg"},
		{"a proxy put the name in its place, which is not signed", "www.example", proxied, "/", "proxied/a.jpg", ""},
		{"url_endpoint is the host, and a mount is signed", "mount.example", rooted, "/", "img/rooted/a.jpg", "a.jpg"},
		{"url_endpoint is the host", "www.example", rooted, "/", "rooted/a.jpg", "a.jpg"},
		{"url_endpoint is the host, and the name is not signed", "www.example", rooted, "/rooted/", "a.jpg", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			uri := signedPath(tt.key, tt.prefix, tt.rest, never)
			resp, body := s.get(t, tt.host, uri)
			switch {
			case tt.file == "" && resp.StatusCode != http.StatusUnauthorized:
				t.Errorf("%s: got %s, want 401", uri, resp.Status)
			case tt.file != "" && (resp.StatusCode != http.StatusOK || !strings.Contains(body, tt.file)):
				t.Errorf("%s: got %s %q, ik-error %q; want %q", uri, resp.Status, body, resp.Header.Get("ik-error"), tt.file)
			}
			uri = tt.prefix + tt.rest
			if resp, _ := s.get(t, tt.host, uri); resp.StatusCode != http.StatusUnauthorized {
				t.Errorf("%s, unsigned: got %s, want 401", uri, resp.Status)
			}
		})
	}
}

func TestWhatNeedsASignature(t *testing.T) {
	s := runCaddyfile(t, `
		origin photos folder ROOT
		endpoint default {
			origins photos
		}
		endpoint open {
			origins photos
			sign `+signingKey+` `+otherKey+`
		}
		endpoint all {
			origins photos
			sign private_key_all
			signed_only
		}
		endpoint images {
			origins photos
			sign private_key_images
			signed_only images
			error_status native
		}`, `
		http://:PORT {
			imageorigin
		}`)
	over, soon := time.Now().Unix()-1, time.Now().Unix()+60
	for _, tt := range []struct {
		name, uri string
		status    int
		error     string
	}{
		{"without keys a signature means nothing", "/a.jpg?ik-s=anything&ik-t=1", 200, ""},
		{"none is needed", "/open/a.jpg", 200, ""},
		{"the first key", signedPath(signingKey, "/open/", "a.jpg", imageurl.Never), 200, ""},
		{"a later key", signedPath(otherKey, "/open/", "a.jpg", soon), 200, ""},
		{"a wrong one, where none is needed", signedPath("private_key_all", "/open/", "a.jpg", soon), 401, "EACCES - ik-s: does not fit this URL"},
		{"over, where none is needed", signedPath(signingKey, "/open/", "a.jpg", over), 401, "EACCES - ik-t: the time is over for which this URL was signed"},
		{"twice", "/open/a.jpg?ik-s=1&ik-s=1", 401, "EACCES - ik-s: is given twice"},
		{"a time alone", "/open/a.jpg?ik-t=1900000000", 401, "EACCES - ik-s: is missing beside ik-t"},
		{"no signature", "/all/a.jpg", 401, "EACCES - this endpoint answers signed URLs only, and this one has no signature (ik-s)"},
		{"no signature for a file that isn't there", "/all/nowhere.jpg", 401, "EACCES - this endpoint answers signed URLs only, and this one has no signature (ik-s)"},
		{"no signature, and a mistake", "/all/tr:nonsense-1/a.jpg", 401, "EACCES - this endpoint answers signed URLs only, and this one has no signature (ik-s)"},
		{"signed, and a mistake", signedPath("private_key_all", "/all/", "tr:nonsense-1/a.jpg", soon), 400, "EINVAL - nonsense: unknown parameter"},
		{"signed, and not there", signedPath("private_key_all", "/all/", "nowhere.jpg", soon), 404, "ENOENT - no origin has the file"},
		{"our own form", "/all/a.jpg?" + imageurl.Sign([]byte("private_key_all"), "all", "a.jpg", soon, true), 200, ""},
		{"our own form, of another endpoint", "/all/a.jpg?" + imageurl.Sign([]byte("private_key_all"), "open", "a.jpg", soon, true), 401, "EACCES - ik-s: does not fit this URL"},
		{"a picture", "/images/a.jpg", 401, "EACCES - this endpoint answers signed URLs only, and this one has no signature (ik-s)"},
		{"a picture, signed", signedPath("private_key_images", "/images/", "a.jpg", soon), 200, ""},
		{"no extension", "/images/plain", 401, "EACCES - this endpoint answers signed URLs only, and this one has no signature (ik-s)"},
		{"a video", "/images/clip.mp4", 200, ""},
		{"a video, in another spelling of the extension", "/images/nowhere.MP4", 404, "ENOENT - no origin has the file"},
		{"a video, wrongly signed", "/images/clip.mp4?ik-s=1", 401, "EACCES - ik-s: must be 40 hexadecimal digits in lower case, or sha256: and 64 of them"},
		{"a picture of a URL whose query ends as a video's name", "/images/https://www.example.com/a.jpg%3Fx=.mp4", 401, "EACCES - this endpoint answers signed URLs only, and this one has no signature (ik-s)"},
		{"a transformation of a video", "/images/tr:w-3/clip.mp4", 401, "EACCES - this endpoint answers signed URLs only, and this one has no signature (ik-s)"},
		{"a still of a video", "/images/clip.mp4/ik-thumbnail.jpg", 401, "EACCES - this endpoint answers signed URLs only, and this one has no signature (ik-s)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp, _ := s.get(t, "localhost", tt.uri)
			if got := resp.Header.Get("ik-error"); resp.StatusCode != tt.status || !strings.HasPrefix(got, tt.error) || tt.error == "" && got != "" {
				t.Errorf("%s: got %s %q, want %d %q", tt.uri, resp.Status, got, tt.status, tt.error)
			}
			if control := resp.Header.Get("Cache-Control"); tt.status == 401 && control != "no-store" {
				t.Errorf("%s: Cache-Control: got %q", tt.uri, control)
			}
		})
	}
}

func TestEachChangeOfASignedURLIsRefused(t *testing.T) {
	s := runCaddyfile(t, `
		origin photos folder ROOT
		endpoint default {
			origins photos
			sign `+signingKey+`
			signed_only
		}`, `
		http://:PORT {
			imageorigin
		}`)
	for _, target := range []string{"tr:w-10,h-5/grey.png", "grey.png?tr=w-10%2Ch-5&v=1"} {
		uri := signedPath(signingKey, "/", target, 1900000000)
		if resp, _ := s.get(t, "localhost", uri); resp.StatusCode != 200 {
			t.Fatalf("%s: got %s", uri, resp.Status)
		}
		for i := 1; i < len(uri); i++ {
			for _, c := range []byte("a7/&") {
				changed := uri[:i] + string(c) + uri[i+1:]
				if c == uri[i] {
					continue
				}
				// A percent sign that is no escape any more is refused by Go's server.
				resp, _ := s.get(t, "localhost", changed)
				if resp.StatusCode != http.StatusUnauthorized && (resp.StatusCode != http.StatusBadRequest || resp.Header.Get("ik-error") != "") {
					t.Fatalf("%s: got %s", changed, resp.Status)
				}
			}
		}
	}
}

func TestPrivateOriginalsAreForSignedAndNamedURLs(t *testing.T) {
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 40, 20))); err != nil {
		t.Fatal(err)
	}
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Is-Private-File", "true")
		w.Header().Set("ETag", `"1"`)
		w.Header().Set("Cache-Control", "public, max-age=60")
		_, _ = w.Write(picture.Bytes())
	}))
	t.Cleanup(origin.Close)
	s := runCaddyfile(t, `
		origin store web `+origin.URL+`
		endpoint default {
			origins store
			sign `+signingKey+`
			transform thumb w-10
			cdn_cache_control max-age=99
			cache_control "public, max-age=77"
		}
		endpoint keyless {
			origins store
			transform thumb w-10
		}`, `
		http://:PORT {
			imageorigin
		}`)
	for _, tt := range []struct {
		name, uri string
		status    int
	}{
		{"unsigned", "/a.png", 401},
		{"unsigned, transformed", "/tr:w-20/a.png", 401},
		{"by name", "/tr:n-thumb/a.png", 200},
		{"by name, in the query", "/a.png?tr=n-thumb", 200},
		{"by name and more", "/tr:n-thumb,h-3/a.png", 401},
		{"by name, and more in the query", "/tr:n-thumb/a.png?tr=h-3", 401},
		{"signed", signedPath(signingKey, "/", "a.png", imageurl.Never), 200},
		{"signed for a while", signedPath(signingKey, "/", "a.png", time.Now().Unix()+60), 200},
		{"signed, transformed", signedPath(signingKey, "/", "tr:w-20/a.png", imageurl.Never), 200},
		{"signed and unsigned come in any order", "/tr:w-20/a.png", 401},
		{"no keys", "/keyless/a.png", 401},
		{"no keys, and a signature that nobody can judge", "/keyless/a.png?ik-s=" + strings.Repeat("0", 40), 401},
		{"no keys, by name", "/keyless/tr:n-thumb/a.png", 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp, _ := s.get(t, "localhost", tt.uri)
			want := "private, no-store"
			if tt.status == 401 {
				want = "no-store"
			}
			h := resp.Header
			if resp.StatusCode != tt.status || h.Get("Cache-Control") != want || h.Get("Cdn-Cache-Control") != "" || h.Get("Age") != "" {
				t.Errorf("got %s, Cache-Control %q, CDN-Cache-Control %q, Age %q, want %d and %q", resp.Status, h.Get("Cache-Control"), h.Get("Cdn-Cache-Control"), h.Get("Age"), tt.status, want)
			}
		})
	}
}

func TestSharedKeysAreRefusedUnlessSaid(t *testing.T) {
	t.Setenv("IMAGE_KEY", signingKey)
	endpoint := func(shared bool, keys string) string {
		return fmt.Sprintf(`{"origins": ["a"], "sign": [%s], "shared_key": %t}`, keys, shared)
	}
	for _, tt := range []struct {
		name, a, b, want string
	}{
		{"different keys", endpoint(false, `"private_key_a"`), endpoint(false, `"private_key_b"`), ""},
		{"one key, found out when the config is loaded", endpoint(false, `"{env.IMAGE_KEY}"`), endpoint(false, `"private_key_b", "private_key_test"`), `endpoint "b": sign: endpoint "a" has one of the keys, too`},
		{"said by one", endpoint(true, `"private_key_test"`), endpoint(false, `"private_key_test"`), `endpoint "b": sign: endpoint "a" has one of the keys, too`},
		{"said by the other", endpoint(false, `"private_key_test"`), endpoint(true, `"private_key_test"`), `endpoint "b": sign: endpoint "a" has one of the keys, too`},
		{"said by both", endpoint(true, `"private_key_test"`), endpoint(true, `"private_key_test"`), ""},
		{"an unknown placeholder", endpoint(false, `"{env.NO_SUCH_KEY}"`), endpoint(false, `"private_key_b"`), `endpoint "a": sign: resolving placeholders`},
		{"short", endpoint(false, `"secret"`), endpoint(false, `"private_key_b"`), `endpoint "a": sign: key 1 is shorter than 8 bytes`},
		{"needed without a key", `{"origins": ["a"], "signed_only": "all"}`, endpoint(false, `"private_key_b"`), `endpoint "a": signed_only: no key is set`},
		{"unknown word", `{"origins": ["a"], "signed_only": "some"}`, endpoint(false, `"private_key_b"`), `endpoint "a": signed_only: unknown value "some"; expected images or all`},
		{"url_endpoint", `{"origins": ["a"], "url_endpoint": "cdn.example.com"}`, endpoint(false, `"private_key_b"`), `endpoint "a": url_endpoint: "cdn.example.com" is not a base URL`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := provision(t, `{"origins": {"a": {"source": {"type": "vault"}}}, "endpoints": {"a": `+tt.a+`, "b": `+tt.b+`}}`)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "private_key") {
				t.Errorf("the error tells a key: %v", err)
			}
		})
	}
}

func TestOriginsThatFetchAnythingNeedSignatures(t *testing.T) {
	const anywhere, listed = `{"type": "web_proxy"}`, `{"type": "web_proxy", "hosts": ["images.example.com"]}`
	for _, tt := range []struct{ name, source, options, want string }{
		{"a list", listed, "", ""},
		{"no list", anywhere, "", `endpoint "a": origins: "any" fetches whatever URL it is asked for`},
		{"no list, and keys alone", anywhere, `, "sign": ["private_key_test"]`, "set sign and signed_only"},
		{"no list, and pictures alone", anywhere, `, "sign": ["private_key_test"], "signed_only": "images"`, "set sign and signed_only"},
		{"no list, and signed", anywhere, `, "sign": ["private_key_test"], "signed_only": "all"`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := provision(t, `{"origins": {"any": {"source": `+tt.source+`}}, "endpoints": {"a": {"origins": ["any"]`+tt.options+`}}}`)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}
