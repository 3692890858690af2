package syntax

import (
	"fmt"
	"slices"
	"strings"
)

// maxTerms bounds the values of an expression.
const maxTerms = 16

// maxConstant bounds the constants of an expression: enough for the product of two sides, far from what overflows.
const maxConstant = 10_000_000_000

// Expression is arithmetic on the sizes of pictures, "iw_div_2", as its canonical text. Only those that Parse returned
// are well-formed.
type Expression string

// Term is a value of an expression with the operator before it.
type Term struct {
	Operator string  // add, sub, mul, div, mod or pow; "" for the first term
	Variable string  // iw, ih, iar: the original; cw, ch, car: the result of the previous step; idn: the input's density; "" for a constant
	Constant float64 // 0 or more; meaningless beside a Variable
}

func (Expression) value() {}

// String returns the canonical text.
func (e Expression) String() string { return string(e) }

// Terms returns the values of the expression in the order in which they are written, which is not the order in which
// operators are applied: all mul and div come first, then add and sub, then mod, then pow, each from left to right.
func (e Expression) Terms() []Term {
	var terms []Term
	operator := ""
	for i, word := range strings.Split(string(e), "_") {
		if i%2 == 1 {
			operator = word
			continue
		}
		t := Term{Operator: operator}
		if v, err := number(word); err == nil {
			t.Constant = v
		} else {
			t.Variable = word
		}
		terms = append(terms, t)
	}
	return terms
}

var (
	variables = strings.Fields("iw ih iar cw ch car")
	operators = strings.Fields("add sub mul div mod pow")

	// laterVariables are those that the language has but nothing here can hold, and where they belong.
	laterVariables = map[string]string{
		"bw": layerOnly, "bh": layerOnly, "bar": layerOnly, "idu": videoOnly, "bdu": videoOnly,
		inputDensity: "belongs in dn",
	}
)

const expressionGrammar = "arithmetic such as iw_div_2"

// readExpressionOr reads arithmetic, or what read reads.
func readExpressionOr(read reader) reader {
	return func(text string) (Value, *Error) {
		if isExpression(text) {
			return readExpression(text)
		}
		return read(text)
	}
}

// isExpression reports whether text is meant as arithmetic: one of its words is.
func isExpression(text string) bool {
	for word := range strings.SplitSeq(text, "_") {
		if slices.Contains(variables, word) || slices.Contains(operators, word) || laterVariables[word] != "" {
			return true
		}
	}
	return false
}

// readExpression reads values with operators between them.
func readExpression(text string) (Value, *Error) { return readExpressionOf(text, variables) }

// readExpressionOf reads arithmetic that may use these variables.
func readExpressionOf(text string, variables []string) (Value, *Error) {
	if strange, pos := strangeness(text); strange != "" {
		return nil, &Error{Pos: pos, Msg: strange}
	}
	words := strings.Split(text, "_")
	at := 0
	for i, word := range words {
		var err *Error
		if i%2 == 1 {
			err = checkOperator(word)
		} else {
			words[i], err = operand(word, variables)
		}
		if err != nil {
			err.Pos += at
			return nil, err
		}
		at += len(word) + 1
	}
	switch {
	case len(words)%2 == 0:
		return nil, &Error{Pos: len(text), Msg: fmt.Sprintf("the arithmetic ends with %s; a value must follow", quote(words[len(words)-1]))}
	case len(words) > 2*maxTerms-1:
		return nil, &Error{Limit: true, Msg: fmt.Sprintf("the arithmetic has %d values; at most %d are allowed", (len(words)+1)/2, maxTerms)}
	}
	return Expression(strings.Join(words, "_")), nil
}

func checkOperator(word string) *Error {
	if slices.Contains(operators, word) {
		return nil
	}
	return &Error{Msg: fmt.Sprintf("%s is no operator; write %s", quote(word), oneOf(operators))}
}

// operand returns the canonical text of a variable or constant.
func operand(word string, variables []string) (string, *Error) {
	if slices.Contains(variables, word) {
		return word, nil
	}
	if where := laterVariables[word]; where != "" {
		return "", &Error{Msg: fmt.Sprintf("the variable %s %s", quote(word), where)}
	}
	v, err := number(word)
	switch {
	case err != nil && err.Msg != "":
		return "", err
	case err != nil:
		return "", &Error{Msg: fmt.Sprintf("%s is no value of arithmetic; write %s", quote(word), oneOf(slices.Concat([]string{"a number"}, variables)))}
	case v > maxConstant:
		return "", &Error{Limit: true, Msg: fmt.Sprintf("%s is more than %d, the largest number in arithmetic", quote(word), maxConstant)}
	}
	return decimal(v), nil
}
