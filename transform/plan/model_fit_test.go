package plan_test

import (
	"math"
	"math/big"
	"strings"
)

// modelBox is what w, h, ar and dpr come to; a side that nothing tells is 0.
type modelBox struct{ width, height int }

func (m *model) box(items map[string]string) modelBox {
	w, h := m.side(items, "w", m.width), m.side(items, "h", m.height)
	ratio, given := items["ar"]
	if given && !m.ended() {
		ar := m.value(ratio)
		if m.ended() {
			return modelBox{}
		}
		m.refuse(ar.Sign() <= 0 || ar.Cmp(whole(65535)) > 0 || ar.Cmp(big.NewRat(1, 65535)) < 0)
		switch {
		case m.refused:
		case w != nil && h == nil:
			h = quotient(w, ar)
		case h != nil && w == nil:
			w = times(h, ar)
		}
	}
	if text, given := items["dpr"]; given && !m.ended() {
		dpr := m.value(text)
		if m.ended() {
			return modelBox{}
		}
		m.refuse(dpr.Cmp(big.NewRat(1, 10)) < 0 || dpr.Cmp(whole(5)) > 0)
		fine := true
		for _, side := range []*big.Rat{w, h} {
			if side != nil {
				wide := times(side, dpr)
				fine = fine && wide.Cmp(whole(1)) >= 0 && wide.Cmp(whole(5000)) <= 0
			}
		}
		for _, side := range []*big.Rat{w, h} {
			if side != nil && fine {
				side.Mul(side, dpr)
			}
		}
	}
	var box modelBox
	if w != nil {
		box.width = m.round(w)
	}
	if h != nil {
		box.height = m.round(h)
	}
	m.refuse(max(box.width, box.height) > 65535)
	return box
}

// side returns what w or h asks for, nil if there is none: pixels, or below 1 a fraction of the picture.
func (m *model) side(items map[string]string, name string, of int) *big.Rat {
	text, given := items[name]
	if !given || m.ended() {
		return nil
	}
	v := m.value(text)
	if m.ended() {
		return nil
	}
	if arithmetic(text) {
		if v.Sign() <= 0 || v.Cmp(big.NewRat(131071, 2)) >= 0 {
			m.refused = true
			return nil
		}
		return whole(m.round(v))
	}
	if v.Cmp(whole(1)) < 0 {
		v.Mul(v, whole(of))
	}
	return v
}

func (m *model) border(items map[string]string) int {
	text, given := items["b"]
	if !given || m.ended() {
		return 0
	}
	v := m.value(text[:strings.LastIndexAny(text, "_-")])
	if m.ended() {
		return 0
	}
	if v.Sign() < 0 || v.Cmp(whole(65535)) > 0 {
		m.refused = true
		return 0
	}
	if n := m.round(v); v.Cmp(big.NewRat(1, 2)) >= 0 {
		return n
	}
	return 0
}

// fit brings the picture into the box.
func (m *model) fit(items map[string]string, box modelBox) {
	mode := items["cm"]
	if mode == "" {
		mode = items["c"]
	}
	one := box.width == 0 || box.height == 0
	if box == (modelBox{}) {
		return
	}
	if one {
		m.fitOne(items, mode, box)
		return
	}
	W, H, w, h := m.width, m.height, box.width, box.height
	contain := smaller(big.NewRat(int64(w), int64(W)), big.NewRat(int64(h), int64(H)))
	covering := larger(big.NewRat(int64(w), int64(W)), big.NewRat(int64(h), int64(H)))
	fits := W <= w && H <= h
	x, y, smart := focusOf(items["fo"])
	switch mode {
	case "", "maintain_ratio":
		m.cover(w, h, covering, x, y, smart)
	case "maintain_ratio_no_enlarge":
		if W >= w && H >= h {
			m.cover(w, h, covering, x, y, smart)
			return
		}
		// What of the picture the box would show if it were covered.
		cw, ch := min(m.round(quotient(whole(w), covering)), W), min(m.round(quotient(whole(h), covering)), H)
		m.window(cw, ch, half(W-cw, x), half(H-ch, y), smart)
	case "force":
		m.scaleTo(w, h)
	case "at_max":
		if !fits {
			m.scaleBy(contain)
		}
	case "at_max_enlarge":
		m.scaleBy(contain)
	case "at_least":
		m.scaleBy(covering)
	case "pad_resize", "pad_resize_no_enlarge":
		if mode == "pad_resize" || !fits {
			m.scaleBy(contain)
		}
		m.padded(w, h, x, y)
	case "extract":
		m.extract(items, w, h)
	case "pad_extract":
		cw, ch := min(w, W), min(h, H)
		m.window(cw, ch, half(W-cw, x), half(H-ch, y), smart)
		m.padded(w, h, x, y)
	case "pad_extract_no_shrink":
		m.padded(max(w, W), max(h, H), x, y)
	}
}

// fitOne is fit for one side, without a ratio.
func (m *model) fitOne(items map[string]string, mode string, box modelBox) {
	scale := big.NewRat(int64(box.width), int64(m.width))
	if box.width == 0 {
		scale = big.NewRat(int64(box.height), int64(m.height))
	}
	enlarges := scale.Cmp(whole(1)) > 0
	all := modelBox{box.width, m.height}
	if box.width == 0 {
		all = modelBox{m.width, box.height}
	}
	switch mode {
	case "", "maintain_ratio", "force", "at_max_enlarge", "at_least", "pad_resize":
		m.scaleBy(scale)
	case "at_max", "maintain_ratio_no_enlarge":
		if !enlarges {
			m.scaleBy(scale)
		}
	case "pad_resize_no_enlarge":
		if !enlarges {
			m.scaleBy(scale)
			return
		}
		x, y, _ := focusOf(items["fo"])
		m.padded(all.width, all.height, x, y)
	default:
		m.fit(items, all)
	}
}

// focusOf returns how many halves of the free space lie before the picture or the window on each axis.
func focusOf(word string) (x, y int, smart bool) {
	x, y = 1, 1
	switch word {
	case "", "center", "custom":
		return x, y, false
	case "left", "right", "top", "bottom", "top_left", "top_right", "bottom_left", "bottom_right":
	default: // auto, and what is taken for it
		return x, y, true
	}
	if strings.Contains(word, "left") {
		x = 0
	}
	if strings.Contains(word, "right") {
		x = 2
	}
	if strings.Contains(word, "top") {
		y = 0
	}
	if strings.Contains(word, "bottom") {
		y = 2
	}
	return x, y, false
}

// half returns that many halves of the free pixels; of an odd number the left and top get the odd one.
func half(free, halves int) int {
	if halves == 1 {
		return free - free/2
	}
	return free * halves / 2
}

// cover fills w × h by the picture times scale. The order of cutting and scaling is open, so a window is known to a pixel.
func (m *model) cover(w, h int, scale *big.Rat, x, y int, smart bool) {
	exact, _ := scale.Float64()
	sw, sh := float64(m.width)*exact, float64(m.height)*exact
	m.lost = m.lost || smart && (m.round(times(whole(m.width), scale)) != w || m.round(times(whole(m.height), scale)) != h)
	m.loosen(1 + 1/exact)
	ox, oy := (sw-float64(w))*float64(x)/2, (sh-float64(h))*float64(y)/2
	m.place = m.place.after(affine{1 / exact, 0, ox / exact, 0, 1 / exact, oy / exact})
	m.width, m.height = w, h
	m.sized()
}

// loosen says that places are known to so many pixels of the picture from now on. More is lost by the next step.
func (m *model) loosen(by float64) {
	m.lost = m.lost || m.slack > 0
	m.slack = by * max(math.Abs(m.place.a)+math.Abs(m.place.b), math.Abs(m.place.d)+math.Abs(m.place.e))
}

// scaleBy scales both sides alike.
func (m *model) scaleBy(scale *big.Rat) {
	m.scaleTo(m.round(times(whole(m.width), scale)), m.round(times(whole(m.height), scale)))
}

func (m *model) scaleTo(w, h int) {
	m.place = m.place.after(affine{float64(m.width) / float64(w), 0, 0, 0, float64(m.height) / float64(h), 0})
	m.width, m.height = w, h
	m.sized()
}

// window keeps w × h from x, y on.
func (m *model) window(w, h, x, y int, smart bool) {
	m.lost = m.lost || smart && (w != m.width || h != m.height)
	m.place = m.place.after(affine{1, 0, float64(x), 0, 1, float64(y)})
	m.width, m.height = w, h
}

// padded puts the picture on w × h.
func (m *model) padded(w, h, x, y int) { m.pad(w, h, half(w-m.width, x), half(h-m.height, y)) }

func (m *model) pad(w, h, x, y int) {
	m.lost = m.lost || m.slack > 0
	m.place = m.place.after(affine{1, 0, float64(-x), 0, 1, float64(-y)})
	m.width, m.height = w, h
	m.sized()
}

// extract keeps a window of w × h, which must lie inside the picture.
func (m *model) extract(items map[string]string, w, h int) {
	x, y, smart := focusOf(items["fo"])
	if w > m.width || h > m.height {
		m.refused = true
		return
	}
	at := [2]int{half(m.width-w, x), half(m.height-h, y)}
	for axis, of := range []struct {
		edge, centre  string
		length, whole int
	}{{"x", "xc", w, m.width}, {"y", "yc", h, m.height}} {
		text, byEdge := items[of.edge]
		if !byEdge {
			centre, byCentre := items[of.centre]
			if !byCentre {
				continue
			}
			text = centre
		}
		smart = false
		v := m.value(text)
		if m.ended() {
			return
		}
		if m.refuse(larger(v, new(big.Rat).Neg(v)).Cmp(big.NewRat(131071, 2)) >= 0); m.refused {
			return
		}
		if at[axis] = m.roundAny(v); !byEdge {
			at[axis] -= of.length / 2
		}
		m.refuse(at[axis] < 0 || at[axis]+of.length > of.whole)
	}
	if !m.ended() {
		m.window(w, h, at[0], at[1], smart)
	}
}

// turn turns clockwise.
func (m *model) turn(text string) {
	if text == "" || text == "auto" || m.ended() {
		return
	}
	digits, other := strings.CutPrefix(text, "N")
	degrees, _ := fraction(digits).Float64()
	if other {
		degrees = 360 - degrees
	}
	w, h := float64(m.width), float64(m.height)
	switch degrees {
	case 0, 360:
		return
	case 90:
		m.place = m.place.after(affine{0, 1, 0, -1, 0, h})
	case 180:
		m.place = m.place.after(affine{-1, 0, w, 0, -1, h})
	case 270:
		m.place = m.place.after(affine{0, -1, w, 1, 0, 0})
	default:
		m.lost = true
	}
	angle := degrees / 180 * math.Pi
	sizes := [2]float64{
		w*math.Abs(math.Cos(angle)) + h*math.Abs(math.Sin(angle)),
		w*math.Abs(math.Sin(angle)) + h*math.Abs(math.Cos(angle)),
	}
	if math.Mod(degrees, 90) == 0 {
		sizes = [2]float64{math.Round(sizes[0]), math.Round(sizes[1])}
	}
	for _, size := range sizes {
		m.unsure = m.unsure || math.Abs(size-math.Floor(size)-0.5) < 1e-6
	}
	m.width, m.height = max(1, int(math.Floor(sizes[0]+0.5))), max(1, int(math.Floor(sizes[1]+0.5)))
	m.sized()
}

func (m *model) mirror(text string) {
	w, h := float64(m.width), float64(m.height)
	if strings.Contains(text, "h") {
		m.place = m.place.after(affine{-1, 0, w, 0, 1, 0})
	}
	if strings.Contains(text, "v") {
		m.place = m.place.after(affine{1, 0, 0, 0, -1, h})
	}
}
