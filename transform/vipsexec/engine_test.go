package vipsexec_test

import (
	"testing"

	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/transformtest"
	"github.com/imageorigin/imageorigin/transform/vipsexec"
)

func newEngine(t testing.TB) *vipsexec.Engine {
	t.Helper()
	e, err := vipsexec.New(vipsexec.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// newReader returns an engine that reads everything.
func newReader(t testing.TB) *vipsexec.Engine {
	t.Helper()
	e, err := vipsexec.New(vipsexec.Config{Inputs: plan.AllFormats})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

func TestEngineSuite(t *testing.T) {
	transformtest.Run(t, newReader(t))
}
