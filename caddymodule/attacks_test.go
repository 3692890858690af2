package caddymodule

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"golang.org/x/net/http/httpguts"

	"github.com/imageorigin/imageorigin/internal/delivery"
	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax"
)

// attack 7: nothing makes a tunnel of this handler. Other methods are refused before anything is looked up, even where the
// next handler would be asked for what is missing, and a wish to change the protocol is not heard.
func TestNothingMakesATunnelOfTheHandler(t *testing.T) {
	for _, method := range []string{"CONNECT", "OPTIONS", "TRACE", "POST", "PUT", "PATCH", "DELETE", "PURGE", "PROPFIND", "get", "PRI"} {
		for _, passThru := range []bool{false, true} {
			r := httptest.NewRequest(http.MethodGet, "/a.jpg", nil)
			r.Method = method
			r.Header.Set(":protocol", "websocket") // an extended CONNECT of HTTP/2 (RFC 8441)
			w, err := ask(t, nil, passThru, func(*delivery.Request) (*delivery.Response, error) {
				t.Errorf("%s is delivered", method)
				return picture(), nil
			}, r)
			if err != nil || w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD" {
				t.Errorf("%s: got %d, %v", method, w.Code, err)
			}
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/a.jpg", nil)
	for name, value := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-Websocket-Version": "13", "Sec-Websocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="} {
		r.Header.Set(name, value)
	}
	w, err := ask(t, nil, false, always(picture()), r)
	if err != nil || w.Code != 200 || w.Header().Get("Upgrade") != "" || w.Body.String() != "0123456789" {
		t.Errorf("an upgrade: got %d %q, %v", w.Code, w.Body, err)
	}
}

// hostile are texts that would be more than a value if they came into a header as they are.
var hostile = []string{
	"a\r\nSet-Cookie: x=1\r\n\r\n<script>", "a\nInjected: 1", "a\rInjected: 1", "a\x00b", "a\x1b[31mb", "a\x7fb", "\u202egpj.exe", "caf\u00e9",
	"\xff\xfe", `a"; filename="b`, `a>; rel="x"`, "a, b; c=\"d", strings.Repeat("x", 3000), "\u2028a", "a\tb", `\"`, "=?utf-8?q?a?=",
}

// attack 28: whatever a URL, an origin or an error says, an answer has the headers that it should have, and each is one.
func TestNoTextBecomesAHeaderOfItsOwn(t *testing.T) {
	for i, text := range hostile {
		escaped := url.PathEscape(text)
		for _, tt := range []struct {
			name, target string
			answer       deliverFunc
		}{
			{"the key, as a file's name", "/x/" + escaped + ".jpg?ik-attachment=true", always(picture())},
			{"a file's name that was asked for", "/a.jpg?ik-attachment=true&ik-attachment-filename=" + escaped, always(picture())},
			{"the key, as a canonical URL", "/a.jpg", func(*delivery.Request) (*delivery.Response, error) {
				resp := picture()
				resp.Origin.Canonical = origins.Canonical("https://www.example.com", text)
				return resp, nil
			}},
			{"a transformation", "/tr:" + escaped + "-1/a.jpg", always(picture())},
			{"an unknown value", "/a.jpg?tr=f-" + escaped, always(picture())},
			{"an error", "/a.jpg", func(*delivery.Request) (*delivery.Response, error) {
				return nil, &syntax.Error{Param: text, Msg: text}
			}},
			{"a limit", "/a.jpg", func(*delivery.Request) (*delivery.Response, error) {
				return nil, &plan.LimitError{Limit: "output_side", Msg: text}
			}},
			{"an origin's error", "/a.jpg", func(*delivery.Request) (*delivery.Response, error) {
				return nil, &origins.Error{Kind: origins.Denied, Origin: text, Key: text, Err: errors.New(text), Remedy: text}
			}},
			{"an engine's error", "/a.jpg", func(*delivery.Request) (*delivery.Response, error) {
				return nil, &transform.Error{Kind: transform.Broken, Op: text, Err: errors.New(text)}
			}},
			{"a warning", "/a.jpg", func(*delivery.Request) (*delivery.Response, error) {
				resp := picture()
				resp.Warnings = []string{text}
				return resp, nil
			}},
			{"what an origin says", "/a.jpg", func(*delivery.Request) (*delivery.Response, error) {
				resp := picture()
				resp.ContentType, resp.Image = text, false
				resp.Origin.ContentType, resp.Origin.CacheControl, resp.Origin.ETag, resp.Origin.Tags = text, text, text, text
				return resp, nil
			}},
		} {
			t.Run(fmt.Sprintf("%s %d", tt.name, i), func(t *testing.T) {
				checkHeaders(t, tt.target, tt.answer)
			})
		}
	}
}

// checkHeaders answers through a real server and reads what came with no more understanding than a cache in front has.
func checkHeaders(t *testing.T, target string, answer deliverFunc) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, err := ask(t, &Endpoint{CacheControl: "origin", CDNTags: "cache-tag"}, false, answer, r)
		if err != nil {
			t.Error(err)
		}
		maps.Copy(w.Header(), got.Header())
		w.WriteHeader(got.Code)
		_, _ = w.Write(got.Body.Bytes())
	}))
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", target)
	raw, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	head, _, ok := bytes.Cut(raw, []byte("\r\n\r\n"))
	if !ok {
		t.Fatalf("no end of headers in %q", raw)
	}
	known := []string{
		"Vary", "Content-Type", "X-Content-Type-Options", "Cache-Control", "Cache-Status", "Etag", "Content-Security-Policy", "Content-Disposition", "Age",
		"Access-Control-Allow-Origin", "Link", "Ik-Error", "Ik-Warning", "Server-Timing", "Last-Modified", "Accept-Ranges", "Content-Length", "Date", "Connection", "Cache-Tag",
	}
	lines := bufio.NewScanner(bytes.NewReader(head))
	lines.Buffer(nil, 1<<20)
	lines.Scan() // the status
	for lines.Scan() {
		name, value, ok := strings.Cut(lines.Text(), ": ")
		if !ok || !slices.Contains(known, name) {
			t.Errorf("%s: a header of its own: %q", target, lines.Text())
		}
		if !httpguts.ValidHeaderFieldValue(value) || strings.ContainsFunc(value, func(r rune) bool { return r > 0x7e }) {
			t.Errorf("%s: %s is %q", target, name, value)
		}
		switch name {
		case "Content-Disposition":
			if kind, parameters, err := mime.ParseMediaType(value); err != nil || kind != "attachment" || len(parameters) != 1 {
				t.Errorf("%s: %s is %q", target, name, value)
			}
		case "Link":
			if strings.Count(value, "<") != 1 || strings.Count(value, ">") != 1 || !strings.HasSuffix(value, `>; rel="canonical"`) || strings.Count(value, `"`) != 2 {
				t.Errorf("%s: %s is %q", target, name, value)
			}
		}
	}
}

// attack 28: sites put {err.message}, which quotes the URL, into pages of HTML and JSON as it is.
func TestNoTextBecomesMarkupOfErrorPages(t *testing.T) {
	const text = `<script>alert("1")</script>&'`
	answering := caddyhttp.Route{Handlers: []caddyhttp.MiddlewareHandler{new(caddyhttp.StaticResponse)}}
	server := &caddyhttp.Server{Errors: &caddyhttp.HTTPErrorConfig{Routes: caddyhttp.RouteList{answering}}}
	for _, target := range []string{"/tr:" + url.PathEscape(text) + "-1/a.jpg", "/a.jpg?tr=f-" + url.QueryEscape(text), "/a.jpg?ik-attachment=" + url.QueryEscape(text)} {
		r := httptest.NewRequest(http.MethodGet, target, nil)
		r = r.WithContext(context.WithValue(r.Context(), caddyhttp.ServerCtxKey, server))
		w, err := ask(t, nil, false, always(picture()), r)
		e, ok := errors.AsType[caddyhttp.HandlerError](err)
		if !ok || e.StatusCode != 400 {
			t.Fatalf("%s: got %v", target, err)
		}
		if said := e.Err.Error(); strings.ContainsAny(said, `<>"'`) || !strings.HasPrefix(said, "EINVAL - ") {
			t.Errorf("%s: {err.message} is %s", target, said)
		}
		if w.Header().Get("Ik-Error") == "" {
			t.Errorf("%s: no ik-error", target)
		}
	}
}

// attack 29: HEAD says what GET would, status and headers alike, of whatever comes, failures among it.
func TestHEADIsGETWithoutABody(t *testing.T) {
	faults := map[string]error{
		"a mistake": &syntax.Error{Param: "w", Msg: "is no width"}, "a limit": &plan.LimitError{Msg: "too wide"}, "anything else": errors.New("x"),
	}
	for kind := range originFaults {
		if kind != origins.Canceled {
			faults["origin: "+kind.String()] = &origins.Error{Kind: kind, Err: errors.New("x")}
		}
	}
	for kind := range engineFaults {
		if kind != transform.Canceled {
			faults[fmt.Sprintf("engine: %v", kind)] = &transform.Error{Kind: kind, Err: errors.New("x")}
		}
	}
	answers := map[string]deliverFunc{}
	for name, err := range faults {
		answers[name] = func(*delivery.Request) (*delivery.Response, error) { return nil, err }
	}
	for name, change := range map[string]func(*delivery.Response){
		"a picture":    func(*delivery.Response) {},
		"a stand-in":   func(r *delivery.Response) { r.Missing = &origins.Error{Kind: origins.NotExist} },
		"private":      func(r *delivery.Response) { r.Origin.Private = true },
		"unknown size": func(r *delivery.Response) { r.Size = -1 },
		"active":       func(r *delivery.Response) { r.ContentType, r.Image = "text/html", false },
		"no tag":       func(r *delivery.Response) { r.ETag = "" },
		"empty":        func(r *delivery.Response) { r.Size, r.Content = 0, content{bytes.NewReader(nil)} },
	} {
		answers[name] = func(*delivery.Request) (*delivery.Response, error) {
			resp := picture()
			change(resp)
			return resp, nil
		}
	}
	for name, answer := range answers {
		for _, headers := range [][]string{nil, {"If-None-Match", `"tag"`}, {"If-Match", `"other"`}, {"If-Modified-Since", "Thu, 02 Jan 2020 03:04:05 GMT"}} {
			for _, target := range []string{"/a.jpg", "/a.jpg?ik-attachment=true", "/tr:nonsense-1/a.jpg"} {
				var got [2]*httptest.ResponseRecorder
				for i, method := range []string{http.MethodGet, http.MethodHead} {
					r := httptest.NewRequest(method, target, nil)
					if headers != nil {
						r.Header.Set(headers[0], headers[1])
					}
					var err error
					if got[i], err = ask(t, nil, false, answer, r); err != nil {
						t.Fatal(err)
					}
				}
				get, head := got[0], got[1]
				if head.Code != get.Code || head.Body.Len() != 0 || !maps.EqualFunc(head.Header(), get.Header(), slices.Equal) {
					t.Errorf("%s of %s with %q:\nHEAD %d %v, %d bytes\nGET  %d %v", target, name, headers, head.Code, head.Header(), head.Body.Len(), get.Code, get.Header())
				}
			}
		}
	}
}

// attack 30: however many ranges are asked for, an answer is hardly longer than the file, and each part is where it says.
func TestRangesNeverCostMoreThanTheFile(t *testing.T) {
	const body = "0123456789"
	many := func(spec string, n int) string {
		return "bytes=" + strings.TrimSuffix(strings.Repeat(spec+",", n), ",")
	}
	for _, tt := range []struct {
		name, value string
		status      int
		parts       string // of the body, joined by "|"
	}{
		{"a thousand", many("0-0", 1000), 200, body},
		{"a hundred thousand", many("0-", 100_000), 200, body},
		{"six", many("1-2", 6), 200, body},
		{"the whole five times", many("0-", 5), 200, body},
		{"overlapping, longer than the file", "bytes=0-5,1-6", 200, body},
		{"overlapping, shorter than the file", "bytes=0-3,2-5", 206, "0123|2345"},
		{"backwards", "bytes=8-9,0-1", 206, "89|01"},
		{"one of two is behind the end", "bytes=0-1,10-", 206, "01"},
		{"both are behind the end", "bytes=10-,11-12", 416, ""},
		{"the last none", "bytes=-0", 416, ""},
		{"the last none, and a byte", "bytes=-0,0-0", 206, "0"},
		{"the last none, of this version", "bytes=-0", 416, ""},
		{"more than there is, from the end", "bytes=-99999999999", 206, body},
		{"beyond the end", "bytes=5-99999999999", 206, "56789"},
		{"behind the end", "bytes=10-", 416, ""},
		{"the largest number", "bytes=9223372036854775807-", 416, ""},
		{"larger than numbers are", "bytes=9223372036854775808-", 200, body},
		{"nothing", "bytes=", 200, body},
		{"nothing among something", "bytes=0-0,,", 200, body},
		{"below nothing", "bytes=--1", 200, body},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/tr:w-10/a.jpg", nil)
			r.Header.Set("Range", tt.value)
			if strings.HasSuffix(tt.name, "of this version") {
				r.Header.Set("If-Range", `"tag"`)
			}
			w, err := ask(t, nil, false, always(picture()), r)
			if err != nil || w.Code != tt.status {
				t.Fatalf("got %d, %v; want %d", w.Code, err, tt.status)
			}
			if tt.status == 416 {
				if got := w.Header().Get("Content-Range"); got != "bytes */10" {
					t.Errorf("Content-Range: %q", got)
				}
				return
			}
			if got := rangesSent(t, w); got != tt.parts {
				t.Errorf("got %q, want %q", got, tt.parts)
			}
		})
	}
}

// rangesSent returns the parts of an answer, joined by "|".
func rangesSent(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	kind, parameters, _ := mime.ParseMediaType(w.Header().Get("Content-Type"))
	if kind != "multipart/byteranges" {
		return w.Body.String()
	}
	var parts []string
	for reader := multipart.NewReader(w.Body, parameters["boundary"]); ; {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			return strings.Join(parts, "|")
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(part)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, string(content))
	}
}

// attack 13: headers that proxies add say nothing about which endpoint, which file or which result is meant.
func TestHeadersOfProxiesMeanNothing(t *testing.T) {
	var plainly delivery.Request
	for i, headers := range [][]string{
		nil,
		{"X-Forwarded-Host", "evil.example"},
		{"Forwarded", "host=evil.example;proto=https"},
		{"X-Host", "evil.example"},
		{"X-Original-Url", "/secret.jpg"},
		{"X-Rewrite-Url", "/secret.jpg"},
		{"X-Forwarded-Prefix", "/secret"},
		{"X-Forwarded-Proto", "https"},
		{"X-Http-Method-Override", "DELETE"},
		{"Cookie", "session=1"},
		{"Authorization", "Bearer x"},
		{"Accept-Language", "de"},
		{"User-Agent", "x"},
		{"Origin", "https://evil.example"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/tr:w-10/a.jpg?v=1", nil)
		if headers != nil {
			r.Header.Set(headers[0], headers[1])
		}
		var got delivery.Request
		if _, err := ask(t, nil, false, func(req *delivery.Request) (*delivery.Response, error) {
			got = *req
			return picture(), nil
		}, r); err != nil {
			t.Fatal(err)
		}
		got.Endpoint = nil // another one each time
		if i == 0 {
			plainly = got
		}
		if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", plainly) {
			t.Errorf("%q: got %+v, want %+v", headers, got, plainly)
		}
	}
}
