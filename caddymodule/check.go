package caddymodule

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/imageorigin/imageorigin/origins"
)

// checkCommand returns `caddy imageorigin check`.
func checkCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check [--config <file>] [--adapter <name>] [--key [<origin>=]<path>]... [--timeout <duration>] [<origin>...]",
		Short: "Asks every origin of a config for a file, and says what is wrong",
		Long: `
Asks each origin of the config, or those that are named, for one file, and
prints a line about each: whether it answers, how long each step took, and for
failures the cause and the remedy.

Without --key the file is one that nobody has, and the answer expected is that
there is no such file: name, network, certificate, clock and credentials are
then right. Whether files may be read is shown by a file that is there: --key
names one, for all origins (one of them must have it), or for one origin.

The origins are asked as they are configured, but once, without retries. The
exit status is 0 if all is well, 1 otherwise.`,
		Example: "  caddy imageorigin check --key products=shoes/red.jpg",
		RunE: func(cmd *cobra.Command, args []string) error {
			return caddycmd.WrapCommandFuncForCobra(func(flags caddycmd.Flags) (int, error) {
				return runCheck(flags, args)
			})(cmd, args)
		},
	}
	cmd.Flags().StringP("config", "c", "Caddyfile", "Configuration file")
	cmd.Flags().StringP("adapter", "a", "", "Name of the config adapter, where the file's name doesn't say it")
	cmd.Flags().StringArrayP("key", "k", nil, "Path of a file that is there, as in a URL behind the endpoint; repeat with <origin>=")
	cmd.Flags().DurationP("timeout", "t", 10*time.Second, "How long one origin may take")
	return cmd
}

// errCheck is the outcome of a check that found something wrong; the lines before say what.
var errCheck = errors.New("not all origins are well")

func runCheck(flags caddycmd.Flags, names []string) (int, error) {
	raw, _, _, err := caddycmd.LoadConfig(flags.String("config"), flags.String("adapter"))
	if err != nil {
		return caddy.ExitCodeFailedStartup, err
	}
	keys, err := flags.GetStringArray("key")
	if err != nil {
		return caddy.ExitCodeFailedStartup, fmt.Errorf("reading --key: %w", err)
	}
	c := checker{timeout: flags.Duration("timeout"), out: os.Stdout}
	if err := c.checkAll(raw, names, keys); err != nil {
		return caddy.ExitCodeFailedStartup, err
	}
	return caddy.ExitCodeSuccess, nil
}

// checkAll checks the origins of a config, or those with the given names, for files that --key names.
func (c *checker) checkAll(raw []byte, names, keys []string) error {
	list, err := originsOf(raw)
	if err != nil {
		return err
	}
	if err := c.choose(list, names, keys); err != nil {
		return err
	}
	ctx, err := provisioned(raw)
	if err != nil {
		return err
	}
	if !c.run(ctx) {
		return errCheck
	}
	return nil
}

// provisioned returns a context in which sources can be loaded: that of a config with no app but the file systems that
// folders may name.
func provisioned(raw []byte) (caddy.Context, error) {
	var config caddy.Config
	if err := json.Unmarshal(caddy.RemoveMetaFields(raw), &config); err != nil {
		return caddy.Context{}, fmt.Errorf("decoding the config: %w", err)
	}
	maps.DeleteFunc(config.AppsRaw, func(app string, _ json.RawMessage) bool { return app != "caddy.filesystems" })
	return caddy.ProvisionContext(&caddy.Config{AppsRaw: config.AppsRaw, Admin: &caddy.AdminConfig{Disabled: true}})
}

// originsOf returns the origins of a config: those of the app by name, then those of handlers, in their order.
func originsOf(raw []byte) ([]NamedOrigin, error) {
	app, handlers, err := partsOf(raw)
	if err != nil {
		return nil, err
	}
	var list []NamedOrigin
	for _, name := range slices.Sorted(maps.Keys(app.Origins)) {
		if o := app.Origins[name]; o != nil {
			list = append(list, NamedOrigin{Name: name, Origin: *o})
		}
	}
	for _, h := range handlers {
		list = append(list, h.InlineOrigins...)
	}
	if len(list) == 0 {
		return nil, errors.New("the config has no origins of imageorigin")
	}
	return list, nil
}

// checker checks origins.
type checker struct {
	timeout time.Duration
	out     io.Writer

	list   []NamedOrigin
	keys   map[string]string // by origin, for those that must have it
	common string            // a file that one of the others must have; "": a random one
}

// choose says which origins of list are asked, and for what. Keys are "path", or "origin=path".
func (c *checker) choose(list []NamedOrigin, names, keys []string) error {
	known := make([]string, len(list))
	for i, o := range list {
		known[i] = o.Name
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return fmt.Errorf("the config has no origin %q; it has %s", name, strings.Join(known, ", "))
		}
	}
	c.keys = map[string]string{}
	for _, key := range keys {
		name, path, ok := strings.Cut(key, "=")
		switch {
		case ok && slices.Contains(known, name):
			c.keys[name] = strings.TrimPrefix(path, "/")
		case ok && checkOriginName(name) == nil:
			return fmt.Errorf("--key %s: the config has no origin %q; write a / before a path that has a =", key, name)
		case c.common != "":
			return errors.New("--key stands twice; write the name of an origin and = before a path that is for it alone")
		default:
			c.common = strings.TrimPrefix(key, "/")
		}
	}
	for _, o := range list {
		if len(names) == 0 || slices.Contains(names, o.Name) {
			c.list = append(c.list, o)
		}
	}
	return nil
}

// run checks all and reports whether all is well.
func (c *checker) run(ctx caddy.Context) bool {
	width := 0
	for _, o := range c.list {
		width = max(width, len(o.Name))
	}
	well, asked, found := true, false, false
	for i := range c.list {
		o := &c.list[i]
		kind := o.kind() // Caddy takes a source out of its config once it is loaded
		r := c.check(ctx, o)
		well = well && r.err == nil
		if _, own := c.keys[o.Name]; !own && c.common != "" {
			asked, found = true, found || r.found
		}
		mark := "ok  "
		if r.err != nil {
			mark = "FAIL"
		}
		fmt.Fprintf(c.out, "%s  %-*s  %-13s  %s\n", mark, width, o.Name, kind, printable(r.text))
	}
	if asked && !found {
		fmt.Fprintf(c.out, "FAIL  none of them has %q\n", c.common)
		well = false
	}
	return well
}

// printable returns text without what a terminal would obey: a server can send whatever it likes.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
}

// kind returns the type of the source.
func (o *Origin) kind() string { return guestType(o.Source) }

// checked is what came of asking one origin.
type checked struct {
	err   error
	found bool
	text  string // for a person
}

// errMissing is the failure of an origin that doesn't have the file that was named for it.
var errMissing = errors.New("it has no such file")

// check asks one origin.
func (c *checker) check(ctx caddy.Context, o *NamedOrigin) checked {
	source, err := o.load(ctx)
	if err != nil {
		return checked{err: err, text: err.Error()}
	}
	key, must := c.keys[o.Name]
	if !must {
		if key = c.common; key == "" {
			key = "imageorigin-check-" + strings.ToLower(rand.Text()) + ".jpg"
		}
	}
	if o.MissingOnDenied {
		source = origins.MissingOnDenied(source)
	}
	if manyServers(source) && !must && c.common == "" {
		return checked{text: "not asked: it serves what a whole URL names; name one, as in --key " + o.Name + "=https://www.example.com/a.jpg"}
	}
	var steps stepTimes
	began := time.Now()
	got, err := readSome(steps.watch(ctx), origins.Named(origins.Limit(source, 0, c.timeout), o.Name, ""), key)
	took := fmt.Sprintf("in %v%s", round(time.Since(began)), &steps)
	switch kind := origins.KindOf(err); {
	case err == nil:
		return checked{found: true, text: fmt.Sprintf("has %q: %s %s", key, got, took)}
	case kind == origins.NotExist && must:
		return checked{err: errMissing, text: fmt.Sprintf("does not have %q, %s%s", key, took, remedyOf(err))}
	case kind == origins.NotExist:
		return checked{text: fmt.Sprintf("answers: it does not have %q, %s%s", key, took, remedyOf(err))}
	}
	return checked{err: err, text: fmt.Sprintf("%s %s: %v%s", origins.KindOf(err), took, cause(err), remedyOf(err))}
}

// remedyOf returns what to do about err, to be written behind it.
func remedyOf(err error) string {
	if e, ok := errors.AsType[*origins.Error](err); ok && e.Remedy != "" {
		return "; remedy: " + e.Remedy
	}
	return ""
}

// readSome opens the object, reads what a picture usually is of it, and says what it is.
func readSome(ctx context.Context, o origins.Origin, key string) (string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	obj, err := o.Open(ctx, origins.Request{Key: key, From: defaultReqFrom})
	if err != nil {
		return "", err
	}
	defer obj.Body.Close()
	n, err := io.CopyN(io.Discard, obj.Body, 4<<20)
	if err != nil && err != io.EOF {
		return "", err
	}
	size := humanize.IBytes(uint64(n)) + " read"
	if obj.Size >= 0 {
		size = humanize.IBytes(uint64(obj.Size))
	}
	if obj.ContentType == "" {
		return size, nil
	}
	return size + " " + obj.ContentType, nil
}

// cause returns what is behind the names of origin and key, which stand in the line already.
func cause(err error) error {
	if e, ok := errors.AsType[*origins.Error](err); ok && e.Err != nil {
		return cause(e.Err)
	}
	return err
}
