package caddymodule

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"

	"github.com/imageorigin/imageorigin/internal/imageurl"
)

// signCommand returns `caddy imageorigin sign`.
func signCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sign [--config <file>] [--adapter <name>] [--host <host>] [--endpoint <name>] [--expires <duration or time>] [--sha256] <url or path>",
		Short: "Signs a URL",
		Long: `
Prints the URL signed with the first key of its endpoint (sign), in the form
of ImageKit's SDKs, or with --sha256 in our own, which names the endpoint.

The URL is written as clients send it: percent-encoded, with all its query
parameters. --expires is how long it holds, such as 15m or 7d, or a time in
seconds since 1970; without it the URL holds as long as the key does.

The keys are in the config, which is that of --config, else the Caddyfile in
the current folder; run it with the environment that the server has. The
endpoint is found by the host, that of the URL or --host, and the path. Of
the matchers around handlers only those of hosts count; --endpoint names an
endpoint that others lead to, and what they take off the path then counts
unless url_endpoint says it.`,
		Example: "  caddy imageorigin sign --expires 1h https://images.example.com/tr:w-300/shoes/red.jpg",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return caddycmd.WrapCommandFuncForCobra(func(flags caddycmd.Flags) (int, error) {
				j, err := signJobOf(flags)
				if err == nil {
					err = j.sign(os.Stdout, args[0], flags.String("expires"), flags.Bool("sha256"))
				}
				return exitCode(err), err
			})(cmd, args)
		},
	}
	addSignFlags(cmd)
	cmd.Flags().String("expires", "", "How long the URL holds, or until when")
	cmd.Flags().Bool("sha256", false, "Sign in our own form")
	return cmd
}

// verifyCommand returns `caddy imageorigin verify`.
func verifyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify [--config <file>] [--adapter <name>] [--host <host>] [--endpoint <name>] <url or path>",
		Short: "Says whether a signature opens a URL, and why not",
		Long: `
Judges the signature of a URL as the server does, and prints what has to be
signed for it, which of the endpoint's keys fit, and for a signature that
doesn't fit what it was made for, as far as that can be found out. Keys are
not printed.

The config and the endpoint are found as by sign. The exit status is 0 if the
signature opens the URL, 1 otherwise.`,
		Example: "  caddy imageorigin verify 'https://images.example.com/a.jpg?ik-s=41b3075c40bc84147eb71b8b49ae7fbf349d0f00'",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return caddycmd.WrapCommandFuncForCobra(func(flags caddycmd.Flags) (int, error) {
				j, err := signJobOf(flags)
				if err == nil {
					err = j.verify(os.Stdout, args[0])
				}
				return exitCode(err), err
			})(cmd, args)
		},
	}
	addSignFlags(cmd)
	return cmd
}

func addSignFlags(cmd *cobra.Command) {
	cmd.Flags().StringP("config", "c", "", "Configuration file")
	cmd.Flags().StringP("adapter", "a", "", "Name of the config adapter, where the file's name doesn't say it")
	cmd.Flags().String("host", "", "Host that the visitor asks, where the URL has none")
	cmd.Flags().StringP("endpoint", "e", "", "Name of the endpoint whose handler answers")
}

func exitCode(err error) int {
	if err != nil {
		return caddy.ExitCodeFailedStartup
	}
	return caddy.ExitCodeSuccess
}

// signJob is one run of `caddy imageorigin sign` or `verify`.
type signJob struct {
	config         []byte // JSON
	host, endpoint string
	now            time.Time
}

func signJobOf(flags caddycmd.Flags) (*signJob, error) {
	config, _, _, err := caddycmd.LoadConfig(flags.String("config"), flags.String("adapter"))
	if err == nil && len(config) == 0 {
		err = errors.New("no config says the keys: there is no Caddyfile in this folder; name one with --config")
	}
	return &signJob{config: config, host: flags.String("host"), endpoint: flags.String("endpoint"), now: time.Now()}, err
}

// target is a URL whose endpoint is known.
type target struct {
	site     *site
	endpoint *endpoint
	host     string
	url      *url.URL           // without signature
	origin   string             // scheme and host, as given; "" is none
	sent     string             // path and query, without signature
	given    imageurl.Signature // that it carries
}

// read finds the endpoint that a URL is of, and its keys.
func (j *signJob) read(text string) (*target, error) {
	text, _, _ = strings.Cut(text, "#")
	t := &target{host: j.host}
	uri := text
	if scheme, rest, ok := strings.Cut(text, "://"); ok && !strings.ContainsAny(scheme, "/?:") {
		slash := strings.IndexAny(rest+"/", "/?")
		t.origin, uri = scheme+"://"+rest[:slash], rest[slash:]
	}
	if !strings.HasPrefix(uri, "/") {
		uri = "/" + uri
	}
	for i, c := range []byte(uri) {
		if c <= ' ' || c >= 0x7f {
			return nil, fmt.Errorf("the URL has %q, which clients percent-encode before they send it; write what they send, such as %%20 for a space", string([]rune(uri[i:])[:1]))
		}
	}
	var err error
	if t.sent, t.given, err = imageurl.TakeSignature(uri); err != nil {
		return nil, err
	}
	if t.url, err = url.ParseRequestURI(t.sent); err != nil {
		return nil, fmt.Errorf("reading the URL: %w", err)
	}
	if origin, err := url.Parse(t.origin); err == nil && t.host == "" {
		t.host = origin.Host
	}
	if t.site, err = readSite(j.config, t.host, j.endpoint); err != nil {
		return nil, err
	}
	if t.endpoint, _, err = t.site.locate(t.host, t.url); t.endpoint == nil {
		return nil, err
	}
	t.endpoint.keys, err = t.endpoint.config.signingKeys(caddy.NewReplacer())
	if err == nil && len(t.endpoint.keys) == 0 {
		err = fmt.Errorf("endpoint %q has no keys; set sign", t.endpoint.name)
	}
	return t, err
}

// texts returns what may have been signed, the usual one first.
func (t *target) texts() []string {
	return t.site.router.signedTexts(t.site.bound, t.endpoint, t.host, t.url, t.sent)
}

// errAmbiguous is the error of a URL that no signature opens.
var errAmbiguous = errors.New("no signature opens this URL: its file is in a folder that is called as a part of the endpoint's prefix, so that a signature " +
	"could be one for another file; set url_endpoint to what SDKs are told")

// sign prints the URL with a signature.
func (j *signJob) sign(w io.Writer, text, expires string, ours bool) error {
	t, err := j.read(text)
	if err != nil {
		return err
	}
	if t.given.Given {
		return errors.New("the URL is signed already; leave ik-s and ik-t out")
	}
	until, err := j.until(expires)
	if err != nil {
		return fmt.Errorf("--expires: %w", err)
	}
	texts := t.texts()
	if len(texts) == 0 {
		return errAmbiguous
	}
	_, err = fmt.Fprintln(w, t.origin+imageurl.WithQuery(t.sent, imageurl.Sign(t.endpoint.keys[0], t.endpoint.name, texts[0], until, ours)))
	return err
}

// until returns the time that the flag says, in seconds since 1970.
func (j *signJob) until(expires string) (int64, error) {
	if expires == "" {
		return imageurl.Never, nil
	}
	if seconds, err := strconv.ParseInt(expires, 10, 64); err == nil {
		if imageurl.CheckExpiry(seconds) != nil {
			return 0, fmt.Errorf("%q is no time of ten digits in seconds since 1970; for a while from now on write 15m or 7d", expires)
		}
		return seconds, nil
	}
	d, err := caddy.ParseDuration(expires)
	if err != nil || d < time.Second {
		return 0, fmt.Errorf("%q is neither a time above 0, such as 15m or 7d, nor one in seconds since 1970", expires)
	}
	seconds := j.now.Add(d).Unix()
	return seconds, imageurl.CheckExpiry(seconds)
}

// errClosed is the outcome of judging a signature that doesn't open its URL; the lines before say why.
var errClosed = errors.New("the signature does not open the URL")

// verify prints what has to be signed and what fits.
func (j *signJob) verify(w io.Writer, text string) error {
	t, err := j.read(text)
	if _, flaw := errors.AsType[*imageurl.SignatureError](err); err != nil && !flaw {
		return err
	}
	var r sheet
	if err == nil {
		err = t.judge(&r, j.now)
	}
	if err != nil {
		r.line("refused", err.Error())
	} else {
		r.line("verdict", "opens the URL")
	}
	if _, err := io.WriteString(w, r.String()); err != nil {
		return err
	}
	if err != nil {
		return errClosed
	}
	return nil
}

// judge tells the parts of a signature, and returns why it doesn't open the URL.
func (t *target) judge(r *sheet, now time.Time) error {
	e := t.endpoint
	r.line("endpoint", e.name)
	texts := t.texts()
	if len(texts) == 0 {
		return errAmbiguous
	}
	for _, text := range texts {
		r.line("text", text)
	}
	until, err := t.given.Seconds()
	if err != nil {
		return err
	}
	r.line("expires", describeExpiry(until, now))
	if !t.given.Given {
		return errUnsigned
	}
	message := imageurl.Message(e.name, texts[0], until, t.given.Modern())
	if t.given.Modern() {
		r.line("signed", fmt.Sprintf("%q, by HMAC-SHA-256", message))
	} else {
		r.line("signed", message+", by HMAC-SHA1")
	}
	verdict := t.given.Verify(e.keys, e.name, texts, now)
	for i := range e.keys {
		fits := "does not fit"
		if t.fits(e.keys[i:i+1], e.name, texts) {
			fits = "fits"
		}
		r.line(fmt.Sprintf("key %d", i+1), fits)
	}
	if !t.fits(e.keys, e.name, texts) {
		r.line("differs", t.differs(texts))
	}
	return verdict
}

// fits reports whether the signature, whatever its time, is one of the texts.
func (t *target) fits(keys [][]byte, endpoint string, texts []string) bool {
	return t.given.Verify(keys, endpoint, texts, time.Time{}) == nil
}

func describeExpiry(until int64, now time.Time) string {
	if until == imageurl.Never {
		return "never (" + strconv.FormatInt(until, 10) + ")"
	}
	left := time.Unix(until, 0).Sub(now).Round(time.Second)
	when := fmt.Sprintf("in %v", left)
	if left <= 0 {
		when = fmt.Sprintf("%v ago", -left)
	}
	return fmt.Sprintf("%d, %s (%s)", until, time.Unix(until, 0).UTC().Format(time.RFC3339), when)
}

// differs returns what the signature was made for, in words; "" if that can't be found out.
func (t *target) differs(texts []string) string {
	for _, guess := range t.guesses(texts) {
		if t.fits(t.endpoint.keys, t.endpoint.name, []string{guess.text}) {
			return guess.how + ": " + guess.text
		}
	}
	never := t.given
	never.Expiry = ""
	if never.Verify(t.endpoint.keys, t.endpoint.name, texts, time.Time{}) == nil {
		return "it was made without ik-t"
	}
	lower := t.given
	lower.Value = strings.ToLower(lower.Value)
	if lower.Verify(t.endpoint.keys, t.endpoint.name, texts, time.Time{}) == nil {
		return "ik-s is in upper case"
	}
	for _, name := range slices.Sorted(maps.Keys(t.site.router.byName)) {
		other := t.site.router.byName[name]
		if t.given.Modern() && t.fits(t.endpoint.keys, name, texts) {
			return "it was made for the endpoint " + name
		}
		if keys, err := other.config.signingKeys(caddy.NewReplacer()); err == nil && other != t.endpoint && t.fits(keys, name, texts) {
			return "it was made with a key of the endpoint " + name
		}
	}
	return ""
}

// guess is a text that may have been signed by mistake.
type guess struct{ how, text string }

// guesses returns what is often signed in place of what has to be.
func (t *target) guesses(texts []string) []guess {
	var list []guess
	for _, text := range texts {
		path, query, asked := strings.Cut(text, "?")
		encoded := func(old ...string) string { return strings.NewReplacer(old...).Replace(text) }
		list = append(
			list,
			guess{"it was made with a leading slash", "/" + text},
			guess{"commas and colons were not encoded when it was made", encoded("%2C", ",", "%2c", ",", "%3A", ":", "%3a", ":")},
			guess{"commas were encoded when it was made", encoded(",", "%2C")},
			guess{"commas and colons were encoded when it was made", encoded(",", "%2C", ":", "%3A")},
			guess{"spaces were + when it was made", encoded("%20", "+")},
			guess{"percent-escapes were in lower case when it was made", lowerEscapes(text)},
			guess{"it was made before the percent-encoding", unescaped(text)},
		)
		if asked {
			list = append(list, guess{"it was made without the query", path})
			pairs := strings.Split(query, "&")
			for i := range pairs {
				rest := strings.Join(append(append([]string{}, pairs[:i]...), pairs[i+1:]...), "&")
				if rest != "" {
					rest = "?" + rest
				}
				list = append(list, guess{"it was made without " + pairs[i], path + rest})
			}
		}
	}
	for at, rest := 0, t.sent; ; {
		rest = rest[at:]
		list = append(list, guess{"it was made with another prefix", strings.TrimPrefix(rest, "/")})
		if at = strings.IndexByte(rest[min(1, len(rest)):], '/') + 1; at == 0 {
			break
		}
	}
	if t.origin != "" {
		list = append(list, guess{"it was made with the host", t.origin + t.sent})
	}
	return list
}

// lowerEscapes writes the digits of percent-escapes in lower case.
func lowerEscapes(text string) string {
	b := []byte(text)
	for i := range b {
		if b[i] == '%' && i+2 < len(b) {
			copy(b[i+1:], strings.ToLower(text[i+1:i+3]))
		}
	}
	return string(b)
}
