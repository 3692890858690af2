package plan_test

import (
	"testing"

	"github.com/imageorigin/imageorigin/transform/syntax/chaintest"
)

// TestPlansOfAllParametersAreSound walks through the plans of random chains of every parameter that the table has.
func TestPlansOfAllParametersAreSound(t *testing.T) {
	const rounds = 20_000
	planned := 0
	for seed := range uint64(rounds) {
		w := chaintest.New(seed, 3000)
		in := input{text: w.Plausible(), source: randomSource(w.Rand), hints: randomHints(w.Rand), limits: randomLimits(w.Rand), look: lookAnywhere}
		p, err := in.resolve()
		if err != nil {
			continue
		}
		planned++
		if walk(t, in, p); t.Failed() {
			return
		}
	}
	if planned < rounds/5 {
		t.Errorf("only %d of %d chains were planned: the test proves little", planned, rounds)
	}
}
