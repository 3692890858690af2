package syntax_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/transform/syntax"
)

func TestTermsAreThoseOfTheText(t *testing.T) {
	c, err := syntax.Parse("w-ih_mul_0.80_add_0012_pow_car")
	if err != nil {
		t.Fatal(err)
	}
	e, _ := syntax.Get[syntax.Expression](c[0], "w")
	want := []syntax.Term{{"", "ih", 0}, {"mul", "", 0.8}, {"add", "", 12}, {"pow", "car", 0}}
	if got := e.Terms(); !reflect.DeepEqual(got, want) {
		t.Errorf("%s has the terms %+v, want %+v", e, got, want)
	}
}

// TestArithmeticOfFourKibibytesIsRefused guards what evaluation costs: it is bounded by the values of an expression.
func TestArithmeticOfFourKibibytesIsRefused(t *testing.T) {
	for _, operator := range []string{"add", "sub", "mul", "div", "mod", "pow"} {
		text := "w-iw" + strings.Repeat("_"+operator+"_iw", (4096-4)/len("_add_iw"))
		_, err := syntax.Parse(text)
		if e, ours := errors.AsType[*syntax.Error](err); !ours || !e.Limit || e.Param != "w" || e.Pos != 2 {
			t.Errorf("%s... of %d bytes: got %v, want an error with Limit at column 3", text[:20], len(text), err)
		}
	}
}

// TestFourKibibytesHoldLinearWork counts what is left to do of texts as full of arithmetic and conditions as can be.
func TestFourKibibytesHoldLinearWork(t *testing.T) {
	longest := "w-iw" + strings.Repeat("_pow_9", 15)
	group := "w_gt_1" + strings.Repeat("_and_w_gt_1", 15)
	for name, piece := range map[string]string{
		"expressions": longest, "conditions": "if-w_gt_1,w-1,if-else,w-1,if-end", "comparisons": "if-" + group + ",w-1,if-end",
		"branches": "if-" + group + "," + longest + ":" + longest + ",if-else," + longest + ",if-end",
	} {
		text := piece + strings.Repeat(":"+piece, 4096/(len(piece)+1)-1)
		c, err := syntax.Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if n := work(c); n < len(text)/30 || n > len(text)/2 {
			t.Errorf("%s: %d bytes hold %d values, comparisons and steps; want a share of the bytes", name, len(text), n)
		}
	}
}

// work counts steps, comparisons and the values of arithmetic.
func work(c syntax.Chain) (n int) {
	for _, s := range c {
		n++
		for _, it := range s.Items {
			if e, arithmetic := it.Value.(syntax.Expression); arithmetic {
				n += len(e.Terms())
			}
		}
		if s.If == nil {
			continue
		}
		for _, group := range s.If.Condition {
			n += len(group)
		}
		n += work(s.If.Then) + work(s.If.Else)
	}
	return n
}

func TestAndBindsTighterThanOr(t *testing.T) {
	c, err := syntax.Parse("if-w_gt_1_or_h_gt_2_and_ar_gt_3-1_or_iw_gt_4,w-1,if-end")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint([]syntax.Comparison(c[0].If.Condition[1])), "[{h gt 2} {ar gt 3-1}]"; len(c[0].If.Condition) != 3 || got != want {
		t.Errorf("%s has %d groups, the second is %s, want 3 and %s", c, len(c[0].If.Condition), got, want)
	}
}

func TestPlacesOfConditionsAreOfTheWholeText(t *testing.T) {
	c, err := syntax.Parse("w-5:if-w_gt_1,h-2,w-1,if-else,q-5,if-end")
	if err != nil {
		t.Fatal(err)
	}
	block := c[1].If
	if block.Pos != 4 || block.Then[0].Items[0].Pos != 18 || block.Then[0].Items[1].Pos != 14 || block.Else[0].Items[0].Pos != 30 {
		t.Errorf("%s: the places are %d, %+v, %+v", c, block.Pos, block.Then, block.Else)
	}
}
