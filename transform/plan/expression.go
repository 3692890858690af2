package plan

import (
	"fmt"
	"math"
	"slices"

	"github.com/imageorigin/imageorigin/transform/syntax"
)

// settle returns the step with what its arithmetic comes to in place of the arithmetic. The variables are those of the
// moment at which the step begins.
func (c *canvas) settle(s syntax.Step) (syntax.Step, error) {
	var items []syntax.Item // a copy: the chain is shared
	for i, it := range s.Items {
		e, ok := it.Value.(syntax.Expression)
		if !ok {
			continue
		}
		v, err := c.evaluate(it, e)
		if err != nil {
			return s, err
		}
		if items == nil {
			items = slices.Clone(s.Items)
		}
		settle, ok := settlers[it.Name]
		if !ok {
			return s, refuse(it, "takes no arithmetic")
		}
		if items[i].Value, err = settle(it, e, v); err != nil {
			return s, err
		}
	}
	if items != nil {
		s.Items = items
	}
	return s, nil
}

// settlers turn the result of arithmetic into a value of the parameter.
var settlers = map[string]func(it syntax.Item, e syntax.Expression, v float64) (syntax.Value, error){
	"w": settleSide, "h": settleSide, "ar": settleRatio,
	"x": settleOffset, "y": settleOffset, "xc": settleOffset, "yc": settleOffset,
	"dpr": settleDPR,
	"dn":  settleDensity,
}

// settleSide makes whole pixels: never a fraction of the picture, whatever the result.
func settleSide(it syntax.Item, e syntax.Expression, v float64) (syntax.Value, error) {
	switch v = pure(v); {
	case v <= 0:
		return nil, came(it, e, v, "a side is above 0")
	case v >= maxSide+0.5:
		return nil, tooMuch(it, e, v, fmt.Sprintf("%d is the longest side there is", maxSide))
	}
	return syntax.Length(pixels(v)), nil
}

func settleRatio(it syntax.Item, e syntax.Expression, v float64) (syntax.Value, error) {
	switch {
	case v <= 0:
		return nil, came(it, e, v, "a ratio is above 0")
	case v > maxSide || 1/v > maxSide:
		return nil, tooMuch(it, e, v, fmt.Sprintf("no side of a ratio is longer than %d times the other", maxSide))
	}
	return syntax.Ratio{Width: v, Height: 1}, nil
}

func settleOffset(it syntax.Item, e syntax.Expression, v float64) (syntax.Value, error) {
	if math.Abs(v) >= maxSide+0.5 {
		return nil, tooMuch(it, e, v, fmt.Sprintf("%d is the longest side there is", maxSide))
	}
	return syntax.Offset(nearest(v)), nil
}

func settleDPR(it syntax.Item, e syntax.Expression, v float64) (syntax.Value, error) {
	if v < syntax.MinDPR-noise || v > syntax.MaxDPR+noise {
		return nil, came(it, e, v, fmt.Sprintf("write a number from %g to %g", syntax.MinDPR, float64(syntax.MaxDPR)))
	}
	return syntax.Number(v), nil
}

// came refuses an item for what its arithmetic comes to.
func came(it syntax.Item, e syntax.Expression, v float64, accepted string) error {
	return refuse(it, fmt.Sprintf("%s comes to %.8g; %s", abridged(e), v, accepted))
}

// tooMuch is came for results that are over a limit.
func tooMuch(it syntax.Item, e syntax.Expression, v float64, accepted string) error {
	return &syntax.Error{
		Pos: it.Pos, Param: it.Name, Limit: true,
		Msg: fmt.Sprintf("%s comes to %.8g; %s", abridged(e), v, accepted),
	}
}

// abridged returns the expression as a message shows it.
func abridged(e syntax.Expression) string {
	const most = 60
	if len(e) > most {
		return string(e[:most]) + "..."
	}
	return string(e)
}

// precedence holds the operators that are applied together, from left to right. The language is unusual here: pow, which
// binds tightest elsewhere, comes last.
var precedence = [][]string{{"mul", "div"}, {"add", "sub"}, {"mod"}, {"pow"}}

// evaluate returns what the expression of an item comes to in the step that c is in: a finite number.
func (c *canvas) evaluate(it syntax.Item, e syntax.Expression) (float64, error) {
	terms := e.Terms()
	values := make([]float64, len(terms))
	operators := make([]string, len(terms)) // the one before the value
	for i, t := range terms {
		values[i], operators[i] = t.Constant, t.Operator
		if t.Variable != "" {
			values[i] = c.variable(t.Variable)
		}
	}
	for _, now := range precedence {
		n := 0 // the value that the next ones are applied to
		for i := 1; i < len(values); i++ {
			if !slices.Contains(now, operators[i]) {
				n++
				values[n], operators[n] = values[i], operators[i]
				continue
			}
			if (operators[i] == "div" || operators[i] == "mod") && values[i] == 0 {
				return 0, refuse(it, fmt.Sprintf("%s divides by zero", abridged(e)))
			}
			values[n] = operate(values[n], operators[i], values[i])
			if math.IsNaN(values[n]) || math.IsInf(values[n], 0) {
				return 0, refuse(it, fmt.Sprintf("%s has no finite result", abridged(e)))
			}
		}
		values, operators = values[:n+1], operators[:n+1]
	}
	return values[0], nil
}

// operate applies one operator. The sign of a remainder is that of a.
func operate(a float64, operator string, b float64) float64 {
	switch operator {
	case "mul":
		return a * b
	case "div":
		return a / b
	case "add":
		return a + b
	case "sub":
		return a - b
	case "mod":
		return remainder(a, b)
	case "pow":
		return math.Pow(a, b)
	}
	return math.NaN()
}

// remainder is a mod b, with the sign of a. Where a is a multiple of b but for the errors of binary fractions, it is 0,
// and not nearly b: 100 mul 4.35 is a little less than 435, of which 5 would leave 4.99999.
func remainder(a, b float64) float64 {
	r, off := math.Mod(a, b), 1e-12*math.Abs(a)
	if math.Abs(r) <= off || math.Abs(b)-math.Abs(r) <= off {
		return 0
	}
	return r
}

// pure returns 0 for what is 0 but for the errors of binary fractions, and other numbers as they are.
func pure(v float64) float64 {
	if math.Abs(v) <= noise {
		return 0
	}
	return v
}

// variable returns the original's or the step's side or ratio, or the original's density.
func (c *canvas) variable(name string) float64 {
	if name == "idn" {
		return c.source.densityOrOwn()
	}
	of := c.original
	if name[0] == 'c' {
		of = c.entered
	}
	switch name[1:] {
	case "w":
		return float64(of.width)
	case "h":
		return float64(of.height)
	case "ar":
		return float64(of.width) / float64(of.height)
	}
	return math.NaN()
}
