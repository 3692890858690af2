package caddymodule

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"

	"github.com/imageorigin/imageorigin/internal/delivery"
	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax"
)

// transformCommand returns `caddy imageorigin transform`.
func transformCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "transform [--force] <in> <chain> <out>",
		Short: "Transforms a picture of this machine",
		Long: `
Does to a file what the server does to an original, with the limits and the
quality that it has by default, and prints a line about the result.

The chain is what stands between "tr:" and the next slash in URLs. The format
is that of f- in the chain, or else that of the extension of <out>; they must
not differ. An <out> of - is the standard output, and without f- the format
then is the one for browsers that accept nothing special.

With pg- the result is the still picture of that page or frame, as
/ik-thumbnail.jpg behind the file's path makes it.

A file that exists is not overwritten without --force.`,
		Example: "  caddy imageorigin transform red.jpg w-300,h-200 small.webp",
		Args:    cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			return caddycmd.WrapCommandFuncForCobra(func(flags caddycmd.Flags) (int, error) {
				j := transformJob{in: args[0], chain: args[1], out: args[2], force: flags.Bool("force"), stdout: os.Stdout, stderr: os.Stderr}
				if err := j.run(); err != nil {
					return caddy.ExitCodeFailedStartup, err
				}
				return caddy.ExitCodeSuccess, nil
			})(cmd, args)
		},
	}
	cmd.Flags().BoolP("force", "f", false, "Overwrite a file that exists")
	return cmd
}

// transformJob is one run of `caddy imageorigin transform`.
type transformJob struct {
	in, chain, out string
	force          bool
	stdout, stderr io.Writer
}

func (j *transformJob) run() error {
	began := time.Now()
	wanted, err := j.wantedFormat()
	if err != nil {
		return err
	}
	if err := j.checkOut(); err != nil {
		return err
	}
	text := strings.TrimPrefix(j.chain, "tr:")
	chain, err := syntax.Parse(text)
	if err == nil {
		chain, err = syntax.Expand(chain, nil) // names belong to endpoints
	}
	if err != nil {
		return j.explain(text, err)
	}
	switch {
	case namesFormat(chain):
	case wanted != plan.Unknown:
		text += ":f-" + wanted.String() // the last word on the format counts
		if chain, err = syntax.Parse(text); err != nil {
			return j.explain(text, err)
		}
	case j.out != "-":
		return fmt.Errorf("%s: the extension %q is not that of a format; end the name in %s, or add f- to the chain",
			j.out, filepath.Ext(j.out), knownExtensions())
	}
	resp, err := j.deliver(chain)
	if err != nil {
		return j.explain(text, err)
	}
	defer resp.Close()
	for _, warning := range resp.Warnings {
		fmt.Fprintln(j.stderr, "warning:", warning)
	}
	if wanted != plan.Unknown && resp.Format != wanted {
		return fmt.Errorf("%s: the result is %s, which is not what the extension says; let f- and the extension agree, or leave f- out", j.out, resp.Format)
	}
	content, err := io.ReadAll(resp.Content) // before the file is made, which may be the one that is read
	if err != nil {
		return fmt.Errorf("reading %s: %w", j.in, err)
	}
	if err := j.write(content); err != nil {
		return err
	}
	return j.tell(resp, time.Since(began))
}

// wantedFormat returns the format that the extension of the file to write says; Unknown if it says none.
func (j *transformJob) wantedFormat() (plan.Format, error) {
	if j.out == "" {
		return plan.Unknown, errors.New("the name of the file to write is empty; - is the standard output")
	}
	extension := filepath.Ext(j.out)
	for format, all := range extensions {
		if slices.ContainsFunc(all, func(e string) bool { return strings.EqualFold(e, extension) }) {
			return format, nil
		}
	}
	return plan.Unknown, nil
}

// knownExtensions lists the extensions of what can be written.
func knownExtensions() string {
	var all []string
	for _, list := range extensions {
		all = append(all, list...)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// namesFormat reports whether a chain says, in whatever branch, which format the result has.
func namesFormat(c syntax.Chain) bool {
	items := strings.FieldsFunc(c.String(), func(r rune) bool { return r == ',' || r == ':' })
	return slices.ContainsFunc(items, func(item string) bool { return strings.HasPrefix(item, "f-") && item != "f-auto" })
}

// checkOut refuses, before any work is done, to overwrite a file.
func (j *transformJob) checkOut() error {
	if j.out == "-" || j.force {
		return nil
	}
	if _, err := os.Lstat(j.out); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s exists; --force overwrites it", j.out)
	}
	return nil
}

// deliver lets the file go the way of an original of an endpoint that has the defaults.
func (j *transformJob) deliver(c syntax.Chain) (*delivery.Response, error) {
	file, err := readOriginal(j.in)
	if err != nil {
		return nil, err
	}
	s := standardSite()
	engine, err := s.app.loneEngine()
	if err != nil {
		return nil, err
	}
	resp, err := (&delivery.Render{Engine: engine}).Deliver(context.Background(), &delivery.Request{
		Endpoint: file.endpoint(s.router.standard.delivery),
		Key:      filepath.Base(j.in),
		Chain:    c,
		Still:    wantsPage(c),
	})
	if err == nil && !resp.Image {
		resp.Close()
		return nil, fmt.Errorf("%s: %w", j.in, errNotPicture)
	}
	return resp, err
}

// wantsPage reports whether a chain is about one page of a file, which URLs say with /ik-thumbnail.jpg beside it.
func wantsPage(c syntax.Chain) bool {
	_, asked := plan.PageOf(c)
	return asked
}

// explain shows the place of an error of the chain, which err then tells.
func (j *transformJob) explain(chain string, err error) error {
	if at := place(chain, err); at != "" {
		fmt.Fprintln(j.stderr, at)
	}
	return err
}

// write writes the result.
func (j *transformJob) write(content []byte) error {
	if j.out == "-" {
		_, err := j.stdout.Write(content)
		return err
	}
	flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if j.force {
		flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	file, err := os.OpenFile(j.out, flags, 0o666)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err = errors.Join(err, file.Close()); err != nil && !j.force {
		os.Remove(j.out) // a part is worse than nothing
	}
	return err
}

// tell prints the line about the result, beside the result itself where that is the standard output.
func (j *transformJob) tell(resp *delivery.Response, took time.Duration) error {
	w, name := j.stdout, j.out
	if name == "-" {
		w, name = j.stderr, "standard output"
	}
	size := ""
	if p := resp.Plan; p.Width > 0 {
		size = describeSize(p.Width, p.Height, p.Frames) + " "
	}
	_, err := fmt.Fprintf(w, "%s: %s%s, %d bytes, in %v\n", name, size, resp.Format, resp.Size, round(took))
	return err
}

// original is a file of this machine that takes the part of an original.
type original []byte

func readOriginal(name string) (original, error) {
	content, err := os.ReadFile(name)
	return content, err
}

// endpoint returns e with the file at every key.
func (o original) endpoint(e *delivery.Endpoint) *delivery.Endpoint {
	alone := *e
	alone.DefaultImage = ""
	alone.Origin = origins.OriginFunc(func(context.Context, origins.Request) (*origins.Object, error) {
		return &origins.Object{
			Body:       io.NopCloser(bytes.NewReader(o)),
			Attributes: origins.Attributes{Origin: "file", Size: int64(len(o))},
		}, nil
	})
	return &alone
}

// loneEngine returns the app's engine for a command, which runs no config.
func (a *App) loneEngine() (transform.Engine, error) {
	ctx, err := provisioned([]byte("{}"))
	if err != nil {
		return nil, err
	}
	if err := a.loadEngine(ctx); err != nil {
		return nil, err
	}
	return a.guest, nil
}
