//go:build !linux

package proxy

import "syscall"

// control does nothing: net sets the options of each connection.
func (c ListenConfig) control(string, string, syscall.RawConn) error { return nil }
