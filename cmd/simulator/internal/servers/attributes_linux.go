package servers

import "syscall"

// attributes has the kernel end a program with the thread that started it, and
// keeps Ctrl-C at the terminal from it: that is for us.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
