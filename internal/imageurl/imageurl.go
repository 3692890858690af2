// Package imageurl reads the URLs of an endpoint: where the transformation stands, which file it is of, and what the
// query says beside it. It knows no endpoints: their prefix is already taken off.
package imageurl

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/imageorigin/imageorigin/transform/syntax"
)

// Address is what a URL asks for.
type Address struct {
	Key        string       // path of the file, decoded: slash separated, no leading slash, no "." or ".." segments
	Chain      syntax.Chain // steps of the path, then those of the query; nil if the URL has none
	Query      string       // what the language gives no meaning to: raw pairs in their order, joined by "&"
	Thumbnail  bool         // /ik-thumbnail.jpg stands behind the file: a still picture of a page of it
	Attachment bool         // ik-attachment=true: to be saved rather than shown
	Filename   string       // ik-attachment-filename; "" is the file's own name

	// Texts are the transformations as given to syntax.Parse, the path's before the query's: what the columns of errors
	// count in. Parse returns them beside an error, too; an error of the syntax is about the last.
	Texts []string

	chains []syntax.Chain // of each of Texts
}

// Error says which part of a URL is wrong. Errors of the transformation itself are *syntax.Error.
type Error struct {
	Part string // "path", or a query parameter
	Msg  string // what is wrong and what is accepted
}

// Error returns one sentence for the person who wrote the URL.
func (e *Error) Error() string { return e.Part + ": " + e.Msg }

// Parse reads path (escaped: percent-encoded, with or without a leading slash) and query (raw) of a URL, less the endpoint's
// prefix. Errors are *Error or *syntax.Error.
//
// Percent-encoding is undone once, segment by segment, so %2F is a slash of the key and an encoded separator of the
// transformation works as the bare one does. A "+" is a plus everywhere, in the query too: HTML forms don't make these
// URLs, and base64 in them does contain it.
func Parse(escaped, query string) (Address, error) {
	transformation, key, err := splitPath(escaped)
	if err != nil {
		return Address{}, err
	}
	var a Address
	key, a.Thumbnail = withoutThumbnail(key)
	if a.Key, err = withoutSEO(key); err != nil {
		return Address{}, err
	}
	if transformation != nil {
		a.Texts = append(a.Texts, *transformation)
		if a.Chain, err = syntax.Parse(*transformation); err != nil {
			return Address{Texts: a.Texts}, err
		}
		a.chains = append(a.chains, a.Chain)
	}
	if query != "" {
		err = a.readQuery(query)
	}
	return a, err
}

// splitPath takes the first segment that begins with "tr:" out of the path; what remains is the key.
func splitPath(escaped string) (transformation *string, key string, err error) {
	segments := strings.Split(escaped, "/")
	kept := segments[:0]
	for _, raw := range segments {
		segment, err := url.PathUnescape(raw)
		if err != nil {
			return nil, "", &Error{"path", "malformed percent-encoding; write a percent sign as %25"}
		}
		if transformation == nil && strings.HasPrefix(segment, "tr:") {
			text := strings.TrimPrefix(segment, "tr:")
			transformation = &text
			continue
		}
		kept = append(kept, segment)
	}
	key = strings.TrimLeft(strings.Join(kept, "/"), "/")
	return transformation, key, checkKey(key)
}

// withoutThumbnail returns the file of which a key asks for a still picture: folder/file.gif/ik-thumbnail.jpg is that of
// folder/file.gif. The name alone is that of a file.
func withoutThumbnail(key string) (file string, thumbnail bool) {
	if file, ok := strings.CutSuffix(key, "/ik-thumbnail.jpg"); ok && file != "" {
		return file, true
	}
	return key, false
}

// withoutSEO returns the file that a key with a name for search engines means: ik-seo/folder/file/any-name.jpg is
// folder/file.jpg.
func withoutSEO(key string) (string, error) {
	rest, ok := strings.CutPrefix(key, "ik-seo/")
	if !ok {
		return key, nil
	}
	name, seo := path.Split(rest)
	name = strings.TrimSuffix(name, "/")
	if extension := path.Ext(seo); name != "" && extension != "" && extension != "." {
		return name + extension, nil
	}
	return "", &Error{"path", "behind ik-seo stands the file without its extension, then a name with it: ik-seo/folder/file/any-name.jpg"}
}

// checkKey refuses what no store has and attackers try: an encoded path to somewhere else.
func checkKey(key string) error {
	if strings.ContainsRune(key, 0) {
		return &Error{"path", "must not contain a NUL byte"}
	}
	for segment := range strings.SplitSeq(key, "/") {
		if segment == "." || segment == ".." {
			return &Error{"path", `must not contain "." or ".." segments`}
		}
	}
	return nil
}

// later are query parameters of the language whose time has not come: refused, since ignoring one would show
// something else than was asked for.
var later = map[string]string{
	"ik-sanitizeSvg": "SVG files are not rewritten; they are served under a Content-Security-Policy sandbox instead",
}

func (a *Address) readQuery(query string) error {
	var passed, seen []string
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" {
			continue
		}
		rawName, rawValue, _ := strings.Cut(pair, "=")
		name, err := url.PathUnescape(rawName)
		if err != nil || !known(name) {
			passed = append(passed, pair) // not of the language: its spelling is the origin's business
			continue
		}
		if slices.Contains(seen, name) {
			return &Error{name, "is given twice"}
		}
		if (name == "ik-s" || name == "ik-t") && name != rawName {
			return &Error{name, "the name is written without percent-encoding"} // TakeSignature doesn't see it else
		}
		seen = append(seen, name)
		value, err := url.PathUnescape(rawValue)
		if err != nil {
			return &Error{name, "malformed percent-encoding; write a percent sign as %25"}
		}
		if err := a.set(name, value); err != nil {
			return err
		}
	}
	a.Query = strings.Join(passed, "&")
	return nil
}

func known(name string) bool {
	switch name {
	case "tr", "ik-attachment", "ik-attachment-filename", "ik-sdk-version", "ik-s", "ik-t":
		return true
	}
	return later[name] != ""
}

func (a *Address) set(name, value string) error {
	switch name {
	case "tr":
		a.Texts = append(a.Texts, value)
		chain, err := syntax.Parse(value)
		if err != nil {
			return err
		}
		a.Chain = append(a.Chain, chain...)
		if len(a.Texts) > 1 && len(a.Chain.String()) > syntax.MaxText {
			return &syntax.Error{Pos: -1, Param: name, Limit: true, Msg: fmt.Sprintf("with that of the path it is longer than %d bytes", syntax.MaxText)}
		}
		a.chains = append(a.chains, chain)
	case "ik-attachment":
		if value != "true" && value != "false" {
			return &Error{name, "must be true or false"}
		}
		a.Attachment = value == "true"
	case "ik-attachment-filename":
		if value == "" || strings.ContainsAny(value, "/\\\x00\r\n") {
			return &Error{name, "must be a file name without slashes"}
		}
		a.Filename = value
	case "ik-sdk-version": // tells which SDK built the URL; has no effect
	case "ik-s", "ik-t": // who knows keys judges them (Signature); they are no part of what is asked for
	default:
		return &Error{name, later[name]}
	}
	return nil
}
