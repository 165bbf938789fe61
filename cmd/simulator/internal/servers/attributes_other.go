//go:build !linux

package servers

import "syscall"

// attributes keeps Ctrl-C at the terminal from a program: that is for us.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
