package syntax

import (
	"fmt"
	"slices"
	"strings"
)

// Parameter is one row of the table that drives parsing, messages and documentation.
type Parameter struct {
	Name    string // the short name, as URLs have it: "w"
	SDK     string // the long name, as the SDKs have it: "width"
	Grammar string // what is accepted, as the end of a sentence: "a whole number of pixels …"
	Default string // what holds where the parameter is absent
	Section string // of the description of the URL language
	Summary string // what it does, one sentence
	Missing string // why the parameter is refused; "" where it works
	Paints  bool   // it changes pixels, not only how they are encoded
	Example string // a chain that shows it

	read  reader
	colon bool // the value may hold a colon: 4:3
	bare  bool // it may be written without a value

	outside string // why it may not stand in a branch of a condition; "" where it may
}

// Parameters returns the table: first what works, in canonical order, then what the language has but this version
// refuses.
func Parameters() []Parameter { return slices.Clone(table) }

var (
	cropWords     = []string{"maintain_ratio", "maintain_ratio_no_enlarge", "force", "at_max", "at_max_enlarge", "at_least"}
	cropModeWords = []string{"pad_resize", "pad_resize_no_enlarge", "extract", "pad_extract", "pad_extract_no_shrink"}
	focusWords    = []string{
		"center", "top", "left", "bottom", "right", "top_left", "top_right", "bottom_left", "bottom_right", "auto",
	}
	formatWords = []string{"auto", "jpg", "png", "webp", "avif", "gif", "jxl", "svg", "orig"}
)

const (
	lengthGrammar = "a whole number of pixels from 1 to 65535, a fraction between 0 and 1, or " + expressionGrammar
	autoGrammar   = "auto, "
	offsetGrammar = "a whole number of pixels up to 65535, negative with the prefix N, or " + expressionGrammar
	boolGrammar   = "true or false"
	colourGrammar = "RRGGBB, RGB, RRGGBBAA (AA: opacity from 00 to 99) or a colour name in lower case"
)

// table is in canonical order: within a step, items are written in it. New rows may stand anywhere, but moving one
// changes cache keys.
var table = slices.Concat([]Parameter{
	{
		Name: "w", SDK: "width", Section: "2.1", Paints: true, read: readAutoOr(readExpressionOr(readLength)),
		Grammar: autoGrammar + lengthGrammar, Default: "follows h",
		Summary: "Width. A fraction counts from the width of the step's input, auto is as wide as the client shows it. Alone it keeps the ratio, and enlarges.",
		Example: "w-240",
	},
	{
		Name: "h", SDK: "height", Section: "2.1", Paints: true, read: readExpressionOr(readLength),
		Grammar: lengthGrammar, Default: "follows w",
		Summary: "Height, as w, but for auto.",
		Example: "h-120",
	},
	{
		Name: "ar", SDK: "aspectRatio", Section: "2.1", Paints: true, read: readExpressionOr(readRatio), colon: true,
		Grammar: "width-height, two numbers above 0 such as 4-3, 4_3, 4:3 or 1.91-1, or " + expressionGrammar, Default: "the picture's",
		Summary: "Ratio of the box, beside w or h. Ignored beside both.",
		Example: "w-180,ar-1-1",
	},
	{
		Name: "c", SDK: "crop", Section: "2.2", Paints: true, read: readWord(cropWords, nil),
		Grammar: oneOf(cropWords), Default: "maintain_ratio",
		Summary: "How the picture is fitted into the box.",
		Example: "w-180,h-180,c-force",
	},
	{
		Name: "cm", SDK: "cropMode", Section: "2.2", Paints: true, read: readWord(cropModeWords, nil),
		Grammar: oneOf(cropModeWords), Default: "none",
		Summary: "Padding, or cutting without scaling, in place of c.",
		Example: "w-240,h-200,cm-pad_resize",
	},
	{
		Name: "fo", SDK: "focus", Section: "2.1", Paints: true, read: readFocus,
		Grammar: focusGrammar, Default: "center",
		Summary: "Which part is kept when cutting, where the picture sits when padding. auto keeps what draws the eye; " +
			"so do face and objects until there is a detector. custom is center, as no coordinates are stored.",
		Example: "w-120,h-180,fo-right",
	},
	{
		Name: "z", SDK: "zoom", Section: "2.1", Paints: true, read: readZoom,
		Grammar: "a number above 0, up to 100", Default: "1",
		Summary: "How near fo goes to the face or object that it names. Without a detector it has no effect.",
		Example: "w-240,h-240,fo-face,z-1.5",
	},
	{
		Name: "x", SDK: "x", Section: "2.1", Paints: true, read: readExpressionOr(readOffset),
		Grammar: offsetGrammar, Default: "by fo",
		Summary: "Left edge of the window of cm-extract.",
		Example: "w-240,h-160,cm-extract,x-260",
	},
	{
		Name: "y", SDK: "y", Section: "2.1", Paints: true, read: readExpressionOr(readOffset),
		Grammar: offsetGrammar, Default: "by fo",
		Summary: "Top edge of the window of cm-extract.",
		Example: "w-240,h-160,cm-extract,y-250",
	},
	{
		Name: "xc", SDK: "xCenter", Section: "2.1", Paints: true, read: readExpressionOr(readOffset),
		Grammar: offsetGrammar, Default: "by fo",
		Summary: "Horizontal centre of the window of cm-extract.",
		Example: "w-240,h-160,cm-extract,xc-400",
	},
	{
		Name: "yc", SDK: "yCenter", Section: "2.1", Paints: true, read: readExpressionOr(readOffset),
		Grammar: offsetGrammar, Default: "by fo",
		Summary: "Vertical centre of the window of cm-extract.",
		Example: "w-240,h-160,cm-extract,yc-330",
	},
	{
		Name: "dpr", SDK: "dpr", Section: "2.1", Paints: true, read: readAutoOr(readExpressionOr(readNumber(MinDPR, MaxDPR))),
		Grammar: autoGrammar + "a number from 0.1 to 5, or " + expressionGrammar, Default: "1",
		Summary: "Multiplies w and h; auto is the ratio that the client's screen has. Ignored where a side would leave 1 to 5000 pixels.",
		Example: "w-120,dpr-2",
	},
	{
		Name: "bg", SDK: "background", Section: "2.6", Paints: true, read: readBackground,
		Grammar: backgroundGrammar, Default: "000000",
		Summary: "Colour of padding, and behind everything transparent; or what stands in for it, made from the picture.",
		Example: "w-240,h-200,cm-pad_resize,bg-gold",
	},
}, trimming, looks(), reading, []Parameter{
	{
		Name: "f", SDK: "format", Section: "2.4", read: readFormat,
		Grammar: oneOf(slices.Insert(slices.Clone(formatWords), 2, "jpeg")), Default: "auto",
		Summary: "Format of the result. auto takes the best one that the client accepts.",
		Example: "w-240,f-png",
	},
	{
		Name: "q", SDK: "quality", Section: "2.4", read: readInteger(1, 100),
		Grammar: "a whole number from 1 to 100", Default: "the endpoint's, or 80",
		Summary: "Quality of JPEG, WebP, AVIF and JPEG XL; below 100, PNG is reduced to a palette.",
		Example: "w-240,q-5",
	},
	{
		Name: "pr", SDK: "progressive", Section: "2.4", read: readBool,
		Grammar: boolGrammar, Default: "false",
		Summary: "Progressive JPEG.",
		Example: "w-240,f-jpg,pr-true",
	},
	{
		Name: "lo", SDK: "lossless", Section: "2.4", read: readBool,
		Grammar: boolGrammar, Default: "false",
		Summary: "Lossless WebP and PNG.",
		Example: "w-100,f-webp,lo-true",
	},
	{
		Name: "md", SDK: "metadata", Section: "2.4", read: readBool,
		Grammar: boolGrammar, Default: "false",
		Summary: "Keeps EXIF, XMP and IPTC.",
		Example: "w-240,md-true",
	},
	{
		Name: "cp", SDK: "colorProfile", Section: "2.4", read: readBool,
		Grammar: boolGrammar, Default: "false",
		Summary: "Keeps the colour profile, and the pixels as it describes them.",
		Example: "w-240,cp-true",
	},
	{
		Name: "di", SDK: "defaultImage", Section: "2.4", read: readPath,
		Grammar: "the path of a picture of this endpoint, with @@ for each slash", Default: "the endpoint's, or none",
		Summary: "Stands in, transformed alike, where no origin has the picture. It may stand in any step; the last one counts.",
		Example: "w-240,di-brand@@missing.png",
	},
	{
		Name: namedParameter, SDK: "named", Section: "2.4", read: readName,
		Grammar: nameGrammar, Default: "none",
		Summary: "The endpoint's transformation of that name. Its steps stand here, behind a step of the items beside it.",
		Example: "n-thumbnail",
	},
	{
		Name: "orig", SDK: "original", Section: "1.5", read: readBool,
		Grammar: boolGrammar, Default: "false",
		Summary: "Sends the original's bytes; everything else is ignored.",
		Example: "orig-true",
	},
	{
		Name: conditionName, SDK: "-", Section: "2.9", Grammar: conditionGrammar, Default: "no condition",
		Summary: "Chooses between two chains. Stands alone in its step.",
		Example: "if-ar_gt_1,w-240,if-else,h-240,if-end",
	},
}, refused())

// order tells where a name stands in the table.
var order = func() map[string]int {
	m := make(map[string]int, len(table))
	for i, p := range table {
		m[p.Name] = i
	}
	return m
}()

// Paints reports whether the parameter of that short name changes pixels.
func Paints(name string) bool {
	p := lookup(name)
	return p != nil && p.Paints
}

// lookup returns the row of a short name, or nil.
func lookup(name string) *Parameter {
	if i, ok := order[name]; ok {
		return &table[i]
	}
	return nil
}

// oneOf writes the choice of words as the end of a sentence.
func oneOf(words []string) string {
	last := len(words) - 1
	if last == 0 {
		return words[0]
	}
	return fmt.Sprintf("%s or %s", strings.Join(words[:last], ", "), words[last])
}
