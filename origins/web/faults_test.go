package web

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/remote"
)

// speaking starts a server that reads one request on each connection and then does as speak says. It returns the URL.
func speaking(t *testing.T, speak func(c *net.TCPConn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan struct{})
	go func() {
		defer close(accepted)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
					speak(c.(*net.TCPConn))
				}
			}()
		}
	}()
	t.Cleanup(func() { l.Close(); <-accepted })
	return "http://" + l.Addr().String()
}

// say writes text and waits for the client to go.
func say(text string) func(*net.TCPConn) {
	return func(c *net.TCPConn) {
		io.WriteString(c, text)
		io.Copy(io.Discard, c)
	}
}

// sayAndClose writes text and closes.
func sayAndClose(text string) func(*net.TCPConn) {
	return func(c *net.TCPConn) { io.WriteString(c, text) }
}

// sayAndReset writes text and breaks the connection.
func sayAndReset(text string) func(*net.TCPConn) {
	return func(c *net.TCPConn) {
		io.WriteString(c, text)
		time.Sleep(10 * time.Millisecond) // lest the reset overtakes the text
		c.SetLinger(0)
	}
}

func originAtURL(t *testing.T, url string) *Origin {
	t.Helper()
	transport, err := remote.NewTransport(remote.TransportConfig{ConnectTimeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transport.CloseIdleConnections)
	return newOrigin(t, Config{BaseURL: url, Transport: transport})
}

func TestFaultsBeforeAnAnswer(t *testing.T) {
	for _, tt := range []struct {
		name  string
		speak func(*net.TCPConn)
		want  origins.Kind
	}{
		{"says nothing", say(""), origins.Timeout},
		{"stops in the status line", say("HTTP/1.1 20"), origins.Timeout},
		{"stops in the headers", say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"), origins.Timeout},
		{"hangs up", sayAndClose(""), origins.Unreachable},
		{"hangs up in the headers", sayAndClose("HTTP/1.1 200 OK\r\nContent-"), origins.Unreachable},
		{"resets", sayAndReset(""), origins.Unreachable},
		{"speaks another protocol", sayAndClose("220 mail.example.com ESMTP\r\n"), origins.Unreachable},
		{"has headers without end", sayAndClose("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 1<<20)), origins.Unreachable},
		{"has two lengths", sayAndClose("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"), origins.Unreachable},
		{"refuses, and never ends its page", say("HTTP/1.1 404 Not Found\r\nContent-Length: 99\r\n\r\nsorry"), origins.NotExist},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := origins.Limit(originAtURL(t, speaking(t, tt.speak)), 0, time.Second)
			_, err := o.Open(t.Context(), origins.Request{Key: "a.jpg"})
			if err == nil || origins.KindOf(err) != tt.want {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestFaultsWithinABody(t *testing.T) {
	const half = "0123456789"
	for _, tt := range []struct {
		name  string
		speak func(*net.TCPConn)
		want  origins.Kind
	}{
		{"hangs up", sayAndClose("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n" + half), origins.Unreachable},
		{"resets", sayAndReset("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n" + half), origins.Unreachable},
		{"falls silent", say("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n" + half), origins.Timeout},
		{"hangs up between chunks", sayAndClose("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n" + half + "\r\n"), origins.Unreachable},
		{"hangs up in a chunk", sayAndClose("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n" + half), origins.Unreachable},
		{"has a bad chunk", sayAndClose("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n" + half + "\r\nmoon\r\n"), origins.Unreachable},
		{"drips", func(c *net.TCPConn) {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"+half)
			for {
				if _, err := c.Write([]byte{'x'}); err != nil {
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
		}, origins.Timeout},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := origins.Limit(originAtURL(t, speaking(t, tt.speak)), 0, 300*time.Millisecond)
			obj, err := o.Open(t.Context(), origins.Request{Key: "a.jpg"})
			if err != nil {
				t.Fatal(err)
			}
			defer obj.Body.Close()
			content, err := io.ReadAll(obj.Body)
			if err == nil || origins.KindOf(err) != tt.want {
				t.Errorf("got %q and %v, want %v", content, err, tt.want)
			}
			if !strings.HasPrefix(string(content), half) && tt.name != "resets" {
				t.Errorf("got %q, want what came before the fault", content)
			}
		})
	}
}

func TestBodyThatIsAbortedFailsOverEveryProtocol(t *testing.T) {
	abort := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "20")
		io.WriteString(w, "0123456789")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	for name, start := range map[string]func(http.Handler) *httptest.Server{"http/1.1": httptest.NewServer, "http/2": startHTTP2} {
		server := start(abort)
		obj, err := originAt(t, server, "").Open(t.Context(), origins.Request{Key: "a.jpg"})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if content, err := io.ReadAll(obj.Body); err == nil || origins.KindOf(err) != origins.Unreachable {
			t.Errorf("%s: got %q and %v, want unreachable", name, content, err)
		}
		obj.Body.Close()
		server.Close()
	}
}

func TestNobodyThereIsUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	for _, url := range []string{"http://" + l.Addr().String(), "https://" + l.Addr().String()} {
		_, err := originAtURL(t, url).Open(t.Context(), origins.Request{Key: "a.jpg"})
		if err == nil || origins.KindOf(err) != origins.Unreachable {
			t.Errorf("%s: got %v, want unreachable", url, err)
		}
	}
}

func TestSilenceInTheHandshakeEndsWithTheConnectTimeout(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // the system accepts, and nobody answers
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	transport, err := remote.NewTransport(remote.TransportConfig{ConnectTimeout: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	_, err = newOrigin(t, Config{BaseURL: "https://" + l.Addr().String(), Transport: transport}).Open(t.Context(), origins.Request{Key: "a.jpg"})
	if err == nil || origins.KindOf(err) != origins.Timeout {
		t.Errorf("got %v, want timeout", err)
	}
}

func TestCancelEndsWhatBlocks(t *testing.T) {
	t.Run("opening", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		url := speaking(t, func(c *net.TCPConn) {
			cancel()
			io.Copy(io.Discard, c)
		})
		_, err := originAtURL(t, url).Open(ctx, origins.Request{Key: "a.jpg"})
		if err == nil || origins.KindOf(err) != origins.Canceled {
			t.Errorf("got %v, want canceled", err)
		}
	})
	t.Run("reading", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		url := speaking(t, say("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n0123456789"))
		obj, err := originAtURL(t, url).Open(ctx, origins.Request{Key: "a.jpg"})
		if err != nil {
			t.Fatal(err)
		}
		defer obj.Body.Close()
		if _, err := io.ReadFull(obj.Body, make([]byte, 10)); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(20*time.Millisecond, cancel)
		_, err = obj.Body.Read(make([]byte, 10))
		if err == nil || origins.KindOf(err) != origins.Canceled {
			t.Errorf("got %v, want canceled", err)
		}
	})
}

func TestErrorsTellNoSecret(t *testing.T) {
	refused, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused.Close()
	for _, url := range []string{
		"http://" + refused.Addr().String(),
		speaking(t, sayAndClose("")),
		speaking(t, sayAndClose("nonsense\r\n")),
		speaking(t, sayAndClose("HTTP/1.1 403 Forbidden\r\nWWW-Authenticate: Basic realm=hunter2\r\n\r\nhunter2")),
		speaking(t, sayAndClose("HTTP/1.1 302 Found\r\nLocation: http://other.test/?sig=hunter2\r\n\r\n")),
		speaking(t, sayAndClose("HTTP/1.1 200 OK\r\nContent-Encoding: moon\r\n\r\nhunter2")),
	} {
		o := originAtURL(t, url)
		withSecrets := newOrigin(t, Config{
			BaseURL: url, Transport: o.transport,
			Header: map[string]string{"X-Token": "hunter2"}, Auth: Auth{User: "user", Password: "hunter2"},
		})
		_, err := withSecrets.Open(t.Context(), origins.Request{Key: "a.jpg", Query: "token=hunter2"})
		if err == nil || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "aHVudGVyMg") {
			t.Errorf("%s: got %v, want an error without a secret", url, err)
		}
	}
}

func TestConnectionIsKeptWhereFilesAreMissing(t *testing.T) {
	connections := 0
	server := httptest.NewUnstartedServer(newSite(map[string][]byte{"a.jpg": []byte("content")}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections++
		}
	}
	server.Start()
	o := originAt(t, server, "/media")
	for _, key := range []string{"missing.jpg", "a.jpg", "missing.jpg", "a.jpg", "missing.jpg"} {
		obj, err := o.Open(t.Context(), origins.Request{Key: key})
		if err != nil {
			continue
		}
		_, err = io.Copy(io.Discard, obj.Body)
		if err := errors.Join(err, obj.Body.Close()); err != nil {
			t.Fatal(err)
		}
	}
	server.Close() // after which nobody writes connections
	if connections != 1 {
		t.Errorf("five requests took %d connections, want 1", connections)
	}
}
