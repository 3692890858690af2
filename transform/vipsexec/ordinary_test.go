//go:build !race

package vipsexec_test

import "testing"

// ordinaryBuild: see race_test.go.
func ordinaryBuild(*testing.T) {}
