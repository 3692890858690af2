package syntax_test

import (
	"testing"

	"github.com/imageorigin/imageorigin/transform/syntax/vectest"
)

func FuzzParse(f *testing.F) {
	for _, b := range vectest.Read(f) {
		f.Add(b.Header["chain"])
	}
	f.Fuzz(func(t *testing.T, text string) { checkInvariants(t, text) })
}
