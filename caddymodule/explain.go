package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"
	"golang.org/x/net/http/httpguts"

	"github.com/imageorigin/imageorigin/internal/delivery"
	"github.com/imageorigin/imageorigin/internal/imageurl"
	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax"
)

// explainCommand returns `caddy imageorigin explain`.
func explainCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "explain [--config <file>] [--adapter <name>] [--host <host>] [--endpoint <name>] [--accept <header>] [--header <name: value>]... " +
			"[--file <file> | [--size <width>x<height>] [--format <format>] [--frames <n>] [--pages <n>] [--alpha]] <url or path>",
		Short: "Says what a URL asks for, and what is done for it, step by step",
		Long: `
Reads a URL as the server would and prints the endpoint, the file's key, the
transformation in its canonical form, the steps that are taken, and size and
format of the result, or else the error that the visitor gets and its place.

Nothing is fetched, and no origin is opened: --size and its like say what the
original is, or --file is taken for it. Without them it is a JPEG picture, or
what the URL's extension says, of 3000x2000 pixels.

Without --config there is one endpoint, which has the defaults. With it the
endpoint is found by the host and the path. Of the matchers around handlers
only those of hosts count; --endpoint names an endpoint that others lead to.

The exit status is 0 if the visitor gets a picture or file, 1 otherwise.`,
		Example: "  caddy imageorigin explain --size 4000x3000 /tr:w-300,h-200/shoes/red.jpg",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return caddycmd.WrapCommandFuncForCobra(func(flags caddycmd.Flags) (int, error) {
				if err := runExplain(flags, args[0]); err != nil {
					return caddy.ExitCodeFailedStartup, err
				}
				return caddy.ExitCodeSuccess, nil
			})(cmd, args)
		},
	}
	cmd.Flags().StringP("config", "c", "", "Configuration file")
	cmd.Flags().StringP("adapter", "a", "", "Name of the config adapter, where the file's name doesn't say it")
	cmd.Flags().String("host", "", "Host that the visitor asks, where the URL has none")
	cmd.Flags().StringP("endpoint", "e", "", "Name of the endpoint whose handler answers")
	cmd.Flags().String("accept", "", "Accept header of the visitor's browser")
	cmd.Flags().StringArray("header", nil, "Another header of the visitor's browser, as \"Sec-CH-Width: 600\"; may be repeated")
	cmd.Flags().StringP("file", "f", "", "A picture that stands for the original")
	cmd.Flags().StringP("size", "s", "", "Size of the original, as <width>x<height>")
	cmd.Flags().String("format", "", "Format of the original")
	cmd.Flags().Int("frames", 1, "Frames of the original")
	cmd.Flags().Int("pages", 1, "Pages of the original")
	cmd.Flags().Bool("alpha", false, "The original has transparency")
	cmd.MarkFlagsMutuallyExclusive("file", "size")
	cmd.MarkFlagsMutuallyExclusive("file", "format")
	cmd.MarkFlagsMutuallyExclusive("file", "frames")
	cmd.MarkFlagsMutuallyExclusive("file", "pages")
	cmd.MarkFlagsMutuallyExclusive("file", "alpha")
	return cmd
}

// errRefused is the outcome of explaining a URL that the visitor gets an error for; the lines before say which.
var errRefused = errors.New("the visitor gets an error")

func runExplain(flags caddycmd.Flags, target string) error {
	x, err := explainerOf(flags)
	if err != nil {
		return err
	}
	config, adapter := flags.String("config"), flags.String("adapter")
	switch {
	case config != "":
		if x.config, _, _, err = caddycmd.LoadConfig(config, adapter); err != nil {
			return err
		}
	case adapter != "":
		return errors.New("--adapter is for the file that --config names")
	case x.endpoint != "":
		return errors.New("--endpoint is for the config that --config names")
	}
	return x.explain(os.Stdout, target)
}

// explainer explains URLs.
type explainer struct {
	config             []byte // JSON; nil is none
	host, endpoint     string
	header             http.Header // of the visitor's browser
	file, size, format string
	frames, pages      int
	alpha              bool

	site *site
}

// explainerOf returns an explainer without a config.
func explainerOf(flags caddycmd.Flags) (explainer, error) {
	header, err := readHeaders(flags)
	return explainer{
		host:     flags.String("host"),
		endpoint: flags.String("endpoint"),
		header:   header,
		file:     flags.String("file"),
		size:     flags.String("size"),
		format:   flags.String("format"),
		frames:   flags.Int("frames"),
		pages:    flags.Int("pages"),
		alpha:    flags.Bool("alpha"),
	}, err
}

// readHeaders returns the headers that the flags tell of the visitor's browser.
func readHeaders(flags caddycmd.Flags) (http.Header, error) {
	lines, err := flags.GetStringArray("header")
	if err != nil {
		return nil, err
	}
	h := http.Header{}
	if accept := flags.String("accept"); accept != "" {
		h.Set("Accept", accept)
	}
	for _, line := range lines {
		name, value, colon := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		if !colon || !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
			return nil, fmt.Errorf("--header: %q is not a header; write it as \"Sec-CH-Width: 600\"", line)
		}
		h.Add(name, value)
	}
	return h, nil
}

// explain writes what becomes of target, a URL or a path with its query.
func (x *explainer) explain(w io.Writer, target string) error {
	u, err := readTarget(target)
	if err != nil {
		return err
	}
	if x.host == "" {
		x.host = u.Host
	}
	if x.site = standardSite(); x.config != nil {
		if x.site, err = readSite(x.config, x.host, x.endpoint); err != nil {
			return err
		}
	}
	var r sheet
	err = x.tell(&r, u)
	if _, err := io.WriteString(w, r.String()); err != nil {
		return err
	}
	return err
}

// readTarget reads a URL, or what of it stands behind the host.
func readTarget(target string) (*url.URL, error) {
	target, _, _ = strings.Cut(target, "#") // browsers keep the rest to themselves
	if !strings.Contains(target, "://") && !strings.HasPrefix(target, "/") {
		target = "/" + target // also keeps tr: from being a scheme
	}
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return nil, fmt.Errorf("reading the URL: %w", err)
	}
	return u, nil
}

// tell fills the sheet on a URL. The error is errRefused, or says what is wrong with the command line.
func (x *explainer) tell(r *sheet, u *url.URL) error {
	e, a, err := x.site.locate(x.host, u)
	if e != nil {
		r.line("endpoint", e.name)
	}
	if err != nil {
		return refuse(r, e, last(a.Texts), err)
	}
	req := e.request(a, x.header)
	r.line("key", a.Key)
	r.line("still", describeStill(a))
	r.line("chain", a.Chain.String())
	r.line("always", e.delivery.Always.String())
	r.line("query", describeQuery(a.Query, req.Query))
	r.line("download", describeDownload(a))
	if e.config.needsSignature(&a, true) {
		r.line("signed", "only, else it is a 401; verify judges signatures")
	}
	result, err := x.resolve(req)
	if _, flaw := errors.AsType[*flagError](err); flaw {
		return err
	}
	r.line("source", result.source)
	if err == nil && result.unsupported && e.native() {
		err = errNotPicture
	}
	if err != nil {
		r.line("supposed", result.supposed)
		return refuse(r, e, x.blamed(u, a, err), err)
	}
	result.tell(r, x.header)
	return nil
}

// refuse tells the error that the visitor gets, about the text of a transformation.
func refuse(r *sheet, e *endpoint, text string, err error) error {
	f := faultOf(err)
	status := f.status(e)
	r.line("status", fmt.Sprintf("%d %s", status, http.StatusText(status)))
	r.line("ik-error", f.describe(err))
	if f.text != "" {
		r.line("cause", err.Error()) // which the visitor isn't told
	}
	r.line("", place(text, err))
	return errRefused
}

// blamed returns which of the texts of an address an error of its chain is about: that of the path where the error comes
// without the query, too.
func (x *explainer) blamed(u *url.URL, a imageurl.Address, err error) string {
	if len(a.Texts) < 2 {
		return last(a.Texts)
	}
	alone := *u
	alone.RawQuery = ""
	e, a2, failed := x.site.locate(x.host, &alone)
	if failed == nil {
		_, failed = x.resolve(e.request(a2, x.header))
	}
	if failed != nil && failed.Error() == err.Error() {
		return a.Texts[0]
	}
	return last(a.Texts)
}

// last returns the last of some texts; "" of none.
func last(texts []string) string {
	if len(texts) == 0 {
		return ""
	}
	return texts[len(texts)-1]
}

// place returns the transformation that an error is about, with a caret; "" if the error has no place.
func place(text string, err error) string {
	at := -1
	if wrong, ok := errors.AsType[*syntax.Error](err); ok {
		at = wrong.Pos
	} else if over, ok := errors.AsType[*plan.LimitError](err); ok && over.Param != "" {
		at = over.Pos
	}
	if at < 0 {
		return ""
	}
	return caret(text, at)
}

func describeQuery(rest, passed string) string {
	switch {
	case rest == passed:
		return rest
	case passed == "":
		return rest + " (origins don't see it)"
	}
	return rest + " (origins see " + passed + ")"
}

func describeDownload(a imageurl.Address) string {
	switch {
	case !a.Attachment:
		return ""
	case a.Filename == "":
		return "under its own name"
	}
	return "as " + a.Filename
}

// resolve finds out what is to be done.
func (x *explainer) resolve(req *delivery.Request) (resolved, error) {
	if x.file != "" {
		return x.tryFile(req)
	}
	facts, err := x.facts(req)
	if err != nil {
		return resolved{}, err
	}
	result := resolved{source: describeSource(facts)}
	if x.size == "" {
		result.source += " (assumed; --size or --file say it)"
	}
	blind := false
	result.plan, blind, err = resolveBlindly(req, facts)
	if blind {
		result.supposed = "that there is nothing to trim; only the pixels tell, which --file looks at"
	}
	if facts.Format == plan.PDF {
		result.unsupported = !req.Still && len(req.Chain) > 0 && !plan.WantsOriginal(req.Chain)
		if req.Still && !plan.WantsOriginal(req.Chain) {
			result.suppose("that the engine's inputs have pdf; --file asks the engine")
		}
	}
	// Which of these a server writes depends on how libvips was built.
	for _, o := range result.plan.Outputs() {
		if f := o.Format; err == nil && (f == plan.AVIF || f == plan.JXL) {
			result.suppose(fmt.Sprintf("that the server can write %s; --file asks the engine", f))
			break
		}
	}
	return result, err
}

// allWritable are the formats that an engine may be able to write.
var allWritable = plan.SetOf(plan.JPEG, plan.PNG, plan.GIF, plan.WebP, plan.AVIF, plan.JXL)

// flagError is the error of a flag.
type flagError struct{ error }

// facts are those that the flags tell of the original.
func (x *explainer) facts(req *delivery.Request) (plan.Source, error) {
	s := plan.Source{Format: plan.JPEG, Width: 3000, Height: 2000, Orientation: 1, Frames: x.frames, Alpha: x.alpha}
	if f, err := plan.ParseFormat(strings.TrimPrefix(strings.ToLower(path.Ext(req.Key)), ".")); err == nil {
		s.Format = f
	}
	var err error
	if x.format != "" {
		if s.Format, err = plan.ParseFormat(strings.ToLower(x.format)); err != nil {
			return s, &flagError{fmt.Errorf("--format: %w", err)}
		}
	}
	if x.size != "" {
		width, height, _ := strings.Cut(x.size, "x")
		w, errW := strconv.ParseUint(width, 10, 31)
		h, errH := strconv.ParseUint(height, 10, 31)
		if errW != nil || errH != nil || w == 0 || h == 0 {
			return s, &flagError{fmt.Errorf("--size: %q is not a size; write it as 4000x3000", x.size)}
		}
		s.Width, s.Height = int(w), int(h)
	}
	if s.Frames < 1 {
		return s, &flagError{errors.New("--frames: a picture has 1 or more")}
	}
	return s, x.choosePage(&s, req)
}

// tryFile lets a file go the way of an original up to the point where pixels are painted.
func (x *explainer) tryFile(req *delivery.Request) (resolved, error) {
	file, err := readOriginal(x.file)
	if err != nil {
		return resolved{}, &flagError{fmt.Errorf("--file: %w", err)}
	}
	engine, err := x.site.app.loneEngine()
	if err != nil {
		return resolved{}, &flagError{err}
	}
	dry := &dryRun{Engine: engine}
	req.Endpoint = file.endpoint(req.Endpoint)
	resp, err := (&delivery.Render{Engine: dry}).Deliver(context.Background(), req)
	result := resolved{source: x.file}
	if dry.facts.Width > 0 {
		result.source += ": " + describeSource(dry.facts)
	}
	if err != nil {
		return result, err
	}
	defer resp.Close()
	result.plan, result.unsupported = resp.Plan, resp.Unsupported
	result.whole = !resp.Transformed
	return result, nil
}

// dryRun is an engine that looks at pictures and paints none.
type dryRun struct {
	transform.Engine
	facts plan.Source
}

func (d *dryRun) Probe(ctx context.Context, o transform.Original) (plan.Source, error) {
	var err error
	d.facts, err = d.Engine.Probe(ctx, o)
	return d.facts, err
}

func (*dryRun) Render(_ context.Context, _ transform.Inputs, p plan.Plan) (*transform.Image, error) {
	return &transform.Image{Format: p.Output.Format, Width: p.Width, Height: p.Height, Frames: p.Frames}, nil
}
