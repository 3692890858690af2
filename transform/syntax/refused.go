package syntax

import (
	"fmt"
	"strings"
)

// Why a parameter is refused.
const (
	notYet    = "not supported in this version"
	noModel   = "needs a model that is not installed"
	layerOnly = "belongs in a layer; layers are not supported in this version"
	videoOnly = "belongs to video, which is passed through unchanged"
	removed   = "was removed from the language in 2023; use layers, which are not supported in this version"
)

// refused returns the rows of parameters that the language has and this version has not: whoever uses one is told so,
// and not that it is unknown.
func refused() []Parameter {
	var rows []Parameter
	for _, group := range []struct{ section, why, names string }{
		{"2.4", notYet, "c2pa"},
		{"2.7", noModel, `e-bgremove:aiRemoveBackground e-removedotbg:aiRemoveBackgroundExternal e-changebg:aiChangeBackground
			e-edit:aiEdit e-dropshadow:aiDropShadow e-retouch:aiRetouch e-upscale:aiUpscale e-genvar:aiVariation`},
		{"2.10", notYet, "l:layers"},
		{"2.10", layerOnly, `i ie lx ly lxc lyc lap lfo lm lso leo ldu fs ff co ia pa al tg lh fol fsh`},
		{"6", videoOnly, "so:startOffset eo:endOffset du:duration vc:videoCodec ac:audioCodec sr:streamingResolutions"},
		{"2.10", removed, `oi ox oy oh ow obg ofo oit oib oibg oiar oidpr oiq oic oicm oifo oix oiy oixc oiyc oih oiw
			ot ote ots otc otf ott otw otbg otp otia oa or`},
	} {
		for _, name := range strings.Fields(group.names) {
			short, sdk, _ := strings.Cut(name, ":")
			rows = append(rows, Parameter{Name: short, SDK: sdk, Section: group.section, Missing: group.why})
		}
	}
	return rows
}

// refusal says why a parameter is refused.
func refusal(p *Parameter) string {
	what := "the parameter "
	if isEffect(p.Name) {
		what = "the effect "
	}
	if p.Missing == notYet {
		what += "is "
	}
	return what + p.Missing
}

func needsModel(value string) string {
	return fmt.Sprintf("the value %s %s", quote(value), noModel)
}
