//go:build race

package vipsexec_test

import "testing"

// ordinaryBuild skips a test in binaries with the race detector, whose own memory and time are many times those of the code. What
// it tests is C, which the detector doesn't see; ./xcaddy.sh test runs it in an ordinary binary as well.
func ordinaryBuild(t *testing.T) {
	t.Helper()
	t.Skip("the bounds are those of an ordinary binary, without the race detector: go test ./transform/vipsexec")
}
