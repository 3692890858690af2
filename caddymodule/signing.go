package caddymodule

import (
	"errors"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/imageorigin/imageorigin/internal/imageurl"
)

// errUnsigned is the error of a URL that only a signature opens.
var errUnsigned = errors.New("this endpoint answers signed URLs only, and this one has no signature (ik-s)")

// signed is what the signature of a request has come to.
type signed struct {
	valid   bool
	expires int64 // in seconds since 1970; imageurl.Never is never
}

// ends reports whether what is signed stops being so.
func (s signed) ends() bool { return s.valid && s.expires != imageurl.Never }

// verify judges the signature of the request, before anything is fetched. A wrong or expired one is refused even where none
// is needed: whoever signs means the answer to end. Without keys there is nothing to hold one against, and ImageKit's SDKs
// may sign all the same: it is ignored then.
func (x *exchange) verify() error {
	e := x.endpoint
	if len(e.keys) == 0 {
		return nil
	}
	sent, s, err := imageurl.TakeSignature(sentURI(x.r))
	if err != nil {
		return err
	}
	if !s.Given {
		return nil
	}
	texts := x.app.router.signedTexts(x.bound, e, x.r.Host, x.r.URL, sent)
	if err := s.Verify(e.keys, e.name, texts, time.Now()); err != nil {
		return err
	}
	x.signed.valid = true
	x.signed.expires, err = s.Seconds()
	return err
}

// demand refuses what needs a signature that the request doesn't have. It knows the address if parsed is nil.
func (x *exchange) demand(parsed error) error {
	if !x.signed.valid && x.endpoint.config.needsSignature(&x.address, parsed == nil) {
		return errUnsigned
	}
	return nil
}

// needsSignature reports whether what an address asks for is for signed URLs only; known: the URL could be read.
func (e *Endpoint) needsSignature(a *imageurl.Address, known bool) bool {
	return e.SignedOnly == signedOnlyAll || e.SignedOnly == signedOnlyImages && known && showsPicture(a)
}

// showsPicture reports whether what an address asks for may be a picture, as far as its path tells: all but the files whose
// extension is that of something else. What is to be transformed is taken for one. In keys that are URLs (web_proxy) the file
// ends before the question mark.
func showsPicture(a *imageurl.Address) bool {
	file, _, _ := strings.Cut(a.Key, "?")
	return a.Thumbnail || len(a.Chain) > 0 || !isOther(a.Key) || !isOther(file)
}

// isOther reports whether a file has the extension of what is no picture.
func isOther(file string) bool { return otherExtensions[strings.ToLower(path.Ext(file))] }

// otherExtensions are those of files that are no pictures.
var otherExtensions = func() map[string]bool {
	const all = ".mp4 .m4v .mov .webm .mkv .avi .mpg .mpeg .m3u8 .mpd .ts .m4s .ogv .3gp .mp3 .m4a .aac .ogg .oga .opus .wav .flac .weba " +
		".pdf .doc .docx .xls .xlsx .ppt .pptx .odt .ods .odp .epub .rtf .txt .md .csv .tsv .json .xml .yaml .yml .vtt .srt " +
		".html .htm .css .js .mjs .map .wasm .zip .gz .tgz .bz2 .xz .zst .tar .7z .rar .woff .woff2 .ttf .otf .eot .glb .gltf"
	set := map[string]bool{}
	for extension := range strings.FieldsSeq(all) {
		set[extension] = true
	}
	return set
}()

// mayShowPrivate reports whether the request may be answered with what its origin marks as private: where it is signed, and
// where all that it asks for are transformations that the endpoint itself has named.
func (x *exchange) mayShowPrivate() bool { return x.signed.valid || x.address.OnlyNamed() }

// sentURI returns path and query as the client sent them: Caddy's rewrites keep what was before them.
func sentURI(r *http.Request) string {
	if original, ok := r.Context().Value(caddyhttp.OriginalRequestCtxKey).(http.Request); ok {
		r = &original
	}
	uri := r.RequestURI
	if uri == "" {
		return r.URL.RequestURI() // a request that no client sent
	}
	if _, rest, absolute := strings.Cut(uri, "://"); absolute && !strings.HasPrefix(uri, "/") {
		slash := strings.IndexAny(rest, "/?")
		if slash < 0 {
			return "/"
		}
		uri = rest[slash:]
	}
	return uri
}

// signedTexts returns what may have been signed of a URL, of which sent is path and query as the client sent them, without
// signature: what stands behind the endpoint's prefix. The first is the usual one. host and u are those of the request as the
// handler sees it, after rewrites.
//
// The prefix is what the path has before what the endpoint reads: mount, account and the endpoint's name. Where url_endpoint
// is set, that says it. Else SDKs may have been told the prefix with the endpoint's name or without it. No text is taken that
// could stand for two files: one that itself begins like what could be a part of the prefix is read as that. So a mount is
// never signed: Caddy takes /IMG/, //img/ and /x/../img/ off as well as /img/, and on another site there may be none.
func (rt *router) signedTexts(bound, e *endpoint, host string, u *url.URL, sent string) []string {
	rest := u.EscapedPath()
	if bound == nil {
		_, rest = rt.route(host, rest)
	}
	sentPath, query, _ := strings.Cut(sent, "?")
	if len(sent) > len(sentPath) {
		query = "?" + query
	}
	before, file, ok := splitSuffix(sentPath, rest)
	base := e.config.signedBase()
	if !ok || !sameQuery(u.RawQuery, query) { // rewritten to something else: all that was sent counts
		return []string{strings.TrimPrefix(cutBase(sentPath, base), "/") + query}
	}
	file += query
	if e.config.URLEndpoint != "" {
		return rt.textOfBase(e, base, before, file)
	}
	parts, prefixes := []string{""}, []string{""}
	if name := e.segment(); name != "" {
		prefixes = append(prefixes, name+"/")
		if _, last, ok := cutLast(before); ok && unescaped(last) == name {
			parts = append(parts, last+"/")
		}
	}
	return unambiguous(parts, prefixes, file)
}

// textOfBase returns what may have been signed where the config says what stands before it: base is the path of that.
func (rt *router) textOfBase(e *endpoint, base, before, file string) []string {
	if u, err := url.Parse(e.config.URLEndpoint); err == nil && rt.bound(u.Host) == e && base == "" {
		return []string{file} // the domain says the endpoint: no path of it has its name
	}
	prefixes, name := []string{""}, e.segment()
	for _, mount := range []string{"", unescaped(rt.mountOf(before, name))} {
		for _, other := range rt.befores(mount, name) {
			prefixes = append(prefixes, behindBase(other, unescaped(base)))
		}
	}
	return unambiguous([]string{behindBase(before, base)}, prefixes, file)
}

// mountOf returns what stands before account and name in what stands before a file's path.
func (rt *router) mountOf(before, name string) string {
	if head, last, ok := cutLast(before); ok && name != "" && unescaped(last) == name {
		before = head
	}
	if head, last, ok := cutLast(before); ok && rt.account != "" && unescaped(last) == rt.account {
		before = head
	}
	return before
}

// befores returns all that may stand before the path of an endpoint's file below a mount.
func (rt *router) befores(mount, name string) []string {
	list := []string{mount}
	if rt.account != "" {
		list = append(list, mount+"/"+rt.account)
	}
	if name != "" {
		for _, other := range list[:len(list):len(list)] {
			list = append(list, other+"/"+name)
		}
	}
	return list
}

// behindBase returns the part of what stands before a file's path that is behind base, with a slash at its end; "" if there is
// none, or before doesn't begin with base: something else took its place then.
func behindBase(before, base string) string {
	for i := len(before) - 1; i >= 0; i-- {
		if before[i] == '/' && sameMount(before[:i], base) {
			return before[i+1:] + "/"
		}
	}
	return ""
}

// sameMount reports whether Caddy takes the one for the other: handle_path /img/* answers /IMG/, //img/ and /x/../img/, too.
func sameMount(a, b string) bool {
	return strings.EqualFold(path.Clean("/"+unescaped(a)), path.Clean("/"+unescaped(b)))
}

// unambiguous returns the texts that are made of one of parts and the file's path, less those that another of prefixes could
// stand before: a text that begins with one is read as that and a shorter path.
func unambiguous(parts, prefixes []string, file string) (texts []string) {
	for _, part := range parts {
		text := part + file
		longest := ""
		for _, prefix := range prefixes {
			if len(prefix) > len(longest) && hasPrefixUnescaped(text, prefix) {
				longest = prefix
			}
		}
		if longest == unescaped(part) && !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	return texts
}

// sameQuery reports whether rewrites left the query as it was sent, as sent is without signature. Where they did not, what
// stands before the file's path may be what they made a query of, and has to be signed, too.
func sameQuery(rewritten, sent string) bool {
	rest, _, err := imageurl.TakeSignature("?" + rewritten)
	return err == nil && strings.TrimPrefix(rest, "?") == strings.TrimPrefix(sent, "?")
}

// cutLast cuts the last segment off a path.
func cutLast(path string) (head, last string, ok bool) {
	i := strings.LastIndexByte(path, '/')
	if i < 0 {
		return path, "", false
	}
	return path[:i], path[i+1:], true
}

// segment returns the first segment by which paths name the endpoint; "" if none does.
func (e *endpoint) segment() string {
	if e.name == defaultEndpoint || e.name == inlineName && e.config.Domains == nil {
		return ""
	}
	return e.name
}

// signedBase returns the path of url_endpoint, percent-encoded and without slash at its end.
func (e *Endpoint) signedBase() string {
	u, err := url.Parse(e.URLEndpoint)
	if err != nil {
		return ""
	}
	return strings.TrimRight(u.EscapedPath(), "/")
}

// cutBase returns what stands behind base in a path; all of it, if that is not what it begins with.
func cutBase(path, base string) string {
	if rest, ok := strings.CutPrefix(path, base); ok && strings.HasPrefix(rest, "/") {
		return rest
	}
	return path
}

// splitSuffix finds in a percent-encoded path the part that means the same as suffix, which begins with a slash: rewrites may
// encode it otherwise. file is that part without its slash.
func splitSuffix(path, suffix string) (before, file string, ok bool) {
	decoded, end := unescaped(path), unescaped(suffix)
	if !strings.HasPrefix(end, "/") || !strings.HasSuffix(decoded, end) {
		return "", "", false
	}
	at := 0
	for range len(decoded) - len(end) {
		if path[at] == '%' {
			at += len("%2F")
		} else {
			at++
		}
	}
	if path[at] != '/' {
		return "", "", false
	}
	return path[:at], path[at+1:], true
}

// unescaped returns a percent-encoded text decoded, or as it is where that is malformed: none is, of requests.
func unescaped(text string) string {
	if decoded, err := url.PathUnescape(text); err == nil {
		return decoded
	}
	return text
}

// hasPrefixUnescaped reports whether the path of a URI, decoded, begins with prefix.
func hasPrefixUnescaped(uri, prefix string) bool {
	path, _, _ := strings.Cut(uri, "?")
	return strings.HasPrefix(unescaped(path), prefix)
}
