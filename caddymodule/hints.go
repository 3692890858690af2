package caddymodule

import (
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax"
)

// negotiable are the formats that clients name in Accept (RFC 9110 §12.5.1) when they can show them. The wildcards
// image/* and */* say nothing: every client sends them.
var negotiable = map[string]plan.Format{
	plan.JXL.MediaType():  plan.JXL,
	plan.AVIF.MediaType(): plan.AVIF,
	plan.WebP.MediaType(): plan.WebP,
}

// acceptedFormats reduces the Accept header to a small finite set, so that headers make no cache keys.
func acceptedFormats(h http.Header) plan.Set {
	var set plan.Set
	for _, line := range h.Values("Accept") {
		for item := range strings.SplitSeq(line, ",") {
			mediaType, parameters, _ := strings.Cut(item, ";")
			format, ok := negotiable[strings.ToLower(strings.TrimSpace(mediaType))]
			if ok && !refused(parameters) {
				set = set.With(format)
			}
		}
	}
	return set
}

// The headers by which clients tell how they show a picture (Responsive Image Client Hints) and that they want less of it
// (Save Data API). Browsers send the first two only to who asks for them; the older names Width and DPR are not read: each
// name that is would have to be in Vary.
const (
	widthHint = "Sec-CH-Width"
	dprHint   = "Sec-CH-DPR"
	saveHint  = "Save-Data"
)

// hintedWidth returns the width that a client shows the picture at, in pixels of its screen, rounded up to a multiple of
// 100: 0 if it tells none, at most the largest multiple that a side can have. So there are 656 of them, and headers make
// no cache keys.
func hintedWidth(h http.Header) int {
	width := toldWidth(h)
	return min((width+99)/100*100, syntax.MaxSide/100*100)
}

// toldWidth returns the width as it is told, up to 65535; 0 if there is none.
func toldWidth(h http.Header) int {
	// An integer of RFC 9651 §3.3.1: it has 15 digits at most, and no plus sign.
	text := bareItem(h, widthHint)
	if text == "" {
		return 0
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 || len(text) > 15 || text[0] == '+' {
		return 0
	}
	return int(min(n, syntax.MaxSide))
}

// hintedDPR returns the pixel ratio of a client's screen, rounded up to a quarter, from 0.25 to 5: 0 if it tells none.
func hintedDPR(h http.Header) float64 {
	return math.Ceil(toldDPR(h)*4-1e-6) / 4 // 2.0000000238 is 2 in a browser's single precision
}

// toldDPR returns the ratio as it is told, within the bounds of dpr; 0 if there is none.
func toldDPR(h http.Header) float64 {
	// A decimal of RFC 9651 §3.3.2, but browsers also write integers, and more than three digits behind the dot.
	text := bareItem(h, dprHint)
	whole, fraction, dot := strings.Cut(text, ".")
	if whole == "" || dot && fraction == "" || len(text) > 24 || strings.Trim(text, "0123456789.") != "" {
		return 0
	}
	ratio, err := strconv.ParseFloat(text, 64)
	if err != nil || ratio <= 0 {
		return 0
	}
	return min(max(ratio, syntax.MinDPR), syntax.MaxDPR)
}

// savesData reports whether a client asks for less data.
func savesData(h http.Header) bool { return strings.EqualFold(bareItem(h, saveHint), "on") }

// bareItem returns the one item of a structured header (RFC 9651 §3.3) without parameters, which none of ours has; "" where
// the header is missing or stands more than once.
func bareItem(h http.Header, name string) string {
	values := h[canonicalHint(name)]
	if len(values) != 1 {
		return ""
	}
	item, _, _ := strings.Cut(values[0], ";")
	return strings.Trim(item, " ")
}

// canonicalHint returns the name under which net/http keeps a hint: making it anew for each request costs an allocation.
func canonicalHint(name string) string {
	switch name {
	case widthHint:
		return "Sec-Ch-Width"
	case dprHint:
		return "Sec-Ch-Dpr"
	}
	return name
}

// varyHeaders returns the request headers that could have changed an answer, as Vary names them (RFC 9110 §12.5.5),
// whether the request had them or not.
func varyHeaders(v plan.Vary) string {
	if v.Has(plan.VaryWidth) {
		v |= plan.VaryDPR // changes no pixels beside a width, but Content-DPR
	}
	names := make([]string, 0, 4)
	for _, header := range []struct {
		vary plan.Vary
		name string
	}{
		{plan.VaryAccept, "Accept"}, {plan.VaryWidth, widthHint}, {plan.VaryDPR, dprHint}, {plan.VarySaveData, saveHint},
	} {
		if v.Has(header.vary) {
			names = append(names, header.name)
		}
	}
	return strings.Join(names, ", ")
}

// contentDPR returns the value of Content-DPR, by which browsers lay out a picture whose size they have told: how many of
// its pixels come to one of the page. It is "" where the size is not by their hints.
func contentDPR(h http.Header, p plan.Plan) string {
	ratio := p.HintedDPR
	if p.HintedWidth {
		// The hints as they are told: rounded ones would be off by as much.
		ratio = float64(p.Width) / (float64(toldWidth(h)) / toldDPR(h))
	}
	if ratio = math.Round(ratio*100) / 100; !(ratio > 0) {
		return ""
	}
	return strconv.FormatFloat(ratio, 'f', -1, 64)
}

// refused reports whether parameters of an Accept item hold a weight of zero.
func refused(parameters string) bool {
	for parameter := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		if strings.EqualFold(name, "q") {
			weight, err := strconv.ParseFloat(value, 64)
			return err != nil || weight <= 0
		}
	}
	return false
}
