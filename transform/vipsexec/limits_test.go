package vipsexec_test

import (
	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax"
)

// defaultLimits are those of a configuration that sets none (caddymodule/limits.go).
var defaultLimits = plan.Limits{SourcePixels: 100_000_000, OutputPixels: 50_000_000, OutputSide: syntax.MaxSide, Frames: 500, Steps: 20}
