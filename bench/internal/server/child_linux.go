package server

import (
	"os/exec"
	"syscall"
)

// dieWithParent lets the system kill the process when this one ends without having stopped it.
func dieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
