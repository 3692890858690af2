package plan

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/transform/syntax"
)

// model evaluates an expression as the grammar describes it, by recursion from the operators that bind least.
type model struct {
	variables map[string]float64
	steps     int // operators applied
}

// levels are the operators from those that bind least, which are applied last.
var levels = [][]string{{"pow"}, {"mod"}, {"add", "sub"}, {"mul", "div"}}

func (m *model) value(words []string, level int) float64 {
	if level == len(levels) {
		if v, known := m.variables[words[0]]; known {
			return v
		}
		v, _ := strconv.ParseFloat(words[0], 64)
		return v
	}
	for i := len(words) - 2; i > 0; i -= 2 { // the rightmost operator of the level is applied last
		for _, operator := range levels[level] {
			if words[i] != operator {
				continue
			}
			a, b := m.value(words[:i], level), m.value(words[i+1:], level+1)
			m.steps++
			switch operator {
			case "pow":
				return math.Pow(a, b)
			case "mod":
				return remainder(a, b)
			case "add":
				return a + b
			case "sub":
				return a - b
			case "mul":
				return a * b
			default:
				if b == 0 {
					return math.NaN()
				}
				return a / b
			}
		}
	}
	return m.value(words, level+1)
}

// exact evaluates mul, div, add and sub in whole fractions; it returns nil where that divides by zero.
func (m *model) exact(words []string) (sum *big.Rat) {
	sum = new(big.Rat)
	sign := 1
	product, operator := big.NewRat(1, 1), "mul"
	for i, word := range append(words, "add") {
		switch {
		case i%2 == 0 && operator == "div":
			v := m.rational(word)
			if v.Sign() == 0 {
				return nil
			}
			product.Quo(product, v)
		case i%2 == 0:
			product.Mul(product, m.rational(word))
		case word == "mul" || word == "div":
			operator = word
		default:
			sum.Add(sum, product.Mul(product, big.NewRat(int64(sign), 1)))
			product, operator, sign = big.NewRat(1, 1), "mul", 1
			if word == "sub" {
				sign = -1
			}
		}
	}
	return sum
}

func (m *model) rational(word string) *big.Rat {
	v, ok := new(big.Rat).SetString(word)
	if !ok {
		v = new(big.Rat).SetFloat64(m.variables[word])
	}
	return v
}

// TestArithmeticAgreesWithTheModels evaluates random expressions for random sizes.
func TestArithmeticAgreesWithTheModels(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 10))
	const rounds = 30_000
	finite, precise := 0, 0
	for range rounds {
		sides := func() int { return 1 + random.IntN(5000) }
		c := canvas{original: dims{sides(), sides()}, entered: dims{sides(), sides()}}
		m := model{variables: map[string]float64{
			"iw": float64(c.original.width), "ih": float64(c.original.height), "iar": float64(c.original.width) / float64(c.original.height),
			"cw": float64(c.entered.width), "ch": float64(c.entered.height), "car": float64(c.entered.width) / float64(c.entered.height),
		}}
		operators := []string{"add", "sub", "mul", "div", "mod", "pow"}[:4+2*random.IntN(2)]
		words := []string{randomOperand(random)}
		for range random.IntN(8) {
			words = append(words, operators[random.IntN(len(operators))], randomOperand(random))
		}
		text := strings.Join(words, "_")
		got, err := c.evaluate(syntax.Item{Name: "w"}, syntax.Expression(text))
		want := m.value(words, 0)
		if bad := math.IsNaN(want) || math.IsInf(want, 0); bad != (err != nil) && !zeroOnTheWay(err) || err == nil && got != want {
			t.Fatalf("%s with %v: got %v, %v, want %v", text, m.variables, got, err, want)
		}
		if m.steps > len(words)/2 {
			t.Fatalf("%s: the model took %d steps", text, m.steps)
		}
		if err != nil {
			continue
		}
		finite++
		if len(operators) > 4 {
			continue
		}
		precise++
		exact, _ := m.exact(words).Float64()
		if scale := magnitude(words, m.variables); math.Abs(got-exact) > 1e-12*scale {
			t.Fatalf("%s with %v: got %v, exactly it is %v", text, m.variables, got, exact)
		}
	}
	if finite < rounds/2 || precise < rounds/4 {
		t.Errorf("only %d of %d expressions had a result, %d an exact one: the test proves little", finite, rounds, precise)
	}
}

func TestMultiplesLeaveNoRemainder(t *testing.T) {
	for _, tt := range []struct{ a, b, want float64 }{
		{434.99999999999994, 5, 0},
		{0.3, 0.1, 0},
		{3995, 0.000001, 0},
		{-434.99999999999994, 5, 0},
		{0, 3, 0},
		{48.99999999999999, 7, 0},
		{7, 4, 3},
		{-7, 4, -3},
		{7, -4, 3},
		{1_000_000.5, 1, 0.5},
		{65_535.001, 65_535, 0.001},
	} {
		if got := remainder(tt.a, tt.b); math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("%v mod %v: got %v, want %v", tt.a, tt.b, got, tt.want)
		}
	}
}

// zeroOnTheWay reports whether an expression was refused for a step of which the rest may make a number again: anything
// to the power of zero is one.
func zeroOnTheWay(err error) bool {
	return err != nil && (strings.Contains(err.Error(), "divides by zero") || strings.Contains(err.Error(), "no finite result"))
}

// magnitude sums up the products of an expression, whatever their sign: what errors of rounding are measured by.
func magnitude(words []string, variables map[string]float64) float64 {
	m := model{variables: variables}
	positive := make([]string, len(words))
	for i, word := range words {
		positive[i] = strings.Replace(word, "sub", "add", 1)
	}
	return m.value(positive, 0)
}

func randomOperand(random *rand.Rand) string {
	operands := []string{"iw", "ih", "iar", "cw", "ch", "car", "2", "0.5", "3", "0", fmt.Sprint(random.IntN(100)), fmt.Sprintf("%.2f", 3*random.Float64())}
	return operands[random.IntN(len(operands))]
}

// TestArithmeticOfEveryParameterIsSettled guards against one that parses with arithmetic and then can't take it.
func TestArithmeticOfEveryParameterIsSettled(t *testing.T) {
	settled := 0
	for _, p := range syntax.Parameters() {
		arithmetic := "-iw_div_ih"
		if p.Name == "dn" {
			arithmetic = "-idn_mul_2"
		}
		c, err := syntax.Parse(p.Name + arithmetic)
		if err != nil {
			continue
		}
		if _, arithmetic := c[0].Items[0].Value.(syntax.Expression); !arithmetic {
			continue
		}
		settled++
		canvas := canvas{original: dims{400, 300}}
		s, err := canvas.settle(c[0])
		if err != nil {
			t.Errorf("%v: %v", c, err)
			continue
		}
		if _, still := s.Items[0].Value.(syntax.Expression); still {
			t.Errorf("%v is left as it was", c)
		}
		if _, still := c[0].Items[0].Value.(syntax.Expression); !still {
			t.Errorf("%v was changed, though chains are shared", c)
		}
	}
	if settled != len(settlers) {
		t.Errorf("%d parameters take arithmetic, but %d can be settled", settled, len(settlers))
	}
}
