//go:build !linux

package stores

import "os/exec"

// dieWithParent does nothing: only Linux offers it. Main stops what it can.
func dieWithParent(*exec.Cmd) {}

// holdsAttributes does nothing: the server tells.
func holdsAttributes(string) error { return nil }
