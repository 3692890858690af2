package chaintest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/imageorigin/imageorigin/transform/syntax"
)

// Rewrite writes a chain in other words of the same meaning, for every picture and client: items in another order, values in
// another spelling or as arithmetic, defaults written out, and steps in the branch of a condition that always holds.
func (w Writer) Rewrite(c syntax.Chain) string { return w.rewrite(c, namesIn(c), true) }

// rewrite is Rewrite for a chain, or a branch, of a chain that has those parameters. Steps are put into branches where wrap
// is set.
func (w Writer) rewrite(c syntax.Chain, names map[string]bool, wrap bool) string {
	var steps []string
	for len(c) > 0 {
		n := 0 // how many steps get into one branch
		for wrap && n < len(c) && w.One(3) && branches(c[n]) {
			n++
		}
		if n > 0 {
			steps = append(steps, w.always(w.rewrite(c[:n], names, false)))
			c = c[n:]
			continue
		}
		steps = append(steps, w.rewriteStep(c[0], names))
		c = c[1:]
	}
	return strings.Join(steps, ":")
}

// branches reports whether a step may stand in a branch and means the same there.
func branches(s syntax.Step) bool {
	_, pg := s.Item("pg")
	_, dn := s.Item("dn") // in a branch it doesn't change the size at which an SVG is drawn
	return s.If == nil && !pg && !dn
}

// always writes a condition that always takes the branch, of which there may be another.
func (w Writer) always(branch string) string {
	const never = "w-7,h-9,c-force,o-3,q-4"
	holds, fails := w.Pick("iw_gte_1", "w_gt_0_or_h_lt_5", "iar_gt_0_and_ih_ne_0"), w.Pick("iw_eq_0", "w_lt_1_or_h_eq_0", "ar_lte_0")
	switch w.IntN(3) {
	case 0:
		return "if-" + holds + "," + branch + ",if-end"
	case 1:
		return "if-" + holds + "," + branch + ",if-else," + never + ",if-end"
	}
	return "if-" + fails + "," + never + ",if-else," + branch + ",if-end"
}

func (w Writer) rewriteStep(s syntax.Step, names map[string]bool) string {
	if s.If != nil {
		text := "if-" + s.If.Condition.String() + "," + w.rewrite(s.If.Then, names, false)
		if len(s.If.Else) > 0 {
			text += ",if-else," + w.rewrite(s.If.Else, names, false)
		}
		return text + ",if-end"
	}
	var items []string
	for _, it := range s.Items {
		items = append(items, w.rewriteItem(it))
	}
	_, named := s.Item("n")
	for _, more := range defaults(s, names) {
		if !named && w.One(6) { // beside a name they would be a step of their own, whose result has limits
			items = append(items, more)
		}
	}
	w.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
	return strings.Join(items, ",")
}

// defaults returns items that say what holds without them.
func defaults(s syntax.Step, names map[string]bool) []string {
	has := func(name string) bool {
		_, given := s.Item(name)
		return given
	}
	list := []string{"fo-center", "rt-0", "rt-auto", "r-0", "b-0_red", "t-false"}
	if !has("bg") { // whose opacity o changes
		list = append(list, "o-100")
	}
	if has("w") || has("h") {
		list = append(list, "dpr-1")
		if !has("cm") {
			list = append(list, "c-maintain_ratio")
		}
	}
	for _, item := range []string{"f-auto", "pr-false", "lo-false", "md-false", "cp-false", "orig-false"} {
		if name, _, _ := strings.Cut(item, "-"); !names[name] { // the last step that has it decides
			list = append(list, item)
		}
	}
	var seen []string
	return slices.DeleteFunc(list, func(item string) bool {
		name, _, _ := strings.Cut(item, "-")
		twice := slices.Contains(seen, name)
		seen = append(seen, name)
		return twice || has(name)
	})
}

// rewriteItem writes an item in one of its spellings.
func (w Writer) rewriteItem(it syntax.Item) string {
	spellings := []string{it.String()}
	add := func(values ...string) {
		for _, value := range values {
			spellings = append(spellings, strings.TrimSuffix(it.Name+"-"+value, "-"))
		}
	}
	switch v := it.Value.(type) {
	case syntax.Length:
		add("0" + v.String())
		if v >= 1 {
			add(v.String()+".0", "iw_mul_0_add_"+v.String(), v.String()+"_mul_cw_div_cw")
		}
	case syntax.Offset:
		if v >= 0 {
			add("0"+v.String(), "ch_sub_ch_add_"+v.String())
		} else {
			add("iw_mul_0_sub_" + (-v).String())
		}
	case syntax.Number:
		add("0" + v.String())
		if it.Name == "dpr" {
			add("ih_div_ih_mul_" + v.String())
		}
	case syntax.Integer:
		add("0" + v.String() + ".0")
		add(otherWords[it.String()]...)
		if it.Name == "dn" {
			add("idn_mul_0_add_" + v.String())
		}
	case syntax.Ratio:
		add(strings.Replace(v.String(), "-", "_", 1), strings.Replace(v.String(), "-", ":", 1))
		add(fmt.Sprintf("iw_mul_0_add_%v_div_%v", v.Width, v.Height))
	case syntax.Radii:
		add(fmt.Sprintf("%d_%d_%d_0%d", v.TopLeft, v.TopRight, v.BottomRight, v.BottomLeft))
	case syntax.Border:
		if v.Arithmetic == "" {
			add(fmt.Sprintf("%d-%s", v.Width, v.Color), fmt.Sprintf("cw_mul_0_add_%d_%s", v.Width, v.Color))
		}
	case syntax.Color:
		add(strings.ToLower(v.String()))
	default:
		add(otherWords[it.String()]...)
	}
	return w.Pick(spellings...)
}

// otherWords are other values that mean the same as an item.
var otherWords = map[string][]string{
	"f-jpg":                    {"jpeg"},
	"fl-h_v":                   {"v_h"},
	"e-sharpen":                {"20", "020"},
	"e-usm":                    {"2-2-0.8-0.024", "02.0-2-0.80-0.0240"},
	"e-shadow":                 {"bl-10", "y-2_x-2_st-30_bl-10"},
	"e-gradient":               {"ld-bottom", "sp-1_from-white_to-00000000_ld-180"},
	"e-colorize":               {"in-100", "co-gray_in-0100", "co-808080"},
	"bg-blurred":               {"blurred_auto", "blurred_auto_0"},
	"bg-gradient_dominant":     {"gradient_dominant_2"},
	"e-distort-a-45":           {"a-045.0"},
	"rt-270":                   {"N90", "270.0"},
	"rt-0":                     {"auto", "360", "N360"},
	"t-10":                     {"true"},
	"t-true":                   {"10"},
	"cr-FF0000":                {"red_35", "F00"},
	"cr-000000":                {"000_35", "black"},
	"e-sharpen-20":             {""},
	"e-usm-2-2-0.8-0.024":      {""},
	"e-shadow-bl-15":           {"bl-15_y-2", "st-30_bl-015"},
	"e-gradient-ld-0":          {"ld-top"},
	"e-colorize-co-FF0000":     {"co-red", "in-100_co-F00"},
	"e-gradient-to-FF0000":     {"to-red", "to-FF0000_ld-bottom"},
	"e-gradient-from-FF0000":   {"from-F00"},
	"e-colorize-in-50":         {"in-050"},
	"e-gradient-sp-ih_div_2":   {"sp-ih_div_02.0"},
	"e-colorize-co-663399":     {"co-rebeccapurple"},
	"e-gradient-ld-90":         {"ld-right"},
	"e-gradient-ld-225":        {"ld-bottom_left"},
	"e-gradient-ld-90_sp-0.5":  {"sp-0.50_ld-right"},
	"e-gradient-ld-225_sp-0.5": {"sp-0.50_ld-bottom_left"},
}

// namesIn returns the names of all items of a chain and its branches.
func namesIn(c syntax.Chain) map[string]bool {
	names := map[string]bool{}
	for _, s := range c {
		for _, it := range s.Items {
			names[it.Name] = true
		}
		if s.If != nil {
			for _, branch := range []syntax.Chain{s.If.Then, s.If.Else} {
				for name := range namesIn(branch) {
					names[name] = true
				}
			}
		}
	}
	return names
}
