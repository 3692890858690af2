package chaintest

import (
	"strings"

	"github.com/imageorigin/imageorigin/transform/syntax"
)

// Hostile is a text that is as much work as can be written into [syntax.MaxText] bytes.
type Hostile struct{ Name, Text string }

// Hostiles returns texts that are made to cost time or memory, accepted or refused.
func Hostiles() []Hostile {
	values := func(words ...string) string { // 16 values, as many as arithmetic may have
		text := words[0]
		for i := 1; i < 16; i++ {
			text += "_" + words[1+2*((i-1)%((len(words)-1)/2))] + "_" + words[2+2*((i-1)%((len(words)-1)/2))]
		}
		return text
	}
	powers, remainders := values("iw", "pow", "9", "mod", "iw"), values("cw", "mod", "7.3", "add", "ih", "mul", "1.1")
	comparisons := "w_gt_1" + strings.Repeat("_and_ar_lt_4-3_or_iw_eq_500", 12)
	everything := "w-100,h-80,cm-pad_resize,bg-F0080050,rt-33,fl-h,e-grayscale,e-contrast,bl-100,e-sharpen,e-usm,r-9,b-1_FF0000,o-50"
	return []Hostile{
		{"most steps", fill("w-1:", "w-1")},
		{"most steps that parse and plan", strings.Repeat("w-300:", 19) + "h-300"},
		{"20 steps of everything", strings.Repeat(everything+":", 19) + everything},
		{"steps of everything", fill(everything+":", everything)},
		{"longest arithmetic", fill("w-"+powers+",h-"+remainders+",cm-extract,x-"+remainders+",y-"+powers+":", "w-1")},
		{"arithmetic that stays finite", fill("w-"+values("iw", "pow", "1", "mod", "60000")+",h-"+remainders+":", "w-1")},
		{"one arithmetic", "w-" + fill("iw_pow_", "iw")},
		{"most conditions", fill("if-w_gt_1,w-1,if-end:", "w-1")},
		{"conditions behind steps", fill("w-1:", "if-w_gt_1,w-1,if-end")},
		{"longest conditions", fill("if-"+comparisons+",w-2,if-else,w-3,if-end:", "w-1")},
		{"one condition", "if-" + fill("w_gt_1_and_", "w_gt_1,w-1,if-end")},
		{"one condition that misses its end", "if-" + fill("w_gt_1_or_", "w_gt_1")},
		{"conditions in conditions", fill("if-w_gt_1,", "w-1")},
		{"branches of many steps", "if-w_gt_1," + fill("w-1:", "w-1,if-else,h-1,if-end")},
		{"one name", fill("w", "")},
		{"one effect's name", "e-" + fill("w", "")},
		{"a near miss at the end", fill("w-1:", "backgruond-red")},
		{"an unknown name at the end", fill("w-1:", "qwertyuiopasdfghjk-1")},
		{"an item twice at the end", fill("w-1:", "w-1,h-1,w-1")},
		{"commas", fill(",", "")},
		{"colons", fill(":", "")},
		{"hyphens", "w-" + fill("-", "")},
		{"underscores", "w-iw" + fill("_", "")},
		{"underscores of a condition", "if-" + fill("_", "")},
		{"digits", "w-" + fill("9", "")},
		{"a ratio of digits", "ar-1-" + fill("9", "")},
		{"a path", "di-" + fill("a@@", "a.jpg")},
		{"a path of at signs", "di-" + fill("@", "")},
		{"colours that grow", fill("bg-f00:", "bg-red")},
		{"bytes that are no text", fill("\xff", "")},
		{"characters beyond ASCII", fill("日", "")},
	}
}

// fill repeats piece before end as often as a text holds, less what is put before it.
func fill(piece, end string) string {
	const before = 8
	return strings.Repeat(piece, (syntax.MaxText-before-len(end))/len(piece)) + end
}
