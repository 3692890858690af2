package stores

import (
	"fmt"
	"os/exec"
	"syscall"
)

// dieWithParent lets the system kill the process when the tests end without having stopped it.
func dieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

// holdsAttributes looks whether files in dir can have the extended attributes that Versity S3 gateway keeps metadata in.
func holdsAttributes(dir string) error {
	if err := syscall.Setxattr(dir, "user.imageorigin", []byte("yes"), 0); err != nil {
		return fmt.Errorf("the file system of %s keeps no extended attributes of users (%w), which this server needs: "+
			"set TMPDIR to a folder on ext4, xfs or btrfs", dir, err)
	}
	return nil
}
