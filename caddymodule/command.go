package caddymodule

import (
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/url"
	"strconv"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/spf13/cobra"
	"go.uber.org/zap"
)

func init() {
	caddycmd.RegisterCommand(caddycmd.Command{
		Name:  appName,
		Usage: "<command>",
		Short: "Serves and transforms pictures",
		Long:  "Commands of imageorigin, the image server. Each tells its options with --help.",
		CobraFunc: func(cmd *cobra.Command) {
			cmd.AddCommand(serveCommand(), checkCommand(), explainCommand(), paramsCommand(), transformCommand(), purgeCommand(), statusCommand(), signCommand(), verifyCommand())
			cmd.Args = cobra.NoArgs // so that a mistyped command is an error
			cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		},
	})
}

// serveCommand returns `caddy imageorigin serve`.
func serveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve [--root <dir>] [--origin <url>]... [--listen <addr>] [--domain <host>] [--access-log] [--debug]",
		Short: "Serves a folder of pictures, and what web servers have, resized by URL",
		Long: `
Serves the pictures of a folder: /photos/red.jpg as it is, and
/tr:w-300,h-200/photos/red.jpg in another size.

Each --origin is a web server that is asked, in order, for files that the
folder doesn't have. Without --root and --origin the current folder is served.

Without --domain the server listens on :8080 and speaks HTTP. With --domain it
listens on the HTTPS port and gets a certificate by itself; A/AAAA records
must point to this machine.

The admin endpoint is off: this is for demos and development, and for sites
that need no more than this.`,
		Example: "  caddy imageorigin serve --root ./photos --origin https://www.example.com",
		Args:    cobra.NoArgs,
		RunE:    caddycmd.WrapCommandFuncForCobra(runServe),
	}
	cmd.Flags().StringP("root", "r", "", "Folder with the pictures")
	cmd.Flags().StringArrayP("origin", "o", nil, "Base URL of a web server behind the folder; repeat for more")
	cmd.Flags().StringP("listen", "l", "", "Address to listen on")
	cmd.Flags().StringP("domain", "d", "", "Domain name to serve, over HTTPS")
	cmd.Flags().BoolP("access-log", "a", false, "Write an access log")
	cmd.Flags().BoolP("debug", "v", false, "Write debug logs")
	return cmd
}

// runServe runs until the process is killed.
func runServe(flags caddycmd.Flags) (int, error) {
	caddy.TrapSignals()
	urls, err := flags.GetStringArray("origin")
	if err != nil {
		return caddy.ExitCodeFailedStartup, fmt.Errorf("reading --origin: %w", err)
	}
	s := serveOptions{
		root:      flags.String("root"),
		urls:      urls,
		listen:    flags.String("listen"),
		domain:    flags.String("domain"),
		accessLog: flags.Bool("access-log"),
		debug:     flags.Bool("debug"),
	}
	config, err := s.config()
	if err != nil {
		return caddy.ExitCodeFailedStartup, err
	}
	if err := caddy.Run(config); err != nil {
		return caddy.ExitCodeFailedStartup, err
	}
	log.Printf("imageorigin serves %s", s)
	select {}
}

// serveOptions are the flags of `caddy imageorigin serve`.
type serveOptions struct {
	root, listen, domain string
	urls                 []string
	accessLog, debug     bool
}

// String says what is served where.
func (s serveOptions) String() string {
	text := "web servers"
	if root := s.folder(); root != "" {
		text = root
	}
	if s.domain != "" {
		return fmt.Sprintf("%s on https://%s (%s)", text, s.domain, s.address())
	}
	return fmt.Sprintf("%s on %s", text, s.address())
}

// folder returns the folder that is served; "" is none.
func (s serveOptions) folder() string {
	if s.root == "" && len(s.urls) == 0 {
		return "."
	}
	return s.root
}

func (s serveOptions) address() string {
	switch {
	case s.listen != "":
		return s.listen
	case s.domain != "":
		return ":" + strconv.Itoa(caddyhttp.DefaultHTTPSPort)
	}
	return ":8080"
}

// config returns the Caddy config that the flags describe.
func (s serveOptions) config() (*caddy.Config, error) {
	app, err := s.app()
	if err != nil {
		return nil, err
	}
	route := caddyhttp.Route{HandlersRaw: []json.RawMessage{
		caddyconfig.JSONModuleObject(new(Handler), "handler", appName, nil),
	}}
	if s.domain != "" {
		route.MatcherSetsRaw = []caddy.ModuleMap{{"host": caddyconfig.JSON(caddyhttp.MatchHost{s.domain}, nil)}}
	}
	server := &caddyhttp.Server{
		Listen:            []string{s.address()},
		ReadHeaderTimeout: caddy.Duration(10 * time.Second),
		IdleTimeout:       caddy.Duration(30 * time.Second),
		MaxHeaderBytes:    10 << 10,
		Routes:            caddyhttp.RouteList{route},
	}
	if s.accessLog {
		server.Logs = new(caddyhttp.ServerLogConfig)
	}
	config := &caddy.Config{
		Admin: &caddy.AdminConfig{Disabled: true, Config: &caddy.ConfigSettings{Persist: new(false)}},
		AppsRaw: caddy.ModuleMap{
			"http":  caddyconfig.JSON(caddyhttp.App{Servers: map[string]*caddyhttp.Server{"images": server}}, nil),
			appName: caddyconfig.JSON(app, nil),
		},
	}
	if s.debug {
		config.Logging = &caddy.Logging{Logs: map[string]*caddy.CustomLog{
			caddy.DefaultLoggerName: {BaseLog: caddy.BaseLog{Level: zap.DebugLevel.CapitalString()}},
		}}
	}
	return config, nil
}

// app returns the app with one endpoint: the folder, then the web servers.
func (s serveOptions) app() (*App, error) {
	app := &App{Origins: map[string]*Origin{}}
	e := new(Endpoint)
	add := func(name, kind, target string) error {
		// The guests are known by their Caddyfile alone, so their words are what is written here.
		tokens := []caddyfile.Token{{File: "--" + name, Line: 1, Text: kind}, {File: "--" + name, Line: 1, Text: target}}
		if err := checkOriginType(kind); err != nil {
			return err
		}
		source, _, err := readGuest(originNamespace, tokens)
		app.Origins[name] = &Origin{Source: source}
		e.Origins = append(e.Origins, name)
		return err
	}
	if root := s.folder(); root != "" {
		if err := add("root", "folder", root); err != nil {
			return nil, err
		}
	}
	for i, base := range s.urls {
		if u, err := url.Parse(base); err != nil || u.Host == "" {
			return nil, fmt.Errorf("--origin %s: %w", base, errNotURL)
		}
		if err := add("origin-"+strconv.Itoa(i+1), "web", base); err != nil {
			return nil, err
		}
	}
	app.Endpoints = map[string]*Endpoint{defaultEndpoint: e}
	return app, nil
}

// errNotURL is the error of a flag that should be a URL.
var errNotURL = errors.New("that is no base URL; write it as https://www.example.com")
