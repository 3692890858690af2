package plan_test

import (
	"testing"

	"github.com/imageorigin/imageorigin/transform/syntax"
	"github.com/imageorigin/imageorigin/transform/syntax/vectest"
)

// TestEveryParameterHasPlans fails where a row of the table is in no vector that has a plan.
func TestEveryParameterHasPlans(t *testing.T) {
	names := map[string]bool{
		"n": true, // its steps stand in its place before there is a plan
	}
	for _, b := range vectest.Read(t) {
		if b.Header["error"] != "" || b.Header["chain"] == "" {
			continue
		}
		c, err := syntax.Parse(b.Header["chain"])
		if err != nil {
			t.Fatalf("%s: %v", b.Name(), err)
		}
		collectNames(c, names)
	}
	for _, p := range syntax.Parameters() {
		if p.Missing == "" && !names[p.Name] {
			t.Errorf("%s is in no vector that has a plan", p.Name)
		}
	}
}

// collectNames puts the names of all items of a chain into names, and "if" for its conditions.
func collectNames(c syntax.Chain, names map[string]bool) {
	for _, s := range c {
		for _, it := range s.Items {
			names[it.Name] = true
		}
		if s.If != nil {
			names["if"] = true
			collectNames(s.If.Then, names)
			collectNames(s.If.Else, names)
		}
	}
}
