package vipsexec

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/davidbyttow/govips/v2/vips"
)

const xmpField = "xmp-data" // where libvips keeps XMP

// What XMP says about further pictures and films behind the main one: gain maps for HDR, and moving photographs. The
// result has none of them, so a reader would look for them in vain, or in what somebody else put there.
var (
	appendedNamespaces = []string{
		"http://ns.adobe.com/hdr-gain-map/1.0/",
		"http://ns.apple.com/HDRGainMap/1.0/",
		"http://ns.google.com/photos/1.0/container/",
	}
	cameraNamespace     = "http://ns.google.com/photos/1.0/camera/"
	appendedCameraNames = []string{"MotionPhoto", "MicroVideo"} // beginnings of names
)

// withoutAppended removes from XMP kept with img what it says about parts of the original file that are gone.
func withoutAppended(img *vips.ImageRef) error {
	xmp := img.GetBlob(xmpField)
	told, err := alone(xmp)
	switch {
	case err != nil: // nothing can be taken out of what can't be read
		keep := slices.DeleteFunc(img.GetFields(), func(name string) bool { return name == xmpField })
		return img.RemoveMetadata(keep...)
	case len(told) < len(xmp):
		img.SetBlob(xmpField, told)
	}
	return nil
}

// alone returns XMP without elements and attributes that describe what is appended to a file. Everything else stays byte
// by byte, but for the tags that lost an attribute.
func alone(xmp []byte) ([]byte, error) {
	if !mentionsAppended(xmp) {
		return xmp, nil
	}
	d := xml.NewDecoder(bytes.NewReader(xmp))
	var out bytes.Buffer
	namespaces := map[string]string{} // by prefix
	skipping := 0                     // how deep inside of an element that goes
	for {
		start := d.InputOffset()
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			return out.Bytes(), nil
		}
		if err != nil {
			return nil, err
		}
		raw := xmp[start:d.InputOffset()]
		switch token := token.(type) {
		case xml.StartElement:
			for _, a := range token.Attr {
				if a.Name.Space == "xmlns" {
					namespaces[a.Name.Local] = a.Value
				}
			}
			if skipping > 0 || appended(token.Name, namespaces) {
				skipping++
				continue
			}
			raw = startTag(token, raw, namespaces)
		case xml.EndElement:
			if skipping > 0 {
				skipping--
				continue
			}
		}
		if skipping == 0 {
			out.Write(raw)
		}
	}
}

func mentionsAppended(xmp []byte) bool {
	for _, space := range append(appendedNamespaces, cameraNamespace) {
		if bytes.Contains(xmp, []byte(space)) {
			return true
		}
	}
	return false
}

// appended reports whether a name, with its prefix, is about what is appended.
func appended(name xml.Name, namespaces map[string]string) bool {
	uri := namespaces[name.Space]
	for _, space := range appendedNamespaces {
		if uri == space {
			return true
		}
	}
	for _, beginning := range appendedCameraNames {
		if uri == cameraNamespace && strings.HasPrefix(name.Local, beginning) {
			return true
		}
	}
	return false
}

// startTag returns the tag, which is raw in the file, without attributes about what is appended.
func startTag(tag xml.StartElement, raw []byte, namespaces map[string]string) []byte {
	var b bytes.Buffer
	b.WriteString("<" + prefixed(tag.Name))
	gone := false
	for _, a := range tag.Attr {
		declares := a.Name.Space == "xmlns" && appended(xml.Name{Space: a.Name.Local}, namespaces)
		if declares || appended(a.Name, namespaces) {
			gone = true
			continue
		}
		b.WriteString(" " + prefixed(a.Name) + `="`)
		_ = xml.EscapeText(&b, []byte(a.Value)) // a buffer takes everything
		b.WriteString(`"`)
	}
	if !gone {
		return raw
	}
	if bytes.HasSuffix(raw, []byte("/>")) {
		b.WriteString("/")
	}
	b.WriteString(">")
	return b.Bytes()
}

func prefixed(name xml.Name) string {
	if name.Space == "" {
		return name.Local
	}
	return name.Space + ":" + name.Local
}
