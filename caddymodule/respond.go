package caddymodule

import (
	"fmt"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/imageorigin/imageorigin/internal/delivery"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// sandbox is the Content-Security-Policy of files that a browser would run: nothing in them runs or loads.
const sandbox = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"

// respond writes the answer: headers that the site has not set itself, then the body with ranges and conditions.
func (x *exchange) respond(resp *delivery.Response) error {
	if resp.Origin.Private && !x.mayShowPrivate() {
		x.response = nil
		return x.fail(delivery.ErrPrivate)
	}
	normaliseRange(x.r)
	if unsatisfiable(x.r, resp.Size) {
		x.w.Header().Set("Content-Range", fmt.Sprintf("bytes */%d", resp.Size))
		return x.fail(errRange)
	}
	h := newHeader(x.w)
	contentType := headerSafe(resp.ContentType) // that of a file that passes through is what somebody has uploaded it as
	if contentType == "" {
		contentType = plan.Unknown.MediaType() // application/octet-stream: never guessed, so never run
	}
	h.fill("Content-Type", contentType)
	h.fill("X-Content-Type-Options", "nosniff")
	x.describeKeeping(&h, resp)
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
		h.add("Vary", vary)
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
	if resp.Failed != nil {
		x.tellFailure(&h, resp.Failed)
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

// describeKeeping sets the headers about caches: what clients and CDNs may keep, and what ours did.
func (x *exchange) describeKeeping(h *header, resp *delivery.Response) {
	keep := x.lasting(resp)
	h.fill("Cache-Control", keep.control)
	if keep.cdn != "" {
		h.fill("Cdn-Cache-Control", keep.cdn)
	}
	if name, tags := x.cdnTags(resp); name != "" {
		h.fill(name, tags)
	}
	h.add("Cache-Status", cacheStatus(resp)) // a list: caches nearer to the origin come first
	if keep.age && resp.How.Hit && resp.How.Known {
		h.fill("Age", strconv.FormatInt(int64(max(resp.How.Age, 0)/time.Second), 10))
	}
	x.boundKeeping(h.Header, resp)
	if timing := serverTiming(resp); timing != "" {
		h.fill("Server-Timing", timing)
	}
}

// active reports whether browsers run code in files of a media type.
func active(contentType string) bool {
	switch contentType {
	case "image/jpeg", "image/png", "image/gif", "image/webp", "image/avif", "image/jxl": // nearly all that we send
		return false
	}
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

// header sets what is still free: what the site's configuration set before stands. Names are in canonical form.
type header struct {
	http.Header
	room []string // for values, one behind the other: a slice of its own for each costs an allocation
}

// maxUsual is how many headers an answer has unless something is unusual about it.
const maxUsual = 12

func newHeader(w http.ResponseWriter) header {
	return header{w.Header(), make([]string, 0, maxUsual)}
}

func (h *header) fill(name, value string) {
	if _, set := h.Header[name]; !set {
		h.put(name, value)
	}
}

// add adds a member to a list.
func (h *header) add(name, value string) {
	if _, set := h.Header[name]; set {
		h.Add(name, value)
	} else {
		h.put(name, value)
	}
}

func (h *header) put(name, value string) {
	h.room = append(h.room, value)
	n := len(h.room)
	h.Header[name] = h.room[n-1 : n : n]
}
