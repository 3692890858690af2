package e2e

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// commands are what the scripts can say beside testscript's own:
//
//	picture FILE WxH            make a picture whose colours tell the place
//	truncate FROM TO BYTES      copy the first bytes of a file
//	caddy ARGS…                 start the binary; it is stopped at the script's end
//	admin ARGS…                 run the binary to its end with the admin address, as `caddy reload`
//	get [-m METHOD] [-h 'Name: value']… URL
//	                            ask; status and headers become stdout, the body the file "body"
//	size WxH FORMAT             the body is such a picture
//	logged TEXT                 the running Caddy has logged TEXT (waits a little)
var commands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"picture":  cmdPicture,
	"truncate": cmdTruncate,
	"caddy":    cmdCaddy,
	"admin":    cmdAdmin,
	"get":      cmdGet,
	"size":     cmdSize,
	"logged":   cmdLogged,
}

type serverKey struct{}

// setup gives every script its own ports, $PORT, $PORT2, $PORT3 and $ADMIN (host:port), and the binary, $CADDY, for
// commands that end by themselves: exec $CADDY …
func setup(env *testscript.Env) error {
	ports, err := freePorts(4)
	if err != nil {
		return err
	}
	for i, name := range []string{"PORT", "PORT2", "PORT3"} {
		env.Setenv(name, strconv.Itoa(ports[i]))
	}
	env.Setenv("CADDY", caddyBinary)
	env.Setenv("ADMIN", fmt.Sprintf("127.0.0.1:%d", ports[3]))
	env.Values[serverKey{}] = new(*server)
	return nil
}

func cmdPicture(ts *testscript.TestScript, neg bool, args []string) {
	var width, height int
	if len(args) != 2 || neg {
		ts.Fatalf("usage: picture FILE WxH")
	}
	_, err := fmt.Sscanf(args[1], "%dx%d", &width, &height)
	ts.Check(err)
	ts.Check(writePicture(ts.MkAbs(args[0]), width, height))
}

func cmdTruncate(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 || neg {
		ts.Fatalf("usage: truncate FROM TO BYTES")
	}
	n, err := strconv.Atoi(args[2])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(ts.ReadFile(args[0])[:n]), 0o600))
}

// environ is what the binary sees: the script's ports, for {$PORT} in Caddyfiles.
func environ(ts *testscript.TestScript) []string {
	var env []string
	for _, name := range []string{"PATH", "HOME", "PORT", "PORT2", "PORT3", "ADMIN", "WORK"} {
		env = append(env, name+"="+ts.Getenv(name))
	}
	return env
}

func cmdCaddy(ts *testscript.TestScript, neg bool, args []string) {
	slot := ts.Value(serverKey{}).(**server)
	if *slot != nil {
		ts.Fatalf("caddy runs already")
	}
	s, err := startCaddy(ts.MkAbs("."), "127.0.0.1:"+ts.Getenv("PORT"), environ(ts), args...)
	if neg {
		if err == nil {
			s.stop()
			ts.Fatalf("caddy started")
		}
		fmt.Fprintln(ts.Stdout(), err)
		return
	}
	ts.Check(err)
	*slot = s
	ts.Defer(func() {
		s.stop()
		ts.Logf("caddy said:\n%s", s.log.String())
	})
}

func cmdAdmin(ts *testscript.TestScript, neg bool, args []string) {
	args = append(args, "--address", ts.Getenv("ADMIN"))
	if err := ts.Exec(caddyBinary, args...); (err == nil) == neg {
		ts.Fatalf("caddy %s: %v", strings.Join(args, " "), err)
	}
}

func cmdGet(ts *testscript.TestScript, neg bool, args []string) {
	req, err := http.NewRequest(http.MethodGet, "", nil)
	ts.Check(err)
	for len(args) > 1 {
		switch args[0] {
		case "-m":
			req.Method = args[1]
		case "-h":
			name, value, _ := strings.Cut(args[1], ": ")
			if name == "Host" {
				req.Host = value
			}
			req.Header.Set(name, value)
		default:
			ts.Fatalf("get: unknown flag %s", args[0])
		}
		args = args[2:]
	}
	if len(args) != 1 || neg {
		ts.Fatalf("usage: get [-m METHOD] [-h 'Name: value']... URL")
	}
	target, err := http.NewRequest(http.MethodGet, args[0], nil)
	ts.Check(err)
	req.URL = target.URL
	if req.Host == "" {
		req.Host = target.Host
	}
	client := http.Client{
		Timeout:       30 * time.Second,
		Transport:     &http.Transport{DisableCompression: true, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	ts.Check(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		fmt.Fprintln(ts.Stdout(), "broken off:", err)
	}
	ts.Check(os.WriteFile(ts.MkAbs("body"), body, 0o600))
	fmt.Fprintln(ts.Stdout(), resp.Status)
	var lines []string
	for name, values := range resp.Header {
		lines = append(lines, name+": "+strings.Join(values, ", "))
	}
	slices.Sort(lines)
	fmt.Fprintln(ts.Stdout(), strings.Join(lines, "\n"))
}

func cmdSize(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 || neg {
		ts.Fatalf("usage: size WxH FORMAT")
	}
	width, height, format, err := measure([]byte(ts.ReadFile("body")))
	ts.Check(err)
	if got := fmt.Sprintf("%dx%d", width, height); got != args[0] || format != args[1] {
		ts.Fatalf("the body is %s %s, want %s %s", format, got, args[1], args[0])
	}
}

func cmdLogged(ts *testscript.TestScript, neg bool, args []string) {
	s := *ts.Value(serverKey{}).(**server)
	for deadline := time.Now().Add(3 * time.Second); !neg; time.Sleep(20 * time.Millisecond) {
		if strings.Contains(s.log.String(), args[0]) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("not logged: %s", args[0])
		}
	}
	if strings.Contains(s.log.String(), args[0]) {
		ts.Fatalf("logged: %s", args[0])
	}
}
