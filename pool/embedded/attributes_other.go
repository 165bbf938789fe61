//go:build !linux

package embedded

import "syscall"

// attributes starts a program as another user or, with nil, as ourselves, and
// in a process group of its own, for Ctrl-C at the terminal is for us. Only
// Linux can end it when we are killed.
func attributes(c *syscall.Credential, _ syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: c, Setpgid: true}
}
