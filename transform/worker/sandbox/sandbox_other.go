//go:build !linux

package sandbox

import (
	"errors"
	"os"
	"os/exec"
)

var errSystem = errors.New("needs Linux")

// Executable returns the path of the binary of this process.
func Executable() (string, error) { return os.Executable() }

// Spawner starts processes as they are: this system has no measures. Make one with [NewSpawner].
type Spawner struct{}

// NewSpawner returns a Spawner.
func NewSpawner() *Spawner { return &Spawner{} }

// Start starts cmd. Without cmd.Env the process gets [Environment], never all variables of this process.
func (*Spawner) Start(cmd *exec.Cmd) error {
	if cmd.Env == nil {
		cmd.Env = Environment(os.Environ())
	}
	return cmd.Start()
}

// Measures returns that there are none.
func (*Spawner) Measures() Measures {
	var m Measures
	for _, name := range []string{"no-new-privileges", "network and ipc namespaces", "landlock", "no capabilities"} {
		m.add(name, errSystem)
	}
	return m
}

// Close does nothing.
func (*Spawner) Close() {}

// Confine does nothing and returns that.
func Confine(l Limits) (Measures, error) {
	_ = l.withDefaults()
	var m Measures
	for _, name := range []string{"rlimits", "ends with the server", "not readable by others", "seccomp"} {
		m.add(name, errSystem)
	}
	return m, nil
}
