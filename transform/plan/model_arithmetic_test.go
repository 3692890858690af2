package plan_test

import (
	"math/big"
	"slices"
	"strings"
)

// affine maps x, y to a·x + b·y + c, d·x + e·y + f.
type affine struct{ a, b, c, d, e, f float64 }

var identity = affine{a: 1, e: 1}

// after returns the map that does g first.
func (m affine) after(g affine) affine {
	return affine{
		m.a*g.a + m.b*g.d, m.a*g.b + m.b*g.e, m.a*g.c + m.b*g.f + m.c,
		m.d*g.a + m.e*g.d, m.d*g.b + m.e*g.e, m.d*g.c + m.e*g.f + m.f,
	}
}

// inverse undoes a map that keeps axes apart.
func (m affine) inverse() affine {
	det := m.a*m.e - m.b*m.d
	a, b, d, e := m.e/det, -m.b/det, -m.d/det, m.a/det
	return affine{a, b, -a*m.c - b*m.f, d, e, -d*m.c - e*m.f}
}

func (m affine) of(x, y int) [2]float64 {
	return [2]float64{m.a*float64(x) + m.b*float64(y) + m.c, m.d*float64(x) + m.e*float64(y) + m.f}
}

func whole(n int) *big.Rat { return big.NewRat(int64(n), 1) }

func times(a, b *big.Rat) *big.Rat { return new(big.Rat).Mul(a, b) }

func quotient(a, b *big.Rat) *big.Rat { return new(big.Rat).Quo(a, b) }

func larger(a, b *big.Rat) *big.Rat {
	if a.Cmp(b) > 0 {
		return a
	}
	return b
}

func smaller(a, b *big.Rat) *big.Rat {
	if a.Cmp(b) < 0 {
		return a
	}
	return b
}

// fraction reads a number, a ratio such as 4-3, 4_3 and 4:3, or a negative number with the prefix N.
func fraction(text string) *big.Rat {
	if at := strings.IndexAny(text, "-_:"); at > 0 {
		return quotient(fraction(text[:at]), fraction(text[at+1:]))
	}
	v, ok := new(big.Rat).SetString(strings.Replace(text, "N", "-", 1))
	if !ok {
		panic("the model can't read " + text)
	}
	return v
}

// nearHalf is how near to a half the model and binary numbers may disagree about rounding.
var nearHalf = big.NewRat(1, 1e6)

// roundAny rounds half up. The model is unsure of what is near a half, but not a half.
func (m *model) roundAny(v *big.Rat) int {
	doubled := times(v, whole(2))
	doubled.Add(doubled, whole(1))
	n := new(big.Int)
	rest := new(big.Int)
	n.DivMod(doubled.Num(), new(big.Int).Mul(doubled.Denom(), big.NewInt(2)), rest)
	if !n.IsInt64() || n.Int64() > 1e12 || n.Int64() < -1e12 {
		m.unsure = true
		return 1
	}
	half := new(big.Rat).Sub(v, big.NewRat(2*n.Int64()-1, 2)) // v - (n - 1/2): 0 is a half, 1 nearly the next one
	m.unsure = m.unsure || half.Sign() != 0 && half.Cmp(nearHalf) < 0 || new(big.Rat).Sub(whole(1), half).Cmp(nearHalf) < 0
	return int(n.Int64())
}

// round is roundAny for sides, which are never below 1.
func (m *model) round(v *big.Rat) int { return max(1, m.roundAny(v)) }

var (
	modelVariables = strings.Fields("iw ih iar cw ch car")
	modelOperators = strings.Fields("add sub mul div mod pow")
)

func arithmetic(text string) bool {
	return slices.ContainsFunc(strings.Split(text, "_"), func(word string) bool {
		return slices.Contains(modelVariables, word) || slices.Contains(modelOperators, word)
	})
}

// value returns what arithmetic comes to, or a plain number or ratio.
func (m *model) value(text string) *big.Rat {
	if !arithmetic(text) {
		return fraction(text)
	}
	words := strings.Split(text, "_")
	for _, first := range []string{"mul div", "add sub", "mod", "pow"} {
		for i := 1; i < len(words); {
			if !slices.Contains(strings.Fields(first), words[i]) {
				i += 2
				continue
			}
			v := m.operate(m.operand(words[i-1]), words[i], m.operand(words[i+1]))
			if m.ended() {
				return nil
			}
			words = slices.Replace(words, i-1, i+2, v.String())
		}
	}
	v := m.operand(words[0])
	// Binary numbers may take nothing for a little, and the other way.
	m.unsure = m.unsure || v.Sign() != 0 && larger(v, new(big.Rat).Neg(v)).Cmp(nearHalf) < 0
	return v
}

func (m *model) operand(word string) *big.Rat {
	of := m.original
	if word[0] == 'c' {
		of = m.entered
	}
	switch strings.TrimLeft(word, "ic") {
	case "w":
		return whole(of[0])
	case "h":
		return whole(of[1])
	case "ar":
		return big.NewRat(int64(of[0]), int64(of[1]))
	}
	v, ok := new(big.Rat).SetString(word)
	if !ok {
		panic("the model can't read " + word)
	}
	return v
}

func (m *model) operate(a *big.Rat, operator string, b *big.Rat) *big.Rat {
	switch operator {
	case "add":
		return new(big.Rat).Add(a, b)
	case "sub":
		return new(big.Rat).Sub(a, b)
	case "mul":
		return times(a, b)
	}
	if operator == "pow" {
		return m.power(a, b)
	}
	if b.Sign() == 0 {
		m.refused = true
		return nil
	}
	q := quotient(a, b)
	if operator == "div" {
		return q
	}
	// Of so large a number, or by so small a one, the errors of binary numbers leave no remainder to speak of.
	m.unsure = m.unsure || larger(a, new(big.Rat).Neg(a)).Cmp(whole(1e6)) > 0 || larger(b, new(big.Rat).Neg(b)).Cmp(big.NewRat(1, 1000)) < 0
	towardsZero := new(big.Int).Quo(q.Num(), q.Denom())
	return new(big.Rat).Sub(a, times(b, new(big.Rat).SetInt(towardsZero)))
}

// power is exact for small whole exponents; the model is unsure of others.
func (m *model) power(a, b *big.Rat) *big.Rat {
	if !b.IsInt() || b.Num().BitLen() > 6 || a.Num().BitLen()+a.Denom().BitLen() > 2000 {
		m.unsure = true
		return nil
	}
	n := int(b.Num().Int64())
	if n < 0 {
		if a.Sign() == 0 {
			m.refused = true
			return nil
		}
		a, n = new(big.Rat).Inv(a), -n
	}
	v := whole(1)
	for range n {
		v.Mul(v, a)
	}
	return v
}
