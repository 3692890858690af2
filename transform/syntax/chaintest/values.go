package chaintest

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/imageorigin/imageorigin/transform/syntax"
)

// values write the value of each parameter, "" for those that may stand without. Parameters that the table does not have
// yet may stand here too.
var values = map[string]func(w Writer) string{
	"w": func(w Writer) string { return w.accepted("w", w.length(), w.length(), w.sideArithmetic(), "auto") },
	"h": func(w Writer) string { return w.Pick(w.length(), w.length(), w.sideArithmetic()) },
	"ar": func(w Writer) string {
		return w.Pick("4-3", "4_3", "4:3", "1.91-1", "1-1", "01-2.50", "iar", "car_mul_2")
	},
	"c":   words("maintain_ratio", "maintain_ratio_no_enlarge", "force", "at_max", "at_max_enlarge", "at_least"),
	"cm":  words("pad_resize", "pad_resize_no_enlarge", "extract", "pad_extract", "pad_extract_no_shrink"),
	"x":   Writer.offset,
	"y":   Writer.offset,
	"xc":  Writer.offset,
	"yc":  Writer.offset,
	"dpr": func(w Writer) string { return w.accepted("dpr", "0.1", "2", "3.30", "1.5", "iw_div_iw", "auto") },
	"bg":  Writer.background,
	"rt": func(w Writer) string {
		return w.Pick("0", "90", "180", "N90", "N12.50", "45", "auto", "360", fmt.Sprint(w.IntN(361)), fmt.Sprintf("N%.3f", 360*w.Float64()))
	},
	"fl":          words("h", "v", "h_v", "v_h"),
	"e-grayscale": words(""),
	"e-contrast":  words(""),
	"bl":          integer(1, 100),
	"e-sharpen":   func(w Writer) string { return w.Pick("", fmt.Sprint(1+w.IntN(100))) },
	"e-usm":       func(w Writer) string { return w.Pick("", "0-5-1-0.05", "02.0-1-0.80-0.024") },
	"r": func(w Writer) string {
		return w.Pick("0", "max", fmt.Sprint(w.IntN(200)), fmt.Sprintf("%d_0_%d_007", w.IntN(50), w.IntN(500)), "65535")
	},
	"b": func(w Writer) string {
		return w.Pick("0", "8", fmt.Sprint(w.IntN(30)), "cw_div_20", "ih_mul_0.05") + w.Pick("_", "-") + w.colour()
	},
	"o":    integer(0, 100),
	"f":    words("auto", "jpg", "jpeg", "png", "webp", "avif", "gif", "orig"),
	"q":    integer(1, 100),
	"pr":   words("true", "false"),
	"lo":   words("true", "false"),
	"md":   words("true", "false"),
	"cp":   words("true", "false"),
	"di":   words("a.jpg", "folder@@a.jpg", "@@a-b@@c.png"),
	"orig": words("true", "false"),

	"fo": func(w Writer) string {
		return w.accepted("fo", "center", "top", "left", "bottom", "right", "top_left", "top_right", "bottom_left", "bottom_right",
			"auto", "auto", "auto", "auto", "face", "custom", "car", "trafficLight_dog")
	},
	"z":    words("0.5", "1.50", "3"),
	"t":    func(w Writer) string { return w.Pick("true", "false", fmt.Sprint(1+w.IntN(99))) },
	"pg":   integer(1, 9),
	"dn":   func(w Writer) string { return w.accepted("dn", fmt.Sprint(1+w.IntN(1200)), "idn_mul_2", "0300") },
	"n":    words("small", "Big_2"),
	"c2pa": words("true"),
	"e-shadow": func(w Writer) string {
		return w.parts("bl-"+fmt.Sprint(w.IntN(16)), "st-"+fmt.Sprint(w.IntN(101)), "x-"+w.signed(101), "y-"+w.signed(101))
	},
	"e-gradient": func(w Writer) string {
		return w.parts("ld-"+w.Pick("0", "90", "359", "top", "bottom_left", "right"), "from-"+w.colour(), "to-"+w.colour(),
			"sp-"+w.Pick("0.5", "1", "20", "ih_div_2"))
	},
	"e-colorize": func(w Writer) string { return w.parts("co-"+w.opaque(), "in-"+fmt.Sprint(w.IntN(101))) },
	"cr": func(w Writer) string {
		text := w.opaque()
		if w.One(2) {
			if text += "_" + fmt.Sprint(w.IntN(101)); w.One(2) {
				text += "_" + w.opaque()
			}
		}
		return text
	},
	"e-distort": func(w Writer) string {
		if w.One(2) {
			return "a-" + w.Pick("30", "N45", "120")
		}
		side := max(w.MaxSide/4, 4)
		at := func(x, y int) string {
			return signed(x*side+w.IntN(side)-side/2) + "_" + signed(y*side+w.IntN(side)-side/2)
		}
		return "p-" + strings.Join([]string{at(0, 0), at(3, 0), at(3, 3), at(0, 3)}, "_")
	},
}

func words(from ...string) func(Writer) string {
	return func(w Writer) string { return w.Pick(from...) }
}

func integer(low, high int) func(Writer) string {
	return func(w Writer) string {
		return w.Pick(fmt.Sprint(low), fmt.Sprint(high), fmt.Sprint(low+w.IntN(high-low+1)), fmt.Sprintf("%04d.0", low+w.IntN(high-low+1)))
	}
}

// accepted returns one of the values that this version of the language accepts.
func (w Writer) accepted(name string, from ...string) string {
	return w.Pick(slices.DeleteFunc(from, func(value string) bool { return !accepts(name + "-" + value) })...)
}

var known sync.Map // of items: whether the language accepts them

func accepts(item string) bool {
	ok, found := known.Load(item)
	if !found {
		_, err := syntax.Parse(item)
		ok = err == nil
		known.Store(item, ok)
	}
	return ok.(bool)
}

func (w Writer) length() string {
	return w.Pick("1", "0.5", "0.013", "002", fmt.Sprintf("%d.0", 1+w.IntN(w.MaxSide)), fmt.Sprint(1+w.IntN(w.MaxSide)),
		fmt.Sprint(1+w.IntN(w.MaxSide)), fmt.Sprint(1+w.IntN(max(w.MaxSide/8, 1))), fmt.Sprintf("%.3f", 0.001+0.99*w.Float64()))
}

// sideArithmetic writes arithmetic that comes to a side most of the time.
func (w Writer) sideArithmetic() string {
	return w.Pick("iw_div_2", "ch_mul_1.3", "cw_add_ih_mod_500", "iar_pow_2_mul_40", "cw", "ih_sub_7", w.Expression())
}

func (w Writer) offset() string {
	return w.Pick("0", "3", "N1", fmt.Sprint(w.IntN(max(w.MaxSide/8, 1))), "cw_div_9", "ch_mul_0.25_sub_2", w.Expression())
}

func (w Writer) background() string {
	return w.accepted("bg", w.colour(), w.colour(), w.colour(), "blurred", "blurred_25", "blurred_auto", "blurred_25_N30", "blurred_auto_100",
		"dominant", "gradient_dominant", "gradient_dominant_2", "gradient_dominant_4")
}

func (w Writer) colour() string {
	return w.Pick("transparent", "F0080050", "ffaa0000", w.opaque(), w.opaque())
}

func (w Writer) opaque() string {
	return w.Pick("red", "rebeccapurple", "F00", "abc", "12aBcD", "000000")
}

// parts joins some of the parts of an effect's value, in any order.
func (w Writer) parts(from ...string) string {
	w.Shuffle(len(from), func(i, j int) { from[i], from[j] = from[j], from[i] })
	return strings.Join(from[:w.IntN(len(from)+1)], "_")
}

func (w Writer) signed(below int) string { return signed(w.IntN(2*below-1) - below + 1) }

func signed(n int) string {
	if n < 0 {
		return fmt.Sprintf("N%d", -n)
	}
	return fmt.Sprint(n)
}
