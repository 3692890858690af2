package e2e

import (
	"runtime"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/e2e/mutation"
)

// TestBrokenPicturesHarmNobodyElse is a small run of ./mutate.
func TestBrokenPicturesHarmNobodyElse(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("there is no /proc to see what is left of the server")
	}
	report, err := mutation.Run(t.Context(), mutation.Config{Caddy: caddyBinary, Count: 300, Parallel: 4, Seed: 7, Keep: t.ArtifactDir()})
	if report != nil {
		var text strings.Builder
		report.Write(&text)
		t.Log(text.String())
		for _, failure := range report.Failures {
			t.Error(failure)
		}
	}
	if err != nil {
		t.Error(err)
	}
}
