package proxy

import (
	"context"
	"net"
)

// tcp listens on host:port. A client that has vanished without a word is found by
// keep-alive: it may hold a backend in a transaction.
func (c ListenConfig) tcp(address string) (net.Listener, error) {
	lc := net.ListenConfig{
		KeepAliveConfig: net.KeepAliveConfig{
			Enable: c.KeepAlive > 0, Idle: c.KeepAlive, Interval: c.KeepAliveInterval, Count: c.KeepAliveCount,
		},
		Control: c.control,
	}
	if c.KeepAlive <= 0 {
		lc.KeepAlive = -1
	}
	return lc.Listen(context.Background(), "tcp", address)
}
