package embedded

import "syscall"

// attributes starts a program as another user or, with nil, as ourselves; in a
// process group of its own, for Ctrl-C at the terminal is for us; and has the
// kernel send it a signal when the thread that started it ends.
func attributes(c *syscall.Credential, atOurEnd syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: c, Setpgid: true, Pdeathsig: atOurEnd}
}
