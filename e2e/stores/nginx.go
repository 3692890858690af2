package stores

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// NginxServer is a web server with the files of a folder. Unlike the other servers it belongs to one test.
type NginxServer struct {
	Addr string // host:port
	URL  string // http:// and the same

	t       testing.TB
	files   string
	work    string
	gzip    bool
	process *process
	headers map[string]fields // of keys that have some of their own
	written time.Time         // the time that the latest file was given
}

// fields are the headers that a file is answered with.
type fields struct{ contentType, cacheControl string }

// NginxOption changes how nginx answers.
type NginxOption func(*NginxServer)

// Gzip lets nginx compress what clients accept compressed.
func Gzip() NginxOption { return func(n *NginxServer) { n.gzip = true } }

// Nginx starts nginx for the files of dir, which may change at any time.
func Nginx(t testing.TB, dir string, options ...NginxOption) *NginxServer {
	t.Helper()
	n := &NginxServer{t: t, files: dir, work: t.TempDir(), headers: map[string]fields{}, written: time.Now().Add(-24 * time.Hour)}
	for _, option := range options {
		option(n)
	}
	process, addrs, err := onFreePorts(1, func(addrs []string) (*process, error) {
		n.Addr = addrs[0]
		return n.launch()
	})
	must(t, "nginx", err)
	n.process, n.URL = process, "http://"+addrs[0]
	t.Cleanup(func() { n.process.stop() })
	return n
}

// launch starts the process.
func (n *NginxServer) launch() (*process, error) {
	program, err := installed("nginx")
	if err != nil {
		return nil, err
	}
	if err := n.configure(); err != nil {
		return nil, err
	}
	return start(n.work, nil, program, "-p", n.work, "-c", filepath.Join(n.work, "nginx.conf"), "-e", filepath.Join(n.work, "error.log"))
}

// plain are the keys whose headers Put can set: nginx's configuration has an own meaning for other characters.
var plain = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]*$`)

// Put writes a file. With an empty contentType it has that of its extension, as far as nginx is told any; with an empty
// cacheControl none. A file that replaces another one is younger, by a second at least.
func (n *NginxServer) Put(key string, content []byte, contentType, cacheControl string) {
	n.t.Helper()
	name := filepath.Join(n.files, filepath.FromSlash(key))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		n.t.Fatal(err)
	}
	// nginx makes its ETag of time and size, so the time has to differ, and a file must never be seen half written.
	if err := os.WriteFile(filepath.Join(n.work, "new"), content, 0o644); err != nil {
		n.t.Fatal(err)
	}
	n.written = n.written.Add(time.Second)
	if err := os.Chtimes(filepath.Join(n.work, "new"), n.written, n.written); err != nil {
		n.t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(n.work, "new"), name); err != nil {
		n.t.Fatal(err)
	}
	if want := (fields{contentType, cacheControl}); want != n.headers[key] {
		if !plain.MatchString(key) {
			n.t.Fatalf("the key %q can't have headers of its own: choose one of letters, digits and ._/-", key)
		}
		n.headers[key] = want
		n.restart()
	}
}

// Delete removes a file.
func (n *NginxServer) Delete(key string) {
	n.t.Helper()
	if err := os.Remove(filepath.Join(n.files, filepath.FromSlash(key))); err != nil {
		n.t.Fatal(err)
	}
}

// restart lets nginx read its configuration again. Being told to reload, it would go on answering by the old one for a
// moment that nobody knows the end of.
func (n *NginxServer) restart() {
	n.t.Helper()
	n.process.stop()
	var err error
	if n.process, err = n.launch(); err == nil {
		err = n.process.await(listens(n.Addr))
	}
	must(n.t, "nginx", err)
}

// Requests waits until nginx has logged at least so many requests, and returns those that it has: method, target as it
// came, status, bytes sent, and the headers X-Req-From and Range of the request, separated by spaces, "-" for none.
func (n *NginxServer) Requests(atLeast int) []string {
	n.t.Helper()
	var lines []string
	for range 500 {
		data, err := os.ReadFile(filepath.Join(n.work, "access.log"))
		if err != nil {
			n.t.Fatal(err)
		}
		lines = strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
		if lines[0] == "" {
			lines = nil
		}
		if len(lines) >= atLeast {
			return lines
		}
		time.Sleep(10 * time.Millisecond)
	}
	n.t.Fatalf("nginx logged %d requests, want %d:\n%s", len(lines), atLeast, strings.Join(lines, "\n"))
	return nil
}

// configure writes the configuration.
func (n *NginxServer) configure() error {
	var types, caching strings.Builder
	for key, f := range n.headers {
		if f.contentType != "" {
			fmt.Fprintf(&types, "\t\tlocation = /%s { default_type %q; types { } try_files $uri =404; }\n", key, f.contentType)
		}
		if f.cacheControl != "" {
			fmt.Fprintf(&caching, "\t\t/%s %q;\n", key, f.cacheControl)
		}
	}
	user := ""
	if os.Getuid() == 0 {
		user = "user root;\n" // nobody else may look into the folders of tests
	}
	gzip := "off"
	if n.gzip {
		gzip = "on"
	}
	host, port, err := net.SplitHostPort(n.Addr)
	if err != nil {
		return err
	}
	text := strings.NewReplacer(
		"USER\n", user, "WORK", n.work, "FILES", n.files, "GZIP", gzip, "LISTEN", net.JoinHostPort(host, port),
		"TYPES\n", types.String(), "CACHING\n", caching.String(),
	).Replace(nginxConf)
	return os.WriteFile(filepath.Join(n.work, "nginx.conf"), []byte(text), 0o600)
}

// nginxConf is the configuration, before its capitals are replaced. Folders are never listed nor redirected to, so that
// their names are missing ones, as in a bucket.
const nginxConf = `USER
daemon off;
worker_processes 1;
pid "WORK/nginx.pid";
error_log "WORK/error.log" warn;
events {
	worker_connections 512;
}
http {
	client_body_temp_path "WORK/body";
	proxy_temp_path "WORK/proxy";
	fastcgi_temp_path "WORK/fastcgi";
	uwsgi_temp_path "WORK/uwsgi";
	scgi_temp_path "WORK/scgi";

	log_format short escape=none '$request_method $request_uri $status $body_bytes_sent $from $range';
	map $http_x_req_from $from {
		"" -;
		default $http_x_req_from;
	}
	map $http_range $range {
		"" -;
		default $http_range;
	}
	map $uri $caching {
		default "";
CACHING
	}
	access_log "WORK/access.log" short;

	types {
		image/jpeg jpg jpeg;
		image/png png;
		image/gif gif;
		image/webp webp;
		image/svg+xml svg;
		text/plain txt;
	}
	default_type application/octet-stream;
	etag on;
	sendfile on;
	gzip GZIP;
	gzip_types *;
	gzip_min_length 1;
	gzip_proxied any;

	server {
		listen LISTEN;
		server_name _;
		root "FILES";
		merge_slashes off;
		add_header Cache-Control $caching;
		location / {
			try_files $uri =404;
		}
TYPES
	}
}
`
