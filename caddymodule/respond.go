package caddymodule

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/imageorigin/imageorigin/internal/delivery"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// errPrivate keeps files that their origin marks as private from everyone while signed URLs don't exist.
var errPrivate = errors.New("the origin marks the file as private, and signed URLs are not supported in this version")

// sandbox is the Content-Security-Policy of files that a browser would run: nothing in them runs or loads.
const sandbox = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"

// respond writes the answer: headers that the site has not set itself, then the body with ranges and conditions.
func (x *exchange) respond(resp *delivery.Response) error {
	if resp.Origin.Private {
		x.response = nil
		return x.fail(errPrivate)
	}
	normaliseRange(x.r)
	if unsatisfiable(x.r, resp.Size) {
		x.w.Header().Set("Content-Range", fmt.Sprintf("bytes */%d", resp.Size))
		return x.fail(errRange)
	}
	h := header{x.w.Header()}
	contentType := resp.ContentType
	if contentType == "" {
		contentType = plan.Unknown.MediaType() // application/octet-stream: never guessed, so never run
	}
	h.fill("Content-Type", contentType)
	h.fill("X-Content-Type-Options", "nosniff")
	h.fill("Cache-Control", x.cacheControl(resp))
	h.fill("Server-Timing", serverTiming(resp.Timing))
	if resp.ETag != "" {
		h.fill("Etag", resp.ETag)
	}
	if active(contentType) && x.endpoint.config.ActiveContent != "allow" {
		h.Add("Content-Security-Policy", sandbox) // browsers obey all policies, the site's own too
	}
	if resp.Image {
		h.fill("Access-Control-Allow-Origin", "*")
	}
	if vary := varyHeaders(resp.Vary); vary != "" {
		h.Add("Vary", vary)
	}
	if ratio := contentDPR(x.r.Header, resp.Plan); ratio != "" {
		h.fill("Content-Dpr", ratio)
	}
	if resp.Origin.Canonical != "" {
		h.fill("Link", "<"+resp.Origin.Canonical+`>; rel="canonical"`)
	}
	if resp.Missing != nil {
		f := faultOf(resp.Missing)
		x.code = f.code
		h.fill("Ik-Error", f.describe(resp.Missing))
	}
	for _, warning := range resp.Warnings {
		h.Add("Ik-Warning", headerSafe(warning))
	}
	if x.address.Attachment {
		h.fill("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": x.filename(resp)}))
	}
	x.note()
	return x.send(resp)
}

// send writes status and body.
func (x *exchange) send(resp *delivery.Response) error {
	body := &watched{ReadSeekCloser: resp.Content}
	if resp.Size >= 0 {
		http.ServeContent(x.w, x.r, "", resp.Modified, body)
	} else if err := x.stream(resp, body); err != nil {
		return nil // the client went away
	}
	if body.err != nil {
		// The status is out; breaking the connection is the only way left to say that the body is not whole.
		x.code = faultOf(body.err).code
		x.log(faultOf(body.err), fmt.Errorf("sending the body: %w", body.err))
		panic(http.ErrAbortHandler)
	}
	return nil
}

// stream sends content of unknown size: no ranges, no length.
func (x *exchange) stream(resp *delivery.Response, body io.Reader) error {
	if !resp.Modified.IsZero() {
		header{x.w.Header()}.fill("Last-Modified", resp.Modified.UTC().Format(http.TimeFormat))
	}
	x.w.WriteHeader(http.StatusOK)
	if x.r.Method == http.MethodHead {
		return nil
	}
	_, err := io.Copy(struct{ io.Writer }{x.w}, body)
	if w, ok := body.(*watched); ok && w.err != nil {
		return nil
	}
	return err
}

// watched remembers the error that ended a body too early: net/http's copying drops it.
type watched struct {
	io.ReadSeekCloser
	err error
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.ReadSeekCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		w.err = err
	}
	return n, err
}

// cacheControl is what clients and CDNs are told about keeping the answer.
func (x *exchange) cacheControl(resp *delivery.Response) string {
	config := x.endpoint.config
	switch {
	case resp.Missing != nil:
		return fmt.Sprintf("public, max-age=%d", seconds(config.MissTTL))
	case resp.Origin.Degraded: // an origin before this one may have a newer copy; a short fault must not pin this one
		return fmt.Sprintf("public, max-age=%d, must-revalidate", seconds(config.DegradedTTL))
	case config.CacheControl != "origin":
		return config.CacheControl
	case resp.Origin.CacheControl != "":
		return resp.Origin.CacheControl
	}
	return defaultCacheControl
}

func seconds(d *caddy.Duration) int64 { return int64(time.Duration(*d).Seconds()) }

// serverTiming reports where the time went, in milliseconds (W3C Server Timing).
func serverTiming(t delivery.Timing) string {
	text := fmt.Sprintf("download;dur=%.1f", float64(t.Download.Microseconds())/1000)
	if t.Transformation > 0 {
		text += fmt.Sprintf(", transformation;dur=%.1f", float64(t.Transformation.Microseconds())/1000)
	}
	return text
}

// active reports whether browsers run code in files of a media type.
func active(contentType string) bool {
	mediaType, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		mediaType = strings.ToLower(contentType)
	}
	switch mediaType {
	case "text/html", "text/xml", "text/javascript", "text/ecmascript", "application/xml", "application/javascript",
		"application/x-javascript", "application/ecmascript", "text/x-javascript", "text/jscript", "text/xsl",
		"multipart/x-mixed-replace":
		return true
	}
	return err != nil || strings.HasSuffix(mediaType, "+xml") // application/xhtml+xml, image/svg+xml …
}

// extensions are the usual ones of what we encode.
var extensions = map[plan.Format][]string{
	plan.JPEG: {".jpg", ".jpeg"}, plan.PNG: {".png"}, plan.GIF: {".gif"}, plan.WebP: {".webp"},
	plan.AVIF: {".avif"}, plan.JXL: {".jxl"},
}

// filename is the name under which an attachment is saved: as asked for, else the file's own, with the extension of
// what is really sent.
func (x *exchange) filename(resp *delivery.Response) string {
	name := path.Base(x.address.Key)
	own := path.Ext(name)
	if x.address.Filename != "" {
		name = x.address.Filename
		if path.Ext(name) == "" {
			name += own
		}
	}
	want := extensions[resp.Format]
	if !resp.Transformed || len(want) == 0 {
		return name
	}
	have := path.Ext(name)
	for _, extension := range want {
		if strings.EqualFold(have, extension) {
			return name
		}
	}
	return strings.TrimSuffix(name, have) + want[0]
}

// header sets what is still free: what the site's configuration set before stands.
type header struct{ http.Header }

func (h header) fill(name, value string) {
	if _, set := h.Header[name]; !set {
		h.Set(name, value)
	}
}
